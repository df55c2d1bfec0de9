"""A tracking server for each test module: the real binary in a temporary folder on a free port."""

import shutil
import tempfile
import time

import pytest

from track_roles import track_role


@pytest.fixture(scope="module")
def server():
    folder = tempfile.mkdtemp(prefix="slipway-track-")
    role = track_role(folder).start()
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
