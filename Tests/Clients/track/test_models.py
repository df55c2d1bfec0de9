"""Models, the registry and artifacts through the mlflow client."""

import os
import time

import mlflow
import numpy
import pytest
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

POINTS = numpy.array([[0.0], [1.0], [2.0], [3.0]])


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[str]) -> list[str]:
        return [text + "!" for text in model_input]


@pytest.fixture
def name():
    return f"model{time.time_ns():x}"


def train():
    return LogisticRegression().fit(POINTS, [0, 0, 1, 1])


def test_artifacts_go_through_the_proxy(client, experiment, tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a b ü.txt").write_text("hello")
    (tmp_path / "in" / "deep" / "big.bin").write_bytes(os.urandom(3_000_000))
    (tmp_path / "in" / "empty").write_bytes(b"")
    with mlflow.start_run() as run:
        mlflow.log_artifact(tmp_path / "in" / "a b ü.txt")
        mlflow.log_artifacts(tmp_path / "in", "all")
        mlflow.log_text("<script>", "page.html")
        mlflow.log_dict({"a": 1}, "d.json")
    listed = {(f.path, f.is_dir, f.file_size) for f in client.list_artifacts(run.info.run_id)}
    assert listed == {("a b ü.txt", False, 5), ("all", True, None), ("d.json", False, 12), ("page.html", False, 8)}
    nested = {(f.path, f.file_size) for f in client.list_artifacts(run.info.run_id, "all/deep")}
    assert nested == {("all/deep/big.bin", 3_000_000)}
    folder = client.download_artifacts(run.info.run_id, "all", str(tmp_path))
    assert open(f"{folder}/deep/big.bin", "rb").read() == (tmp_path / "in/deep/big.bin").read_bytes()
    assert open(f"{folder}/empty", "rb").read() == b""
    assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/d.json") == {"a": 1}


def test_a_model_is_logged_registered_and_loaded(client, experiment, name):
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(train(), name="model", registered_model_name=name, input_example=POINTS)
        mlflow.log_metric("auc", 0.9, model_id=info.model_id)
    expected = [0, 0, 1, 1]
    assert mlflow.pyfunc.load_model(info.model_uri).predict(POINTS).tolist() == expected
    client.set_registered_model_alias(name, "champion", 1)
    assert mlflow.sklearn.load_model(f"models:/{name}@champion").predict(POINTS).tolist() == expected
    assert mlflow.pyfunc.load_model(f"models:/{name}/1").predict(POINTS).tolist() == expected
    logged = mlflow.get_logged_model(info.model_id)
    assert str(logged.status) == "READY" and logged.source_run_id == run.info.run_id
    assert [m.value for m in logged.metrics] == [0.9]
    found = mlflow.search_logged_models(experiment_ids=[experiment], filter_string="metrics.auc > 0.5", output_format="list")
    assert [m.model_id for m in found] == [info.model_id]
    assert client.get_run(run.info.run_id).outputs.model_outputs[0].model_id == info.model_id


def test_a_python_model(client, experiment, name):
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(name="echo", python_model=Echo(), registered_model_name=name)
    assert mlflow.pyfunc.load_model(f"models:/{name}/1").predict(["a"]) == ["a!"]
    assert mlflow.pyfunc.load_model(info.model_uri).predict(["b"]) == ["b!"]


def test_the_registry(client, experiment, name):
    client.create_registered_model(name, tags={"t": "1"}, description="first")
    with pytest.raises(MlflowException) as caught:
        client.create_registered_model(name)
    assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"
    for _ in range(3):
        client.create_model_version(name, "s3://bucket/model", tags={"k": "v"})
    client.delete_model_version(name, 3)
    assert client.create_model_version(name, "s3://bucket/model").version == "4", "numbers are never given out again"
    client.set_registered_model_alias(name, "a", 1)
    client.set_registered_model_alias(name, "a", 2)
    assert client.get_model_version_by_alias(name, "a").version == "2"
    assert client.get_registered_model(name).aliases == {"a": "2"}
    client.delete_registered_model_alias(name, "a")
    with pytest.raises(MlflowException, match="not found"):
        client.get_model_version_by_alias(name, "a")
    client.transition_model_version_stage(name, 1, "Production")
    client.transition_model_version_stage(name, 2, "Production", archive_existing_versions=True)
    assert client.get_model_version(name, 1).current_stage == "Archived"
    assert {v.version for v in client.get_latest_versions(name, ["Production", "None"])} == {"2", "4"}
    assert [v.version for v in client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"])] == ["1", "2", "4"]
    assert [v.version for v in client.search_model_versions(f"name = '{name}' and tags.k = 'v'")]
    client.update_model_version(name, 1, "described")
    client.set_model_version_tag(name, "1", "x", "y")
    version = client.get_model_version(name, 1)
    assert version.description == "described" and version.tags == {"k": "v", "x": "y"}
    client.rename_registered_model(name, name + "-new")
    assert client.get_model_version(name + "-new", 2).name == name + "-new"
    assert [m.name for m in client.search_registered_models(f"name LIKE '{name}%'")] == [name + "-new"]
    client.delete_registered_model(name + "-new")
    with pytest.raises(MlflowException) as caught:
        client.get_registered_model(name + "-new")
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_prompts_are_models_apart(client, name):
    mlflow.genai.register_prompt(name, "Say {{what}}")
    assert mlflow.genai.load_prompt(f"prompts:/{name}/1").format(what="hi") == "Say hi"
    assert name not in [m.name for m in client.search_registered_models()]


def test_artifacts_in_the_object_store(tmp_path):
    import track_roles

    store = track_roles.store_role(tmp_path / "store").start()
    credentials = {"AWS_ACCESS_KEY_ID": "testuser", "AWS_SECRET_ACCESS_KEY": "testpassword", "MLFLOW_S3_ENDPOINT_URL": store.url}
    track = track_roles.track_role(tmp_path / "track", "--artifacts-destination", "s3://mlflow/deep", environment=credentials).start()
    try:
        mlflow.set_tracking_uri(track.url)
        mlflow.set_experiment("Default")
        client = mlflow.MlflowClient(track.url)
        run = client.create_run("0").info.run_id
        (tmp_path / "file.bin").write_bytes(os.urandom(2_000_000))
        (tmp_path / "none").write_bytes(b"")
        client.log_artifact(run, tmp_path / "file.bin", "x/y")
        client.log_artifact(run, tmp_path / "none")
        assert {(f.path, f.is_dir) for f in client.list_artifacts(run)} == {("none", False), ("x", True)}
        copy = client.download_artifacts(run, "x/y/file.bin", str(tmp_path / "track"))
        assert open(copy, "rb").read() == (tmp_path / "file.bin").read_bytes()
        model = mlflow.sklearn.log_model(train(), name="m", registered_model_name="kept")
        assert mlflow.sklearn.load_model("models:/kept/1").predict(POINTS).tolist() == [0, 0, 1, 1]
        mlflow.end_run()
        assert model.model_id
    finally:
        mlflow.end_run()
        mlflow.set_tracking_uri(None)
        track.stop()
        store.stop()


def test_a_direct_artifact_root(tmp_path, monkeypatch):
    """The second tutorial: clients write to s3://mlflow/ themselves, the server only keeps the address."""
    import track_roles

    store = track_roles.store_role(tmp_path / "store").start()
    credentials = {"AWS_ACCESS_KEY_ID": "testuser", "AWS_SECRET_ACCESS_KEY": "testpassword", "MLFLOW_S3_ENDPOINT_URL": store.url}
    for key, value in credentials.items():
        monkeypatch.setenv(key, value)
    import boto3

    boto3.client("s3", endpoint_url=store.url).create_bucket(Bucket="mlflow")
    track = track_roles.track_role(tmp_path / "track", "--default-artifact-root", "s3://mlflow/", environment=credentials).start()
    try:
        mlflow.set_tracking_uri(track.url)
        mlflow.set_experiment("Default")
        with mlflow.start_run() as run:
            mlflow.log_text("direct", "t.txt")
        assert run.info.artifact_uri == f"s3://mlflow/0/{run.info.run_id}/artifacts"
        assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/t.txt") == "direct"
        import requests

        listed = requests.get(f"{track.url}/api/2.0/mlflow/artifacts/list", params={"run_id": run.info.run_id}).json()
        assert listed["files"] == [{"path": "t.txt", "is_dir": False, "file_size": 6}]
    finally:
        mlflow.set_tracking_uri(None)
        track.stop()
        store.stop()
