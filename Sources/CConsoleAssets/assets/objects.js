// The objects of a bucket, by folders: upload, download, look at, share, delete.

import { breadcrumbs, button, confirm, empty, fill, h, heading, named, table, toast } from "./dom.js";
import { showObject } from "./object.js";
import { aliasCommand, deleteObject, everyKey, list, upload } from "./s3.js";
import { bytes, moment, plural } from "./text.js";

const UPLOADS_AT_ONCE = 3;
const DELETES_AT_ONCE = 4;

export async function objectsPage({ bucket, parameters, signal, session, reload }) {
  const prefix = parameters.get("prefix") || "";
  const first = await list(bucket, { prefix, signal });
  const selected = new Set();
  const shelf = h("div", { class: "uploads", "aria-live": "polite" });
  const files = h("input", { type: "file", multiple: true, class: "hidden-text", id: "files", tabindex: "-1",
    "aria-label": "Files to upload", on: { change: () => take([...files.files]) } });
  const erase = button("Delete selected", { icon: "trash", kind: "danger", hidden: true, action: () => removeSelected() });
  const rows = h("tbody");
  const more = button("Show more", { action: () => append() });
  let next = first.next;

  const listing = table(
    [h("span", { class: "hidden-text" }, "Select"), "Name", "Size", h("th", { scope: "col", class: "wide-only" }, "Modified")],
      [], { label: "Objects", numeric: [2] });
  listing.querySelector("tbody").replaceWith(rows);
  addRows(first);

  const content = h("div", { class: "drop", on: { dragover: hover, dragleave: leave, drop } },
    breadcrumbs(steps(bucket, prefix)),
    heading(prefix ? prefix.split("/").at(-2) : bucket, erase,
      button("Refresh", { icon: "refresh", action: reload }),
      button("Upload", { icon: "upload", kind: "primary", action: () => files.click() }), files),
    shelf,
    first.folders.length + first.objects.length === 0
      ? empty(prefix ? "Nothing is below this prefix." : "This bucket is empty. Drop files here, use Upload, or run:",
        aliasCommand(session), `slipway mc cp FILE local/${bucket}/${prefix}`)
      : [listing, h("div", { class: "after" }, more)],
    h("div", { class: "drop-hint", "aria-hidden": "true" }, `Drop files to upload them to ${bucket}/${prefix}`));
  more.hidden = !next;
  const wanted = parameters.get("object");
  if (wanted) showObject(bucket, wanted, reload);
  return { title: `${bucket}/${prefix}`, content };

  function addRows(page) {
    for (const folder of page.folders) {
      rows.append(row(folder, folder.slice(prefix.length), "folder", { href: folderAddress(bucket, folder) }, "", ""));
    }
    for (const object of page.objects) {
      const open = (event) => { event.preventDefault(); showObject(bucket, object.key, reload); };
      const name = object.key.slice(prefix.length) || object.key;
      const props = { href: objectAddress(bucket, prefix, object.key), on: { click: open } };
      rows.append(row(object.key, name, "file", props, bytes(object.size), moment(object.modified)));
    }
  }

  function row(key, name, kind, props, size, modified) {
    const box = h("input", { type: "checkbox", "aria-label": `Select ${name}`, on: { change: () => select(key, box.checked) } });
    return h("tr", {}, h("td", { class: "narrow" }, box),
      h("td", {}, named(kind, name, props)),
      h("td", { class: "numeric" }, size), h("td", { class: "nowrap wide-only" }, modified));
  }

  async function append() {
    more.disabled = true;
    try {
      const page = await list(bucket, { prefix, token: next, signal });
      addRows(page);
      next = page.next;
      more.hidden = !next;
    } catch (error) {
      if (error.name !== "AbortError") toast(error.message, "bad");
    } finally {
      more.disabled = false;
    }
  }

  function select(key, isSelected) {
    if (isSelected) selected.add(key);
    else selected.delete(key);
    erase.hidden = selected.size === 0;
    erase.querySelector("span").textContent = `Delete selected (${selected.size})`;
  }

  async function removeSelected() {
    const folders = [...selected].filter((key) => key.endsWith("/"));
    const sentence = folders.length
      ? `${plural(selected.size, "entry", "entries")} will be deleted, with everything below ${folders.join(", ")}.`
      : `${plural(selected.size, "object")} will be deleted: ${[...selected].slice(0, 5).join(", ")}${selected.size > 5 ? " ..."
        : ""}`;
    if (!await confirm("Delete objects", sentence, "Delete")) return;
    let count = 0;
    try {
      for (const key of selected) {
        if (!key.endsWith("/")) {
          await deleteObject(bucket, key);
          count += 1;
          continue;
        }
        let batch = [];
        for await (const below of everyKey(bucket, key)) {
          batch.push(deleteObject(bucket, below));
          count += 1;
          if (batch.length >= DELETES_AT_ONCE) { await Promise.all(batch); batch = []; }
        }
        await Promise.all(batch);
      }
      toast(`${plural(count, "object")} deleted`);
    } catch (error) {
      toast(error.message, "bad");
    }
    reload();
  }

  // Uploads.

  function hover(event) {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    content.classList.add("dragging");
  }

  function leave(event) {
    if (!content.contains(event.relatedTarget)) content.classList.remove("dragging");
  }

  function drop(event) {
    event.preventDefault();
    content.classList.remove("dragging");
    take([...event.dataTransfer.files]);
  }

  async function take(chosen) {
    if (chosen.length === 0) return;
    const waiting = chosen.map((file) => progressRow(file));
    fill(shelf, waiting.map((entry) => entry.element));
    let stored = 0;
    const worker = async () => {
      for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
        if (await entry.run()) stored += 1;
      }
    };
    await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, worker));
    files.value = "";
    if (stored > 0) toast(`${plural(stored, "file")} uploaded`);
    // Failures stay to be read; a clean run shows the new listing.
    if (stored === chosen.length && !signal.aborted) reload();
  }

  function progressRow(file) {
    const bar = h("progress", { max: String(Math.max(file.size, 1)), value: 0, "aria-label": `Upload of ${file.name}` });
    const state = h("span", { class: "muted small" }, "waiting");
    let running = null;
    let isCancelled = false;
    const stop = button("Cancel",
      { kind: "quiet", action: () => { isCancelled = true; running?.cancel(); state.textContent = "cancelled"; } });
    const element = h("div", { class: "upload" }, h("span", { class: "break" }, file.name), bar, state, stop);
    const run = async () => {
      if (isCancelled) return false;
      try {
        running = upload(bucket, prefix + file.name, file, (sent) => {
          bar.value = sent;
          state.textContent = `${bytes(sent)} of ${bytes(file.size)}`;
        });
        await running;
        bar.value = Math.max(file.size, 1);
        state.textContent = "stored";
        stop.remove();
        return true;
      } catch (error) {
        state.textContent = error.message;
        state.className = "bad small";
        return false;
      }
    };
    return { element, run };
  }
}

export function folderAddress(bucket, prefix) {
  return `#/buckets/${encodeURIComponent(bucket)}${prefix ? `?prefix=${encodeURIComponent(prefix)}` : ""}`;
}

function objectAddress(bucket, prefix, key) {
  return `#/buckets/${encodeURIComponent(bucket)}?prefix=${encodeURIComponent(prefix)}&object=${encodeURIComponent(key)}`;
}

/** The way from the list of buckets down to `prefix`. */
function steps(bucket, prefix) {
  const parts = prefix.split("/").slice(0, -1);
  const folders = parts.map((part, index) => [part, folderAddress(bucket, `${parts.slice(0, index + 1).join("/")}/`)]);
  const all = [["Buckets", "#/buckets"], [bucket, folderAddress(bucket, "")], ...folders];
  return all.map(([text, href], index) => (index === all.length - 1 ? [text] : [text, href]));
}
