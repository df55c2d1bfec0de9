"""The tracking pages on the tracking server's own port, over runs that the mlflow client has logged."""

import math
import struct
import zlib

import pytest


def png(width, height):
    """A small red image."""
    rows = b"".join(b"\0" + b"\xff\0\0" * width for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.fixture(scope="module")
def runs(track, tmp_path_factory):
    """Three runs of the experiment `digits`, the last with artifacts and a registered model; their ids by name."""
    import mlflow
    import numpy
    from sklearn.linear_model import LogisticRegression

    folder = tmp_path_factory.mktemp("artifacts")
    (folder / "report.json").write_text('{"note": "<script>alert(1)</script>"}')
    (folder / "table.csv").write_text('name,count\n"one, two",2\n')
    (folder / "sub").mkdir()
    (folder / "sub" / "notes.txt").write_text("in a folder")
    (folder / "image.png").write_bytes(png(40, 30))
    mlflow.set_tracking_uri(track.url)
    mlflow.set_experiment("digits")
    ids = {}
    for index, rate in enumerate((0.3, 0.1, 0.2)):
        with mlflow.start_run(run_name=f"run-{index}") as run:
            ids[f"run-{index}"] = run.info.run_id
            mlflow.log_params({"rate": rate, "kind": "<b>bold</b>"})
            for step in range(30):
                mlflow.log_metric("loss", math.exp(-rate * step), step=step)
            mlflow.log_metric("accuracy", 0.9 + rate / 10)
            if index == 2:
                mlflow.log_artifacts(str(folder))
                model = LogisticRegression().fit(numpy.arange(40).reshape(20, 2), numpy.arange(20) % 2)
                mlflow.sklearn.log_model(model, name="model", registered_model_name="digit-reader")
    client = mlflow.MlflowClient(track.url)
    client.set_registered_model_alias("digit-reader", "champion", "1")
    client.transition_model_version_stage("digit-reader", "1", "Staging")
    ids["experiment"] = client.get_experiment_by_name("digits").experiment_id
    mlflow.set_tracking_uri(None)
    return ids


def names(browser):
    return [link.text for link in browser.all(".run-name a")]


def test_the_first_page_lists_the_experiments(tracking, runs):
    tracking.open().see("Experiments").see("digits").press("digits").see("run-2")
    assert names(tracking) == ["run-2", "run-1", "run-0"]
    assert "Log out" not in tracking.text()


def test_runs_sort_by_any_column(tracking, runs):
    tracking.open(f"#/experiments/{runs['experiment']}").see("run-0")
    tracking.press("rate").until(lambda: names(tracking) == ["run-1", "run-2", "run-0"], "not sorted by rate")
    tracking.press("rate").until(lambda: names(tracking) == ["run-0", "run-2", "run-1"], "not sorted down")
    tracking.press("accuracy").until(lambda: names(tracking) == ["run-0", "run-2", "run-1"], "not sorted by accuracy")
    tracking.press("Run").until(lambda: names(tracking) == ["run-0", "run-1", "run-2"], "not sorted by name")
    assert "<b>bold</b>" in tracking.text()


def test_runs_are_filtered_in_the_language_of_mlflow(tracking, runs):
    tracking.open(f"#/experiments/{runs['experiment']}").type("input[type=search]", "metrics.accuracy > 0.915 AND params.rate != '0.3'")
    tracking.press("Filter").until(lambda: names(tracking) == ["run-2"], "not filtered")
    tracking.type("input[type=search]", "metrics.accuracy >").press("Filter").see("The filter is not understood")
    assert tracking.one("input[type=search]").get_attribute("value") == "metrics.accuracy >"
    tracking.press("Clear").see("run-0")


def test_columns_are_chosen_and_kept(tracking, runs):
    tracking.open(f"#/experiments/{runs['experiment']}").see("run-0").press("Columns")
    tracking.one("dialog input[value=loss]").click()
    tracking.press("Show these")
    tracking.until(lambda: "loss" not in [head.text for head in tracking.all("th")], "the column is still there")
    tracking.open().open(f"#/experiments/{runs['experiment']}").see("run-0")
    assert "loss" not in [head.text for head in tracking.all("th")]


def drawn(browser):
    """Different colours on each canvas: more than one means that something is drawn."""
    return browser.driver.execute_script("""
        return [...document.querySelectorAll("canvas")].map((canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const colours = new Set();
            for (let index = 0; index < data.length; index += 4) colours.add(data.slice(index, index + 4).join());
            return colours.size;
        });""")


def test_charts_of_several_runs_are_drawn(tracking, runs):
    tracking.open(f"#/experiments/{runs['experiment']}").see("run-0")
    boxes = [tracking.one(f"input[aria-label='Select run run-{number}']") for number in (0, 1)]
    for box in boxes:
        box.click()
    assert tracking.driver.switch_to.active_element == boxes[1], "selecting takes the focus away"
    tracking.press("Compare 2 runs").see("2 runs")
    tracking.until(lambda: len(tracking.all("canvas")) == 2, "no charts")
    tracking.until(lambda: min(drawn(tracking)) > 5, "blank charts")
    labels = [canvas.get_attribute("aria-label") for canvas in tracking.all("canvas")]
    assert any(label.startswith("loss: last values") and "run-0 0.000166" in label for label in labels), labels
    before = tracking.driver.execute_script("return document.querySelectorAll('canvas')[1].toDataURL()")
    tracking.one("#chart-scale option[value=logarithmic]").click()
    tracking.one("#chart-axis option[value=relative]").click()
    tracking.until(lambda: tracking.driver.execute_script("return document.querySelectorAll('canvas')[1].toDataURL()") != before,
                   "the scale changes nothing")
    tracking.one("#differences").click()
    tracking.until(lambda: "kind" not in tracking.column(1), "what is the same is still shown")
    assert "rate" in tracking.column(1)


def test_artifacts_are_previewed_as_text_tables_and_images(tracking, runs):
    tracking.open(f"#/experiments/{runs['experiment']}/runs/{runs['run-2']}/artifacts").see("report.json")
    leaf = lambda name: next(entry for entry in tracking.all(".leaf") if entry.text.startswith(name))
    leaf("report.json").click()
    tracking.see('"note": "<script>alert(1)</script>"')
    leaf("table.csv").click()
    tracking.see("one, two")
    leaf("sub").click()
    tracking.until(lambda: [entry for entry in tracking.all(".leaf") if entry.text.startswith("notes.txt")], "no file in the folder")
    leaf("notes.txt").click()
    tracking.see("in a folder")
    leaf("image.png").click()
    image = tracking.one(".preview-image")
    tracking.until(lambda: image.get_property("naturalWidth") == 40, "the image is not shown")
    leaf("MLmodel").click()
    tracking.see("flavors:").press("Download", ".preview-side")


def test_the_registry_shows_versions_aliases_stages_and_runs(tracking, runs):
    tracking.open("#/models").see("digit-reader").see("champion").press("digit-reader")
    tracking.see("Staging").see("run-2").press("Version 1").see("models:/digit-reader/1")
    tracking.press("Add").type("#alias", "second").press("Add", "dialog").see("second")
    tracking.press("Remove alias second").until(lambda: "second" not in tracking.text(), "the alias is still there")
    tracking.press("run-2").see("digit-reader version 1")


def test_links_that_the_client_prints_lead_to_the_pages(tracking, runs):
    tracking.open(f"#/experiments/{runs['experiment']}/runs/{runs['run-1']}").see("run-1").see("accuracy")
    tracking.open("#/experiments/9999").see("No Experiment with id=9999")
    tracking.open("#/experiments/1/runs/none").see("none")


def test_the_same_pages_stand_in_the_console(logged_in, runs):
    logged_in.open(f"#/experiments/{runs['experiment']}").see("run-2")
    logged_in.open(f"#/experiments/{runs['experiment']}/runs/{runs['run-0']}/charts")
    logged_in.until(lambda: len(logged_in.all("canvas")) == 2 and min(drawn(logged_in)) > 5, "blank charts")
    logged_in.open("#/overview").see("Latest runs").see("run-2").see("ready")
