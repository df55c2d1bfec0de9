"""The console of `slipway up`: the overview, a workflow's steps and the log of its pod."""

import pathlib
import shutil
import subprocess
import sys

import pytest

from browser import Browser
from slipway_process import PASSWORD, USER, Slipway, free_port

PORTS = ["store", "track", "infer-http", "infer-grpc", "infer-metrics", "cluster", "registry", "console"]
MANIFESTS = pathlib.Path(__file__).resolve().parent.parent / "workflow" / "manifests"


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    folder = tmp_path_factory.mktemp("up")
    ports = {name: free_port() for name in PORTS}
    arguments = ["up", "--data", folder / "data"] + [f"--{name}-port={port}" for name, port in ports.items()]
    server = Slipway(arguments, list(ports.values()), folder).start()
    server.url = f"http://127.0.0.1:{ports['console']}"
    server.kubeconfig = folder / "data" / "kubeconfig"
    yield server
    server.stop()


@pytest.fixture
def page(up, tmp_path):
    browser = Browser(up.url, tmp_path)
    browser.open().log_in(USER, PASSWORD).see("Overview")
    yield browser
    complaints = browser.complaints()
    browser.close()
    assert complaints == []


def kubectl(up, *arguments):
    beside = pathlib.Path(sys.executable).parent / "kubectl"
    program = str(beside) if beside.exists() else shutil.which("kubectl")
    return subprocess.run([program, "--kubeconfig", up.kubeconfig, *arguments], check=True, capture_output=True, text=True).stdout


def test_every_role_is_ready_and_what_is_missing_says_how_to_begin(page):
    page.see("Store").see("Cluster").see("Registry")
    page.until(lambda: [badge.text for badge in page.all(".role .badge")] == ["ready"] * 5, "not every role is ready")
    page.see("No runs yet").see("No workflows yet").see("kubectl create -f workflow.yaml")
    page.open("#/serving").see("No models in the repository yet")


def test_a_workflow_shows_its_steps_and_the_log_of_a_pod(up, page):
    kubectl(up, "apply", "-n", "default", "-f", str(MANIFESTS / "diamond.yaml"))
    page.open("#/workflows/default/diamond")
    page.until(lambda: "Succeeded" in page.one(".heading").text, "the workflow does not end")
    page.until(lambda: sorted(page.column(1)) == ["A", "B", "C", "D", "E"])
    page.see("omitted: depends condition not met").press("B").see("exit code 0, Completed")
    page.until(lambda: page.one("pre.log").text.strip() == "BA", "the log is not shown")
    page.open("#/workflows").see("diamond").see("4/4")


def test_a_version_leads_to_its_run_the_step_and_the_objects(up, page):
    import mlflow

    kubectl(up, "apply", "-n", "default", "-f", str(MANIFESTS / "diamond.yaml"))
    client = mlflow.MlflowClient(f"http://127.0.0.1:{up.ports[1]}")
    run = client.create_run("0", run_name="taught", tags={"slipway.workflow": "default/diamond", "slipway.step": "B"})
    client.create_registered_model("origin")
    client.create_model_version("origin", "s3://models/origin", run_id=run.info.run_id)
    tags = {"workflow": "default/diamond", "step": "D", "pod": "no name of a pod", "objects": "s3://models/origin/1/",
            "served": "origin/1"}
    for key, value in tags.items():
        client.set_model_version_tag("origin", "1", f"slipway.{key}", value)
    page.open("#/models/origin/versions/1").see("Run made by").see("B of default/diamond").see("D of default/diamond")
    links = {link.text: link.get_attribute("href").partition("#")[2] for link in page.all("dl.facts a")}
    assert links["s3://models/origin/1/"] == "/buckets/models?prefix=origin%2F1%2F" and links["origin/1"] == "/serving"
    assert "no name of a pod" not in links and "slipway.uid" not in page.text()
    page.press("taught").see("B of default/diamond").press("default/diamond")
    page.until(lambda: sorted(page.column(1)) == ["A", "B", "C", "D", "E"])


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: clock}
spec:
  selector: {matchLabels: {app: clock}}
  template:
    metadata: {labels: {app: clock}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: main, image: bash, command: [bash, -c, "while true; do echo tick; sleep 0.2; done"]}]
"""


def test_a_running_pods_log_is_followed(up, page, tmp_path):
    manifest = tmp_path / "deployment.yaml"
    manifest.write_text(DEPLOYMENT)
    kubectl(up, "apply", "-n", "default", "-f", str(manifest))
    kubectl(up, "wait", "--for=condition=Available", "deployment/clock", "--timeout=20s")
    page.open("#/workflows").see("Deployments").see("1 of 1")
    page.until(lambda: [link for link in page.all("a.named") if link.text.startswith("clock-")])[0].click()
    page.until(lambda: page.one("pre.log").text.count("tick") >= 2, "no log")
    first = page.one("pre.log").text.count("tick")
    page.until(lambda: page.one("pre.log").text.count("tick") > first, "the log is not renewed")
    kubectl(up, "delete", "deployment", "clock")


def test_an_inference_service_is_shown_with_its_address(up, page, tmp_path):
    manifest = tmp_path / "service.yaml"
    manifest.write_text("""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: shown}
spec: {predictor: {triton: {}}}
""")
    kubectl(up, "apply", "-n", "default", "-f", str(manifest))
    kubectl(up, "wait", "--for=condition=Ready", "inferenceservice/shown", "--timeout=30s")
    page.open("#/serving").see("InferenceServices").see("http://shown.default.example.com")
    page.until(lambda: [badge.text for badge in page.all("section .badge")] == ["ready"])
    kubectl(up, "delete", "inferenceservice", "shown")


def test_secrets_are_not_reached_through_the_console(up, page):
    kubectl(up, "create", "secret", "generic", "hidden", "--from-literal=password=abc")
    statuses = page.driver.execute_async_script("""
        const done = arguments[0];
        const paths = ["api/v1/secrets", "api/v1/namespaces/default/secrets/hidden", "api/v1/namespaces/default/pods/../secrets/hidden"];
        Promise.all(paths.map((path) => fetch(`cluster/${path}`).then((answer) => answer.status))).then(done);""")
    assert statuses == [403, 403, 403]
