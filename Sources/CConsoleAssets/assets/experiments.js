// The list of experiments.

import { button, confirm, dialog, empty, failure, fill, h, heading, named, table, toast } from "./dom.js";
import { createExperiment, deleteExperiment, experimentAddress, quoted, searchExperiments } from "./mlflow.js";
import { ago, moment } from "./text.js";

export async function experimentsPage({ parameters, signal, reload }) {
  const name = parameters.get("name") || "";
  const filter = name ? `name ILIKE ${quoted(`%${name}%`)}` : undefined;
  const first = await searchExperiments({ filter, signal });
  const rows = h("tbody");
  let next = first.next_page_token;
  const more = button("Show more", { action: append });
  more.hidden = !next;
  add(first);

  const search = h("input", { type: "search", value: name, placeholder: "Find by name", "aria-label": "Find experiments by name" });
  const form = h("form", {
    class: "inline toolbar", role: "search",
    on: {
      submit: (event) => {
        event.preventDefault();
        location.hash = search.value ? `#/experiments?name=${encodeURIComponent(search.value)}` : "#/experiments";
      },
    },
  }, search, h("button", { type: "submit", class: "button" }, "Search"));
  const listing = table(["Name", h("th", { scope: "col", class: "wide-only" }, "Id"), "Last change",
    h("th", { scope: "col", class: "wide-only" }, "Created"),
    h("span", { class: "hidden-text" }, "Actions")], [], { label: "Experiments" });
  listing.querySelector("tbody").replaceWith(rows);
  const hasAny = rows.childElementCount > 0;
  const content = [
    heading("Experiments", button("Create experiment", { icon: "plus", kind: "primary", action: () => askForName(reload) })),
    form,
    hasAny ? [listing, h("div", { class: "after" }, more)]
      : name ? empty(`No experiment has "${name}" in its name.`)
        : empty("No experiments yet. Point a client here and log a run:", `export MLFLOW_TRACKING_URI=${location.origin}`),
  ];
  return { title: "Experiments", content };

  function add(page) {
    for (const experiment of page.experiments || []) {
      rows.append(h("tr", {},
        h("td", {}, named("flask", experiment.name, { href: experimentAddress(experiment.experiment_id) })),
        h("td", { class: "wide-only" }, h("code", {}, experiment.experiment_id)),
        h("td", { class: "nowrap", title: moment(experiment.last_update_time) }, ago(experiment.last_update_time)),
        h("td", { class: "nowrap wide-only" }, moment(experiment.creation_time)),
        h("td", {}, h("div", { class: "row-actions" }, experiment.experiment_id !== "0" && button("Delete", {
          icon: "trash", kind: "quiet", "aria-label": `Delete experiment ${experiment.name}`,
            action: () => remove(experiment, reload),
        })))));
    }
  }

  async function append() {
    try {
      const page = await searchExperiments({ filter, token: next, signal });
      add(page);
      next = page.next_page_token;
      more.hidden = !next;
    } catch (error) {
      if (error.name !== "AbortError") toast(error.message, "bad");
    }
  }
}

async function remove(experiment, reload) {
  const sentence = `The experiment ${experiment.name} and its runs will be marked as deleted. A client can restore them.`;
  if (!await confirm("Delete experiment", sentence, "Delete experiment")) return;
  try {
    await deleteExperiment(experiment.experiment_id);
    toast(`Experiment ${experiment.name} deleted`);
    reload();
  } catch (error) {
    toast(error.message, "bad");
  }
}

function askForName(reload) {
  dialog("Create experiment", (close) => {
    const problem = h("div", { class: "problem" });
    const name = h("input", { id: "experiment-name", required: true, maxlength: "500", autocomplete: "off", autofocus: true });
    return h("form", {
      on: {
        submit: async (event) => {
          event.preventDefault();
          try {
            await createExperiment(name.value.trim());
            close();
            reload();
          } catch (error) {
            error.title = "Not created";
            fill(problem, failure(error));
          }
        },
      },
    }, h("label", { for: "experiment-name" }, "Name"), name, problem,
    h("div", { class: "dialog-actions" }, button("Cancel", { action: close }),
      h("button", { type: "submit", class: "button primary" }, "Create")));
  });
}
