"""`slipway lineage` over a real `slipway up`: a workflow trains and registers, the model is served, and each link is named."""

import hashlib
import json
import os
import ssl
import subprocess
import time
import urllib.request

import boto3
import mlflow
import pytest
import tritonclient.http

from slipway_process import BINARY, free_port
from test_up import make, models

# What people's scripts do. Nothing here says which step it is: the cluster tells MLflow.
TRAIN = """
import mlflow
mlflow.set_experiment("tiny")
with mlflow.start_run(run_name="first") as run:
    mlflow.log_params({"rate": 0.1})
    mlflow.log_metrics({"accuracy": 0.97})
    mlflow.log_dict({"a": 1}, "notes/figures.json")
    mlflow.log_dict({"b": 2}, "top.json")
    mlflow.set_tag("slipway.objects", "s3://training/weights.pt")
    print(run.info.run_id)
"""
REGISTER = """
import json, os, mlflow
client = mlflow.MlflowClient()
client.create_registered_model("tiny")
version = client.create_model_version("tiny", "s3://models/tiny", run_id="{{inputs.parameters.run}}").version
for key, value in json.loads(os.environ["MLFLOW_RUN_CONTEXT"]).items():
    client.set_model_version_tag("tiny", version, key, value)
client.set_registered_model_alias("tiny", "champion", version)
"""


def workflow(track):
    def script(name, source, **more):
        # What the first script prints is handed on: MLflow shall print nothing of its own.
        environment = [{"name": "MLFLOW_TRACKING_URI", "value": f"http://127.0.0.1:{track}"},
                       {"name": "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "value": "true"}]
        return dict(name=name, script={"image": "slipway/python-test", "command": ["python"], "source": source,
                                       "env": environment}, **more)

    handed = {"parameters": [{"name": "run", "value": "{{steps.train.outputs.result}}"}]}
    return {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "tiny-flow", "namespace": "default"},
        "spec": {"entrypoint": "all", "templates": [
            {"name": "all", "steps": [[{"name": "train", "template": "train"}],
                                      [{"name": "register", "template": "register", "arguments": handed}]]},
            script("train", TRAIN), script("register", REGISTER, inputs={"parameters": [{"name": "run"}]})]}}


class Cluster:
    def __init__(self, kubeconfig):
        access = json.loads(kubeconfig.read_text())
        self.url = access["clusters"][0]["cluster"]["server"]
        self.token = access["users"][0]["user"]["token"]
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def __call__(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method, data=body and json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=self.context) as answer:
            text = answer.read().decode()
            return text if path.partition("?")[0].endswith("/log") else json.loads(text)


def logs(cluster):
    pods = cluster("GET", "/api/v1/namespaces/default/pods")["items"]
    names = [pod["metadata"]["name"] for pod in pods]
    return "".join(cluster("GET", f"/api/v1/namespaces/default/pods/{name}/log?tailLines=20") for name in names)


WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows"


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """Everything, after the workflow has run and the model is served as `tiny`."""
    folder = tmp_path_factory.mktemp("lineage")
    server = make(folder).start()
    try:
        ports = server.named
        root = json.loads((server.data / "root-credential.json").read_text())
        store = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{ports['store']}", region_name="us-east-1",
            aws_access_key_id=root["user"], aws_secret_access_key=root["password"])
        models.identity(folder, "tiny")
        models.identity(folder, "loose")
        for bucket in ("models", "training"):
            store.create_bucket(Bucket=bucket)
        for name in ("tiny", "loose"):
            store.upload_file(folder / name / "1/model.onnx", "models", f"{name}/1/model.onnx")
        for number in range(25):
            store.put_object(Bucket="models", Key=f"tiny/1/part-{number:02}", Body=b"x" * 100)
        store.put_object(Bucket="training", Key="weights.pt", Body=b"weights")
        store.put_object(Bucket="training", Key="weights.pt.other", Body=b"a name that only begins so")

        cluster = server.cluster = Cluster(server.data / "kubeconfig")
        cluster("POST", WORKFLOWS, workflow(ports["track"]))
        deadline = time.monotonic() + 120
        while (phase := cluster("GET", f"{WORKFLOWS}/tiny-flow").get("status", {}).get("phase")) != "Succeeded":
            assert phase not in ("Failed", "Error") and time.monotonic() < deadline, (phase, logs(cluster))
            time.sleep(0.2)
        server.infer = tritonclient.http.InferenceServerClient(f"127.0.0.1:{ports['infer-http']}")
        for name in ("tiny", "loose"):
            server.infer.load_model(name)
        server.tracking = mlflow.MlflowClient(f"http://127.0.0.1:{ports['track']}")
        server.tracking.set_model_version_tag("tiny", "1", "slipway.served", "tiny/1")
        yield server
    finally:
        server.stop()


def ask(up, *arguments, status=0, **flags):
    ports = up.named
    given = {"--data": up.data, "--track-url": f"http://127.0.0.1:{ports['track']}",
             "--infer-url": f"http://127.0.0.1:{ports['infer-http']}", "--s3-endpoint": f"http://127.0.0.1:{ports['store']}"}
    given |= {f"--{name.replace('_', '-')}": value for name, value in flags.items()}
    drop = ("SLIPWAY", "MINIO", "MLFLOW", "AWS", "KUBECONFIG")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(drop)}
    words = [str(word) for pair in given.items() for word in pair]
    result = subprocess.run(
        [BINARY, "lineage", *arguments, *words], env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout if status == 0 else result.stderr


def only(up, *arguments, **flags):
    found = json.loads(ask(up, *arguments, "--json", **flags))
    assert len(found["versions"]) == 1
    return found["versions"][0]


def test_every_link_is_named(up):
    entry = only(up, "tiny")
    assert entry["served"]["version"] == "1" and entry["link"] == "the tag slipway.served"
    version = entry["registry_version"]
    assert version["name"] == "tiny" and version["version"] == "1" and version["aliases"] == ["champion"]
    registered = entry["registered_by"]
    assert (registered["workflow"], registered["step"], registered["phase"]) == ("default/tiny-flow", "register", "Succeeded")
    run = entry["run"]
    assert run["run_id"] == version["run_id"] and run["experiment"] == "tiny" and run["metrics"] == {"accuracy": 0.97}
    step = entry["step"]
    assert (step["workflow"], step["step"], step["phase"], step["workflow_phase"]) == (
        "default/tiny-flow", "train", "Succeeded", "Succeeded")
    assert step["pod"].startswith("default/tiny-flow-train-") and step["image"] == "slipway/python-test"
    assert step["started"] and step["finished"]
    of_version, of_run, artifacts = entry["objects"]
    assert of_version["location"] == "s3://models/tiny/1/" and of_version["count"] == 26
    assert len(of_version["first"]) == 20 and of_version["bytes"] > 2500
    assert of_run["count"] == 1 and of_run["first"] == [
        {"key": "weights.pt", "bytes": 7, "etag": hashlib.md5(b"weights").hexdigest()}]
    assert artifacts["location"].startswith("mlflow-artifacts:/")
    assert sorted(entry["key"].rsplit("artifacts/", 1)[1] for entry in artifacts["first"]) == [
        "notes/figures.json", "top.json"]


def test_a_person_reads_the_same(up):
    text = ask(up, "tiny")
    assert [line.split()[0] for line in text.splitlines() if line[0] != " "] == ["served", "version", "run", "step", "objects"]
    for words in ["tiny version 1, ready at http://127.0.0.1:", "tiny 1, alias champion", "linked to what is served by the tag",
                  "registered by step register of workflow default/tiny-flow", "first (", "metrics accuracy=0.97",
                  "train of workflow default/tiny-flow, Succeeded in", "pod default/tiny-flow-train-",
                  "s3://models/tiny/1/ (of the version): 26 objects", "and 6 more", "s3://training/weights.pt (of the run): 1 object"]:
        assert words in text, text


def test_what_is_not_there_is_named_in_its_place(up, tmp_path):
    nowhere = f"http://127.0.0.1:{free_port()}"
    entry = only(up, "tiny", infer_url=nowhere)
    assert entry["served"]["state"] == "unknown" and "start it with `slipway infer`" in entry["served"]["reason"]
    assert entry["run"]["state"] == "found" and entry["objects"][0]["count"] == 26

    entry = only(up, "tiny", s3_endpoint=nowhere, kubeconfig=tmp_path / "none")
    assert entry["served"]["state"] == "found" and entry["run"]["state"] == "found"
    assert entry["step"]["state"] == "unknown" and "train of workflow default/tiny-flow: there is no" in entry["step"]["reason"]
    assert entry["objects"][0]["state"] == "unknown" and "slipway store" in entry["objects"][0]["reason"]
    # What the tracking server itself keeps is listed without the store's keys.
    assert entry["objects"][2]["count"] == 2

    entry = only(up, "tiny", track_url=nowhere)
    assert entry["served"]["state"] == "found"
    assert entry["registry_version"]["state"] == "unknown" and "--track-url" in entry["registry_version"]["reason"]
    assert entry["run"] is None and entry["objects"] == []


def test_keys_and_folder_are_asked_for_and_never_made(up, tmp_path):
    empty = tmp_path / "empty"
    entry = only(up, "tiny", data=empty, kubeconfig=up.data / "kubeconfig")
    assert entry["step"]["phase"] == "Succeeded"
    assert entry["objects"][0]["state"] == "unknown" and "--s3-access-key" in entry["objects"][0]["reason"]
    assert not empty.exists()


def test_a_model_that_nobody_registered_is_served_all_the_same(up):
    entry = only(up, "loose")
    assert entry["served"]["version"] == "1" and entry["registry_version"]["state"] == "absent"
    assert "no model loose is registered" in entry["registry_version"]["reason"]


def test_a_version_that_nobody_serves_and_one_of_another_name(up):
    up.tracking.create_registered_model("letters")
    first = up.tracking.create_model_version("letters", "s3://models/tiny")
    second = up.tracking.create_model_version("letters", "s3://no-bucket/x")
    entry = only(up, "letters")
    assert entry["registry_version"]["version"] == second.version and entry["served"]["state"] == "absent"
    assert entry["run"]["state"] == "absent" and "without a run" in entry["run"]["reason"]
    assert entry["objects"][0]["reason"] == "the object store has no bucket no-bucket"
    assert only(up, "letters", "--version", "1")["registry_version"]["source"] == "s3://models/tiny"

    # The tag ties a version to what is served under another name, from both ends.
    up.tracking.set_model_version_tag("letters", first.version, "slipway.served", "loose/1")
    for name in ("letters", "loose"):
        entry = only(up, name)
        assert entry["served"]["model"] == "loose" and entry["registry_version"]["name"] == "letters"
    up.tracking.delete_model_version_tag("letters", first.version, "slipway.served")


def test_an_unknown_model_names_those_that_are_known(up):
    said = ask(up, "tinny", status=1)
    assert "no model tinny is served at" in said and "Did you mean tiny?" in said and "loose" in said
    assert "no version 9 of tiny" in ask(up, "tiny", "--version", "9", status=1)
    nowhere = f"http://127.0.0.1:{free_port()}"
    said = ask(up, "tiny", status=1, track_url=nowhere, infer_url=nowhere)
    assert "nobody can say" in said and "slipway track" in said and "slipway infer" in said
    assert "which model?" in ask(up, status=2)


def test_a_model_that_mlflow_logged(up, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{up.named['track']}")

    class Echo(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input

    mlflow.set_experiment("logged")
    with mlflow.start_run():
        mlflow.pyfunc.log_model(name="model", python_model=Echo(), registered_model_name="echo", pip_requirements=[])
    entry = only(up, "echo")
    assert entry["run"]["experiment"] == "logged" and "no tag of the run names a workflow" in entry["step"]["reason"]
    assert entry["objects"][0]["location"].startswith("mlflow-artifacts:/") and entry["objects"][0]["count"] >= 2
    assert any(found["key"].endswith("/MLmodel") for found in entry["objects"][0]["first"])


def test_a_workflow_that_was_deleted_leaves_its_name(up):
    up.cluster("DELETE", f"{WORKFLOWS}/tiny-flow")
    assert only(up, "tiny")["step"]["state"] == "absent"
    # Another one of the same name is not the one that made the run.
    up.cluster("POST", WORKFLOWS, {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "tiny-flow", "namespace": "default"},
        "spec": {"entrypoint": "wait", "templates": [{"name": "wait", "suspend": {}}]}})
    entry = only(up, "tiny")
    assert entry["step"]["state"] == "absent"
    assert entry["step"]["reason"].startswith("train of workflow default/tiny-flow: the cluster at https://127.0.0.1:")
    assert "train of workflow default/tiny-flow: the cluster" in ask(up, "tiny")


def test_a_model_that_was_unloaded_keeps_its_origin(up):
    up.infer.unload_model("tiny")
    entry = only(up, "tiny")
    assert entry["served"]["state"] == "absent" and "in its repository" in entry["served"]["reason"]
    assert entry["run"]["state"] == "found" and entry["objects"][0]["count"] == 26
