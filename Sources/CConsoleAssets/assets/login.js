// The log-in: the store's root user and password, checked by the store itself.

import { failure, fill, h } from "./dom.js";
import { send } from "./http.js";

export function logInPage(session, done) {
  const problem = h("div", { class: "problem" });
  const user = h("input", { id: "user", name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false",
    required: true, maxlength: "128" });
  const password = h("input",
    { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: "128" });
  const submit = h("button", { type: "submit", class: "button primary wide-button" }, "Log in");
  const form = h("form", { class: "card login", on: { submit: logIn } },
    h("img", { src: "assets/icon.svg", alt: "", width: "44", height: "44" }),
    h("h1", {}, "Slipway"),
    h("label", { for: "user" }, "User"), user,
    h("label", { for: "password" }, "Password"), password,
    problem, submit,
    h("p", { class: "muted small" }, "The root user of the object store: MINIO_ROOT_USER, or what ",
      h("code", {}, "slipway up"), " showed at its first start and keeps in root-credential.json."));

  async function logIn(event) {
    event.preventDefault();
    submit.disabled = true;
    fill(problem);
    try {
      await send("console/session", { method: "POST", json: { user: user.value, password: password.value } });
      await done();
    } catch (error) {
      error.title = "Not logged in";
      fill(problem, failure(error));
      password.select();
    } finally {
      submit.disabled = false;
    }
  }

  setTimeout(() => user.focus());
  return h("div", { class: "alone" }, form);
}
