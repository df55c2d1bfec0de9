// The runs of an experiment: a table whose columns are chosen, sorted by any of them, filtered in MLflow's own language.

import { badge, breadcrumbs, button, confirm, dialog, empty, failure, h, heading, toast } from "./dom.js";
import { query } from "./http.js";
import { deleteRun, getExperiment, keyed, runAddress, searchRuns, stateKind } from "./mlflow.js";
import { ago, duration, moment, number, plural } from "./text.js";

const NEWEST = "attributes.start_time DESC";
/** Columns of each kind that are shown until the person chooses. */
const COLUMNS_AT_FIRST = 6;
const COMPARED_MAX = 50;

export async function runsPage({ experiment: id, parameters, signal, reload }) {
  const filter = parameters.get("filter") || "";
  const order = parameters.get("order") || NEWEST;
  const view = parameters.get("view") === "deleted" ? "DELETED_ONLY" : "ACTIVE_ONLY";
  const experiment = await getExperiment(id, signal);
  let problem = null;
  const first = await searchRuns([id], { filter, order: [order, NEWEST], view, signal }).catch((error) => {
    // A filter that is not understood leaves the page, its box and the server's words.
    if (error.status !== 400) throw error;
    error.title = "The filter is not understood";
    problem = error;
    return {};
  });
  const runs = (first.runs || []).map(readable);
  let next = first.next_page_token;
  const selected = new Set();
  const place = h("div", {});
  const more = button("Show more", { action: append });
  const count = h("span", { class: "muted small" });
  const compare = h("a", { class: "button primary", hidden: true });
  const erase = button("Delete", { icon: "trash", kind: "danger", hidden: true, action: removeSelected });
  draw();

  const box = h("input", {
    type: "search", value: filter, class: "grow mono", spellcheck: "false", autocapitalize: "none",
    placeholder: "metrics.accuracy > 0.9 AND params.model = 'resnet18'", "aria-label": "Filter runs",
  });
  const form = h("form", { class: "inline toolbar", role: "search",
    on: { submit: (event) => { event.preventDefault(); go({ filter: box.value }); } } },
    box, h("button", { type: "submit", class: "button" }, "Filter"),
    filter && button("Clear", { kind: "quiet", action: () => go({ filter: "" }) }),
    button("Columns", { icon: "columns", action: chooseColumns }));
  const isEmpty = runs.length === 0 && !problem;
  return {
    title: experiment.name,
    content: [
      breadcrumbs([["Experiments", "#/experiments"], [experiment.name]]),
      heading(experiment.name, count, erase, compare, button("Refresh", { icon: "refresh", action: reload })),
      form,
      problem && failure(problem),
      isEmpty
        ? filter ? empty("No run matches this filter.")
          : empty("No runs yet. Log one from Python:",
            `MLFLOW_TRACKING_URI=${location.origin} MLFLOW_EXPERIMENT_ID=${id} python train.py`)
        : place,
      h("div", { class: "after" }, more),
      h("p", { class: "muted small footnote" }, "Experiment ", h("code", {}, id), " keeps artifacts in ",
        h("code", { class: "break" }, experiment.artifact_location)),
    ],
  };

  /** The same page with another filter or order. */
  function go(change) {
    const wanted = { filter, order: order === NEWEST ? "" : order, view: parameters.get("view"), ...change };
    const target = query(`#/experiments/${encodeURIComponent(id)}`, wanted);
    if (target === location.hash) reload();
    else location.hash = target;
  }

  async function append() {
    try {
      const page = await searchRuns([id], { filter, order: [order, NEWEST], view, token: next, signal });
      runs.push(...(page.runs || []).map(readable));
      next = page.next_page_token;
      draw();
    } catch (error) {
      if (error.name !== "AbortError") toast(error.message, "bad");
    }
  }

  // Columns

  function available() {
    const names = (kind) => [...new Set(runs.flatMap((run) => [...run[kind].keys()]))].sort();
    return {
      metrics: names("metrics"), params: names("params"), tags: names("tags").filter((name) => !name.startsWith("mlflow.")),
    };
  }

  function chosen() {
    const all = available();
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(`columns:${id}`)); } catch { /* unreadable: as if nothing was chosen */ }
    if (kept) return Object.fromEntries(Object.entries(all)
      .map(([kind, names]) => [kind, names.filter((name) => kept[kind]?.includes(name))]));
    return { metrics: all.metrics.slice(0, COLUMNS_AT_FIRST), params: all.params.slice(0, COLUMNS_AT_FIRST), tags: [] };
  }

  function chooseColumns() {
    const all = available();
    const now = chosen();
    const boxes = Object.entries(all).map(([kind, names]) => h("fieldset", {}, h("legend", {}, TITLES[kind]),
      names.length === 0 ? h("p", { class: "muted small" }, "None logged.") : names.map((name) => h("label", { class: "choice" },
        h("input", { type: "checkbox", name: kind, value: name, checked: now[kind].includes(name) }),
          h("span", { class: "break" }, name)))));
    dialog("Columns", (close) => {
      const body = h("form", {
        on: {
          submit: (event) => {
            event.preventDefault();
            const kept = Object.fromEntries(Object.keys(all).map((kind) =>
              [kind, [...body.querySelectorAll(`input[name=${kind}]:checked`)].map((input) => input.value)]));
            localStorage.setItem(`columns:${id}`, JSON.stringify(kept));
            close();
            draw();
          },
        },
      }, boxes, h("div", { class: "dialog-actions" },
        button("As at first", { action: () => { localStorage.removeItem(`columns:${id}`); close(); draw(); } }),
        h("button", { type: "submit", class: "button primary" }, "Show these")));
      return body;
    });
  }

  // The table

  function draw() {
    const columns = chosen();
    const groups = Object.entries(columns).filter(([, names]) => names.length > 0);
    const all = h("input", { type: "checkbox", "aria-label": "Select all runs",
      on: { change: () => { for (const run of runs) select(run.id, all.checked); mark(); } } });
    const head = h("thead", {},
      groups.length > 0 && h("tr", { class: "groups" }, h("td", { colspan: "4" }), groups.map(([kind, names]) =>
        h("th", { colspan: String(names.length), scope: "colgroup" }, TITLES[kind]))),
      h("tr", {}, h("th", { class: "narrow" }, all),
        sortable("Run", "attributes.run_name"), sortable("Started", "attributes.start_time"), sortable("Duration", "duration"),
        groups.map(([kind, names]) =>
          names.map((name, index) => sortable(name, `${kind}.\`${name}\``, kind === "metrics", index === 0)))));
    const body = h("tbody", {}, inOrder().map((run) => {
      const box = h("input", { type: "checkbox", "aria-label": `Select run ${run.name}`,
        on: { change: () => { select(run.id, box.checked); mark(); } } });
      return h("tr", { "data-run": run.id }, h("td", { class: "narrow" }, box),
        h("td", {}, h("div", { class: "run-name" },
          h("a", { href: runAddress(run.experiment, run.id), class: "strong" }, run.name || run.id.slice(0, 8)),
            badge(run.status.toLowerCase(), stateKind(run.status)))),
        h("td", { class: "nowrap", title: moment(run.start) }, ago(run.start)),
        h("td", { class: "nowrap" }, duration(run.duration)),
        groups.map(([kind, names]) => names.map((name, index) =>
          h("td", { class: `${kind === "metrics" ? "numeric" : "cut"} ${index === 0 ? "group-start" : ""}`,
            title: run[kind].get(name) },
            kind === "metrics" ? number(run.metrics.get(name)) : run[kind].get(name)))));
    }));
    place.replaceChildren(h("div", { class: "table-wrap runs", tabindex: "0", role: "region", "aria-label": "Runs" },
      h("table", {}, head, body)));
    more.hidden = !next;
    mark();

    /** Shows what is selected, and leaves the focus where it is. */
    function mark() {
      all.checked = runs.length > 0 && selected.size === runs.length;
      all.indeterminate = selected.size > 0 && selected.size < runs.length;
      for (const line of body.children) {
        const isSelected = selected.has(line.dataset.run);
        line.classList.toggle("chosen", isSelected);
        line.querySelector("input").checked = isSelected;
      }
      showChoice();
    }
  }

  /** What can be done with the selected runs. */
  function showChoice() {
    count.textContent = runs.length ? plural(runs.length, "run") + (next ? " so far" : "") : "";
    compare.hidden = erase.hidden = selected.size === 0;
    compare.textContent = selected.size > 1 ? `Compare ${selected.size} runs` : "Chart this run";
    compare.href = query("#/compare", { experiment: id, runs: [...selected].join(",") });
    erase.querySelector("span").textContent = `Delete (${selected.size})`;
  }

  /** A run's duration is not the server's to sort by: what is loaded is put in order here. */
  function inOrder() {
    const [key, direction] = order.split(/ (?=ASC$|DESC$)/);
    if (key !== "duration") return runs;
    const sign = direction === "ASC" ? 1 : -1;
    return [...runs].sort((left, right) => sign * ((left.duration ?? Infinity) - (right.duration ?? Infinity)));
  }

  function sortable(label, key, isNumeric = false, isFirst = false) {
    const [current, direction] = order.split(/ (?=ASC$|DESC$)/);
    const isCurrent = current === key;
    const opposite = isCurrent ? direction === "DESC" ? "ASC" : "DESC" : isNumeric || key.includes("time") ? "DESC" : "ASC";
    return h("th", {
      scope: "col", class: `${isNumeric ? "numeric" : ""} ${isFirst ? "group-start" : ""}`,
      "aria-sort": isCurrent ? direction === "ASC" ? "ascending" : "descending" : "none",
    }, h("button", { type: "button", class: "sort", title: `Sort by ${label}`,
      on: { click: () => go({ order: `${key} ${opposite}` }) } },
      label, h("span", { class: "arrow", "aria-hidden": "true" }, isCurrent ? direction === "ASC" ? "▲" : "▼" : "")));
  }

  function select(run, isSelected) {
    if (!isSelected) selected.delete(run);
    else if (selected.size < COMPARED_MAX) selected.add(run);
    else toast(`At most ${COMPARED_MAX} runs are compared at once.`, "bad");
  }

  async function removeSelected() {
    const sentence = `${plural(selected.size, "run")} will be marked as deleted. A client can restore them.`;
    if (!await confirm("Delete runs", sentence, "Delete")) return;
    try {
      for (const run of selected) await deleteRun(run);
    } catch (error) {
      toast(error.message, "bad");
    }
    reload();
  }
}

const TITLES = { metrics: "Metrics", params: "Parameters", tags: "Tags" };

/** A run with its values by name. */
export function readable(run) {
  const { info, data = {} } = run;
  return {
    id: info.run_id, experiment: info.experiment_id, name: info.run_name || "", status: info.status, user: info.user_id,
    stage: info.lifecycle_stage, artifacts: info.artifact_uri,
    start: Number(info.start_time), end: info.end_time === undefined ? undefined : Number(info.end_time),
    duration: info.end_time ? Number(info.end_time) - Number(info.start_time) : undefined,
    metrics: keyed(data.metrics), params: keyed(data.params), tags: keyed(data.tags),
    points: data.metrics || [], inputs: run.inputs || {}, outputs: run.outputs || {},
  };
}
