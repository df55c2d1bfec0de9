"""Both tritonclients against every part of V2 that is served, outputs compared with ONNX Runtime in Python."""

import json
import queue
import threading
import time

import numpy as np
import onnxruntime
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

import models
from infer_start import infer  # noqa: F401


class Api:
    """One of the two clients with its value types."""

    def __init__(self, server, protocol):
        self.protocol = protocol
        self.module = {"http": tritonclient.http, "grpc": tritonclient.grpc}[protocol]
        port = getattr(server, protocol)
        options = {"concurrency": 8} if protocol == "http" else {}
        self.client = self.module.InferenceServerClient(f"127.0.0.1:{port}", **options)

    def input(self, name, array, kind, **options):
        value = self.module.InferInput(name, list(array.shape), kind)
        value.set_data_from_numpy(array, **options)
        return value

    def run(self, model, name, array, kind, output, **options):
        return self.client.infer(model, [self.input(name, array, kind)], **options).as_numpy(output)

    def refusal(self, call, *arguments, **options):
        with pytest.raises(InferenceServerException) as caught:
            call(*arguments, **options)
        return caught.value.status(), caught.value.message()


@pytest.fixture(params=["http", "grpc"])
def api(infer, request):
    return Api(infer, request.param)


def test_health_and_metadata(api):
    client = api.client
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("addsub") and client.is_model_ready("versions", "2")
    assert not client.is_model_ready("nope") and not client.is_model_ready("versions", "9")
    if api.protocol == "http":
        assert client.get_server_metadata()["name"] == "slipway"
        metadata = client.get_model_metadata("addsub")
        assert metadata["inputs"][0] == {"name": "INPUT0", "datatype": "INT32", "shape": [-1, 16]}
        assert client.get_model_metadata("versions")["versions"] == ["1", "2", "3"]
        assert client.get_model_config("addsub")["max_batch_size"] == 8
        assert client.get_model_config("addsub")["input"][1]["data_type"] == "TYPE_INT32"
    else:
        assert client.get_server_metadata().name == "slipway"
        metadata = client.get_model_metadata("addsub")
        assert [list(port.shape) for port in metadata.inputs] == [[-1, 16], [-1, 16]]
        config = client.get_model_config("addsub").config
        assert config.max_batch_size == 8 and config.input[1].data_type == 8 and list(config.input[1].dims) == [16]
        assert config.instance_group[0].kind == 2


@pytest.mark.parametrize("kind", [name for name in models.TYPES if name != "BYTES"])
def test_every_number_type(api, kind):
    array = (np.arange(12) - 5).astype(models.TYPES[kind][1]).reshape(3, 4)
    forms = [True, False] if api.protocol == "http" and kind != "FP16" else [True]
    for binary in forms:
        options = {"binary_data": binary} if api.protocol == "http" else {}
        output = api.module.InferRequestedOutput("OUTPUT0", **options)
        result = api.client.infer(f"identity_{kind.lower()}", [api.input("INPUT0", array, kind, **options)], outputs=[output])
        got = result.as_numpy("OUTPUT0")
        assert got.dtype == array.dtype and (got == array).all()


def test_strings_of_any_bytes(api):
    array = np.array([[b"a", b"\x00x\xff", b""], [b"hello", "é".encode(), b"z" * 3000]], dtype=object)
    assert (api.run("identity_bytes", "INPUT0", array, "BYTES", "OUTPUT0") == array).all()


def test_two_outputs_and_a_batch(api):
    left, right = np.arange(64, dtype="i4").reshape(4, 16), np.full((4, 16), 3, "i4")
    result = api.client.infer("addsub", [api.input("INPUT0", left, "INT32"), api.input("INPUT1", right, "INT32")],
                              request_id="mine")
    assert (result.as_numpy("OUTPUT0") == left + right).all() and (result.as_numpy("OUTPUT1") == left - right).all()
    answer = result.get_response()
    assert (answer["id"] if api.protocol == "http" else answer.id) == "mine"


def test_same_as_onnxruntime(api, infer):
    session = onnxruntime.InferenceSession(str(infer.repository / "mlp/1/model.onnx"))
    for rows in (1, 7, 64):
        x = np.random.default_rng(rows).standard_normal((rows, 784)).astype("f")
        assert np.allclose(api.run("mlp", "x", x, "FP32", "y"), session.run(None, {"x": x})[0], atol=1e-4)


def test_versions(api):
    x = np.zeros((1, 1), "f")
    assert [api.run("versions", "x", x, "FP32", "y", model_version=version)[0][0] for version in ("1", "2", "3", "")] == [1, 2, 3, 3]


def test_classification(api):
    x = np.random.default_rng(0).standard_normal((2, 784)).astype("f")
    output = api.module.InferRequestedOutput("y", class_count=3)
    classes = api.client.infer("mlp", [api.input("x", x, "FP32")], outputs=[output]).as_numpy("y")
    plain = api.run("mlp", "x", x, "FP32", "y")
    assert classes.shape == (2, 3)
    assert [int(row[0].decode().split(":")[1]) for row in classes] == plain.argmax(1).tolist()


def test_compression(api):
    x = np.zeros((3, 784), "f")
    ways = [{"compression_algorithm": "gzip"}] if api.protocol == "grpc" else [
        {"request_compression_algorithm": way, "response_compression_algorithm": way} for way in ("gzip", "deflate")]
    for way in ways:
        assert api.run("mlp", "x", x, "FP32", "y", **way).shape == (3, 10)


REFUSALS = [
    ("nope", "INPUT0", "f4", (1, 3), "", 404, 'model "nope" is not found'),
    ("versions", "x", "f4", (1, 1), "9", 404, 'has no loaded version 9; loaded: 1, 2, 3'),
    ("mlp", "x", "f4", (1, 28, 28), "", 400, 'model "mlp": input "x" expects FP32 [-1,784], got FP32 [1,28,28]'),
    ("mlp", "x", "f8", (1, 784), "", 400, "expects FP32 [-1,784], got FP64 [1,784]"),
    ("mlp", "z", "f4", (1, 784), "", 400, 'has no input "z"; it takes "x"'),
    ("mlp", "x", "f4", (65, 784), "", 400, "has batch size 65; it must be 1 to 64"),
    ("addsub", "INPUT0", "i4", (1, 16), "", 400, 'input "INPUT1" is missing'),
]


@pytest.mark.parametrize("model,name,dtype,shape,version,status,text", REFUSALS)
def test_clear_refusals(api, model, name, dtype, shape, version, status, text):
    array = np.zeros(shape, dtype)
    kind = {"f4": "FP32", "f8": "FP64", "i4": "INT32"}[dtype]
    code, message = api.refusal(api.client.infer, model, [api.input(name, array, kind)], model_version=version)
    assert text in message
    assert code == (str(status) if api.protocol == "http" else {404: "StatusCode.NOT_FOUND", 400: "StatusCode.INVALID_ARGUMENT"}[status])


def test_unknown_output_and_values_out_of_range(api):
    x = api.input("x", np.zeros((1, 784), "f"), "FP32")
    _, message = api.refusal(api.client.infer, "mlp", [x], outputs=[api.module.InferRequestedOutput("z")])
    assert message == 'model "mlp": has no output "z"; it gives "y"'
    code, message = api.refusal(api.client.infer, "gather", [api.input("i", np.array([7]), "INT64")])
    assert code in ("400", "StatusCode.INVALID_ARGUMENT") and "out of data bounds" in message


def test_repository(api):
    client = api.client
    index = client.get_model_repository_index()
    names = [line["name"] for line in index] if api.protocol == "http" else [line.name for line in index.models]
    assert {"addsub", "versions", "reloaded"} <= set(names)
    client.unload_model("fixed")
    assert not client.is_model_ready("fixed")
    client.load_model("fixed", config=json.dumps({"max_batch_size": 0, "instance_group": [{"count": 3, "kind": "KIND_CPU"}]}))
    config = client.get_model_config("fixed")
    group = config["instance_group"][0]["count"] if api.protocol == "http" else config.config.instance_group[0].count
    assert group == 3
    _, message = api.refusal(client.load_model, "nope")
    assert message.startswith("failed to load 'nope', failed to poll from model repository")
    for config, text in [('{"backend":"python"}', 'backend "python" is not supported'),
                         ('{"sequence_batching":{}}', "sequence_batching, which is not supported"),
                         ('{"max_batch_size":4}', "whose first dimension is not a batch"),
                         ('{"nonsense":1}', 'unknown field "nonsense"'), ("{", "not well-formed JSON")]:
        assert text in api.refusal(client.load_model, "fixed", config=config)[1]
    assert client.is_model_ready("fixed"), "a load that fails leaves what was loaded"
    assert "not supported" in api.refusal(client.load_model, "fixed", files={"file:1/model.onnx": b"x"}, config="{}")[1]
    assert "not in the repository" in api.refusal(client.unload_model, "nope")[1]


def test_statistics_count_batches(api):
    def read():
        stats = api.client.get_inference_statistics("addsub")
        line = stats["model_stats"][0] if api.protocol == "http" else stats.model_stats[0]
        if api.protocol == "grpc":
            return line.inference_count, line.execution_count, line.inference_stats.success.count, line.inference_stats.fail.count
        return line["inference_count"], line["execution_count"], line["inference_stats"]["success"]["count"], line["inference_stats"]["fail"]["count"]

    before = np.array(read())
    array = np.zeros((5, 16), "i4")
    both = [api.input("INPUT0", array, "INT32"), api.input("INPUT1", array, "INT32")]
    for _ in range(2):
        api.client.infer("addsub", both)
    api.refusal(api.client.infer, "addsub", both[:1])
    assert (np.array(read()) - before).tolist() == [10, 2, 2, 1]


def test_dynamic_batching_joins_requests(infer):
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{infer.http}", concurrency=8)
    api = Api(infer, "http")
    inputs = [np.full((1, 784), value, "f") for value in range(8)]
    pending = [client.async_infer("batched", [api.input("x", x, "FP32")]) for x in inputs]
    answers = [one.get_result().as_numpy("y") for one in pending]
    session = onnxruntime.InferenceSession(str(infer.repository / "batched/1/model.onnx"))
    for x, y in zip(inputs, answers):
        assert np.allclose(session.run(None, {"x": x})[0], y, atol=1e-4)
    stats = client.get_inference_statistics("batched")["model_stats"][0]
    assert stats["inference_count"] == 8 and stats["execution_count"] < 8
    client.close()


def test_reload_fails_no_request(infer):
    """Models are replaced and reloaded under load: no request fails and every answer is one of the two models'."""
    stop, failures, answers = threading.Event(), [], set()

    def work(protocol):
        api = Api(infer, protocol)
        x = api.input("x", np.zeros((1, 1), "f"), "FP32")
        while not stop.is_set():
            try:
                answers.add(float(api.client.infer("reloaded", [x]).as_numpy("y")[0][0]))
            except Exception as error:  # noqa: BLE001
                failures.append(error)

    threads = [threading.Thread(target=work, args=(protocol,)) for protocol in ("http", "grpc")]
    for thread in threads:
        thread.start()
    control = tritonclient.http.InferenceServerClient(f"127.0.0.1:{infer.http}")
    for turn in range(40):
        models.add_constant(infer.repository, "reloaded", 1 + turn % 2)
        control.load_model("reloaded")
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == [] and answers == {1.0, 2.0}


def test_stream(infer):
    api = Api(infer, "grpc")
    results = queue.Queue()
    api.client.start_stream(callback=lambda result, error: results.put((result, error)))
    x = api.input("x", np.zeros((1, 784), "f"), "FP32")
    for model in ("mlp", "nope", "mlp"):
        api.client.async_stream_infer(model, [x])
    got = [results.get(timeout=10) for _ in range(3)]
    api.client.stop_stream()
    assert got[0][0].as_numpy("y").shape == (1, 10) and got[2][1] is None
    assert 'model "nope" is not found' in str(got[1][1])


def test_typed_contents(infer):
    client = Api(infer, "grpc").client
    stub = client._client_stub
    for kind, field, values, raw in [
        ("INT8", "int_contents", [1, -2, 3], b"\x01\xfe\x03"), ("BOOL", "bool_contents", [True, False], b"\x01\x00"),
        ("FP32", "fp32_contents", [1.5], np.float32(1.5).tobytes()), ("FP64", "fp64_contents", [2.5], np.float64(2.5).tobytes()),
        ("UINT64", "uint64_contents", [2**64 - 1], b"\xff" * 8), ("BYTES", "bytes_contents", [b"ab"], b"\x02\0\0\0ab"),
    ]:
        request = service_pb2.ModelInferRequest(model_name=f"identity_{kind.lower()}")
        tensor = request.inputs.add(name="INPUT0", datatype=kind, shape=[1, len(values)])
        getattr(tensor.contents, field).extend(values)
        assert stub.ModelInfer(request).raw_output_contents == [raw]
    request = service_pb2.ModelInferRequest(model_name="identity_int8")
    request.inputs.add(name="INPUT0", datatype="INT8", shape=[1, 1]).contents.int_contents.append(300)
    with pytest.raises(Exception, match="do not fit INT8"):
        stub.ModelInfer(request)
