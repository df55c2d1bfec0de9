"""deploy/docker-compose.yaml: its commands and health checks as processes, with its environment and a real PostgreSQL."""

import os
import pathlib
import re
import subprocess

import pytest
import requests
import yaml

from track_roles import BINARY, Role, free_port

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"


@pytest.fixture(scope="module")
def compose():
    """The file with the sample's variables filled in, as `docker compose config` fills them."""
    text = (DEPLOY / "environment.sample").read_text()
    variables = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    source = re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], (DEPLOY / "docker-compose.yaml").read_text())
    return yaml.safe_load(source.replace("$$", "$"))["services"]


def test_the_file_hangs_together(compose):
    server = compose["mlflow-server"]
    for name, condition in server["depends_on"].items():
        assert condition == {"condition": "service_healthy"} and compose[name]["healthcheck"]["test"][0] == "CMD"
    for service in compose.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    image = (DEPLOY / "Dockerfile").read_text()
    assert "\nUSER slipway\n" in image and "ln -s slipway mlflow" in image
    build = compose["mlflow-artifact-store"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == (DEPLOY / "Dockerfile").resolve()


def test_the_image_brings_the_linked_libraries():
    """Every library that the binary names belongs to a package of the Dockerfile, or to Debian's slim image."""
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    image = (DEPLOY / "Dockerfile").read_text()
    packages = {
        "libarchive": "libarchive13", "libcurl": "libcurl4", "libnghttp2": "libnghttp2-14", "libsimdjson": "libsimdjson14",
        "libsqlite3": "libsqlite3-0", "libssl": "libssl3", "libyaml-0": "libyaml-0-2", "libz": "zlib1g"}
    for library in re.findall(r"^\s(lib[\w-]+)\.so", linked, re.M):
        assert library not in packages or packages[library] in image
    assert "libpq5" in image


def test_its_services_run(compose, postgres, tmp_path):
    database, store, server = (compose[f"mlflow-{name}"] for name in ("backend-store", "artifact-store", "server"))
    ready = database["healthcheck"]["test"][1:] + ["-h", "127.0.0.1", "-p", str(postgres.port)]
    assert subprocess.run(ready).returncode == 0

    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ["slipway", "mc", "minio", "mlflow"]:
        (programs / name).symlink_to(BINARY)
    s3_port, console, port = free_port(), free_port(), free_port()
    # What a name and a port mean inside of the compose file's network.
    places = {"/data/": f"{tmp_path}/data/", ":9000": f":{s3_port}", ":9001": f":{console}",
              "mlflow-artifact-store": "127.0.0.1", "localhost:5000": f"localhost:{port}"}

    def here(text):
        for name, place in places.items():
            text = text.replace(name, place)
        return text

    common = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    role = Role([here(word) for word in store["command"]], s3_port, "/minio/health/live", {**common, **store["environment"]})
    role.start()
    environment = {key: here(value) for key, value in server["environment"].items()}
    uri = environment["MLFLOW_BACKEND_STORE_URI"]
    assert uri == "postgresql://mlflowuser:mlflowpassword@mlflow-backend-store/mlflow"
    environment |= {"MLFLOW_BACKEND_STORE_URI": postgres.make_database("compose"), "MLFLOW_PORT": str(port),
                    "SLIPWAY_DATA": str(tmp_path / "track")}
    tracking = Role(server["entrypoint"][1:] + server["command"], port, "/health", {**common, **environment})
    tracking.program = server["entrypoint"][0]
    try:
        tracking.start()
        for service in [store, server]:
            check = [here(word) for word in service["healthcheck"]["test"][1:]]
            assert subprocess.run(check, capture_output=True).returncode == 0
        run = requests.post(f"{tracking.url}/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
        assert run["artifact_uri"].startswith("s3://mlflow/0/")
        listed = subprocess.run(["mc", "ls", "mlflowminio"], env={**os.environ, **common}, capture_output=True, text=True)
        assert "mlflow" in listed.stdout
    finally:
        tracking.stop()
        role.stop()
