// Workflows and pods, from the cluster's API through the console: reading only.

import { badge, breadcrumbs, button, command, empty, facts, fill, h, heading, named, table } from "./dom.js";
import { getJSON, query, send } from "./http.js";
import { ago, duration, moment } from "./text.js";

const PHASES = {
  Succeeded: "good", Running: "accent", Pending: "warn", Failed: "bad", Error: "bad", Bound: "good", Unknown: "warn",
    Skipped: "", Omitted: "",
};
const REFRESH_MILLISECONDS = 3000;
const LOG_LINES = 2000;

const ARGO = "cluster/apis/argoproj.io/v1alpha1";
export const workflowAddress = (space, name) => `#/workflows/${encodeURIComponent(space)}/${encodeURIComponent(name)}`;
export const podAddress = (space, name) => `#/pods/${encodeURIComponent(space)}/${encodeURIComponent(name)}`;

export const phase = (text) => badge(text || "Pending", PHASES[text] ?? "warn");

export async function listWorkflows(signal) { return sorted((await getJSON(`${ARGO}/workflows`, { signal })).items); }
export async function listPods(signal) { return sorted((await getJSON("cluster/api/v1/pods", { signal })).items); }

/** A list that is empty where the cluster does not serve the kind. */
export async function listIfServed(path, signal) {
  try {
    return sorted((await getJSON(`cluster/${path}`, { signal })).items);
  } catch (error) {
    if (error.status === 404) return [];
    throw error;
  }
}

function sorted(items) {
  return (items || []).sort((left, right) => (left.metadata.creationTimestamp < right.metadata.creationTimestamp ? 1 : -1));
}

/** From start to end, or until now. */
function took(start, end) {
  if (!start) return "";
  const milliseconds = (end ? new Date(end) : new Date()) - new Date(start);
  // The API tells whole seconds.
  return milliseconds < 1000 ? "under 1 s" : duration(milliseconds);
}

export function workflowRows(workflows) {
  return table(["Name", "Namespace", "Phase", "Progress", "Duration", "Created"], workflows.map((workflow) => [
    named("flow", workflow.metadata.name, { href: workflowAddress(workflow.metadata.namespace, workflow.metadata.name) }),
    workflow.metadata.namespace, phase(workflow.status?.phase), workflow.status?.progress || "",
    took(workflow.status?.startedAt, workflow.status?.finishedAt),
      h("span", { class: "nowrap" }, ago(workflow.metadata.creationTimestamp)),
  ]), { label: "Workflows" });
}

export function podRows(pods) {
  return table(["Name", "Namespace", "Phase", "Duration", "Created"], pods.map((pod) => [
    named("pod", pod.metadata.name, { href: podAddress(pod.metadata.namespace, pod.metadata.name) }),
    pod.metadata.namespace, h("span", { class: "badges" }, phase(pod.status?.phase),
      h("span", { class: "muted small" }, reason(pod))),
    took(pod.status?.startTime, ended(pod)), h("span", { class: "nowrap" }, ago(pod.metadata.creationTimestamp)),
  ]), { label: "Pods" });
}

const states = (pod) => pod.status?.containerStatuses || [];
const reason = (pod) => pod.status?.reason
  || states(pod).map((status) => status.state?.waiting?.reason || status.state?.terminated?.reason)
  .find((text) => text && text !== "Completed") || "";

function ended(pod) {
  const ends = states(pod).map((status) => status.state?.terminated?.finishedAt);
  return ends.length > 0 && ends.every(Boolean) ? ends.sort().at(-1) : undefined;
}

export async function workflowsPage({ signal, reload }) {
  const [workflows, pods, deployments, services] = await Promise.all([listWorkflows(signal), listPods(signal),
    listIfServed("apis/apps/v1/deployments", signal), listIfServed("api/v1/services", signal)]);
  return {
    title: "Workflows",
    content: [
      heading("Workflows and pods", button("Refresh", { icon: "refresh", action: reload })),
      h("section", {}, h("h2", {}, "Workflows"),
        workflows.length === 0 ? empty("No workflows yet. Submit one:", "kubectl create -f workflow.yaml")
          : workflowRows(workflows)),
      h("section", {}, h("h2", {}, "Pods"), pods.length === 0 ? empty("No pods.") : podRows(pods)),
      deployments.length > 0 && h("section", {}, h("h2", {}, "Deployments"), deploymentRows(deployments)),
      services.length > 0 && h("section", {}, h("h2", {}, "Services"), serviceRows(services)),
    ],
  };
}

function deploymentRows(deployments) {
  return table(["Name", "Namespace", "Ready", "Images", "Created"], deployments.map((deployment) => [
    h("span", { class: "strong break" }, deployment.metadata.name), deployment.metadata.namespace,
    `${deployment.status?.readyReplicas || 0} of ${deployment.spec?.replicas ?? 1}`,
    h("span", { class: "break" }, images(deployment.spec?.template?.spec)),
    h("span", { class: "nowrap" }, ago(deployment.metadata.creationTimestamp)),
  ]), { label: "Deployments" });
}

function serviceRows(services) {
  const ports = (service) => (service.spec?.ports || []).map((port) => `${port.port}${port.name ? ` (${port.name})` : ""}`);
  return table(["Name", "Namespace", "Address", "Ports"], services.map((service) => [
    h("span", { class: "strong break" }, service.metadata.name), service.metadata.namespace,
    h("code", {}, service.status?.loadBalancer?.ingress?.[0]?.ip || service.spec?.clusterIP || ""), ports(service).join(", "),
  ]), { label: "Services" });
}

const images = (spec) => (spec?.containers || []).map((container) => container.image).join(", ");

export async function workflowPage({ namespace, name, signal, reload }) {
  const workflow = await getJSON(`${ARGO}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(name)}`,
    { signal });
  const status = workflow.status || {};
  const nodes = Object.values(status.nodes || {})
    .filter((node) => !["StepGroup", "Steps", "DAG", "TaskGroup", "Retry"].includes(node.type))
    .sort((left, right) => ((left.startedAt || "~") < (right.startedAt || "~") ? -1 : 1));
  if (!status.finishedAt) again(signal, reload);
  return {
    title: name,
    content: [
      breadcrumbs([["Workflows", "#/workflows"], [name]]),
      heading(name, phase(status.phase)),
      h("section", { class: "card" }, facts([
        ["Namespace", namespace], ["Started", moment(status.startedAt)], ["Finished", moment(status.finishedAt) || "not yet"],
        ["Duration", took(status.startedAt, status.finishedAt)], ["Progress", status.progress],
        status.message && ["Message", h("span", { class: "break" }, status.message)],
        ...(workflow.spec?.arguments?.parameters || []).map((parameter) => [parameter.name, parameter.value]),
      ])),
      h("section", {}, h("h2", {}, "Steps"), nodes.length === 0 ? empty("No step has started yet.")
        : table(["Step", "Phase", "Started", "Duration", "Message"], nodes.map((node) => [
          node.type === "Pod" ? h("a", { class: "strong", href: podAddress(namespace, podName(workflow, node)) },
            node.displayName) : node.displayName,
          phase(node.phase), h("span", { class: "nowrap" }, moment(node.startedAt)), took(node.startedAt, node.finishedAt),
          h("span", { class: "break" }, node.message),
        ]), { label: "Steps" })),
    ],
  };
}

/** Argo's name of a node's pod: the workflow, the template, and the end of the node's id. */
function podName(workflow, node) {
  if (node.id === workflow.metadata.name) return node.id;
  const template = node.templateName || node.templateRef?.template || "";
  return `${workflow.metadata.name}-${template}-${node.id.split("-").at(-1)}`;
}

export async function podPage({ namespace, name, signal }) {
  const path = `cluster/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  const pod = await getJSON(path, { signal });
  const containers = (pod.spec?.containers || []).map((container) => container.name);
  const choice = h("select", { id: "container", on: { change: () => show() } },
    containers.map((text) => h("option", { value: text }, text)));
  if (containers.includes("main")) choice.value = "main";
  const log = h("pre", { class: "code log", tabindex: "0", "aria-label": "Log" });
  const note = h("span", { class: "muted small" });
  show();
  const timer = setInterval(() => { if (!signal.aborted) follow(); }, REFRESH_MILLISECONDS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return {
    title: name,
    content: [
      breadcrumbs([["Workflows and pods", "#/workflows"], [name]]),
      heading(name, phase(pod.status?.phase)),
      h("section", { class: "card" }, facts([
        ["Namespace", namespace], ["Started", moment(pod.status?.startTime)], ["Duration", took(pod.status?.startTime, ended(pod))],
        ["Images", h("span", { class: "break" }, images(pod.spec))],
        ...states(pod).map((status) => [status.name, stateText(status)]),
        pod.status?.message && ["Message", h("span", { class: "break" }, pod.status.message)],
        pod.metadata.labels?.["workflows.argoproj.io/workflow"] && ["Workflow",
          h("a", { href: workflowAddress(namespace, pod.metadata.labels["workflows.argoproj.io/workflow"]) },
            pod.metadata.labels["workflows.argoproj.io/workflow"])],
      ])),
      h("section", {}, h("div", { class: "heading" }, h("h2", {}, "Log"), h("div", { class: "actions" }, note,
        containers.length > 1 && [h("label", { for: "container", class: "hidden-text" }, "Container"), choice])), log),
      h("section", {}, command(`kubectl logs -f -n ${namespace} ${name}`)),
    ],
  };

  async function show() {
    try {
      const response = await send(query(`${path}/log`, { container: choice.value, tailLines: LOG_LINES }), { signal });
      const text = await response.text();
      const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 20;
      fill(log, text || "Nothing has been written yet.");
      if (isAtEnd) log.scrollTop = log.scrollHeight;
      note.textContent = `the last ${LOG_LINES} lines, as of ${moment(Date.now()).slice(11)}`;
    } catch (error) {
      if (error.name !== "AbortError") fill(log, error.message);
    }
  }

  function follow() {
    if (["Succeeded", "Failed"].includes(pod.status?.phase) || document.hidden) return;
    show();
  }
}

function stateText(status) {
  const { terminated, waiting, running } = status.state || {};
  if (terminated) return `exit code ${terminated.exitCode}${terminated.reason ? `, ${terminated.reason}` : ""}`;
  if (waiting) return [waiting.reason, waiting.message].filter(Boolean).join(": ");
  return running ? "running" : "";
}

/** Shows the page anew while something is under way and the person looks at it. */
function again(signal, reload) {
  const timer = setTimeout(() => { if (!signal.aborted && !document.hidden) reload({ quiet: true }); }, REFRESH_MILLISECONDS);
  signal.addEventListener("abort", () => clearTimeout(timer));
}
