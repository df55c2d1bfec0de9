// The inference server: which models are there, how they do, loading and unloading.

import { listIfServed } from "./cluster.js";
import { badge, button, confirm, empty, h, heading, icon, table, toast } from "./dom.js";
import { getJSON, send } from "./http.js";

export async function listServed(signal) {
  return (await getJSON("infer/v2/repository/index", { method: "POST", json: {}, signal }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Which KServe resources are there, where the cluster serves them. */
async function kserve(session, signal) {
  if (!session.parts.includes("cluster")) return [[], []];
  return Promise.all([
    listIfServed("apis/serving.kserve.io/v1beta1/inferenceservices", signal),
    listIfServed("apis/serving.kserve.io/v1alpha1/trainedmodels", signal),
  ]).catch(() => [[], []]);
}

export async function servingPage({ session, signal, reload }) {
  const [server, models, [services, trained]] = await Promise.all(
    [getJSON("infer/v2", { signal }), listServed(signal), kserve(session, signal)]);
  const counts = new Map();
  await Promise.all(models.filter((model) => model.state === "READY").map(async (model) => {
    const answer = await getJSON(`infer/v2/models/${encodeURIComponent(model.name)}/stats`, { signal }).catch(() => null);
    for (const stats of answer?.model_stats || []) counts.set(`${stats.name}/${stats.version}`, stats);
  }));
  return {
    title: "Serving",
    content: [
      heading("Served models", h("span", { class: "muted small" }, `${server.name} ${server.version}`),
        button("Refresh", { icon: "refresh", action: reload })),
      models.length === 0
        ? empty("No models in the repository yet. Put one there, then load it:",
          "slipway mc cp --recursive mnist/ local/models/mnist",
            "curl -X POST http://127.0.0.1:8000/v2/repository/models/mnist/load")
        : servedRows(models, counts, (model) => row(model, reload)),
      services.length > 0 && h("section", {}, h("h2", {}, "InferenceServices"), table(["Name", "Namespace", "Address", "Ready"],
        services.map((service) => [h("span", { class: "strong break" }, service.metadata.name), service.metadata.namespace,
          h("code", { class: "break" }, service.status?.url || ""), readiness(service)]), { label: "InferenceServices" })),
      trained.length > 0 && h("section", {}, h("h2", {}, "TrainedModels"),
        table(["Name", "Namespace", "Framework", "Storage", "Ready"],
        trained.map((model) => [h("span", { class: "strong break" }, model.metadata.name), model.metadata.namespace,
          model.spec?.model?.framework || "", h("code", { class: "break" }, model.spec?.model?.storageUri || ""),
            readiness(model)]),
        { label: "TrainedModels" })),
    ],
  };
}

/** The `Ready` condition of a resource, with its reason when it is not met. */
function readiness(resource) {
  const condition = (resource.status?.conditions || []).find((one) => one.type === "Ready");
  if (condition?.status === "True") return badge("ready", "good");
  return h("span", { class: "badges" }, badge("not ready", "warn"),
    h("span", { class: "muted small break" }, condition?.message || ""));
}

/** A table of models; with `counts`, also how they do, and with `actions` what can be done. */
export function servedRows(models, counts = null, actions = null) {
  const headings = ["Model", "Version", "State", ...(counts ? ["Inferences", "Mean time"] : []), "Reason",
    ...(actions ? [h("span", { class: "hidden-text" }, "Actions")] : [])];
  return table(headings, models.map((model) => [
    h("span", { class: "named" }, icon("cube"), h("span", { class: "break" }, model.name)), model.version || "", state(model),
    ...(counts ? figures(counts.get(`${model.name}/${model.version}`)) : []),
    h("span", { class: "break muted" }, model.reason || ""), ...(actions ? [actions(model)] : []),
  ]), { label: "Served models", numeric: counts ? [3, 4] : [] });
}

function state(model) {
  const kind = { READY: "good", LOADING: "warn", UNLOADING: "warn" }[model.state] || (model.reason ? "bad" : "");
  return badge(model.state ? model.state.toLowerCase() : "not loaded", kind);
}

function figures(stats) {
  const success = stats?.inference_stats?.success;
  return [
    stats ? Number(stats.inference_count || 0).toLocaleString("en") : "",
    success?.count > 0 ? `${(Number(success.ns) / Number(success.count) / 1e6).toFixed(2)} ms` : "",
  ];
}

function row(model, reload) {
  const isReady = model.state === "READY";
  return h("div", { class: "row-actions" }, button(isReady ? "Unload" : "Load", {
    kind: "quiet", icon: isReady ? "close" : "upload", "aria-label": `${isReady ? "Unload" : "Load"} ${model.name}`,
    action: async () => {
      if (isReady && !await confirm("Unload model", `${model.name} will answer no more requests until it is loaded again.`,
        "Unload")) return;
      try {
        await send(`infer/v2/repository/models/${encodeURIComponent(model.name)}/${isReady ? "unload" : "load"}`,
          { method: "POST", json: {} });
        toast(`${model.name} ${isReady ? "unloaded" : "loaded"}`);
      } catch (error) {
        toast(error.message, "bad");
      }
      reload();
    },
  }));
}
