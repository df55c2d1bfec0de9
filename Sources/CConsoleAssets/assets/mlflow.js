// The tracking server's REST API, as the pages use it.

import { getJSON, query, send } from "./http.js";

const BASE = "api/2.0/mlflow";

const get = (path, parameters, signal) => getJSON(query(`${BASE}/${path}`, parameters), { signal });
const post = (path, json, signal) => getJSON(`${BASE}/${path}`, { method: "POST", json, signal });

// Experiments

export function searchExperiments({ filter, token, count = 100, view = "ACTIVE_ONLY", signal } = {}) {
  return get("experiments/search", {
    filter, page_token: token, max_results: count, view_type: view, order_by: "last_update_time DESC",
  }, signal);
}
export async function getExperiment(id, signal) { return (await get("experiments/get", { experiment_id: id }, signal)).experiment; }
export function createExperiment(name) { return post("experiments/create", { name }); }
export function deleteExperiment(id) { return post("experiments/delete", { experiment_id: id }); }

// Runs

export function searchRuns(experiments, { filter = "", order = [], token, count = 100, view = "ACTIVE_ONLY", signal } = {}) {
  return post("runs/search", {
    experiment_ids: experiments, filter, order_by: order, max_results: count, page_token: token, run_view_type: view,
  }, signal);
}
export async function getRun(id, signal) { return (await get("runs/get", { run_id: id }, signal)).run; }
export function deleteRun(id) { return post("runs/delete", { run_id: id }); }

/** At most `count` points of one metric of each run, spread over its steps. */
export async function sampledHistory(runs, key, { count = 320, signal } = {}) {
  const answer = await get("metrics/get-history-bulk-interval", { run_ids: runs, metric_key: key, max_results: count }, signal);
  return answer.metrics || [];
}

// Artifacts: three kinds of places, each with a list of a folder and the address of a file.

export function runArtifacts(id) {
  return {
    list: async (path, signal) => (await get("artifacts/list", { run_id: id, path }, signal)).files || [],
    file: (path) => query("get-artifact", { run_uuid: id, path }),
  };
}

export function modelArtifacts(id) {
  const base = `${BASE}/logged-models/${encodeURIComponent(id)}/artifacts`;
  return {
    list: async (path, signal) =>
      (await getJSON(query(`${base}/directories`, { artifact_directory_path: path }), { signal })).files || [],
    file: (path) => query(`${base}/files`, { artifact_file_path: path }),
  };
}

export async function getLoggedModel(id, signal) {
  return (await getJSON(`${BASE}/logged-models/${encodeURIComponent(id)}`, { signal })).model;
}

// The registry

export function searchModels({ filter, token, signal } = {}) {
  return get("registered-models/search",
    { filter, page_token: token, max_results: 100, order_by: "last_updated_timestamp DESC" }, signal);
}
export async function getModel(name, signal) { return (await get("registered-models/get", { name }, signal)).registered_model; }
export async function modelVersions(filter, signal) {
  return (await get("model-versions/search", { filter, max_results: 1000, order_by: "version_number DESC" }, signal))
    .model_versions || [];
}
export async function getVersion(name, version, signal) {
  return (await get("model-versions/get", { name, version }, signal)).model_version;
}
export function setStage(name, version, stage) {
  return post("model-versions/transition-stage", { name, version, stage, archive_existing_versions: false });
}
export function setAlias(name, version, alias) { return post("registered-models/alias", { name, version, alias }); }
export function deleteAlias(name, alias) {
  return send(`${BASE}/registered-models/alias`, { method: "DELETE", json: { name, alias } });
}

// Reading answers

export const keyed = (list) => new Map((list || []).map((entry) => [entry.key, entry.value]));
/** A text between quotes of the filter language. */
export const quoted = (text) => `'${text.replaceAll("'", "\\'")}'`;

const STATES = { FINISHED: "good", FAILED: "bad", KILLED: "bad", RUNNING: "accent", SCHEDULED: "warn" };
export const stateKind = (state) => STATES[state] || "";

export const experimentAddress = (id) => `#/experiments/${encodeURIComponent(id)}`;
export const runAddress = (experiment, run) => `${experimentAddress(experiment)}/runs/${encodeURIComponent(run)}`;
export const modelAddress = (name) => `#/models/${encodeURIComponent(name)}`;
export const versionAddress = (name, version) => `${modelAddress(name)}/versions/${encodeURIComponent(version)}`;
