"""deploy/: the compose file's commands and health checks, and the documents' own, as processes with a real PostgreSQL."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

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
    assert "COPY deploy/entrypoint" in image and "--uid 10001" in image and "ln -s slipway mlflow" in image
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
    assert environment["MLFLOW_SERVER_ALLOWED_HOSTS"] == "mlflow-server"
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
        # As another container of the file calls it.
        search = {"url": f"{tracking.url}/api/2.0/mlflow/experiments/search", "json": {"max_results": 1}}
        assert requests.post(**search, headers={"Host": "mlflow-server:5000"}).status_code == 200
        assert requests.post(**search, headers={"Host": "elsewhere:5000"}).status_code == 403
        listed = subprocess.run(["mc", "ls", "mlflowminio"], env={**os.environ, **common}, capture_output=True, text=True)
        assert "mlflow" in listed.stdout
    finally:
        tracking.stop()
        role.stop()


@pytest.fixture
def image():
    """A folder that stands for the image: its programs on a PATH, its /data, which belongs to root as a new volume does."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for part in ["bin", "data"]:
            (folder / part).mkdir()
        shutil.copy(BINARY, folder / "bin/slipway")
        shutil.copy(DEPLOY / "entrypoint", folder / "bin/slipway-entrypoint")
        for link in ["mc", "minio", "mlflow"]:
            (folder / "bin" / link).symlink_to("slipway")
        yield folder


def settings(image, **more):
    return {"PATH": f"{image}/bin:/usr/bin:/bin", "SLIPWAY_DATA": f"{image}/data", "HOME": f"{image}/data",
            "SLIPWAY_BIND": "0.0.0.0", "MINIO_ROOT_USER": "minio", "MINIO_ROOT_PASSWORD": "miniostorage", **more}


@pytest.mark.parametrize("words, printed", [
    ([], "slipway COMMAND"),
    (["version"], "slipway "),
    (["slipway", "version"], "slipway "),
    (["store", "server", "--help"], "--console-address"),
    (["server", "--help"], "--console-address"),
    (["mc", "--version"], "mc version "),
    (["mlflow", "--version"], "mlflow, version "),
    (["sh", "-c", "mlflow --version"], "mlflow, version "),
    (["/bin/sh", "-c", "id -u"], "10001" if os.geteuid() == 0 else str(os.geteuid())),
])
def test_the_first_word_says_whose_command_it_is(image, words, printed):
    done = subprocess.run(
        [image / "bin/slipway-entrypoint", *words], env=settings(image), cwd=image, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and printed in done.stdout, done.stdout + done.stderr


def test_the_documents_commands_as_they_stand(image, postgres):
    """`command` of both documents' compose files, with addresses in the place of their network's names."""
    api, console, store_port, port = (free_port() for _ in range(4))
    first = Role(["server", "--address", f":{api}", "--console-address", f":{console}"], api, "/minio/health/live",
                 settings(image, MINIO_VOLUMES=f"{image}/data/first"))
    store = Role(["server", f"{image}/data/minio", "--console-address", f":{free_port()}"], store_port, "/minio/health/live",
                 settings(image, MINIO_ADDRESS=f":{store_port}"))
    script = (
        f"mc config host add mlflowminio http://127.0.0.1:{store_port} minio miniostorage && \\\n"
        "mc mb --ignore-existing mlflowminio/mlflow\n"
        f"mlflow server \\\n--backend-store-uri {postgres.make_database('document')} \\\n"
        "--default-artifact-root s3://mlflow/ \\\n--host 0.0.0.0\n")
    server = Role(["/bin/sh", "-c", script], port, "/health", settings(
        image, AWS_ACCESS_KEY_ID="minio", AWS_SECRET_ACCESS_KEY="miniostorage", MLFLOW_PORT=str(port),
        MLFLOW_S3_ENDPOINT_URL=f"http://127.0.0.1:{store_port}"))
    server.is_shell = True
    roles = [first, store, server]
    try:
        for role in roles:
            role.program = str(image / "bin/slipway-entrypoint")
            role.start()
        assert requests.get(f"http://127.0.0.1:{console}/").status_code == 200
        run = requests.post(f"{server.url}/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
        assert run["artifact_uri"].startswith("s3://mlflow/0/")
        owner = os.stat(image / "data/minio").st_uid
        assert owner == (10001 if os.geteuid() == 0 else os.geteuid())
    finally:
        for role in reversed(roles):
            role.stop()
