// Runs beside each other: what differs in a table, how they went in charts.

import { badge, breadcrumbs, empty, fill, h, heading } from "./dom.js";
import { charts, colour } from "./charts.js";
import { experimentAddress, getRun, runAddress, stateKind } from "./mlflow.js";
import { readable } from "./runs.js";
import { duration, moment, number } from "./text.js";

const CHARTS_MAX = 24;

export async function comparePage({ parameters, signal }) {
  const ids = wanted(parameters);
  if (ids.length === 0) return { title: "Compare", content: [heading("Compare"), empty("Select runs in an experiment first.")] };
  const runs = (await Promise.all(ids.map((id) => getRun(id, signal)))).map(readable);
  const experiments = [...new Set(runs.map((run) => run.experiment))];
  const keys = [...new Set(runs.flatMap((run) => [...run.metrics.keys()]))].sort();
  const place = h("div", {});
  const differences = h("input",
    { type: "checkbox", id: "differences", on: { change: () => fill(place, sides(runs, differences.checked)) } });
  fill(place, sides(runs, false));
  const shown = runs.map((run) =>
    ({ id: run.id, name: run.name || run.id.slice(0, 8), address: runAddress(run.experiment, run.id) }));
  return {
    title: "Compare runs",
    content: [
      breadcrumbs([["Experiments", "#/experiments"], ...experiments.map((id) => [`Experiment ${id}`, experimentAddress(id)]),
        ["Compare"]]),
      heading(runs.length > 1 ? `${runs.length} runs` : shown[0].name),
      h("section", {}, h("h2", {}, "Metrics over time"),
        keys.length === 0 ? empty("These runs have logged no metrics.") : charts(shown, keys.slice(0, CHARTS_MAX), signal),
        keys.length > CHARTS_MAX && h("p", { class: "muted small" }, `The first ${CHARTS_MAX} of ${keys.length} metrics.`)),
      h("section", {}, h("h2", {}, "Side by side"),
        runs.length > 1 && h("p", { class: "toolbar" }, h("label", { class: "choice" }, differences, " Only what differs")), place),
    ],
  };
}

/** The ids in `runs=a,b`, or in the JSON list that MLflow's own links carry. */
function wanted(parameters) {
  const text = parameters.get("runs") || "";
  if (text.startsWith("[")) {
    try { return JSON.parse(text).map(String).slice(0, 50); } catch { return []; }
  }
  return text.split(",").filter(Boolean).slice(0, 50);
}

function sides(runs, onlyDifferences) {
  const rows = (kind, show) => {
    const names = [...new Set(runs.flatMap((run) => [...run[kind].keys()]))].filter((name) => !name.startsWith("mlflow.")).sort();
    return names.map((name) => [name, runs.map((run) => run[kind].get(name)), show])
      .filter(([, values]) => !onlyDifferences || new Set(values).size > 1);
  };
  const group = (title, entries) => entries.length > 0 && [
    h("tr", { class: "group" }, h("th", { colspan: String(runs.length + 1), scope: "rowgroup" }, title)),
    entries.map(([name, values, show]) => h("tr", { class: new Set(values).size > 1 ? "differs" : undefined },
      h("th", { scope: "row", class: "break" }, name),
        values.map((value) => h("td", { class: "break" }, value === undefined ? "" : show(value))))),
  ];
  const plain = (value) => value;
  return h("div", { class: "table-wrap sides", tabindex: "0", role: "region", "aria-label": "Runs side by side" }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Run"), runs.map((run, index) => {
      const swatch = h("span", { class: "swatch" });
      swatch.style.background = colour(index);
      return h("th", { scope: "col" }, swatch, " ",
        h("a", { href: runAddress(run.experiment, run.id) }, run.name || run.id.slice(0, 8)));
    }))),
    h("tbody", {},
      h("tr", {}, h("th", { scope: "row" }, "Status"),
        runs.map((run) => h("td", {}, badge(run.status.toLowerCase(), stateKind(run.status))))),
      h("tr", {}, h("th", { scope: "row" }, "Started"), runs.map((run) => h("td", { class: "nowrap" }, moment(run.start)))),
      h("tr", {}, h("th", { scope: "row" }, "Duration"), runs.map((run) => h("td", {}, duration(run.duration)))),
      group("Metrics", rows("metrics", number)), group("Parameters", rows("params", plain)), group("Tags", rows("tags", plain)))));
}
