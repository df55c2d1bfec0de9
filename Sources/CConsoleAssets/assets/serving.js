// The inference server: which models are there, how they do, loading and unloading.

import { badge, button, confirm, empty, h, heading, icon, table, toast } from "./dom.js";
import { getJSON, send } from "./http.js";

export async function listServed(signal) {
  return (await getJSON("infer/v2/repository/index", { method: "POST", json: {}, signal }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

export async function servingPage({ signal, reload }) {
  const [server, models] = await Promise.all([getJSON("infer/v2", { signal }), listServed(signal)]);
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
    ],
  };
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
