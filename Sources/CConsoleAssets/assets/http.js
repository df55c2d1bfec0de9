// Calls to our own origin. Errors come back as the server's own message, whichever protocol it speaks.

/** A refusal or a failure, in the server's own words. */
export class CallError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

let forgeryToken = "";

/** Keeps the token that proves that a write comes from our own pages. */
export function useForgeryToken(token) { forgeryToken = token || ""; }
export function forgeryFields() { return forgeryToken ? { "X-CSRF-Token": forgeryToken } : {}; }

/** Reads an error answer: JSON of MLflow, Kubernetes, V2 or the console, XML of S3, or plain text. */
export async function errorOf(response) {
  return parseError(response.status, await response.text().catch(() => ""));
}

export function parseError(status, text) {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) {
    try {
      const body = JSON.parse(trimmed);
      if (typeof body.error === "object" && body.error) return new CallError(status, body.error.code, body.error.message);
      if (typeof body.error === "string") return new CallError(status, "", body.error);
      if (body.message) return new CallError(status, body.error_code || body.reason || "", body.message);
    } catch { /* not JSON after all: shown as text below */ }
  }
  if (trimmed.startsWith("<")) {
    const root = new DOMParser().parseFromString(trimmed, "application/xml");
    const message = root.querySelector("Message");
    if (message) return new CallError(status, root.querySelector("Code")?.textContent || "", message.textContent);
  }
  return new CallError(status, "", trimmed.slice(0, 500) || `The server answered ${status}.`);
}

/** Sends a request; throws `CallError` unless the answer is a success. A session that has ended leads to the log-in. */
export async function send(path, { method = "GET", json, body, fields = {}, signal } = {}) {
  const headers = { ...fields };
  if (method !== "GET" && method !== "HEAD") Object.assign(headers, forgeryFields());
  if (json !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(json);
  }
  let response;
  try {
    response = await fetch(path, { method, headers, body, signal, credentials: "same-origin", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new CallError(0, "", "The console's server does not answer. Is it still running?");
  }
  if (response.ok) return response;
  const error = method === "HEAD"
    ? new CallError(response.status, "",
      response.status === 404 ? "It is not there any more." : `The server answered ${response.status}.`)
    : await errorOf(response);
  if (error.code === "NotLoggedIn") window.dispatchEvent(new CustomEvent("logged-out"));
  throw error;
}

export async function getJSON(path, options) { return (await send(path, options)).json(); }

/** `path?name=value` of the parameters that have a value; arrays repeat their name. */
export function query(path, parameters) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).filter((one) => one !== undefined && one !== null && one !== "")
      .map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`));
  return pairs.length ? `${path}?${pairs.join("&")}` : path;
}
