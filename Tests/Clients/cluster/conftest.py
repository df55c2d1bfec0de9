"""A cluster server and every kubectl that this machine has."""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

# Both files are called conftest, so the one above is loaded by its path.
SPECIFICATION = importlib.util.spec_from_file_location(
    "clients_conftest", pathlib.Path(__file__).resolve().parent.parent / "conftest.py")
clients = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(clients)


def kubectls():
    """Paths of kubectl by version, oldest first: those of the runtime folder, the Cloud SDK, this Python and the PATH."""
    places = [pathlib.Path(sys.prefix) / "bin", pathlib.Path("/usr/lib/google-cloud-sdk/bin"),
              *sorted((pathlib.Path(__file__).resolve().parents[3] / "runtime").glob("kubectl-*"))]
    found = {}
    for place in places:
        for path in sorted(place.glob("kubectl*")):
            found[str(path)] = path
    for name in os.environ.get("KUBECTL", "").split(":") + [shutil.which("kubectl") or ""]:
        if name:
            found[name] = pathlib.Path(name)
    versions = {}
    for path in found.values():
        try:
            text = subprocess.run(
                [path, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=20)
            client = json.loads(text.stdout)["clientVersion"]
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
            continue
        if "dispatcher" not in client["gitVersion"]:
            minor = int("".join(c for c in client["minor"] if c.isdigit()))
            versions.setdefault(minor, (client["gitVersion"], str(path)))
    return [versions[minor] for minor in sorted(versions)]


KUBECTLS = kubectls()


class Kubectl:
    def __init__(self, path, kubeconfig, home):
        self.path = path
        self.environment = dict(os.environ, KUBECONFIG=str(kubeconfig), HOME=str(home))

    def __call__(self, *arguments, stdin=None, fails=False, timeout=30):
        """Standard output, or standard error of a command that must fail."""
        done = subprocess.run(
            [self.path, *arguments], env=self.environment, input=stdin, capture_output=True, text=True, timeout=timeout)
        if fails:
            assert done.returncode != 0, f"{arguments} went well: {done.stdout}"
            return done.stderr
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        self.warnings = done.stderr
        return done.stdout

    def json(self, *arguments):
        return json.loads(self(*arguments, "-o", "json"))

    def start(self, *arguments):
        return subprocess.Popen(
            [self.path, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    port = clients.free_port()
    with clients.running(["cluster", "--port", port], [port], tmp_path_factory.mktemp("cluster")) as server:
        server.port = port
        server.kubeconfig = server.folder / "data" / "kubeconfig"
        yield server


@pytest.fixture(scope="session", params=[path for _, path in KUBECTLS] or [None],
                ids=[version for version, _ in KUBECTLS] or ["none"])
def kubectl(request, cluster, tmp_path_factory):
    if request.param is None:
        pytest.skip("no kubectl on this machine")
    return Kubectl(request.param, cluster.kubeconfig, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def newest(cluster, tmp_path_factory):
    if not KUBECTLS:
        pytest.skip("no kubectl on this machine")
    return Kubectl(KUBECTLS[-1][1], cluster.kubeconfig, tmp_path_factory.mktemp("home"))


COUNTER = iter(range(1_000_000))


@pytest.fixture
def namespace(kubectl):
    name = f"test-{next(COUNTER)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")
