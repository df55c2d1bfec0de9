"""A cluster server and every kubectl that this machine has."""

import importlib.util
import pathlib

import pytest

from kubectls import KUBECTLS, Kubectl

# Both files are called conftest, so the one above is loaded by its path.
SPECIFICATION = importlib.util.spec_from_file_location(
    "clients_conftest", pathlib.Path(__file__).resolve().parent.parent / "conftest.py")
clients = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(clients)


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
