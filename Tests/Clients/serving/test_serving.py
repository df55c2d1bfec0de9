"""KServe's kinds on the real binaries: a store, a cluster, servers of InferenceServices, and the ingress before them."""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

import boto3
import numpy as np
import pytest
import requests

import slipway_process as clients
from waiting import until

MODELS = pathlib.Path(__file__).parents[2] / "Models"
# Tests/Models/make.py wrote both with TensorFlow.
IMAGES = np.array([(i * 37 % 101) / 101 for i in range(784)], dtype=np.float32).reshape(1, 28, 28, 1)
ANSWER = np.array(json.loads((MODELS / "digits.json").read_text())["OUTPUT_0"])[0]
BODY = {"inputs": [{"name": "INPUT_0", "shape": [1, 28, 28, 1], "datatype": "FP32", "data": IMAGES.tolist()}]}
KUBECTL = shutil.which("kubectl") or str(pathlib.Path(sys.prefix) / "bin/kubectl")
SERVICES = "/apis/serving.kserve.io/v1beta1"
MODELS_API = "/apis/serving.kserve.io/v1alpha1"


class Cluster(clients.Slipway):
    """A cluster with plain HTTP, and the few calls that the tests need."""

    def url(self, path):
        return f"http://127.0.0.1:{self.ports[0]}{path}"

    def create(self, namespace, thing, expected=201):
        plural = {"Secret": "secrets", "ServiceAccount": "serviceaccounts", "InferenceService": "inferenceservices",
                  "TrainedModel": "trainedmodels"}[thing["kind"]]
        root = "/api/v1" if thing["apiVersion"] == "v1" else f"/apis/{thing['apiVersion']}"
        answer = requests.post(self.url(f"{root}/namespaces/{namespace}/{plural}?fieldValidation=Strict"), json=thing)
        assert answer.status_code == expected, answer.text
        return answer.json()

    def model(self, namespace, name):
        return requests.get(self.url(f"{MODELS_API}/namespaces/{namespace}/trainedmodels/{name}")).json()

    def service(self, namespace, name="triton-mms"):
        return requests.get(self.url(f"{SERVICES}/namespaces/{namespace}/inferenceservices/{name}")).json()

    def ask(self, namespace, model, service="triton-mms", **more):
        return requests.post(
            f"http://127.0.0.1:{self.ports[1]}/v2/models/{model}/infer", json=BODY,
            headers={"Host": f"{service}.{namespace}.example.com"}, timeout=20, **more)

    def core(self, namespace, path, **more):
        """What a path of the core group answers: an object, or its absence."""
        return requests.get(self.url(f"/api/v1/namespaces/{namespace}/{path}"), **more).json()

    def predictor(self, namespace, name="triton-mms"):
        """The pod whose turn it is."""
        revision = self.service(namespace, name)["status"]["components"]["predictor"]["latestReadyRevision"]
        return self.core(namespace, f"pods/{revision}")

    def kubectl(self, *arguments):
        done = subprocess.run(
            [KUBECTL, "--kubeconfig", str(self.folder / "data/kubeconfig"), *arguments], capture_output=True, text=True,
            timeout=60, env=dict(os.environ, HOME=str(self.folder)))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def infer_processes(self):
        """Process ids of the inference servers of this cluster's services."""
        found = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (folder / "cmdline").read_bytes()
                if b"\0infer\0" in line and b"/mnt/models" in line and self.marker in (folder / "mountinfo").read_text():
                    found.append(int(folder.name))
        return found


def ready(thing):
    return next((c for c in thing.get("status", {}).get("conditions", []) if c["type"] == "Ready"), {})


@pytest.fixture(scope="module")
def s3(store):
    client = boto3.client(
        "s3", endpoint_url=store.url, aws_access_key_id=clients.USER, aws_secret_access_key=clients.PASSWORD,
        region_name="us-east-1")
    client.create_bucket(Bucket="triton")
    for name in ("mnist", "fashion", "mnist-2"):
        for path in (MODELS / "digits").rglob("*"):
            if path.is_file():
                key = f"models/{name}/1/model.savedmodel/{path.relative_to(MODELS / 'digits')}"
                client.upload_file(str(path), "triton", key)
    return client


@pytest.fixture(scope="module")
def cluster(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("serving")
    api, ingress = clients.free_port(), clients.free_port()
    server = Cluster(
        ["cluster", "--insecure", "--port", api, "--ingress-port", ingress, "--s3-endpoint", store.url], [api, ingress],
        folder)
    server.marker = str(folder)
    server.start()
    yield server
    server.stop()


NUMBER = iter(range(1000))


@pytest.fixture
def namespace(cluster, store, s3):
    """A namespace with the credentials of the store and one service for many models."""
    name = f"mms-{next(NUMBER)}"
    requests.post(cluster.url("/api/v1/namespaces"), json={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster.create(name, secret(store))
    cluster.create(name, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sa"},
                          "secrets": [{"name": "s3-secret"}]})
    cluster.create(name, service())
    until(lambda: ready(cluster.service(name)).get("status") == "True")
    yield name
    requests.delete(cluster.url(f"/api/v1/namespaces/{name}"))


def secret(store, key=None):
    values = {"AWS_ACCESS_KEY_ID": clients.USER, "AWS_SECRET_ACCESS_KEY": key or clients.PASSWORD}
    return {
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "s3-secret", "annotations": {
            "serving.kserve.io/s3-endpoint": f"127.0.0.1:{store.port}", "serving.kserve.io/s3-usehttps": "0",
            "serving.kserve.io/s3-region": "us-east-1", "serving.kserve.io/s3-verifyssl": "0"}},
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}}


def service(name="triton-mms", **predictor):
    predictor = predictor or {"triton": {"args": ["--log-verbose=1"], "resources": {"limits": {"memory": "2Gi"}}}}
    return {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": name},
            "spec": {"predictor": {"serviceAccountName": "sa", **predictor}}}


def trained(name="mnist", uri="s3://triton/models/mnist", memory="1Gi", parent="triton-mms", framework="tensorflow"):
    return {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "TrainedModel", "metadata": {"name": name},
            "spec": {"inferenceService": parent, "model": {"storageUri": uri, "framework": framework, "memory": memory}}}


def load(cluster, namespace, thing):
    cluster.create(namespace, thing)
    until(lambda: ready(cluster.model(namespace, thing["metadata"]["name"])).get("status") == "True")


def reason(cluster, namespace, thing, word):
    cluster.create(namespace, thing)
    name = thing["metadata"]["name"]
    return until(lambda: ready(cluster.model(namespace, name)) if ready(cluster.model(namespace, name)).get("reason") == word
                 else None)["message"]


def test_two_models_answer_as_tensorflow(cluster, namespace):
    load(cluster, namespace, trained())
    load(cluster, namespace, trained("fashion", "s3://triton/models/fashion"))
    for model in ("mnist", "fashion"):
        answer = cluster.ask(namespace, model).json()
        assert answer["model_name"] == model and answer["outputs"][0]["name"] == "OUTPUT_0"
        assert np.abs(np.array(answer["outputs"][0]["data"]) - ANSWER).max() < 1e-6
    status = cluster.model(namespace, "mnist")["status"]
    assert status["url"] == f"http://triton-mms.{namespace}.example.com/v2/models/mnist/infer"
    assert cluster.service(namespace)["status"]["url"] == f"http://triton-mms.{namespace}.example.com"
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "FrameworkSupported": "True", "IsMMSPredictor": "True", "MemoryResourceAvailable": "True",
        "InferenceServiceReady": "True", "Ready": "True"}


def test_ingress(cluster, namespace):
    root = f"http://127.0.0.1:{cluster.ports[1]}"
    host = f"triton-mms.{namespace}.example.com"
    metadata = requests.get(f"{root}/v2", headers={"Host": host}).json()
    assert metadata["name"] == "triton" and "binary_tensor_data" in metadata["extensions"]
    for other in (f"{host}:80", host.upper(), f"triton-mms-predictor-default.{namespace}.example.com",
                  f"triton-mms.{namespace}.svc.cluster.local", f"triton-mms.{namespace}"):
        assert requests.get(f"{root}/v2/health/live", headers={"Host": other}).status_code == 200, other
    wrong = requests.get(f"{root}/v2", headers={"Host": "triton-mms.example.com"})
    assert wrong.status_code == 404 and host in wrong.json()["error"]
    # kubectl without a configuration asks localhost:8080, where the ingress may be.
    asked = requests.get(f"{root}/api", headers={"Host": "localhost:8080"})
    assert asked.status_code == 400 and asked.json()["kind"] == "Status" and "export KUBECONFIG" in asked.json()["message"]
    grpc = requests.post(f"{root}/inference.GRPCInferenceService/ServerLive",
                         headers={"Host": host, "Content-Type": "application/grpc"})
    assert grpc.status_code == 501 and "gRPC" in grpc.json()["error"]
    # A body of unknown length streams through.
    load(cluster, namespace, trained())
    answer = requests.post(f"{root}/v2/models/mnist/infer", headers={"Host": host},
                           data=iter([json.dumps(BODY)[:100].encode(), json.dumps(BODY)[100:].encode()]))
    assert answer.status_code == 200, answer.text


def test_the_pod_and_its_services_are_reached(cluster, namespace):
    load(cluster, namespace, trained())
    pod = cluster.predictor(namespace)
    address = pod["status"]["podIP"]
    assert address.startswith("127.")
    ports = {port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
    assert {"http", "grpc", "metrics"} <= set(ports)
    # 8000 and 8080 unless another server of this machine listens there at every address.
    for name in ("http", "user-port"):
        if name in ports:
            answer = requests.get(f"http://{address}:{ports[name]}/v2").json()
            assert answer["name"] == "triton" and "binary_tensor_data" in answer["extensions"]
    assert "nv_inference" in requests.get(f"http://{address}:{ports['metrics']}/metrics").text
    for name in ("triton-mms", "triton-mms-predictor-default"):
        found = cluster.core(namespace, f"services/{name}")
        assert [owner["name"] for owner in found["metadata"]["ownerReferences"]] == ["triton-mms"]
        assert found["spec"]["ports"][0]["port"] == 80
        endpoints = cluster.core(namespace, f"endpoints/{name}")
        assert endpoints["subsets"][0]["addresses"][0]["ip"] == address
        if os.getuid() == 0:
            answer = requests.post(f"http://{found['spec']['clusterIP']}/v2/models/mnist/infer", json=BODY)
            assert answer.json()["model_name"] == "mnist"


def test_kubectl_expose(cluster, namespace):
    load(cluster, namespace, trained())
    pod = cluster.predictor(namespace)
    port = next(p["containerPort"] for p in pod["spec"]["containers"][0]["ports"] if p["name"] == "http")
    cluster.kubectl("expose", "service", "triton-mms", "-n", namespace, "--name=by-node", "--type=NodePort",
                    "--port=8000", "--target-port=http")
    cluster.kubectl("expose", "pod", pod["metadata"]["name"], "-n", namespace, "--name=by-balancer", "--type=LoadBalancer",
                    "--port=8123", f"--target-port={port}")
    node_port = cluster.core(namespace, "services/by-node")["spec"]["ports"][0]["nodePort"]
    balancer = until(lambda: cluster.core(namespace, "services/by-balancer")["status"]["loadBalancer"].get("ingress"))
    for place in (f"127.0.0.1:{node_port}", f"{balancer[0]['ip']}:8123"):
        def answer():
            with contextlib.suppress(requests.ConnectionError):
                return requests.post(f"http://{place}/v2/models/mnist/infer", json=BODY, timeout=20)
        assert until(answer).json()["model_name"] == "mnist", place


@pytest.mark.skipif(os.getuid() != 0, reason="port 80 and names inside pods need root")
def test_the_address_in_the_status_works_in_pods(cluster, namespace):
    load(cluster, namespace, trained())
    address = cluster.service(namespace)["status"]["address"]["url"]
    assert address == f"http://triton-mms.{namespace}.svc.cluster.local"
    model = cluster.model(namespace, "mnist")["status"]["address"]["url"]
    for place in (namespace, "default"):
        shell = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shell"}, "spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [{
                "name": "main", "image": "curlimages/curl",
                "command": ["sh", "-c", f"curl -sS {address}/v2 && curl -sS -d \"$BODY\" {model}"],
                "env": [{"name": "BODY", "value": json.dumps(BODY)}]}]}}
        pods = cluster.url(f"/api/v1/namespaces/{place}/pods")
        assert requests.post(pods, json=shell).status_code == 201
        until(lambda: cluster.core(place, "pods/shell")["status"]["phase"] in ("Succeeded", "Failed"))
        text = requests.get(f"{pods}/shell/log").text
        requests.delete(f"{pods}/shell")
        assert '"name":"triton"' in text and '"model_name":"mnist"' in text, text


def test_services_go_with_the_inference_service(cluster, namespace):
    requests.delete(cluster.url(f"{SERVICES}/namespaces/{namespace}/inferenceservices/triton-mms"))
    for path in ("services/triton-mms", "services/triton-mms-predictor-default"):
        until(lambda: cluster.core(namespace, path).get("code") == 404)
    until(lambda: cluster.core(namespace, "pods")["items"] == [])


def test_a_service_of_somebody_else_is_left_alone(cluster, namespace):
    taken = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "other"}, "spec": {"ports": [{"port": 80}]}}
    assert requests.post(cluster.url(f"/api/v1/namespaces/{namespace}/services"), json=taken).status_code == 201
    cluster.create(namespace, service("other"))
    until(lambda: ready(cluster.service(namespace, "other")).get("status") == "True")
    messages = [event["message"] for event in cluster.core(namespace, "events")["items"]]
    assert any("Service other is there already and not of this InferenceService" in message for message in messages)
    assert "ownerReferences" not in cluster.core(namespace, "services/other")["metadata"]
    assert "ownerReferences" in cluster.core(namespace, "services/other-predictor-default")["metadata"]


def test_a_new_revision_takes_the_services_over(cluster, namespace):
    """Requests to a Service while the pod is replaced by one with other settings: none fails."""
    load(cluster, namespace, trained())
    cluster.kubectl("expose", "service", "triton-mms", "-n", namespace, "--name=steady", "--port=8200", "--target-port=http")
    address = cluster.core(namespace, "services/steady")["spec"]["clusterIP"]
    url = f"http://{address}:8200/v2/models/mnist/infer"
    before = cluster.predictor(namespace)["metadata"]["name"]

    def answers():
        with contextlib.suppress(requests.ConnectionError):
            return requests.post(url, json=BODY, timeout=20).status_code == 200

    until(answers)
    stop, failed, counts = threading.Event(), [], [0]

    def work():
        while not stop.is_set():
            answer = requests.post(url, json=BODY, timeout=20)
            counts[0] += 1
            if answer.status_code != 200:
                failed.append(answer.text)

    thread = threading.Thread(target=work)
    thread.start()
    patch = {"spec": {"predictor": {"triton": {"env": [{"name": "A", "value": "1"}]}}}}
    requests.patch(cluster.url(f"{SERVICES}/namespaces/{namespace}/inferenceservices/triton-mms"), data=json.dumps(patch),
                   headers={"Content-Type": "application/merge-patch+json"})
    until(lambda: cluster.predictor(namespace)["metadata"]["name"] != before)
    until(lambda: cluster.core(namespace, f"pods/{before}").get("code") == 404)
    stop.set()
    thread.join()
    assert not failed and counts[0] > 3
    assert cluster.core(namespace, "endpoints/triton-mms")["subsets"][0]["addresses"][0]["ip"] \
        == cluster.predictor(namespace)["status"]["podIP"]


def test_the_gateway_service_has_an_address(cluster):
    services = cluster.url("/api/v1/namespaces/istio-system/services")
    for name in ("ingressgateway", "istio-ingressgateway"):
        address = until(lambda: requests.get(f"{services}/{name}").json()["status"]["loadBalancer"].get("ingress"))
        assert address[0]["ip"].startswith("127.")


def test_replacing_loses_no_request(cluster, namespace):
    load(cluster, namespace, trained())
    load(cluster, namespace, trained("fashion", "s3://triton/models/fashion"))
    stop, counts, failed = threading.Event(), {"mnist": 0, "fashion": 0}, []

    def work(model):
        while not stop.is_set():
            answer = cluster.ask(namespace, model)
            counts[model] += 1
            if answer.status_code != 200:
                failed.append(answer.text)

    threads = [threading.Thread(target=work, args=(model,)) for model in counts]
    for thread in threads:
        thread.start()
    for uri in ("mnist-2", "mnist", "mnist-2"):
        before = cluster.model(namespace, "mnist")["metadata"]["generation"]
        requests.patch(
            cluster.url(f"{MODELS_API}/namespaces/{namespace}/trainedmodels/mnist"),
            data=json.dumps({"spec": {"model": {"storageUri": f"s3://triton/models/{uri}"}}}),
            headers={"Content-Type": "application/merge-patch+json"})
        until(lambda: cluster.model(namespace, "mnist")["status"]["observedGeneration"] > before
              and ready(cluster.model(namespace, "mnist"))["status"] == "True")
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed and min(counts.values()) > 3


def test_deleting_unloads(cluster, namespace):
    load(cluster, namespace, trained())
    load(cluster, namespace, trained("fashion", "s3://triton/models/fashion"))
    requests.delete(cluster.url(f"{MODELS_API}/namespaces/{namespace}/trainedmodels/mnist"))
    until(lambda: cluster.model(namespace, "mnist").get("code") == 404)
    gone = cluster.ask(namespace, "mnist")
    assert gone.status_code == 404 and "not found among the loaded models" in gone.json()["error"]
    assert cluster.ask(namespace, "fashion").status_code == 200


def test_storage_mistakes(cluster, namespace, s3, store):
    text = reason(cluster, namespace, trained("bucket", "s3://tritn/models/mnist"), "StorageError")
    assert 'bucket "tritn" of s3://tritn/models/mnist does not exist' in text and "mc mb" in text
    text = reason(cluster, namespace, trained("path", "s3://triton/models/minst"), "StorageError")
    assert "there is no object under s3://triton/models/minst" in text
    requests.delete(cluster.url(f"{MODELS_API}/namespaces/{namespace}/trainedmodels"))
    until(lambda: cluster.model(namespace, "path").get("code") == 404)
    secrets = cluster.url(f"/api/v1/namespaces/{namespace}/secrets/s3-secret")
    patch = {"Content-Type": "application/merge-patch+json"}
    requests.patch(secrets, data=json.dumps({"data": secret(store, "wrong")["data"]}), headers=patch)
    assert "refuses the secret key" in reason(cluster, namespace, trained(), "StorageError")
    # Mending the Secret is enough: nobody has to make the model anew.
    requests.patch(secrets, data=json.dumps({"data": secret(store)["data"]}), headers=patch)
    until(lambda: ready(cluster.model(namespace, "mnist"))["status"] == "True")


def test_secret_mistakes(cluster, namespace, store):
    """Each is mended in the Secret alone."""
    address = cluster.url(f"/api/v1/namespaces/{namespace}/secrets/s3-secret")

    def change(annotations=None, data=None):
        requests.patch(address, json={"metadata": {"annotations": annotations or {}}, "data": data or {}},
                       headers={"Content-Type": "application/merge-patch+json"}).raise_for_status()

    def said(text):
        return until(lambda: text in ready(cluster.model(namespace, "mnist")).get("message", "")
                     and ready(cluster.model(namespace, "mnist"))["message"])

    endpoint = "serving.kserve.io/s3-endpoint"
    down = clients.free_port()
    change({endpoint: f"127.0.0.1:{down}"})
    cluster.create(namespace, trained())
    text = said(f"The object store at http://127.0.0.1:{down} did not answer")
    assert "start the store, or correct the Secret's annotation serving.kserve.io/s3-endpoint" in text
    change({endpoint: f"http://127.0.0.1:{store.port}"})
    said("write HOST:PORT and no scheme")
    change({endpoint: f"127.0.0.1:{store.port}"}, {"AWS_ACCESS_KEY_ID": base64.b64encode(b"nobody").decode()})
    said("does not know the access key of the ServiceAccount's Secret")
    change(data={"AWS_ACCESS_KEY_ID": None})
    said('secret "s3-secret" needs both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
    plain = requests.patch(address, json={"data": {"AWS_ACCESS_KEY_ID": "not base64!"}},
                           headers={"Content-Type": "application/merge-patch+json"})
    assert plain.status_code == 422 and "must be base64" in plain.json()["message"] and "not base64!" not in plain.text
    requests.delete(address)
    said(f'secret "s3-secret" of serviceaccount "sa" not found in namespace "{namespace}"')
    # A newline at the end, as `echo KEY | base64` writes it, does no harm.
    whole = secret(store)
    whole["data"] = {name: base64.b64encode(base64.b64decode(value) + b"\n").decode() for name, value in whole["data"].items()}
    cluster.create(namespace, whole)
    until(lambda: ready(cluster.model(namespace, "mnist")).get("status") == "True")


def test_a_service_account_that_is_not_there(cluster, namespace):
    cluster.create(namespace, service("early", triton={}, serviceAccountName="nobody"))
    text = until(lambda: ready(cluster.service(namespace, "early")).get("message"))
    assert text == f'serviceaccount "nobody" not found in namespace {namespace}'
    cluster.create(namespace, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}})
    until(lambda: ready(cluster.service(namespace, "early")).get("status") == "True")


def test_requests_that_do_not_fit(cluster, namespace):
    load(cluster, namespace, trained())
    url = f"http://127.0.0.1:{cluster.ports[1]}/v2/models/mnist/infer"
    host = {"Host": f"triton-mms.{namespace}.example.com"}
    entry = BODY["inputs"][0]
    for body, text in [
        ({"inputs": [{**entry, "name": "INPUT__0"}]}, 'has no input "INPUT__0"; it takes "INPUT_0"'),
        ({"inputs": [{**entry, "shape": [1, 784], "data": [0] * 784}]}, "expects FP32 [-1,28,28,1], got FP32 [1,784]"),
        ({"instances": [[0]]}, 'the request must have a list "inputs"'),
    ]:
        answer = requests.post(url, json=body, headers=host, timeout=20)
        assert answer.status_code == 400 and text in answer.json()["error"], answer.text
    answer = requests.get(url.replace("mnist/infer", "mnst"), headers=host, timeout=20)
    assert answer.status_code == 404 and 'model "mnst" is not found among the loaded models' in answer.json()["error"]


def test_wrong_signature_leaves_the_old_one(cluster, namespace, s3):
    load(cluster, namespace, trained())
    for path in (MODELS / "digits").rglob("*"):
        if path.is_file():
            body = path.read_bytes().replace(b"serving_default", b"classify_digits")
            s3.put_object(Bucket="triton", Body=body,
                          Key=f"models/wrong/1/model.savedmodel/{path.relative_to(MODELS / 'digits')}")
    requests.patch(
        cluster.url(f"{MODELS_API}/namespaces/{namespace}/trainedmodels/mnist"),
        data=json.dumps({"spec": {"model": {"storageUri": "s3://triton/models/wrong"}}}),
        headers={"Content-Type": "application/merge-patch+json"})
    found = until(lambda: ready(cluster.model(namespace, "mnist"))
                  if ready(cluster.model(namespace, "mnist")).get("reason") == "ModelLoadFailed" else None)
    assert 'no signature "serving_default" (its signatures: "classify_digits")' in found["message"]
    assert "goes on serving" in found["message"]
    assert cluster.ask(namespace, "mnist").status_code == 200


def test_what_the_parent_decides(cluster, namespace):
    load(cluster, namespace, trained())
    assert "1073741824 bytes of memory left" in reason(
        cluster, namespace, trained("large", memory="1500Mi"), "MemoryNotAvailable")
    assert f'"nobody" is not found in namespace "{namespace}"' in reason(
        cluster, namespace, trained("orphan", parent="nobody"), "InferenceServiceNotFound")


@pytest.mark.parametrize("thing, text", [
    (trained(uri="gs://bucket/model"), "only s3://BUCKET/PATH is supported here"),
    (trained(uri=""), "spec.model.storageUri: Required value"),
    (trained(framework="sklearn"), 'Unsupported value: "sklearn"'),
    (service("x", pytorch={}), 'Unsupported value: "pytorch"'),
    (service("x", triton={}, onnx={}), "exactly one of"),
    (service("x", model={"modelFormat": {"name": "xgboost"}}), 'Unsupported value: "xgboost"'),
    (service("x", triton={}, canaryTrafficPercent=10), "spec.predictor.canaryTrafficPercent"),
], ids=["scheme", "uri", "framework", "old-kind", "two", "format", "canary"])
def test_refused_at_once(cluster, namespace, thing, text):
    assert text in cluster.create(namespace, thing, expected=422)["message"]


def test_unknown_field(cluster, namespace):
    thing = trained()
    thing["spec"]["model"]["storageURI"] = "x"
    assert 'unknown field "spec.model.storageURI"' in cluster.create(namespace, thing, expected=400)["message"]


def test_one_model_of_its_own(cluster, namespace):
    cluster.create(namespace, service("single", model={
        "modelFormat": {"name": "tensorflow"}, "storageUri": "s3://triton/models/mnist"}))
    until(lambda: ready(cluster.service(namespace, "single")).get("status") == "True")
    assert cluster.ask(namespace, "single", service="single").status_code == 200
    text = reason(cluster, namespace, trained("guest", parent="single"), "NotMultiModel")
    assert "leave its storageUri out" in text


def test_kill_rounds(cluster, namespace):
    """The cluster, then the inference server, killed again and again: what was ready is ready again, by itself."""
    load(cluster, namespace, trained())
    load(cluster, namespace, trained("fashion", "s3://triton/models/fashion"))
    for round in range(int(os.environ.get("ROUNDS", "3"))):
        before = set(cluster.infer_processes())
        assert before
        cluster.stop(signal.SIGKILL)
        cluster.start()
        until(lambda: cluster.ask(namespace, "mnist").status_code == 200)
        # The server lived on and is found again; nothing was started or loaded twice.
        assert set(cluster.infer_processes()) == before
        revision = cluster.service(namespace)["status"]["components"]["predictor"]["latestReadyRevision"]
        pods = requests.get(cluster.url(f"/api/v1/namespaces/{namespace}/pods")).json()["items"]
        assert [pod["metadata"]["name"] for pod in pods] == [revision]
        for process in before:
            os.kill(process, signal.SIGKILL)
        for model in ("mnist", "fashion"):
            until(lambda: cluster.ask(namespace, model).status_code == 200)
