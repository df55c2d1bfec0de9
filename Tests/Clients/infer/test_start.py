"""What `slipway infer` does at its start when a place or a model is not as it should be: the rest serves, and the log says why."""

import contextlib
import shutil

import pytest
import requests
import tritonclient.http
from tritonclient.utils import InferenceServerException

import models
import slipway_process as clients
from infer_start import start
from waiting import until


def spoil(repository, name):
    folder = repository / name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(b"this is no model")


def answers(http, name):
    with contextlib.suppress(requests.ConnectionError):
        answer = requests.post(f"http://127.0.0.1:{http}/v1/models/{name}:predict", json={"instances": [[1]]}, timeout=10)
        return answer.json().get("predictions")


def test_one_broken_model_leaves_the_rest_serving(tmp_path):
    repository = tmp_path / "models"
    models.add_constant(repository, "good", 5)
    spoil(repository, "broken")
    (repository / "unversioned").mkdir()
    (repository / "unversioned/model.onnx").write_bytes(b"x")
    spoil(repository, "described")
    (repository / "described/config.pbtxt").write_text("platform: {")
    context, http, _, _ = start(tmp_path, ["--model-repository", repository])
    with context as server:
        until(lambda: answers(http, "good") == [[6.0]], server=server)
        client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{http}")
        until(lambda: all(entry["state"] != "LOADING" for entry in client.get_model_repository_index()), server=server)
        reasons = {entry["name"]: entry.get("reason", "") for entry in client.get_model_repository_index()}
        assert "failed to load 'broken', version 1" in reasons["broken"]
        assert "put the model at unversioned/1/model.onnx" in reasons["unversioned"]
        assert "config.pbtxt: line 1" in reasons["described"]
        for name in ("broken", "unversioned", "described"):
            assert f"model is not loaded model={name}" in server.text()
            with pytest.raises(InferenceServerException, match="is not found among the loaded models"):
                client.get_model_metadata(name)
        # Not ready as a whole, as Triton is not; it says so for the one that is not asked to be strict.
        assert client.is_server_live() and not client.is_server_ready() and client.is_model_ready("good")
    context, http, _, _ = start(tmp_path, ["--model-repository", repository, "--no-strict-readiness"])
    with context as server:
        until(lambda: tritonclient.http.InferenceServerClient(f"127.0.0.1:{http}").is_server_ready(), server=server)


def test_a_model_that_no_longer_loads(tmp_path):
    """It was loaded by a client before; the others come back without it, and it comes back once it is mended."""
    repository = tmp_path / "models"
    for number, name in enumerate(("one", "two", "three")):
        models.add_constant(repository, name, number)
    arguments = ["--model-repository", repository, "--model-control-mode", "explicit"]
    context, http, _, _ = start(tmp_path, arguments)
    with context:
        client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{http}")
        for name in ("one", "two", "three"):
            client.load_model(name)
    spoil(repository, "two")
    shutil.rmtree(repository / "three")
    context, http, _, _ = start(tmp_path, arguments)
    with context as server:
        client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{http}")
        until(lambda: answers(http, "one") == [[1.0]], server=server)
        until(lambda: "model is not loaded again yet model=two" in server.text(), server=server)
        assert "failed to load 'two', version 1" in server.text()
        reasons = {entry["name"]: entry.get("reason", "") for entry in client.get_model_repository_index()}
        assert "failed to load 'two', version 1" in reasons["two"]
        assert "failed to poll from model repository" in reasons["three"]
        with pytest.raises(InferenceServerException, match="failed to load 'two'"):
            client.get_model_metadata("two")
        models.add_constant(repository, "two", 7)
        client.load_model("two")
        assert answers(http, "two") == [[8.0]] and answers(http, "one") == [[1.0]]


@pytest.mark.parametrize("exists", [True, False], ids=["empty", "missing"])
def test_a_repository_without_a_model_is_said(tmp_path, exists):
    if exists:
        (tmp_path / "models").mkdir()
    context, _, _, _ = start(tmp_path, ["--model-repository", tmp_path / "models"])
    with context as server:
        until(lambda: "the model repository holds no model: put one at NAME/1/model.onnx" in server.text(), server=server)
        assert str(tmp_path / "models") in server.text()


def test_a_model_to_load_that_is_not_there(tmp_path):
    """Given as Triton takes it: the flag again for each model."""
    models.add_constant(tmp_path / "models", "one", 1)
    models.add_constant(tmp_path / "models", "two", 2)
    context, http, _, _ = start(tmp_path, ["--model-repository", tmp_path / "models", "--model-control-mode", "explicit",
                                           "--load-model", "one", "--load-model=tow", "--load-model", "two"])
    with context as server:
        until(lambda: answers(http, "one") == [[2.0]] and answers(http, "two") == [[3.0]], server=server)
        assert "model is not loaded model=tow" in server.text() and "it holds no folder of this name" in server.text()


@pytest.mark.parametrize("change, parts", [
    ({"AWS_SECRET_ACCESS_KEY": "wrong-password"}, ["SignatureDoesNotMatch", "Check your key"]),
    ({"AWS_ACCESS_KEY_ID": "nobody"}, ["InvalidAccessKeyId", "does not exist in our records"]),
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, ["The object store at http://127.0.0.1:1 did not answer"]),
], ids=["secret", "user", "down"])
def test_a_bucket_that_cannot_be_read(store, tmp_path, change, parts):
    environment = {"AWS_ENDPOINT_URL": store.url, "AWS_ACCESS_KEY_ID": clients.USER,
                   "AWS_SECRET_ACCESS_KEY": clients.PASSWORD, **change}
    context, http, _, _ = start(tmp_path, ["--model-repository", "s3://models"], environment)
    with context as server:
        until(lambda: "the model repository cannot be read" in server.text(), server=server)
        assert all(part in server.text() for part in ["repository s3://models/", *parts])
        assert "wrong-password" not in server.text()
        assert requests.get(f"http://127.0.0.1:{http}/v2/health/live", timeout=5).status_code == 200
