// The list of buckets.

import { button, confirm, dialog, empty, failure, fill, h, heading, named, table, toast } from "./dom.js";
import { aliasCommand, createBucket, deleteBucket, listBuckets } from "./s3.js";
import { bytes, moment } from "./text.js";

export async function bucketsPage({ signal, session, reload }) {
  const buckets = await listBuckets(signal);
  const create = button("Create bucket", { icon: "plus", kind: "primary", action: () => askForName(reload) });
  const content = [heading("Buckets", create)];
  if (buckets.length === 0) {
    content.push(empty("No buckets yet. A bucket holds objects: models, data, artifacts.",
      aliasCommand(session), "slipway mc mb local/models"));
    return { title: "Buckets", content };
  }
  const isCounted = buckets.some((bucket) => bucket.objects !== undefined);
  const headings = ["Name", ...(isCounted ? ["Objects", "Size"] : []), h("th", { scope: "col", class: "wide-only" }, "Created"),
    h("span", { class: "hidden-text" }, "Actions")];
  content.push(table(headings, buckets.map((bucket) => [
    named("bucket", bucket.name, { href: `#/buckets/${encodeURIComponent(bucket.name)}` }),
    ...(isCounted ? [(bucket.objects ?? 0).toLocaleString("en"), bytes(bucket.bytes ?? 0)] : []),
    h("td", { class: "nowrap wide-only" }, moment(bucket.created)),
    h("div", { class: "row-actions" }, button("Delete", {
      icon: "trash", kind: "quiet", "aria-label": `Delete bucket ${bucket.name}`, action: () => remove(bucket.name, reload),
    })),
  ]), { label: "Buckets", numeric: isCounted ? [1, 2] : [] }));
  return { title: "Buckets", content };
}

function askForName(reload) {
  dialog("Create bucket", (close) => {
    const problem = h("div", { class: "problem" });
    const name = h("input", {
      id: "bucket-name", required: true, minlength: "3", maxlength: "63", autocapitalize: "none", spellcheck: "false",
        autocomplete: "off", autofocus: true,
    });
    return h("form", { on: { submit } },
      h("label", { for: "bucket-name" }, "Name"), name,
      h("p", { class: "muted small" }, "3 to 63 small letters, digits, dots and hyphens."), problem,
      h("div", { class: "dialog-actions" }, button("Cancel", { action: close }),
        h("button", { type: "submit", class: "button primary" }, "Create")));

    async function submit(event) {
      event.preventDefault();
      try {
        await createBucket(name.value.trim());
        close();
        toast(`Bucket ${name.value.trim()} created`);
        reload();
      } catch (error) {
        error.title = "Not created";
        fill(problem, failure(error));
        name.select();
      }
    }
  });
}

async function remove(bucket, reload) {
  if (!await confirm("Delete bucket", `The bucket ${bucket} will be deleted. It must be empty.`, "Delete bucket")) return;
  try {
    await deleteBucket(bucket);
    toast(`Bucket ${bucket} deleted`);
    reload();
  } catch (error) {
    if (error.code !== "BucketNotEmpty") {
      toast(error.message, "bad");
      return;
    }
    dialog("Not deleted", (close) => [
      h("p", { class: "break" }, `The bucket ${bucket} still holds objects. Open it, select them and delete them first, or run:`),
      h("div", { class: "command" }, h("code", {}, `slipway mc rb --force local/${bucket}`)),
      h("div", { class: "dialog-actions" }, button("Close", { action: close }),
        h("a", { class: "button primary", href: `#/buckets/${encodeURIComponent(bucket)}`, on: { click: close } }, "Open bucket")),
    ]);
  }
}
