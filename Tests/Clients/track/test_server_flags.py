"""The command line of `mlflow server`, and what a person reads when something on it is wrong."""

import os
import subprocess
import time

import pytest
import requests

from postgres_server import Postgres
from track_roles import BINARY, Role, free_port, store_role, track_role


def refused(*words, environment=None, **options):
    done = subprocess.run(
        [BINARY, "track", *words], env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=60,
        **options)
    assert done.returncode != 0, done.stdout + done.stderr
    return done.stderr


def test_mlflow_server_through_a_link(postgres, tmp_path):
    link = tmp_path / "mlflow"
    link.symlink_to(BINARY)
    port = free_port()
    uri = postgres.make_database("through_a_link")
    words = ["server", "--backend-store-uri", uri, "--default-artifact-root", "s3://mlflow/", "-h", "0.0.0.0", "--port",
             str(port), "-w", "4", "--gunicorn-opts", "--timeout 60", "--serve-artifacts"]
    role = Role(words, port, "/health", {"SLIPWAY_DATA": str(tmp_path / "data")})
    role.program = str(link)
    role.start()
    try:
        assert requests.get(role.url + "/health").text == "OK"
        assert requests.get(role.url + "/version").text == "3.17.2"
        run = requests.post(role.url + "/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
        assert run["artifact_uri"] == f"s3://mlflow/0/{run['run_id']}/artifacts"
    finally:
        role.stop()
    for words in (["--version"], ["version"]):
        assert subprocess.run([link, *words], capture_output=True, text=True).stdout == "mlflow, version 3.17.2\n"
    asked = subprocess.run([link, "gc"], capture_output=True, text=True)
    assert asked.returncode == 2 and "unexpected word 'gc'" in asked.stderr
    assert "slipway track" in subprocess.run([link], capture_output=True, text=True).stdout


def test_everything_from_the_environment(postgres, tmp_path):
    port = free_port()
    environment = {
        "MLFLOW_BACKEND_STORE_URI": postgres.make_database("from_environment"), "MLFLOW_HOST": "localhost",
        "MLFLOW_PORT": str(port), "MLFLOW_DEFAULT_ARTIFACT_ROOT": "s3://bucket/deep", "MLFLOW_SERVE_ARTIFACTS": "false",
        "SLIPWAY_DATA": str(tmp_path)}
    role = Role(["track", "server"], port, "/health", environment).start()
    try:
        found = requests.get(role.url + "/api/2.0/mlflow/experiments/get?experiment_id=0").json()["experiment"]
        assert found["artifact_location"] == "s3://bucket/deep/0"
        away = requests.get(role.url + "/api/2.0/mlflow-artifacts/artifacts")
        assert away.status_code == 501 and "--no-serve-artifacts" in away.json()["message"]
    finally:
        role.stop()


def test_the_uri_may_name_a_driver_and_options(postgres, tmp_path):
    uri = postgres.make_database("driver").replace("postgresql://", "postgresql+psycopg2://")
    role = track_role(tmp_path, "--backend-store-uri", uri + "?sslmode=prefer&application_name=tracking").start()
    role.stop()


@pytest.mark.parametrize("change, parts", [
    (dict(password="hidden"), ["password authentication failed", "check the user and the password"]),
    (dict(database="nowhere"), ['database "nowhere" does not exist', "create it"]),
    (dict(host="no-such-host.invalid"), ["no-such-host.invalid", "correct the host name"]),
    (dict(port=1), ["127.0.0.1 port 1, database mlflow, user mlflowuser", "Connection refused", "start PostgreSQL"]),
])
def test_a_database_that_cannot_be_reached(postgres, tmp_path, change, parts):
    text = refused("--data", str(tmp_path), "--port", "0", "--backend-store-uri", postgres.uri(**change))
    assert all(part in text for part in parts), text
    assert "hidden" not in text and "p@ss" not in text and "p%40ss" not in text and text.count("\n") <= 2


@pytest.mark.parametrize("words, parts", [
    (["--backend-store-uri", "mysql://u:hidden@h/d"], ["'mysql'", "postgresql://"]),
    (["--backend-store-uri", "./mlruns"], ["no URI"]),
    (["--backend-store-uri", "sqlite:////nowhere/at/all.db"], ["cannot open the tracking database"]),
    (["--no-serve-artifacts"], ["--default-artifact-root"]),
    (["--registry-store-uri", "postgresql://u:hidden@h/d"], ["--registry-store-uri"]),
    (["--static-prefix", "/x"], ["unknown flag --static-prefix"]),
    (["gc"], ["unexpected word 'gc'"]),
])
def test_flags_that_cannot_be(tmp_path, words, parts):
    text = refused("--data", str(tmp_path), "--port", "0", *words)
    assert all(part in text for part in parts) and "hidden" not in text, text


def test_a_missing_bucket_and_a_wrong_key_are_in_the_log(tmp_path):
    store = store_role(tmp_path / "store").start()
    try:
        for key, word in [("testpassword", "bucket is missing"), ("wrong-password", "cannot be reached")]:
            credentials = {"MLFLOW_S3_ENDPOINT_URL": store.url, "AWS_ACCESS_KEY_ID": "testuser", "AWS_SECRET_ACCESS_KEY": key}
            role = track_role(tmp_path / key, "--default-artifact-root", "s3://mlflow/", environment=credentials).start()
            deadline = time.monotonic() + 10
            while word not in role.text() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert word in role.text() and key not in role.text()
            role.stop()
    finally:
        store.stop()


def test_postgresql_goes_away_and_comes_back(tmp_path):
    database = Postgres()
    role = track_role(tmp_path, "--backend-store-uri", database.uri()).start()
    call = role.url + "/api/2.0/mlflow/runs/create"
    try:
        run = requests.post(call, json={"experiment_id": "0"}).json()["run"]["info"]["run_id"]
        for mode in ["fast", "immediate"]:
            database.restart(mode)
            assert requests.post(call, json={"experiment_id": "0"}).status_code == 200
            assert requests.get(role.url + "/api/2.0/mlflow/runs/get", params={"run_id": run}).status_code == 200
        database.stop()
        away = requests.post(call, json={"experiment_id": "0"})
        assert away.status_code == 503 and away.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
        assert "cannot be reached" in away.json()["message"]
    finally:
        role.stop()
        database.stop()
