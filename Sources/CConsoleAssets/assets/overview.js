// The first page of the whole console: how every role does, and what is going on.

import { badge, button, command, empty, failure, h, heading, icon } from "./dom.js";
import { getJSON } from "./http.js";
import { listPods, listWorkflows, podRows, workflowRows } from "./cluster.js";
import { searchExperiments, searchRuns, runAddress, stateKind } from "./mlflow.js";
import { listServed, servedRows } from "./serving.js";
import { ago } from "./text.js";

const SHOWN = 5;
const PAGES = { store: "#/buckets", track: "#/experiments", infer: "#/serving", cluster: "#/workflows" };
const ICONS = { store: "bucket", track: "flask", infer: "server", cluster: "flow", registry: "cube" };

export async function overviewPage({ session, signal, reload }) {
  const has = (part) => session.parts.includes(part);
  const [roles, runs, served, workflows, pods] = await Promise.all([
    getJSON("console/overview", { signal }).then((answer) => answer.roles),
    has("tracking") ? attempt(latestRuns(signal)) : null,
    has("inference") ? attempt(listServed(signal)) : null,
    has("cluster") ? attempt(listWorkflows(signal)) : null,
    has("cluster") ? attempt(listPods(signal)) : null,
  ]);
  return {
    title: "Overview",
    content: [
      heading("Overview", button("Refresh", { icon: "refresh", action: reload })),
      h("div", { class: "roles" }, roles.map(role)),
      runs && part("Latest runs", "#/experiments", runs, (list) => (list.length === 0
        ? empty("No runs yet. Point a client at the tracking server:", `export MLFLOW_TRACKING_URI=${address(roles, "track")}`)
        : h("ul", { class: "plain card" }, list.map((run) => h("li", {},
          h("a", { class: "strong break", href: runAddress(run.info.experiment_id, run.info.run_id) },
            run.info.run_name || run.info.run_id),
          badge(run.info.status.toLowerCase(), stateKind(run.info.status)),
            h("span", { class: "muted small" }, ago(Number(run.info.start_time)))))))),
      served && part("Served models", "#/serving", served, (list) => (list.length === 0
        ? empty("No models in the repository yet.") : servedRows(list.slice(0, SHOWN)))),
      workflows && part("Workflows", "#/workflows", workflows, (list) => (list.length === 0
        ? empty("No workflows yet. Submit one:", "kubectl create -f workflow.yaml") : workflowRows(list.slice(0, SHOWN)))),
      pods && pods.value?.length > 0 && part("Pods", "#/workflows", pods, (list) => podRows(list.slice(0, SHOWN))),
    ],
  };
}

/** What a part of the page answers, or why it does not: one server that is down does not hide the others. */
async function attempt(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return { error };
  }
}

async function latestRuns(signal) {
  const { experiments = [] } = await searchExperiments({ count: 20, signal });
  if (experiments.length === 0) return [];
  const ids = experiments.map((experiment) => experiment.experiment_id);
  return (await searchRuns(ids, { order: ["attributes.start_time DESC"], count: SHOWN, signal })).runs || [];
}

function part(title, href, answer, show) {
  return h("section", {}, h("h2", {}, h("a", { href }, title)), answer.error ? failure(answer.error) : show(answer.value));
}

const address = (roles, name) => roles.find((entry) => entry.role === name)?.url || "http://127.0.0.1:5001";

function role(entry) {
  const name = h("span", { class: "named" }, icon(ICONS[entry.role] || "server"), entry.role);
  return h("div", { class: "card role" },
    h("div", { class: "role-head" }, PAGES[entry.role] ? h("a", { href: PAGES[entry.role] }, name) : name,
      badge(entry.ready ? "ready" : "down", entry.ready ? "good" : "bad")),
    h("p", { class: "muted small break" }, entry.speaks, entry.url && [" at ", h("code", {}, entry.url)]),
    entry.ready ? h("p", { class: "muted small" }, `answered in ${entry.milliseconds} ms`)
      : [h("p", { class: "bad small break" }, entry.failure), entry.role !== "cluster" && command(`slipway ${entry.role}`)]);
}
