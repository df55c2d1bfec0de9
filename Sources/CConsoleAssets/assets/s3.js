// The object store as the pages use it, through the console's signing proxy.

import { forgeryFields, getJSON, parseError, query, send } from "./http.js";

const bucketPath = (bucket) => `s3/${encodeURIComponent(bucket)}`;

/** What makes `local` the name of this store for `slipway mc`. */
export const aliasCommand = (session) => `slipway mc alias set local ${session.storeURL} ${session.user} PASSWORD`;

/** The address of an object's bytes. */
export function objectPath(bucket, key) { return query(bucketPath(bucket), { key }); }

export async function listBuckets(signal) { return (await getJSON("console/buckets", { signal })).buckets; }
export function createBucket(bucket) { return send(bucketPath(bucket), { method: "PUT" }); }
export function deleteBucket(bucket) { return send(bucketPath(bucket), { method: "DELETE" }); }
export function deleteObject(bucket, key) { return send(objectPath(bucket, key), { method: "DELETE" }); }

export async function share(bucket, key, expiresSeconds) {
  return (await getJSON("console/share", { method: "POST", json: { bucket, key, expiresSeconds } })).url;
}

/** One page of keys: `{folders, objects, next}`; `next` asks for the page after it. */
export async function list(bucket, { prefix = "", delimiter = "/", token, count = 200, signal } = {}) {
  const response = await send(query(bucketPath(bucket), {
    "list-type": "2", prefix, delimiter, "continuation-token": token, "max-keys": count,
  }), { signal });
  const root = new DOMParser().parseFromString(await response.text(), "application/xml").documentElement;
  const text = (element, name) => element.getElementsByTagName(name)[0]?.textContent;
  const children = (name) => [...root.children].filter((child) => child.localName === name);
  return {
    folders: children("CommonPrefixes").map((child) => text(child, "Prefix")),
    objects: children("Contents").map((child) => ({
      key: text(child, "Key"), size: Number(text(child, "Size")), modified: text(child, "LastModified"),
      etag: (text(child, "ETag") || "").replaceAll('"', ""),
    })),
    next: children("NextContinuationToken")[0]?.textContent,
  };
}

/** Every key below `prefix`, page by page. */
export async function* everyKey(bucket, prefix) {
  let token;
  do {
    const page = await list(bucket, { prefix, delimiter: "", token, count: 1000 });
    for (const object of page.objects) yield object.key;
    token = page.next;
  } while (token);
}

/** Size, type, ETag, moment and user metadata of an object. */
export async function metadata(bucket, key, signal) {
  const { headers } = await send(objectPath(bucket, key), { method: "HEAD", signal });
  const user = [...headers].filter(([name]) => name.startsWith("x-amz-meta-"))
    .map(([name, value]) => [name.slice("x-amz-meta-".length), value]);
  return {
    size: Number(headers.get("content-length")),
    type: headers.get("x-object-content-type") || headers.get("content-type"),
    etag: (headers.get("etag") || "").replaceAll('"', ""),
    modified: headers.get("last-modified"),
    user,
  };
}

/**
 * Stores a file under `key`; `progress` gets the bytes sent so far. The file is streamed by the browser, never read into
 * memory. Returns a promise with a `cancel` function.
 */
export function upload(bucket, key, file, progress) {
  const request = new XMLHttpRequest();
  const promise = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(parseError(request.status, request.responseText));
    });
    request.addEventListener("error", () => reject(new Error("The connection broke before the file was stored.")));
    request.addEventListener("abort", () => reject(new Error("Cancelled.")));
    request.open("PUT", objectPath(bucket, key));
    for (const [name, value] of Object.entries(forgeryFields())) request.setRequestHeader(name, value);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.send(file);
  });
  promise.cancel = () => request.abort();
  return promise;
}
