// One object: its metadata, a preview of what can be shown, a link for others, and its end.

import { button, confirm, copyButton, dialog, facts, failure, fill, h, icon, loading, toast } from "./dom.js";
import { preview } from "./preview.js";
import { deleteObject, metadata, objectPath, share } from "./s3.js";
import { bytes, moment } from "./text.js";

const TERMS = [["1 hour", 3600], ["12 hours", 43200], ["1 day", 86400], ["7 days", 604800]];

export function showObject(bucket, key, reload) {
  const body = h("div", {}, loading());
  dialog(key.split("/").at(-1) || key, (close) => {
    load(close);
    return body;
  }, { wide: true });

  async function load(close) {
    let object;
    try {
      object = await metadata(bucket, key);
    } catch (error) {
      fill(body, failure(error));
      return;
    }
    const link = h("div", { class: "share" });
    const view = h("div", { class: "preview" });
    fill(body,
      facts([
        ["Bucket", bucket], ["Key", h("span", { class: "break" }, key)],
        ["Size", `${bytes(object.size)} (${object.size.toLocaleString("en")} bytes)`],
        ["Type", object.type], ["ETag", h("code", { class: "break" }, object.etag)], ["Modified", moment(object.modified)],
        ...object.user.map(([name, value]) =>
          [h("span", { class: "break" }, `x-amz-meta-${name}`), h("span", { class: "break" }, value)]),
      ]),
      object.user.length === 0 && h("p", { class: "muted small" }, "No user metadata."),
      h("div", { class: "dialog-actions start" },
        h("a", { class: "button primary", href: objectPath(bucket, key), download: key.split("/").at(-1) }, icon("download"),
          h("span", {}, "Download")),
        button("Share", { icon: "link", action: () => askForTerm(link) }),
        button("Delete", { icon: "trash", kind: "danger", action: () => remove(close) })),
      link, view);
    preview(view, { path: objectPath(bucket, key), name: key, size: object.size, type: object.type });
  }

  /** Asks how long the link shall be good for, and shows it. */
  function askForTerm(place) {
    const term = h("select", { id: "term" }, TERMS.map(([label, seconds]) => h("option", { value: String(seconds) }, label)));
    term.value = "86400";
    const result = h("div", {});
    fill(place, h("form", { class: "inline", on: { submit: make } },
      h("label", { for: "term" }, "Anybody with the link may read it for"), term,
      h("button", { type: "submit", class: "button primary" }, "Create link")), result);
    term.focus();

    async function make(event) {
      event.preventDefault();
      try {
        const url = await share(bucket, key, Number(term.value));
        const text = h("input", { id: "shared-link", value: url, readonly: true, "aria-label": "Link",
          on: { focus: () => text.select() } });
        fill(result, h("div", { class: "command" }, text, copyButton(url)));
        text.focus();
      } catch (error) {
        fill(result, failure(error));
      }
    }
  }

  async function remove(close) {
    if (!await confirm("Delete object", `${bucket}/${key} will be deleted. This cannot be undone.`, "Delete")) return;
    try {
      await deleteObject(bucket, key);
      close();
      toast(`${key} deleted`);
      reload();
    } catch (error) {
      toast(error.message, "bad");
    }
  }
}
