"""A tracking server for each test module and engine: the real binary in a temporary folder on a free port."""

import shutil
import tempfile
import time

import pytest

from postgres_server import INSTALLED, Postgres
from track_roles import track_role


@pytest.fixture(scope="session")
def postgres():
    if not INSTALLED:
        pytest.skip("no PostgreSQL server is installed: scripts/setup test")
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request):
    folder = tempfile.mkdtemp(prefix="slipway-track-")
    flags = []
    if request.param == "postgresql":
        name = f"t{time.time_ns():x}"
        flags = ["--backend-store-uri", request.getfixturevalue("postgres").make_database(name)]
    role = track_role(folder, *flags).start()
    role.engine = request.param
    yield role
    role.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def client(server):
    import mlflow

    mlflow.set_tracking_uri(server.url)
    yield mlflow.MlflowClient(server.url)
    mlflow.set_tracking_uri(None)


@pytest.fixture
def experiment(client):
    import mlflow

    name = f"e{time.time_ns():x}"
    mlflow.set_experiment(name)
    return client.get_experiment_by_name(name).experiment_id
