// What the tags of `slipway lineage` say of a run or a version: the step that made it, what it wrote, where it is served.

import { podAddress, workflowAddress } from "./cluster.js";
import { h } from "./dom.js";
import { folderAddress } from "./objects.js";

const PREFIX = "slipway.";

/** True for a tag that `origin` shows in words. */
export const isOrigin = (name) => ["workflow", "step", "pod", "uid", "objects", "served"].includes(name.slice(PREFIX.length))
  && name.startsWith(PREFIX);

/** Rows for a list of facts, from a Map of tags. Links lead only to parts that this console shows. */
export function origin(tags, session, { maker = "Made by" } = {}) {
  const tag = (name) => tags.get(PREFIX + name);
  const link = (part, address, text) =>
    address && session.parts.includes(part) ? h("a", { class: "break", href: address }, text) : h("span", { class: "break" }, text);
  const workflow = tag("workflow");
  const pod = tag("pod");
  const places = (tag("objects") || "").split(" ").filter(Boolean).slice(0, 5);
  return [
    workflow && [maker, h("span", {}, tag("step") && `${tag("step")} of `, link("cluster", named(workflow, workflowAddress), workflow))],
    pod && [workflow ? "Pod" : maker, link("cluster", named(pod, podAddress), pod)],
    places.length > 0 && ["Objects", places.map((place, index) => [index > 0 && ", ", link("objects", objectsAddress(place), place)])],
    tag("served") && ["Served as", link("inference", "#/serving", tag("served"))],
  ];
}

/** The page of `namespace/name`; null when the tag is something else. */
function named(text, address) {
  const parts = text.split("/");
  return parts.length === 2 && parts.every(Boolean) ? address(parts[0], parts[1]) : null;
}

/** The folder that holds `s3://bucket/key`; null for another place. */
function objectsAddress(place) {
  const match = /^s3:\/\/([a-z0-9.-]+)\/?(.*)$/.exec(place);
  return match && folderAddress(match[1], match[2].slice(0, match[2].lastIndexOf("/") + 1));
}
