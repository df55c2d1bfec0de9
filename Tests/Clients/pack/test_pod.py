"""The document's way to start it: kubectl apply of a pod whose image is the service, with a hostPath folder."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest
import requests

from packs import Storage, estimator, sklearn_model, zipped
from slipway_process import ROOT, free_port, running

KUBECTL = shutil.which("kubectl") or next(iter(map(str, (ROOT / "runtime").glob("kubectl-*/kubectl"))), None) or str(
    pathlib.Path(sys.prefix) / "bin/kubectl")


def pod(folder, port, image="k8s_flask:latest"):
    variables = {"MODEL_NAME": "iris", "MODEL_TYPE": "sklearn", "SLIPWAY_PACK_STORAGE": "storage",
                 "SLIPWAY_PYTHON": sys.executable}
    environment = [{"name": name, "value": value} for name, value in variables.items()]
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "model-rest-api"},
        "spec": {
            "containers": [{
                "name": "model-rest-api", "image": image, "workingDir": "/root/model_rest_api", "env": environment,
                "ports": [{"containerPort": 8000, "hostPort": port}],
                "volumeMounts": [{"name": "shared", "mountPath": "/root/model_rest_api"}]}],
            "volumes": [{"name": "shared", "hostPath": {"path": str(folder), "type": "DirectoryOrCreate"}}]}}


def test_a_pod_serves_the_pack_from_its_host_path(tmp_path):
    if os.getuid() != 0:
        pytest.skip("volumes of pods need namespaces, which need root here")
    shared, port, api = tmp_path / "shared", free_port(), free_port()
    storage = Storage(shared / "storage", "iris")
    storage.put_sources(zipped({"requirements.txt": "scikit-learn\n"}))
    storage.put_model("20201103", sklearn_model())
    with running(["cluster", "--port", api, "--host-paths", shared], [api], tmp_path) as server:
        environment = dict(os.environ, KUBECONFIG=str(server.folder / "data/kubeconfig"), HOME=str(tmp_path))

        def kubectl(*arguments, stdin=None):
            done = subprocess.run([KUBECTL, *arguments], env=environment, input=stdin, capture_output=True, text=True,
                                  timeout=60)
            assert done.returncode == 0, done.stderr
            return done.stdout

        kubectl("apply", "-f", "-", stdin=json.dumps(pod(shared, port)))
        kubectl("wait", "--for=condition=Ready", "pod/model-rest-api", "--timeout=30s")
        # The document's http://localhost:8000/, and the pod's own address.
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 20
        while True:
            try:
                assert requests.post(url + "/", timeout=5).status_code == 503
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline, kubectl("logs", "model-rest-api")
                time.sleep(0.05)
        for path in ("/src_download", "/model_download"):
            answer = requests.get(url + path, timeout=60)
            assert answer.status_code == 200, answer.text
        assert requests.post(url + "/", timeout=5).json() == {"state": "done"}
        rows = [[5.1, 3.5, 1.4, 0.2]]
        answer = requests.post(url + "/result", json={"test": rows}, timeout=30)
        assert answer.json() == {"result": estimator(1.0).predict(rows).tolist()}
        address = kubectl("get", "pod", "model-rest-api", "-o", "jsonpath={.status.podIP}")
        assert requests.post(f"http://{address}:8000/", timeout=5).json() == {"state": "done"}
        assert "switched" in kubectl("logs", "model-rest-api")
        assert (shared / "iris/model/20201103.zip").exists() and (shared / "logs/my.log").exists()
        kubectl("delete", "pod", "model-rest-api")
        with pytest.raises(requests.ConnectionError):
            requests.post(url + "/", timeout=5)


def test_a_host_path_that_is_not_allowed_says_so(tmp_path):
    api = free_port()
    with running(["cluster", "--port", api, "--insecure"], [api], tmp_path) as server:
        url = f"http://127.0.0.1:{api}/api/v1/namespaces/default/pods"
        manifest = pod("/srv/models", 8000)
        assert requests.post(url, json=manifest, timeout=10).status_code == 201
        deadline = time.monotonic() + 10
        while True:
            status = requests.get(url + "/model-rest-api", timeout=10).json()["status"]
            if status.get("reason") == "HostPathNotAllowed":
                break
            assert time.monotonic() < deadline, status
            time.sleep(0.1)
        assert "--host-paths" in status["message"] and server.process.poll() is None
