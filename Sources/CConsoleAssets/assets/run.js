// One run: what went in, what came out, how it went.

import { artifactTree } from "./artifacts.js";
import { charts } from "./charts.js";
import { badge, breadcrumbs, copyButton, empty, facts, h, heading, table, tabs } from "./dom.js";
import { origin } from "./lineage.js";
import {
  experimentAddress, getExperiment, getLoggedModel, getRun, modelArtifacts, modelVersions, quoted, runAddress, runArtifacts,
    stateKind,
  versionAddress,
} from "./mlflow.js";
import { readable } from "./runs.js";
import { duration, moment, number } from "./text.js";

const PARTS = { "": overview, "model-metrics": metrics, charts: metrics, artifacts };

export async function runPage({ experiment: experimentId, run: id, part = "", parameters, signal, session }) {
  const run = readable(await getRun(id, signal));
  const experiment = await getExperiment(run.experiment || experimentId, signal);
  const name = run.name || id.slice(0, 8);
  const address = runAddress(run.experiment, id);
  const current = part === "model-metrics" ? "charts" : PARTS[part] ? part : "";
  return {
    title: name,
    content: [
      breadcrumbs([["Experiments", "#/experiments"], [experiment.name, experimentAddress(run.experiment)], [name]]),
      heading(name, badge(run.status.toLowerCase(), stateKind(run.status)), run.stage === "deleted" && badge("deleted", "bad")),
      tabs([["Overview", address, current === ""], ["Charts", `${address}/charts`, current === "charts"],
        ["Artifacts", `${address}/artifacts`, current === "artifacts"]], "Parts of the run"),
      await PARTS[current](run, { parameters, signal, experiment, session }),
    ],
  };
}

async function overview(run, { signal, experiment, session }) {
  const tags = [...run.tags].filter(([name]) => !name.startsWith("mlflow."));
  const models = (run.outputs.model_outputs || []).map((output) => output.model_id);
  const versions = await versionsOf(run, models, signal);
  const datasets = (run.inputs.dataset_inputs || []).map((input) => input.dataset);
  return [
    h("section", { class: "card" }, facts([
      ["Run id", h("span", { class: "with-copy" }, h("code", { class: "break" }, run.id), copyButton(run.id))],
      ["Experiment", h("a", { href: experimentAddress(run.experiment) }, experiment.name)],
      ["Started", moment(run.start)], ["Duration", run.duration === undefined ? "still running" : duration(run.duration)],
      ["User", run.user || run.tags.get("mlflow.user")],
      ["Source", run.tags.get("mlflow.source.name") && h("code", { class: "break" }, run.tags.get("mlflow.source.name"))],
      ["Git commit", run.tags.get("mlflow.source.git.commit")
        && h("code", { class: "break" }, run.tags.get("mlflow.source.git.commit"))],
      ...origin(run.tags, session),
      ["Artifacts", h("code", { class: "break" }, run.artifacts)],
      versions.length > 0 && ["Registered as", versions.map((version, index) => [index > 0 && ", ",
        h("a", { href: versionAddress(version.name, version.version) }, `${version.name} version ${version.version}`)])],
      models.length > 0 && ["Logged models", models.map((model, index) => [index > 0 && ", ",
        h("a", { href: `${experimentAddress(run.experiment)}/models/${encodeURIComponent(model)}` }, model)])],
      ...datasets.map((dataset) => ["Dataset", `${dataset.name} (${dataset.digest})`]),
    ])),
    run.tags.get("mlflow.note.content")
      && h("section", {}, h("h2", {}, "Description"), h("p", { class: "note" }, run.tags.get("mlflow.note.content"))),
    h("div", { class: "columns" },
      h("section", {}, h("h2", {}, `Metrics (${run.metrics.size})`), run.metrics.size === 0
        ? empty("No metrics were logged.")
        : table(["Name", "Last value", "Step"], [...run.points].sort(byKey).map((point) => [
          h("span", { class: "break" }, point.key), number(point.value), String(point.step ?? "")]),
            { label: "Metrics", numeric: [1, 2] })),
      h("section", {}, h("h2", {}, `Parameters (${run.params.size})`), run.params.size === 0
        ? empty("No parameters were logged.")
        : table(["Name", "Value"], [...run.params].sort().map(([name, value]) => [
          h("span", { class: "break" }, name), h("span", { class: "break" }, value)]), { label: "Parameters" }))),
    tags.length > 0 && h("section", {}, h("h2", {}, `Tags (${tags.length})`),
      table(["Name", "Value"], tags.sort().map(([name, value]) => [
      h("span", { class: "break" }, name), h("span", { class: "break" }, value)]), { label: "Tags" })),
  ];
}

/** The registered versions that came from a run, by its id or by a model that it logged. */
async function versionsOf(run, models, signal) {
  const filters = [`run_id = ${quoted(run.id)}`, ...models.map((model) => `source_path = ${quoted(`models:/${model}`)}`)];
  const found = await Promise.all(filters.slice(0, 20).map((filter) => modelVersions(filter, signal).catch(() => [])));
  return [...new Map(found.flat().map((version) => [`${version.name}/${version.version}`, version])).values()];
}

const byKey = (left, right) => (left.key < right.key ? -1 : 1);

function metrics(run, { signal }) {
  const keys = [...run.metrics.keys()].sort();
  if (keys.length === 0) return empty("No metrics were logged.");
  return h("section", {}, charts([{ id: run.id, name: run.name || run.id.slice(0, 8) }], keys, signal));
}

async function artifacts(run, { parameters, signal }) {
  const first = parameters.get("path");
  const models = await Promise.all((run.outputs.model_outputs || [])
    .map((output) => getLoggedModel(output.model_id, signal).catch(() => null)));
  return [
    h("section", {}, artifactTree(runArtifacts(run.id), { signal, first, note: "This run has no artifacts of its own." })),
    models.filter(Boolean).map((model) => h("section", {}, h("h2", {}, `Model ${model.info.name}`),
      artifactTree(modelArtifacts(model.info.model_id), { signal }))),
  ];
}

/** A model that a 3.x client has logged: `#/experiments/ID/models/MODEL`. */
export async function loggedModelPage({ experiment: experimentId, model: id, signal }) {
  const [model, experiment] = await Promise.all([getLoggedModel(id, signal), getExperiment(experimentId, signal)]);
  const { info, data = {} } = model;
  return {
    title: info.name,
    content: [
      breadcrumbs([["Experiments", "#/experiments"], [experiment.name, experimentAddress(experimentId)], [info.name]]),
      heading(info.name, badge(info.status.replace("LOGGED_MODEL_", "").toLowerCase(),
        info.status.endsWith("READY") ? "good" : "")),
      h("section", { class: "card" }, facts([
        ["Model id", h("span", { class: "with-copy" }, h("code", { class: "break" }, info.model_id), copyButton(info.model_id))],
        ["Created", moment(info.creation_timestamp_ms)], ["Type", info.model_type || undefined],
        info.source_run_id && ["Source run", h("a", { href: runAddress(experimentId, info.source_run_id) }, info.source_run_id)],
        ["Artifacts", h("code", { class: "break" }, info.artifact_uri)],
        ...(data.params || []).map((entry) => [entry.key, entry.value]),
        ...(data.metrics || []).map((entry) => [entry.key, number(entry.value)]),
      ])),
      h("section", {}, h("h2", {}, "Artifacts"), artifactTree(modelArtifacts(id), { signal })),
    ],
  };
}
