// Metric charts on Chart.js, which is loaded when the first chart is wanted.

import { fill, h, loading } from "./dom.js";
import { sampledHistory } from "./mlflow.js";
import { duration, moment, number } from "./text.js";

/** Told apart on light and on dark, also by most people who see colours differently. */
const COLOURS = ["#0f9b8e", "#d9822b", "#5b7fd6", "#c2477f", "#7a9a2e", "#8b63c9", "#c95f4a", "#3a9cc4", "#a98320", "#6d7a85"];
export const colour = (index) => COLOURS[index % COLOURS.length];

let library = null;

function load() {
  library ||= new Promise((resolve, reject) => {
    const script = h("script", { src: "assets/chart.min.js" });
    script.addEventListener("load", () => resolve(window.Chart));
    script.addEventListener("error", () => { library = null; reject(new Error("The chart library did not arrive.")); });
    document.head.append(script);
  });
  return library;
}

/**
 * Charts of several metrics of several runs, with one set of controls. `runs` are `{id, name}`; a metric that has one
 * point in every run is drawn as bars.
 */
export function charts(runs, keys, signal) {
  const drawn = [];
  const settings = { axis: "step", scale: "linear" };
  const redraw = () => { for (const chart of drawn) chart.draw(); };
  const choose = (name, label, options) => {
    const select = h("select", { id: `chart-${name}`, on: { change: () => { settings[name] = select.value; redraw(); } } },
      options.map(([value, text]) => h("option", { value }, text)));
    return h("span", { class: "pair" }, h("label", { for: `chart-${name}` }, label), select);
  };
  const controls = h("div", { class: "inline toolbar" },
    choose("axis", "Horizontal", [["step", "Step"], ["relative", "Time since start"], ["wall", "Time of day"]]),
    choose("scale", "Vertical", [["linear", "Linear"], ["logarithmic", "Logarithmic"]]));
  const legend = runs.length > 1 && h("ul", { class: "legend" }, runs.map((run, index) => {
    const swatch = h("span", { class: "swatch" });
    swatch.style.background = colour(index);
    return h("li", {}, swatch, run.address ? h("a", { href: run.address }, run.name) : run.name);
  }));
  const cards = keys.map((key) => {
    const chart = metricChart(runs, key, settings, signal);
    drawn.push(chart);
    return chart.element;
  });
  signal.addEventListener("abort", () => { for (const chart of drawn) chart.end(); });
  return h("div", {}, controls, legend, h("div", { class: "charts" }, cards));
}

function metricChart(runs, key, settings, signal) {
  const body = h("div", { class: "chart-body" }, loading());
  const element = h("figure", { class: "card chart" }, h("figcaption", { class: "break" }, key), body);
  let histories = null;
  let chart = null;
  fetchAll();
  return { element, draw, end: () => chart?.destroy() };

  async function fetchAll() {
    try {
      const [points] = await Promise.all([sampledHistory(runs.map((run) => run.id), key, { signal }), load()]);
      histories = runs.map((run) => points.filter((point) => (point.run_id || runs[0].id) === run.id)
        .map((point) => ({ step: Number(point.step || 0), time: Number(point.timestamp), value: Number(point.value) }))
        .sort((left, right) => left.step - right.step || left.time - right.time));
      draw();
    } catch (error) {
      if (error.name !== "AbortError") fill(body, h("p", { class: "bad" }, error.message));
    }
  }

  function draw() {
    if (!histories || signal.aborted) return;
    chart?.destroy();
    if (histories.every((points) => points.length === 0)) {
      fill(body, h("p", { class: "muted" }, "No values."));
      return;
    }
    const canvas = h("canvas", { role: "img", "aria-label": spoken() });
    fill(body, canvas);
    const isBars = histories.every((points) => points.length <= 1);
    chart = new window.Chart(canvas, isBars ? bars() : lines());
  }

  /** What the chart shows, in words. */
  function spoken() {
    const last = histories.map((points, index) => points.length && `${runs[index].name} ${number(points.at(-1).value)}`)
      .filter(Boolean);
    return `${key}: last values ${last.slice(0, 10).join(", ")}`;
  }

  function lines() {
    const start = histories.map((points) => Math.min(...points.map((point) => point.time)));
    const x = (point, index) =>
      settings.axis === "step" ? point.step : settings.axis === "relative" ? point.time - start[index] : point.time;
    const label = (value) =>
      settings.axis === "step" ? number(value) : settings.axis === "relative" ? duration(value) : moment(value).slice(11);
    const isLogarithmic = settings.scale === "logarithmic";
    const datasets = histories.map((points, index) => ({
      label: runs[index].name, borderColor: colour(index), backgroundColor: colour(index), borderWidth: 2,
      pointRadius: points.length > 40 ? 0 : 2.5, pointHitRadius: 8, tension: 0, spanGaps: true,
      data: points.map((point) => ({ x: x(point, index), y: isLogarithmic && point.value <= 0 ? NaN : point.value }))
        .sort((left, right) => left.x - right.x),
    }));
    const options = common();
    options.scales.x = { ...options.scales.x, type: "linear",
      ticks: { ...options.scales.x.ticks, maxTicksLimit: 7, callback: label } };
    options.scales.y = { ...options.scales.y, type: settings.scale };
    options.interaction = { mode: "nearest", axis: "x", intersect: false };
    options.plugins.tooltip = {
      callbacks: { title: (items) => label(items[0]?.parsed.x),
        label: (item) => ` ${item.dataset.label}: ${number(item.parsed.y)}` },
    };
    return { type: "line", data: { datasets }, options };
  }

  function bars() {
    const options = common();
    options.indexAxis = "y";
    options.scales.x.type = settings.scale;
    options.plugins.tooltip = { callbacks: { label: (item) => ` ${number(item.parsed.x)}` } };
    return {
      type: "bar",
      data: {
        labels: runs.map((run) => run.name),
        datasets: [{
          data: histories.map((points) => points[0]?.value ?? null), backgroundColor: runs.map((_, index) => colour(index)),
            maxBarThickness: 26,
        }],
      },
      options,
    };
  }
}

/** The look that every chart shares, in the page's own colours. */
function common() {
  const style = getComputedStyle(document.documentElement);
  const line = style.getPropertyValue("--line").trim();
  const text = style.getPropertyValue("--muted").trim();
  const axis = () => ({ grid: { color: line, borderColor: line }, ticks: { color: text, font: { size: 11 } } });
  const vertical = axis();
  vertical.ticks.callback = function label(tick) {
    return this.type === "category" ? this.getLabelForValue(tick) : number(tick);
  };
  return {
    responsive: true, maintainAspectRatio: false, animation: false, normalized: true,
    scales: { x: axis(), y: vertical }, plugins: { legend: { display: false } },
  };
}
