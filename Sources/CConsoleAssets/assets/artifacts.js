// A tree of artifacts with a preview beside it.

import { empty, fill, h, icon, loading } from "./dom.js";
import { preview } from "./preview.js";
import { bytes } from "./text.js";

/** `source` lists folders and gives the address of a file; `first` is a path to open. */
export function artifactTree(source, { signal, first, note = "No artifacts were logged." } = {}) {
  const side = h("div", { class: "preview-side" }, h("p", { class: "muted" }, "Choose a file to look at it."));
  const root = h("ul", { class: "tree", "aria-label": "Artifacts" }, h("li", {}, loading()));
  const element = h("div", { class: "artifacts" }, h("div", { class: "tree-side" }, root), side);
  open(root, "").then((files) => {
    if (files.length === 0) fill(element, empty(note));
  });
  return element;

  async function open(list, path) {
    let files;
    try {
      files = await source.list(path, signal);
    } catch (error) {
      if (error.name !== "AbortError") fill(list, h("li", { class: "bad" }, error.message));
      return [{}];
    }
    files.sort((left, right) => Number(right.is_dir) - Number(left.is_dir) || (left.path < right.path ? -1 : 1));
    fill(list, files.map((file) => (file.is_dir ? folder(file) : leaf(file))));
    return files;
  }

  function folder(file) {
    const list = h("ul", { hidden: true });
    const toggle = h("button", { type: "button", class: "leaf", "aria-expanded": "false", on: { click: flip } }, icon("folder"),
      h("span", { class: "break" }, file.path.split("/").at(-1)));
    const item = h("li", {}, toggle, list);
    let isLoaded = false;
    if (first?.startsWith(`${file.path}/`)) flip();
    return item;

    function flip() {
      list.hidden = !list.hidden;
      toggle.setAttribute("aria-expanded", String(!list.hidden));
      if (isLoaded) return;
      isLoaded = true;
      fill(list, h("li", {}, loading()));
      open(list, file.path);
    }
  }

  function leaf(file) {
    const show = h("button", { type: "button", class: "leaf", on: { click: () => select(file, show) } }, icon("file"),
      h("span", { class: "break" }, file.path.split("/").at(-1)), h("span", { class: "muted small" }, bytes(file.file_size)));
    if (first === file.path) queueMicrotask(() => select(file, show));
    return h("li", {}, show);
  }

  function select(file, control) {
    for (const other of root.querySelectorAll(".leaf[aria-current]")) other.removeAttribute("aria-current");
    control.setAttribute("aria-current", "true");
    const body = h("div", { class: "preview" });
    const name = file.path.split("/").at(-1);
    fill(side, h("div", { class: "heading" }, h("h3", { class: "break" }, file.path),
      h("div", { class: "actions" }, h("span", { class: "muted small" }, bytes(file.file_size)),
        h("a", { class: "button", href: source.file(file.path), download: name }, icon("download"),
          h("span", {}, "Download")))), body);
    preview(body, { path: source.file(file.path), name: file.path, size: file.file_size, signal });
  }
}
