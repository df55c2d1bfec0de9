// The model registry: registered models, their versions, aliases, stages, and the runs they came from.

import { badge, breadcrumbs, button, copyButton, dialog, empty, facts, failure, fill, h, heading, named, table,
  toast } from "./dom.js";
import { artifactTree } from "./artifacts.js";
import { isOrigin, origin } from "./lineage.js";
import {
  deleteAlias, getLoggedModel, getModel, getRun, getVersion, keyed, modelAddress, modelArtifacts, modelVersions, quoted, runAddress,
    runArtifacts, searchModels,
  setAlias, setStage, versionAddress,
} from "./mlflow.js";
import { ago, moment } from "./text.js";

const STAGES = ["None", "Staging", "Production", "Archived"];
const STAGE_KINDS = { Production: "good", Staging: "warn", Archived: "" };

export async function modelsPage({ parameters, signal }) {
  const name = parameters.get("name") || "";
  const answer = await searchModels({ filter: name ? `name ILIKE ${quoted(`%${name}%`)}` : undefined, signal });
  const models = answer.registered_models || [];
  const search = h("input", { type: "search", value: name, placeholder: "Find by name", "aria-label": "Find models by name" });
  return {
    title: "Models",
    content: [
      heading("Registered models"),
      h("form", {
        class: "inline toolbar", role: "search",
        on: { submit: (event) => { event.preventDefault(); location.hash = search.value
          ? `#/models?name=${encodeURIComponent(search.value)}` : "#/models"; } },
      }, search, h("button", { type: "submit", class: "button" }, "Search")),
      models.length === 0
        ? name ? empty(`No registered model has "${name}" in its name.`)
          : empty("No registered models yet. Register one from a run:", 'mlflow.register_model("runs:/RUN_ID/model", "NAME")')
        : table(["Name", "Latest version", "Aliases", "Stages", "Last change"], models.map((model) => {
          const versions = model.latest_versions || [];
          const latest = versions.reduce((most, version) => Math.max(most, Number(version.version)), 0);
          return [
            named("cube", model.name, { href: modelAddress(model.name) }),
            latest ? h("a", { href: versionAddress(model.name, latest) }, `Version ${latest}`)
              : h("span", { class: "muted" }, "none"),
            h("span", { class: "badges" },
              (model.aliases || []).map((alias) => badge(`${alias.alias} → ${alias.version}`, "accent"))),
            h("span", { class: "badges" }, versions.filter((version) => version.current_stage && version.current_stage !== "None")
              .map((version) => badge(`${version.current_stage} ${version.version}`, STAGE_KINDS[version.current_stage]))),
            h("span", { class: "nowrap", title: moment(model.last_updated_timestamp) }, ago(model.last_updated_timestamp)),
          ];
        }), { label: "Registered models" }),
    ],
  };
}

export async function modelPage({ model: name, signal }) {
  const [model, listed] = await Promise.all([getModel(name, signal), modelVersions(`name = ${quoted(name)}`, signal)]);
  const versions = await Promise.all(listed.slice(0, 50).map((version) => withRun(version, signal)))
    .then((known) => [...known, ...listed.slice(50)]);
  const aliases = new Map();
  for (const alias of model.aliases || []) {
    aliases.set(String(alias.version), [...(aliases.get(String(alias.version)) || []), alias.alias]);
  }
  const runs = await runsOf(versions, signal);
  return {
    title: name,
    content: [
      breadcrumbs([["Models", "#/models"], [name]]),
      heading(name),
      h("section", { class: "card" }, facts([
        ["Created", moment(model.creation_timestamp)], ["Last change", moment(model.last_updated_timestamp)],
        ["Description", model.description || h("span", { class: "muted" }, "none")],
        ...(model.tags || []).map((tag) => [tag.key, tag.value]),
      ])),
      h("section", {}, h("h2", {}, "Versions"), versions.length === 0 ? empty("No versions yet.")
        : table(["Version", "Stage", "Aliases", "Created", "Source run"], versions.map((version) => [
          h("a", { class: "strong", href: versionAddress(name, version.version) }, `Version ${version.version}`),
          version.current_stage === "None" ? h("span", { class: "muted" }, "none")
            : badge(version.current_stage, STAGE_KINDS[version.current_stage]),
          h("span", { class: "badges" }, (aliases.get(String(version.version)) || []).map((alias) => badge(alias, "accent"))),
          h("span", { class: "nowrap" }, moment(version.creation_timestamp)),
          runLink(version.run_id, runs),
        ]), { label: "Versions" })),
    ],
  };
}

export async function versionPage({ model: name, version: number, signal, reload, session }) {
  const version = await withRun(await getVersion(name, number, signal), signal);
  const runs = await runsOf([version], signal);
  const aliases = version.aliases || [];
  const stage = h("select", { id: "stage", on: { change: () => change(() => setStage(name, number, stage.value), reload) } },
    STAGES.map((text) => h("option", { value: text }, text)));
  stage.value = version.current_stage;
  const run = runs.get(version.run_id);
  const files = artifactsOf(version, run);
  return {
    title: `${name} ${number}`,
    content: [
      breadcrumbs([["Models", "#/models"], [name, modelAddress(name)], [`Version ${number}`]]),
      heading(`${name}, version ${number}`, aliases.map((alias) => badge(alias, "accent"))),
      h("section", { class: "card" }, facts([
        ["Created", moment(version.creation_timestamp)],
        ["Source run", runLink(version.run_id, runs)],
        ...origin(keyed(run?.data.tags), session, { maker: "Run made by" }).slice(0, 1),
        ...origin(keyed(version.tags), session, { maker: "Registered by" }),
        ["Stage", h("span", {}, h("label", { for: "stage", class: "hidden-text" }, "Stage"), stage)],
        ["Aliases", h("span", { class: "badges" },
          aliases.map((alias) => h("span", { class: "badge accent" }, alias, h("button", {
            type: "button", class: "drop-alias", "aria-label": `Remove alias ${alias}`,
              on: { click: () => change(() => deleteAlias(name, alias), reload) },
          }, "×"))), button("Add", { icon: "plus", kind: "quiet", action: () => askForAlias(name, number, reload) }))],
        ["Source", h("code", { class: "break" }, version.source)],
        ["Load it with", h("span", { class: "with-copy" }, h("code", { class: "break" }, `models:/${name}/${number}`),
          copyButton(`models:/${name}/${number}`))],
        ["Description", version.description || h("span", { class: "muted" }, "none")],
        ...(version.tags || []).filter((tag) => !isOrigin(tag.key)).map((tag) => [tag.key, tag.value]),
      ])),
      files && h("section", {}, h("h2", {}, "Artifacts"), artifactTree(files, { signal })),
    ],
  };
}

/** The run that a version came from: named by it, or by the logged model that it was made of. */
async function withRun(version, signal) {
  const model = version.model_id || /^models:\/(m-[0-9a-f]+)$/.exec(version.source)?.[1];
  if (version.run_id || !model) return version;
  const logged = await getLoggedModel(model, signal).catch(() => null);
  return { ...version, run_id: logged?.info.source_run_id || "" };
}

/** Where a version's files are listed: its logged model, or a folder of its run; null when they are not known here. */
function artifactsOf(version, run) {
  const id = version.model_id || /^models:\/(m-[0-9a-f]+)$/.exec(version.source)?.[1];
  if (id) return modelArtifacts(id);
  const base = run?.info.artifact_uri;
  if (!base || !version.source.startsWith(`${base}/`)) return null;
  const folder = version.source.slice(base.length + 1).replace(/\/+$/, "");
  const all = runArtifacts(version.run_id);
  return { ...all, list: (path, signal) => all.list(path || folder, signal) };
}

async function runsOf(versions, signal) {
  const ids = [...new Set(versions.map((version) => version.run_id).filter(Boolean))].slice(0, 50);
  const found = await Promise.all(ids.map((id) => getRun(id, signal).catch(() => null)));
  return new Map(ids.map((id, index) => [id, found[index]]));
}

function runLink(id, runs) {
  if (!id) return h("span", { class: "muted" }, "none");
  const run = runs.get(id);
  if (!run) return h("code", { title: "The run is not there any more" }, id.slice(0, 8));
  return h("a", { href: runAddress(run.info.experiment_id, id) }, run.info.run_name || id.slice(0, 8));
}

async function change(action, reload) {
  try {
    await action();
  } catch (error) {
    toast(error.message, "bad");
  }
  reload();
}

function askForAlias(name, version, reload) {
  dialog("Add alias", (close) => {
    const problem = h("div", { class: "problem" });
    const alias = h("input", { id: "alias", required: true, maxlength: "255", autocomplete: "off", autocapitalize: "none",
      placeholder: "champion", autofocus: true });
    return h("form", {
      on: {
        submit: async (event) => {
          event.preventDefault();
          try {
            await setAlias(name, version, alias.value.trim());
            close();
            reload();
          } catch (error) {
            error.title = "Not added";
            fill(problem, failure(error));
          }
        },
      },
    }, h("label", { for: "alias" }, "Alias"), alias,
    h("p", { class: "muted small" }, "An alias that another version has moves here."), problem,
    h("div", { class: "dialog-actions" }, button("Cancel", { action: close }),
      h("button", { type: "submit", class: "button primary" }, "Add")));
  });
}
