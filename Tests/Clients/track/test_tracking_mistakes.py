"""The second tutorial's likely mistakes through mlflow's client, new and old: what a person reads at the end."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
import requests

from track_roles import ROOT, free_port, store_role, track_role

OLD = pathlib.Path(os.environ.get("SLIPWAY_MLFLOW1_PYTHON") or ROOT / "runtime/python/old/bin/python")
PYTHONS = {"3.17": sys.executable, "1.30": str(OLD)}
# One process for each version, because importing mlflow takes seconds; each step runs in a fork of it.
DRIVER = """
import json, os, sys, tempfile, traceback
import mlflow

def run(step):
    mlflow.set_experiment(step)
    with mlflow.start_run() as run:
        mlflow.log_param("a", 1)
        if step == "upload":
            with tempfile.NamedTemporaryFile() as file:
                mlflow.log_artifact(file.name)
        elif step == "list":
            mlflow.tracking.MlflowClient().list_artifacts(run.info.run_id)
        elif step == "model":
            mlflow.pyfunc.load_model("models:/iris/3")

for line in sys.stdin:
    order = json.loads(line)
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os.environ.update(order["environment"])
            status = 1
            try:
                run(order["step"])
                status = 0
            except Exception:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        status = os.waitpid(child, 0)[1]
        output.seek(0)
        print(json.dumps([status, output.read().decode()]), flush=True)
"""


@pytest.fixture(scope="module", params=PYTHONS, ids=lambda version: f"mlflow {version}")
def mlflow(request, tmp_path_factory):
    """Runs steps that must fail in a client of one version, and gives what it printed."""
    python = PYTHONS[request.param]
    if not pathlib.Path(python).exists():
        pytest.skip("there is no environment with mlflow 1.30: scripts/setup examples, or SLIPWAY_MLFLOW1_PYTHON")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "PYTHON", "AWS"))}
    variables.update(MLFLOW_HTTP_REQUEST_MAX_RETRIES="1", AWS_MAX_ATTEMPTS="1")
    driver = subprocess.Popen(
        [python, "-W", "ignore", "-c", DRIVER], env=variables, cwd=tmp_path_factory.mktemp("mlflow"), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True)

    def run(uri, step, **environment):
        print(json.dumps({"step": step, "environment": {"MLFLOW_TRACKING_URI": uri, **environment}}), file=driver.stdin, flush=True)
        status, text = json.loads(driver.stdout.readline())
        assert status != 0, text
        return text

    yield run
    driver.stdin.close()
    assert driver.wait(20) == 0


def credentials(store, user="testuser", password="testpassword", **more):
    return {"MLFLOW_S3_ENDPOINT_URL": store.url, "AWS_ACCESS_KEY_ID": user, "AWS_SECRET_ACCESS_KEY": password, **more}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    role = store_role(tmp_path_factory.mktemp("store") / "data").start()
    yield role
    role.stop()


@pytest.fixture(scope="module")
def direct(store, tmp_path_factory):
    """The document's server: clients write to the bucket themselves."""
    role = track_role(tmp_path_factory.mktemp("direct"), "--default-artifact-root", "s3://mlflow/",
                      environment=credentials(store)).start()
    yield role
    role.stop()


def test_a_missing_bucket(mlflow, direct, store):
    text = mlflow(direct.url, "upload", **credentials(store))
    assert "NoSuchBucket" in text and "The specified bucket does not exist: mlflow." in text
    assert "The specified bucket does not exist: mlflow." in mlflow(direct.url, "list", **credentials(store))


def test_a_wrong_key(mlflow, direct, store):
    text = mlflow(direct.url, "upload", **credentials(store, password="wrong-password"))
    assert "SignatureDoesNotMatch" in text and "Check your key" in text and "wrong-password" not in text
    text = mlflow(direct.url, "upload", **credentials(store, user="nobody"))
    assert "InvalidAccessKeyId" in text and "does not exist in our records" in text


def test_a_store_that_is_not_up(mlflow, direct, store):
    port = free_port()
    text = mlflow(direct.url, "upload", **{**credentials(store), "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}"})
    assert f'Could not connect to the endpoint URL: "http://127.0.0.1:{port}/mlflow/' in text


def test_a_tracking_server_that_is_not_up(mlflow):
    port = free_port()
    text = mlflow(f"http://127.0.0.1:{port}", "model")
    assert f"port={port}" in text and "Connection refused" in text


def test_the_stores_port_for_the_tracking_servers(mlflow, store):
    text = mlflow(store.url, "model")
    assert "403" in text and "this port speaks S3" in text


def test_a_model_that_nobody_registered(mlflow, direct):
    text = mlflow(direct.url, "model")
    assert "RESOURCE_DOES_NOT_EXIST" in text and "name=iris" in text and "not found" in text


def test_the_servers_own_wrong_key(mlflow, store, tmp_path):
    """With artifacts through the server: clients repeat a 5xx for minutes and then hide its text, so it is none."""
    role = track_role(tmp_path / "t", "--artifacts-destination", "s3://kept",
                      environment=credentials(store, password="wrong-password")).start()
    try:
        for step in ("upload", "list"):
            text = mlflow(role.url, step)
            assert "403" in text and "The artifact store refuses the tracking server's credential" in text
            assert "start the server with the right AWS_ACCESS_KEY_ID" in text and "wrong-password" not in text
        assert "SignatureDoesNotMatch" in role.text() and "wrong-password" not in role.text()
    finally:
        role.stop()


def test_the_servers_store_that_is_not_up(mlflow, store, tmp_path):
    """It may come back, so the client shall try again; the reason stands in the server's log."""
    port = free_port()
    environment = {**credentials(store), "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    role = track_role(tmp_path / "t", "--artifacts-destination", "s3://kept", environment=environment).start()
    try:
        assert "503" in mlflow(role.url, "upload")
        assert f"The object store at http://127.0.0.1:{port} did not answer" in role.text()
        answer = requests.get(role.url + "/api/2.0/mlflow-artifacts/artifacts", params={"path": "0"}, timeout=20)
        assert answer.status_code == 503 and "check its address, credentials and health" in answer.json()["message"]
    finally:
        role.stop()


def test_a_wrong_host(direct):
    answer = requests.get(direct.url + "/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"Host": "tracking.example.com"},
                          timeout=20)
    assert answer.status_code == 403 and "Start the server with --allowed-hosts to take this name" in answer.json()["message"]
