"""What no client library sends: curl's JSON, V1, metrics, and hostile requests, each followed by a sign of life."""

import gzip
import json
import pathlib
import subprocess
import time

import numpy as np
import pytest
import requests
import tritonclient.http

import models
from infer_start import clients, infer, start  # noqa: F401


@pytest.fixture
def url(infer):
    return f"http://127.0.0.1:{infer.http}"


def infer_body(data, shape=(1, 3), kind="FP32", **more):
    return json.dumps({"inputs": [{"name": "INPUT0", "shape": list(shape), "datatype": kind, "data": data}], **more})


def test_curl(url):
    body = infer_body([[1.5, 2, 3e10]], id="7")
    answer = subprocess.run(["curl", "-sS", "-f", f"{url}/v2/models/identity_fp32/infer", "-d", body], capture_output=True, check=True)
    read = json.loads(answer.stdout)
    assert read["id"] == "7" and read["outputs"] == [
        {"name": "OUTPUT0", "datatype": "FP32", "shape": [1, 3], "data": [1.5, 2.0, 3e10]}]


def test_flat_and_nested_are_the_same(url):
    for data in ([1, 2, 3, 4], [[1, 2], [3, 4]], [[[1], [2], [3]], [4]]):
        answer = requests.post(f"{url}/v2/models/identity_int32/infer", infer_body(data, (2, 2), "INT32")).json()
        assert answer["outputs"][0]["data"] == [1, 2, 3, 4]


def test_v1(url):
    assert "mlp" in requests.get(f"{url}/v1/models").json()["models"]
    assert requests.get(f"{url}/v1/models/mlp").json() == {"name": "mlp", "ready": True}
    answer = requests.post(f"{url}/v1/models/versions:predict", json={"instances": [[1], [2.5]]})
    assert answer.json() == {"predictions": [[4.0], [5.5]]}
    assert requests.post(f"{url}/v1/models/versions:explain", json={}).status_code == 400
    assert "expects FP32 [-1,1]" in requests.post(f"{url}/v1/models/versions:predict", json={"instances": [[1, 2]]}).text


def test_metrics(infer, url):
    requests.post(f"{url}/v2/models/identity_int8/infer", infer_body([1, 2, 3], kind="INT8"))
    text = requests.get(f"http://127.0.0.1:{infer.metrics}/metrics").text
    assert 'nv_inference_request_success{model="identity_int8",version="1"} ' in text
    assert 'nv_inference_request_failure{model="identity_int8",version="1",reason="REJECTED"} 0' in text
    assert "nv_inference_pending_request_count" in text


INFER = "/v2/models/identity_int32/infer"
HOSTILE = [
    # path, body, fields, status
    (INFER, "", {}, 400), (INFER, "{", {}, 400), (INFER, "[]", {}, 400), (INFER, "null", {}, 400), (INFER, "{}", {}, 400),
    (INFER, "[" * 200_000, {}, 400), (INFER, '{"inputs": 1}', {}, 400), (INFER, '{"inputs": [1]}', {}, 400),
    (INFER, '{"inputs": []}', {}, 400), (INFER, b"\xff\xfe", {}, 400),
    (INFER, infer_body([2**40, 1, 2], kind="INT32"), {}, 400), (INFER, infer_body([1.5, 1, 2], kind="INT32"), {}, 400),
    (INFER, infer_body(["1", 1, 2], kind="INT32"), {}, 400), (INFER, infer_body([True, 1, 2], kind="INT32"), {}, 400),
    (INFER, infer_body([None, 1, 2], kind="INT32"), {}, 400), (INFER, infer_body([1, 2], kind="INT32"), {}, 400),
    (INFER, infer_body([1] * 10, kind="INT32"), {}, 400), (INFER, infer_body([1, 2, 3], (-1, 3), "INT32"), {}, 400),
    (INFER, infer_body([1, 2, 3], (2**62, 4), "INT32"), {}, 400),
    (INFER, infer_body([1, 2, 3], (2**32, 2**32), "INT32"), {}, 400),
    (INFER, infer_body([], (0, 3), "INT32"), {}, 400), (INFER, infer_body([1, 2, 3], (1.5, 2), "INT32"), {}, 400),
    (INFER, infer_body([1, 2, 3], (1,) * 100, "INT32"), {}, 400), (INFER, infer_body([1, 2, 3], kind="FP31"), {}, 400),
    (INFER, json.dumps({"inputs": [{"name": "INPUT0", "shape": [1, 1], "datatype": "INT32", "data": [1]}] * 2}), {}, 400),
    (INFER, json.dumps({"inputs": [{"name": "INPUT0", "shape": [1, 1], "datatype": "INT32",
                                    "parameters": {"binary_data_size": 2**60}}]}), {}, 400),
    (INFER, json.dumps({"inputs": [{"name": "INPUT0", "shape": [1, 1], "datatype": "INT32",
                                    "parameters": {"binary_data_size": -4}}]}), {}, 400),
    (INFER, json.dumps({"inputs": [{"name": "INPUT0", "shape": [1, 1], "datatype": "INT32",
                                    "parameters": {"shared_memory_region": "x"}}]}), {}, 400),
    (INFER, infer_body([1, 2, 3], kind="INT32") + "extra", {"Inference-Header-Content-Length": "5"}, 400),
    (INFER, infer_body([1, 2, 3], kind="INT32"), {"Inference-Header-Content-Length": "-5"}, 400),
    (INFER, infer_body([1, 2, 3], kind="INT32"), {"Inference-Header-Content-Length": "99999999"}, 400),
    (INFER, infer_body([1, 2, 3], kind="INT32"), {"Inference-Header-Content-Length": "9" * 30}, 400),
    (INFER, "x", {"Content-Encoding": "gzip"}, 400), (INFER, "x", {"Content-Encoding": "br"}, 400),
    (INFER, gzip.compress(b"0" * 80_000_000), {"Content-Encoding": "gzip"}, 413),
    (INFER, infer_body([1, 2, 3], kind="INT32", outputs=[{"name": "OUTPUT0"}] * 2), {}, 400),
    (INFER, infer_body([1, 2, 3], kind="INT32", outputs=7), {}, 400),
    (INFER, infer_body([1, 2, 3], kind="INT32", parameters=7), {}, 400),
    (INFER, infer_body([1, 2, 3], kind="INT32", parameters={"timeout": -1}), {}, 400),
    ("/v2/models/identity_fp32/infer", infer_body([1e300, 1, 2]), {}, 400),
    ("/v2/models/identity_bytes/infer", infer_body([1, "a", "b"], kind="BYTES"), {}, 400),
    ("/v2/models/identity_int32/versions/0/infer", infer_body([1, 2, 3], kind="INT32"), {}, 400),
    ("/v2/models/identity_int32/versions/99999999999999999999/infer", infer_body([1, 2, 3], kind="INT32"), {}, 400),
    ("/v2/models/identity_int32/versions/7/infer", infer_body([1, 2, 3], kind="INT32"), {}, 404),
    ("/v2/models/..%2f..%2fetc/infer", infer_body([1, 2, 3]), {}, 404),
    ("/v2/repository/models/..%2f..%2fetc/load", "", {}, 400), ("/v2/repository/models/../load", "", {}, 400),
    ("/v2/repository/models/" + "a" * 256 + "/load", "", {}, 400), ("/v2/repository/models/%00/load", "", {}, 404),
    ("/v2/repository/models/mlp/load", '{"parameters": {"file:../../x": "AA=="}}', {}, 400),
    ("/v2/repository/models/mlp/load", '{"parameters": {"file:' + "a" * 256 + '": "AA=="}}', {}, 400),
    ("/v2/repository/models/mlp/load", '{"parameters": {"config": "[]"}}', {}, 400),
    ("/v2/repository/models/mlp/load", '{"parameters": {"config": "{\\"default_model_filename\\": \\"../../x\\"}"}}', {}, 400),
    ("/v2/repository/models/mlp/load", '{"parameters": {"config": "{\\"instance_group\\": [{\\"count\\": 1000000}]}"}}', {}, 400),
    ("/v2/repository/index", "[1]", {}, 400), ("/v2/logging", '{"log_file": "/tmp/x"}', {}, 400),
    ("/v2/trace/setting", "{}", {}, 400), ("/v2/systemsharedmemory/region/x/register", '{"key": "/x"}', {}, 400),
    ("/v2/models/mlp/generate", "{}", {}, 400), ("/nothing", "", {}, 404), ("/v2/health/live", "", {}, 405),
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile(infer, url, number):
    path, body, fields, status = HOSTILE[number]
    with requests.Session() as session:
        request = requests.Request("POST", url, data=body, headers=fields).prepare()
        request.url = url + path
        answer = session.send(request, timeout=20)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]
    assert str(infer.repository) not in answer.text and "/root" not in answer.text
    assert requests.get(f"{url}/v2/health/live").status_code == 200


def test_full_queue_is_refused_quickly(infer, url):
    """Eighty at once on one instance with room for two: some are answered, the others get 503 at once."""
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{infer.http}", concurrency=80)
    x = tritonclient.http.InferInput("x", [1, 784], "FP32")
    x.set_data_from_numpy(np.zeros((1, 784), "f"))
    pending = [client.async_infer("narrow", [x]) for _ in range(80)]
    good, refused = 0, 0
    for one in pending:
        try:
            one.get_result()
            good += 1
        except Exception as error:  # noqa: BLE001
            assert error.status() == "503" and "requests wait already" in error.message()
            refused += 1
    assert good >= 1 and good + refused == 80
    client.close()


def test_server_without_runtime_says_what_to_do(tmp_path):
    models.identity(tmp_path / "models", "one")
    context, http, _, _ = start(tmp_path, ["--model-repository", tmp_path / "models", "--runtime", tmp_path / "none"],
                                {"SLIPWAY_ONNXRUNTIME": ""})
    with context:
        base = f"http://127.0.0.1:{http}"
        assert requests.get(f"{base}/v2/health/live").status_code == 200
        deadline = time.monotonic() + 10
        while "make setup" not in (text := requests.post(f"{base}/v2/repository/index").text):
            assert time.monotonic() < deadline, text
        assert requests.get(f"{base}/v2/health/ready").status_code == 400


def test_poll_finds_new_changed_and_gone_models(tmp_path):
    models.add_constant(tmp_path / "models", "one", 1)
    context, http, _, _ = start(tmp_path, ["--model-repository", tmp_path / "models", "--model-control-mode", "poll",
                                           "--repository-poll-secs", 1])
    with context:
        def predict(name):
            answer = requests.post(f"http://127.0.0.1:{http}/v1/models/{name}:predict", json={"instances": [[0]]})
            return answer.json().get("predictions")

        def until(name, wanted):
            deadline = time.monotonic() + 10
            while predict(name) != wanted:
                assert time.monotonic() < deadline
                time.sleep(0.05)

        until("one", [[1.0]])
        models.add_constant(tmp_path / "models", "one", 2)
        models.add_constant(tmp_path / "models", "two", 5)
        until("one", [[2.0]])
        until("two", [[5.0]])
        subprocess.run(["rm", "-r", tmp_path / "models/two"], check=True)
        until("two", None)


def test_models_from_the_object_store(store, tmp_path):
    import boto3
    s3 = boto3.client("s3", endpoint_url=store.url, aws_access_key_id=clients.USER, aws_secret_access_key=clients.PASSWORD,
                      region_name="us-east-1")
    environment = {"AWS_ENDPOINT_URL": store.url, "AWS_ACCESS_KEY_ID": clients.USER,
                   "AWS_SECRET_ACCESS_KEY": clients.PASSWORD}
    context, http, _, _ = start(
        tmp_path, ["--model-repository", "s3://models", "--model-control-mode", "explicit"], environment)
    with context as server:
        client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{http}")
        assert client.is_server_ready() and client.get_model_repository_index() == []
        with pytest.raises(tritonclient.utils.InferenceServerException, match='bucket "models" does not exist at .*make it with mc mb'):
            client.load_model("far")
        s3.create_bucket(Bucket="models")
        models.add_constant(tmp_path / "local", "far", 7, config="max_batch_size: 4\n")
        for file in ("far/config.pbtxt", "far/1/model.onnx"):
            s3.upload_file(str(tmp_path / "local" / file), "models", file)
        assert client.get_model_repository_index() == [{"name": "far"}]
        client.load_model("far")
        assert client.get_model_config("far")["max_batch_size"] == 4
        answer = requests.post(f"http://127.0.0.1:{http}/v1/models/far:predict", json={"instances": [[1]]})
        assert answer.json() == {"predictions": [[8.0]]}
        cache = pathlib.Path(server.environment["SLIPWAY_DATA"]) / "infer/cache"
        assert list(cache.iterdir()) == [], "the copy is gone once the model is loaded"
