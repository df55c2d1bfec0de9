// The frame around every page: who is logged in, the navigation, and the way from an address to a page.

import { bucketsPage } from "./buckets.js";
import { podPage, workflowPage, workflowsPage } from "./cluster.js";
import { comparePage } from "./compare.js";
import { button, failure, fill, h, icon, loading } from "./dom.js";
import { experimentsPage } from "./experiments.js";
import { getJSON, send, useForgeryToken } from "./http.js";
import { logInPage } from "./login.js";
import { modelPage, modelsPage, versionPage } from "./models.js";
import { objectsPage } from "./objects.js";
import { overviewPage } from "./overview.js";
import { loggedModelPage, runPage } from "./run.js";
import { runsPage } from "./runs.js";
import { servingPage } from "./serving.js";

/** What there is to show: filled from `/console/session`. */
let session = null;
/** Ends the calls of the page that is being left. */
let leaving = new AbortController();

const main = h("main", { id: "main", tabindex: "-1" });

/** Every page: the address as segments, `{name}` for what varies, and what builds it. */
const ROUTES = [
  ["buckets", bucketsPage, "objects"],
  ["buckets/{bucket}", objectsPage, "objects"],
  ["experiments", experimentsPage, "tracking"],
  ["experiments/{experiment}", runsPage, "tracking"],
  ["experiments/{experiment}/runs/{run}", runPage, "tracking"],
  ["experiments/{experiment}/runs/{run}/{part}", runPage, "tracking"],
  ["experiments/{experiment}/models/{model}", loggedModelPage, "tracking"],
  ["compare", comparePage, "tracking"],
  ["compare-runs", comparePage, "tracking"],
  ["models", modelsPage, "tracking"],
  ["models/{model}", modelPage, "tracking"],
  ["models/{model}/versions/{version}", versionPage, "tracking"],
  ["serving", servingPage, "inference"],
  ["workflows", workflowsPage, "cluster"],
  ["workflows/{namespace}/{name}", workflowPage, "cluster"],
  ["pods/{namespace}/{name}", podPage, "cluster"],
  ["overview", overviewPage, "overview"],
];

const NAVIGATION = [
  ["overview", "Overview", "home", "overview"],
  ["buckets", "Buckets", "bucket", "objects"],
  ["experiments", "Experiments", "flask", "tracking"],
  ["models", "Models", "cube", "tracking"],
  ["serving", "Serving", "server", "inference"],
  ["workflows", "Workflows", "flow", "cluster"],
];

/** Pages that belong below another entry of the navigation. */
const SECTIONS = { pods: "workflows", compare: "experiments", "compare-runs": "experiments" };

async function start() {
  window.addEventListener("hashchange", show);
  window.addEventListener("logged-out", () => { if (session?.needsLogIn) askToLogIn(); });
  try {
    await learnSession();
  } catch (error) {
    fill(document.body, h("div", { class: "alone" }, failure(error), button("Try again", { action: () => location.reload() })));
    return;
  }
  if (session.needsLogIn && !session.loggedIn) askToLogIn();
  else frame();
}

async function learnSession() {
  session = await getJSON("console/session");
  useForgeryToken(session.forgeryToken);
  if (session.scope === "everything") session.parts.push("overview");
}

function askToLogIn() {
  leaving.abort();
  document.title = "Log in · Slipway";
  fill(document.body, logInPage(session, async () => {
    await learnSession();
    frame();
  }));
}

function frame() {
  const links = NAVIGATION.filter(([, , , part]) => session.parts.includes(part)).map(([path, label, name]) =>
    h("a", { href: `#/${path}`, "data-path": path }, icon(name), h("span", {}, label)));
  fill(document.body,
    h("a", { class: "skip", href: "#main", on: { click: (event) => { event.preventDefault(); main.focus(); } } },
      "Skip to content"),
    h("div", { class: "frame" },
      h("header", { class: "side" },
        h("a", { class: "brand", href: "#/" }, h("img", { src: "assets/icon.svg", alt: "", width: "26", height: "26" }),
          h("span", {}, "Slipway")),
        h("nav", { class: "links", "aria-label": "Main" }, links),
        session.needsLogIn && h("div", { class: "person" }, h("span", { class: "muted", title: "logged in as" }, session.user),
          button("Log out", { icon: "logout", kind: "quiet", action: logOut }))),
      main));
  show();
}

async function logOut() {
  await send("console/session", { method: "DELETE" }).catch(() => {});
  session = { ...session, loggedIn: false };
  askToLogIn();
}

/** The page of the present address; `quiet` leaves the old one until the new one is there. */
async function show({ quiet = false } = {}) {
  if (!main.isConnected) return;
  leaving.abort();
  leaving = new AbortController();
  const signal = leaving.signal;
  const { path, parameters } = address();
  const match = find(path) || find(NAVIGATION.find(([, , , part]) => session.parts.includes(part))[0]);
  const section = SECTIONS[match.pattern.split("/")[0]] || match.pattern.split("/")[0];
  for (const link of document.querySelectorAll(".links a")) {
    const isCurrent = section === link.dataset.path;
    if (isCurrent) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else {
      link.removeAttribute("aria-current");
    }
  }
  if (quiet !== true) {
    fill(main, loading());
    window.scrollTo(0, 0);
  }
  try {
    const page = await match.build({ ...match.values, parameters, signal, session, reload: show });
    if (signal.aborted) return;
    document.title = `${page.title} · Slipway`;
    fill(main, page.content);
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return;
    fill(main, failure(error), button("Try again", { icon: "refresh", action: show }));
  }
}

/** `#/a/b?c=d` as path and parameters. */
function address() {
  const text = location.hash.replace(/^#\/?/, "");
  const mark = text.indexOf("?");
  return {
    path: mark < 0 ? text : text.slice(0, mark),
    parameters: new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)),
  };
}

function find(path) {
  const segments = path.split("/").filter((segment) => segment !== "");
  for (const [pattern, build, part] of ROUTES) {
    if (!session.parts.includes(part)) continue;
    const parts = pattern.split("/");
    if (parts.length !== segments.length) continue;
    const values = {};
    const isMatch = parts.every((piece, index) => {
      if (!piece.startsWith("{")) return piece === segments[index];
      try { values[piece.slice(1, -1)] = decodeURIComponent(segments[index]); } catch { return false; }
      return true;
    });
    if (isMatch) return { pattern, build, values };
  }
  return null;
}

start();
