// Building pages. Text from servers and files only ever becomes text nodes and attributes of known names; nothing in this
// console is parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element. `props` are attributes; `on` holds event listeners, and `value`, `checked`, `disabled`, `hidden` are
 * set as properties. Children are nodes, text, or arrays of them; null and false are left out.
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (["value", "checked", "disabled", "hidden", "indeterminate", "open"].includes(name)) {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Replaces everything in `element`. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

const ICONS = {
  home: "M4 11.500 12 5l8 6.500M6.500 10v9h11v-9",
  bucket: "M5 7h14l-1.600 12H6.600zM5 7c0-1.700 3.100-3 7-3s7 1.300 7 3",
  folder: "M3.500 6.500h6l2 2.500h9v10h-17z",
  file: "M6.500 3.500h7.500l4 4v13H6.500zM14 3.500v4h4",
  flask: "M9.500 4h5M10.500 4v6L5.500 19h13l-5-9V4M8 15h8",
  cube: "M12 3.500 19.500 8v8L12 20.500 4.500 16V8zM4.500 8 12 12.200 19.500 8M12 12.200v8.300",
  server: "M4.500 5h15v5.500h-15zM4.500 13.500h15V19h-15zM7.500 7.800h.1M7.500 16.200h.1",
  flow: "M4 5h6v5H4zM14 14h6v5h-6zM7 10v6.500h7",
  pod: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z",
  upload: "M12 16V5M7.500 9.500 12 5l4.500 4.500M5 19h14",
  download: "M12 5v11M7.500 11.500 12 16l4.500-4.500M5 19h14",
  trash: "M5 7h14M10 7V4.500h4V7M7 7l1 12.500h8L17 7M10.500 10.500v5.500M13.500 10.500v5.500",
  link: "M10 14l4-4M8.500 11 6 13.500a3.200 3.200 0 0 0 4.500 4.500L13 15.500"
    + "M11 8.500 13.500 6a3.200 3.200 0 0 1 4.500 4.500L15.500 13",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  logout: "M14 5H5.500v14H14M10 12h10M16.500 8.500 20 12l-3.500 3.500",
  refresh: "M19 12a7 7 0 1 1-2-4.900M19 4v4h-4",
  columns: "M4 5h16v14H4zM9.500 5v14M14.500 5v14",
  chart: "M4 19V5M4 19h16M7.500 15l3.500-4.500 3 2.500 4.500-6",
};

/** A line icon; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] || "");
  svg.append(path);
  return svg;
}

/** A button with an icon and a word. `kind` is `primary`, `danger` or `quiet`. */
export function button(label, { icon: name, kind, action, ...props } = {}) {
  return h(
    "button",
    { type: "button", class: `button ${kind || ""}`, on: action ? { click: action } : {}, ...props },
    name && icon(name), h("span", {}, label));
}

// MARK: Pieces of pages

/** The heading of a page, with what can be done there at its side. */
export function heading(title, ...actions) {
  return h("div", { class: "heading" }, h("h1", {}, title), h("div", { class: "actions" }, actions));
}

/** The way up: pairs of text and address, the last without. */
export function breadcrumbs(steps) {
  return h("nav", { class: "breadcrumbs", "aria-label": "Breadcrumb" }, h("ol", {}, steps.map(([text, href]) =>
    h("li", {}, href ? h("a", { href }, text) : h("span", { "aria-current": "page" }, text)))));
}

/** What stands where a list would be: a sentence and the command or step that fills it. */
export function empty(sentence, ...commands) {
  return h("div", { class: "empty" }, h("p", {}, sentence), commands.map((line) => command(line)));
}

/** A command line with a button that copies it. */
export function command(line) {
  return h("div", { class: "command" }, h("code", {}, line), copyButton(line));
}

export function copyButton(text, label = "Copy") {
  const control = button(label, {
    kind: "quiet",
    action: async () => {
      try {
        await navigator.clipboard.writeText(text);
        control.querySelector("span").textContent = "Copied";
      } catch {
        control.querySelector("span").textContent = "Select and copy";
      }
      setTimeout(() => { control.querySelector("span").textContent = label; }, 1600);
    },
  });
  return control;
}

/** A server's refusal, in its own words. */
export function failure(error) {
  return h("div", { class: "failure", role: "alert" }, h("strong", {}, error.title || "That did not work"),
    h("p", {}, error.message), error.code && h("p", { class: "muted" }, error.code));
}

export function loading(label = "Loading") {
  return h("p", { class: "loading muted", role: "status" }, label);
}

/** A link to a thing by its name, with the icon of its kind. */
export function named(kind, name, props) {
  return h("a", { class: "named", ...props }, icon(kind), h("span", { class: "break" }, name));
}

/** A table that scrolls sideways by itself on a narrow screen. Headings are text or nodes; rows are arrays of cells. */
export function table(headings, rows, { label, numeric = [] } = {}) {
  const cell = (tag, content, index, props = {}) =>
    content instanceof HTMLTableCellElement
      ? content : h(tag, { class: numeric.includes(index) ? "numeric" : undefined, ...props }, content);
  return h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": label },
    h("table", {},
      h("thead", {}, h("tr", {}, headings.map((heading, index) => cell("th", heading, index, { scope: "col" })))),
      h("tbody", {}, rows.map((row) =>
        row instanceof HTMLElement ? row : h("tr", {}, row.map((content, index) => cell("td", content, index)))))));
}

/** Name and value pairs. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter((pair) => pair && pair[1] !== undefined && pair[1] !== null)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

export function badge(text, kind = "") {
  return h("span", { class: `badge ${kind}` }, text);
}

/** Tabs: `[label, href, isCurrent]`. */
export function tabs(items, label) {
  return h("nav", { class: "tabs", "aria-label": label }, items.map(([text, href, isCurrent]) =>
    h("a", { href, "aria-current": isCurrent ? "page" : undefined }, text)));
}

// MARK: Dialogs and messages

/** Opens a dialog; `build` gets a function that closes it. Escape and a click beside it close it too. */
export function dialog(title, build, { wide = false } = {}) {
  const element = h("dialog", { class: wide ? "wide" : "", "aria-label": title });
  const close = () => element.close();
  element.append(
    h("div", { class: "dialog-head" }, h("h2", {}, title),
      h("button", { type: "button", class: "button quiet icon-only", "aria-label": "Close", on: { click: close } }, icon("close"))),
    h("div", { class: "dialog-body" }, build(close)));
  element.addEventListener("close", () => element.remove());
  element.addEventListener("click", (event) => { if (event.target === element) close(); });
  document.body.append(element);
  element.showModal();
  return element;
}

/** Asks before something is lost; resolves to true when the person goes on. */
export function confirm(title, sentence, verb) {
  return new Promise((resolve) => {
    let answer = false;
    const element = dialog(title, (close) => [
      h("p", { class: "break" }, sentence),
      h("div", { class: "dialog-actions" },
        button("Cancel", { action: close }),
        button(verb, { kind: "danger", action: () => { answer = true; close(); } })),
    ]);
    element.addEventListener("close", () => resolve(answer));
  });
}

/** A short message at the edge of the page, read aloud. */
export function toast(message, kind = "") {
  let shelf = document.getElementById("toasts");
  if (!shelf) document.body.append(shelf = h("div", { id: "toasts", role: "status", "aria-live": "polite" }));
  const note = h("div", { class: `toast ${kind}` }, message);
  shelf.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 9000 : 4000);
}
