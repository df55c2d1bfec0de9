// Showing a file: text as text, JSON indented, tables of CSV, images as images. Bytes are fetched and set as text; nothing
// stored is ever parsed as a page.

import { fill, h, loading, table } from "./dom.js";
import { send } from "./http.js";
import { bytes } from "./text.js";

const TEXT_BYTES_MAX = 512 * 1024;
const IMAGE_BYTES_MAX = 20 * 1024 * 1024;
const ROWS_MAX = 200;
const TEXT_FILES = /(^|\/)(MLmodel|Dockerfile|Makefile|README|LICENSE)$/;
const TEXT_ENDINGS = new RegExp("\\.(txt|log|py|md|ya?ml|toml|cfg|ini|json|jsonl|csv|tsv|html?|xml|js|css|sh|pbtxt|sql|swift"
  + "|c|h|cpp)$", "i");
const IMAGE_NAMES = /\.(png|jpe?g|gif|webp|svg)$/i;

/** What kind of preview fits, or null. */
export function previewKind(name, type = "", size = 0) {
  if (IMAGE_NAMES.test(name) || /^image\/(png|jpeg|gif|webp|svg)/.test(type)) return size <= IMAGE_BYTES_MAX ? "image" : null;
  if (TEXT_FILES.test(name) || TEXT_ENDINGS.test(name) || /^(text\/|application\/(json|xml|yaml|x-yaml))/.test(type)) return "text";
  return null;
}

/** Shows the file at `path` in `place`; says why when it cannot be shown. */
export async function preview(place, { path, name, size, type, signal }) {
  const kind = previewKind(name, type, size);
  if (size === 0) return fill(place, h("p", { class: "muted" }, "The file is empty."));
  if (kind === null) return fill(place, h("p", { class: "muted" }, "No preview of this kind of file; download it to look inside."));
  if (kind === "image") {
    const image = h("img", { alt: `Preview of ${name}`, class: "preview-image" });
    image.addEventListener("error", () => fill(place, h("p", { class: "muted" }, "The image cannot be shown.")));
    image.src = path;
    return fill(place, image);
  }
  fill(place, loading());
  try {
    const isCut = size > TEXT_BYTES_MAX;
    const fields = isCut ? { Range: `bytes=0-${TEXT_BYTES_MAX - 1}` } : {};
    const response = await send(path, { fields, signal });
    const text = await readText(response, TEXT_BYTES_MAX);
    fill(place, shown(name, text, isCut),
      isCut && h("p", { class: "muted small" }, `The first ${bytes(TEXT_BYTES_MAX)} of ${bytes(size)}.`));
  } catch (error) {
    if (error.name !== "AbortError") fill(place, h("p", { class: "bad" }, error.message));
  }
}

/** At most `bytesMax` of an answer, also when the server sends more than was asked for. */
async function readText(response, bytesMax) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let count = 0; count < bytesMax;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    count += value.length;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}

function shown(name, text, isCut) {
  if (/\.json$/i.test(name) && !isCut) {
    try { return code(JSON.stringify(JSON.parse(text), null, 2)); } catch { return code(text); }
  }
  if (/\.(csv|tsv)$/i.test(name)) {
    const rows = parseRows(text, /\.tsv$/i.test(name) ? "\t" : ",").slice(0, ROWS_MAX + 1);
    if (rows.length > 1) {
      return [table(rows[0], rows.slice(1), { label: name }),
        rows.length > ROWS_MAX && h("p", { class: "muted small" }, `The first ${ROWS_MAX} rows.`)];
    }
  }
  return code(text);
}

function code(text) { return h("pre", { class: "code", tabindex: "0" }, text); }

/** Rows of separated values, with quoted cells (RFC 4180). */
export function parseRows(text, separator) {
  const rows = [];
  let row = [];
  let cell = "";
  let isQuoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || cell !== "") rows.push(row);
    row = [];
    cell = "";
  };
  for (let index = 0; index < text.length && rows.length <= ROWS_MAX; index += 1) {
    const character = text[index];
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') { cell += '"'; index += 1; } else isQuoted = false;
    } else if (character === '"' && cell === "") isQuoted = true;
    else if (character === separator) { row.push(cell); cell = ""; } else if (character === "\n") endRow();
    else if (character !== "\r") cell += character;
  }
  if (cell !== "" || row.length) endRow();
  return rows;
}
