"""TensorFlow SavedModels through OpenVINO: names of the signature, TensorFlow's own answers, and what is refused."""

import json
import pathlib
import shutil
import threading

import numpy as np
import pytest
import requests
import tritonclient.grpc
import tritonclient.http

from infer_start import clients, start

MODELS = pathlib.Path(__file__).parents[2] / "Models"
# Tests/Models/make.py wrote both with TensorFlow.
IMAGES = np.array([(i * 37 % 101) / 101 for i in range(3 * 784)], dtype=np.float32).reshape(3, 28, 28, 1)
ANSWERS = np.array(json.loads((MODELS / "digits.json").read_text())["OUTPUT_0"])


def place(repository, name, inner="1/model.savedmodel", config=None):
    shutil.copytree(MODELS / "digits", repository / name / inner, dirs_exist_ok=True)
    if config is not None:
        (repository / name / "config.pbtxt").write_text(config)


@pytest.fixture(scope="module")
def infer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("savedmodel")
    repository = folder / "models"
    place(repository, "triton", config='platform: "tensorflow_savedmodel"\nmax_batch_size: 8\n'
          'input { name: "INPUT_0" data_type: TYPE_FP32 dims: [28, 28, 1] }\n'
          'output { name: "OUTPUT_0" data_type: TYPE_FP32 dims: [10] }\n')
    place(repository, "plain")
    place(repository, "serving", inner="1")
    place(repository, "backend", config='backend: "tensorflow"\n')
    context, http, grpc, _ = start(
        folder, ["--model-repository", repository, "--model-control-mode", "explicit"])
    with context as server:
        server.url, server.grpc, server.repository = f"http://127.0.0.1:{http}", grpc, repository
        for name in ("triton", "plain", "serving", "backend"):
            answer = requests.post(f"{server.url}/v2/repository/models/{name}/load", json={})
            assert answer.status_code == 200, answer.text
        yield server


def body(images):
    return {"inputs": [{"name": "INPUT_0", "shape": list(images.shape), "datatype": "FP32", "data": images.tolist()}]}


@pytest.mark.parametrize("model", ["triton", "plain", "serving", "backend"])
def test_json_answers_as_tensorflow(infer, model):
    answer = requests.post(f"{infer.url}/v2/models/{model}/infer", json=body(IMAGES)).json()
    assert answer["model_name"] == model and answer["model_version"] == "1"
    output = answer["outputs"][0]
    assert (output["name"], output["datatype"], output["shape"]) == ("OUTPUT_0", "FP32", [3, 10])
    assert np.abs(np.array(output["data"]).reshape(3, 10) - ANSWERS).max() < 1e-6


def test_v1_answers_as_tensorflow(infer):
    answer = requests.post(f"{infer.url}/v1/models/serving:predict", json={"instances": IMAGES.tolist()}).json()
    assert np.abs(np.array(answer["predictions"]) - ANSWERS).max() < 1e-6


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_tritonclient(infer, protocol):
    module = getattr(tritonclient, protocol)
    address = infer.url.removeprefix("http://") if protocol == "http" else f"127.0.0.1:{infer.grpc}"
    client = module.InferenceServerClient(address)
    tensor = module.InferInput("INPUT_0", [3, 28, 28, 1], "FP32")
    tensor.set_data_from_numpy(IMAGES)
    assert np.abs(client.infer("plain", [tensor]).as_numpy("OUTPUT_0") - ANSWERS).max() < 1e-6
    metadata = client.get_model_metadata("plain")
    platform = metadata["platform"] if protocol == "http" else metadata.platform
    assert platform == "tensorflow_savedmodel"


def test_configuration_is_derived(infer):
    config = requests.get(f"{infer.url}/v2/models/plain/config").json()
    assert config["platform"] == "tensorflow_savedmodel" and config["backend"] == "tensorflow"
    assert config["default_model_filename"] == "model.savedmodel" and config["max_batch_size"] == 64
    assert config["input"][0]["name"] == "INPUT_0" and config["input"][0]["dims"] == [28, 28, 1]


def test_many_at_once(infer):
    wrong = []

    def work(seed):
        session = requests.Session()
        for round in range(20):
            count = 1 + (seed + round) % 3
            answer = session.post(f"{infer.url}/v2/models/plain/infer", json=body(IMAGES[:count])).json()
            data = np.array(answer["outputs"][0]["data"]).reshape(count, 10)
            if np.abs(data - ANSWERS[:count]).max() > 1e-6:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_wrong_shape_names_both(infer):
    answer = requests.post(f"{infer.url}/v2/models/plain/infer", json=body(IMAGES[:, :14]))
    assert answer.status_code == 400
    assert 'input "INPUT_0" expects FP32 [-1,28,28,1], got FP32 [3,14,28,1]' in answer.json()["error"]


def load(infer, name):
    return requests.post(f"{infer.url}/v2/repository/models/{name}/load", json={})


def test_wrong_signature_names_what_there_is(infer):
    place(infer.repository, "signature")
    file = infer.repository / "signature/1/model.savedmodel/saved_model.pb"
    file.write_bytes(file.read_bytes().replace(b"serving_default", b"classify_digits"))
    answer = load(infer, "signature")
    assert answer.status_code == 400
    assert 'no signature "serving_default" (its signatures: "classify_digits")' in answer.json()["error"]
    assert "save it with signatures=" in answer.json()["error"]


def test_wrong_names_in_the_configuration(infer):
    place(infer.repository, "names", config='platform: "tensorflow_savedmodel"\nmax_batch_size: 8\n'
          'input { name: "images" data_type: TYPE_FP32 dims: [28, 28, 1] }\n')
    assert 'which the model does not have; it has "INPUT_0"' in load(infer, "names").json()["error"]


def test_missing_variables(infer):
    place(infer.repository, "half")
    shutil.rmtree(infer.repository / "half/1/model.savedmodel/variables")
    answer = load(infer, "half")
    assert answer.status_code == 400 and "failed to load 'half'" in answer.json()["error"]
    assert str(infer.repository) not in answer.text


def test_not_a_savedmodel(infer):
    place(infer.repository, "text")
    (infer.repository / "text/1/model.savedmodel/saved_model.pb").write_text("this is no model")
    assert "saved_model.pb is not a SavedModel" in load(infer, "text").json()["error"]


def test_unload_and_load_again_keep_memory(infer):
    def resident():
        for line in pathlib.Path(f"/proc/{infer.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])

    def cycle():
        assert load(infer, "plain").status_code == 200
        requests.post(f"{infer.url}/v2/models/plain/infer", json=body(IMAGES))
        assert requests.post(f"{infer.url}/v2/repository/models/plain/unload", json={}).status_code == 200

    for _ in range(15):
        cycle()
    before = resident()
    for _ in range(60):
        cycle()
    after = resident()
    assert load(infer, "plain").status_code == 200
    # A model that stayed would hold about 1 MiB: 60 of them more than this.
    assert after - before < 24 * 1024


def test_missing_library_says_what_to_do(tmp_path):
    place(tmp_path / "models", "digits")
    context, http, _, _ = start(
        tmp_path, ["--model-repository", tmp_path / "models", "--model-control-mode", "explicit"],
        {"SLIPWAY_RUNTIME": str(tmp_path)})
    with context:
        answer = requests.post(f"http://127.0.0.1:{http}/v2/repository/models/digits/load", json={})
        assert answer.status_code == 503 and "run `make setup`" in answer.json()["error"]
