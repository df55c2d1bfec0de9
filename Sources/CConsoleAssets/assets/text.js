// Numbers, sizes and moments as people read them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(count) {
  if (count === undefined || count === null || Number.isNaN(Number(count))) return "";
  let value = Number(count);
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) { value /= 1024; unit += 1; }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A local moment to the second; `when` is milliseconds, a date, or a text that a date can be made of. */
export function moment(when) {
  const date = new Date(when);
  if (!when || Number.isNaN(date.getTime())) return "";
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `
    + `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** How long ago, in the largest unit that fits. */
export function ago(when) {
  const seconds = Math.max(0, (Date.now() - new Date(when).getTime()) / 1000);
  if (!when || Number.isNaN(seconds)) return "";
  if (seconds < 60) return "just now";
  for (const [name, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${name}${count > 1 ? "s" : ""} ago`;
  }
  return "";
}

export function duration(milliseconds) {
  if (milliseconds === undefined || milliseconds === null || Number.isNaN(milliseconds) || milliseconds < 0) return "";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** A metric's value with up to six significant digits. */
export function number(value) {
  if (value === undefined || value === null || value === "") return "";
  const parsed = Number(value);
  if (!Number.isFinite(parsed)) return String(value);
  if (Number.isInteger(parsed) && Math.abs(parsed) < 1e9) return String(parsed);
  const size = Math.abs(parsed);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return parsed.toExponential(3);
  return String(Number(parsed.toPrecision(6)));
}

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
