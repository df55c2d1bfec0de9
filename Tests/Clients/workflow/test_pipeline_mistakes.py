"""The third tutorial's likely mistakes through kubectl, with the manifests of the example."""

import json
import time

import pytest

from slipway_process import ROOT, free_port

MANIFESTS = ROOT / "examples/pipeline/manifests"


class Pipeline:
    """kubectl with the example's manifests in a namespace of the test's own."""

    def __init__(self, kubectl, namespace):
        self.kubectl, self.namespace = kubectl, namespace

    def __call__(self, *arguments, **named):
        return self.kubectl("-n", self.namespace, *arguments, **named)

    def apply(self, name, **named):
        text = (MANIFESTS / f"{name}.yaml").read_text().replace("job-ns", self.namespace)
        return self("apply", "-f", "-", stdin=text, **named)

    def until(self, text, *arguments, seconds=20):
        deadline = time.monotonic() + seconds
        while text not in (found := self(*arguments)):
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found

    def put(self, script):
        """Runs a script with the volume of the example."""
        self("apply", "-f", "-", stdin=json.dumps({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "writer"}, "spec": {
                "restartPolicy": "Never", "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "pvc-model-log"}}],
                "containers": [{"name": "main", "image": "busybox", "command": ["sh", "-ec", script],
                                "volumeMounts": [{"name": "v", "mountPath": "/model-log"}]}]}}))
        self("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/writer", "--timeout=20s")


@pytest.fixture
def pipeline(newest, namespace):
    return Pipeline(newest, namespace)


def test_the_namespace_was_not_applied(newest):
    text = newest("apply", "-f", str(MANIFESTS / "workflow-all.yaml"), fails=True)
    assert 'namespaces "job-ns" not found' in text


def test_another_namespace_than_the_manifests(newest, namespace):
    text = newest("apply", "-n", namespace, "-f", str(MANIFESTS / "pvc-model-log.yaml"), fails=True)
    assert f'the namespace from the provided object "job-ns" does not match the namespace "{namespace}"' in text


def test_the_rights_were_not_applied(pipeline):
    pipeline.apply("pvc-model-log")
    pipeline.apply("workflow-train-export")
    missing = f'serviceaccount "pipeline" not found in namespace {pipeline.namespace}'
    pipeline.until(missing, "describe", "workflow", "workflow-train-export")
    assert "CreateContainerConfigError" in pipeline("get", "pods")
    assert missing in pipeline("describe", "pods")


def test_the_claim_was_not_applied(pipeline):
    """The workflow's step, its pod and the server of the Deployment all say which claim, and go on once it is there."""
    pipeline.apply("rbac")
    pipeline.apply("workflow-train-export")
    missing = 'persistentvolumeclaim "pvc-model-log" not found: apply it, or correct claimName'
    pipeline.until(missing, "describe", "workflow", "workflow-train-export")
    assert missing in pipeline("describe", "pods") and "Pending" in pipeline("get", "pods")
    pipeline("delete", "workflow", "workflow-train-export")
    pipeline.apply("triton-deploy")
    pipeline.until(missing, "describe", "pods", "-l", "app=triton-server")
    waiting = pipeline("rollout", "status", "deployment/triton-server", "--timeout=1s", fails=True)
    assert "timed out" in waiting
    pipeline.apply("pvc-model-log")
    pipeline("rollout", "status", "deployment/triton-server", "--timeout=20s")


def test_nothing_was_exported(pipeline):
    """The server runs and is ready, but a person who wonders where the model is finds out from its log."""
    pipeline.apply("pvc-model-log")
    pipeline.apply("triton-deploy")
    pipeline("rollout", "status", "deployment/triton-server", "--timeout=20s")
    text = pipeline.until("the model repository holds no model", "logs", "deployment/triton-server")
    assert "/model-log/model_repository" in text and "NAME/1/model.onnx" in text


def test_what_was_exported_is_no_model(pipeline):
    pipeline.apply("pvc-model-log")
    pipeline.put("cd /model-log; mkdir -p model_repository/resnet18_mnist/1; echo nonsense > model_repository/resnet18_mnist/1/model.onnx")
    pipeline.apply("triton-deploy")
    text = pipeline.until("model is not loaded", "logs", "deployment/triton-server")
    assert "failed to load 'resnet18_mnist', version 1" in text
    pipeline.until("Readiness probe failed", "describe", "pods", "-l", "app=triton-server")
    assert "0/1" in pipeline("get", "pods", "-l", "app=triton-server")


def test_a_pod_that_is_not_there_or_is_over(pipeline):
    pipeline.apply("pvc-model-log")
    pipeline.put("true")
    assert 'pods "pvc-check" not found' in pipeline("exec", "pvc-check", "--", "sh", fails=True)
    assert 'pods "client" not found' in pipeline("logs", "client", fails=True)
    assert "cannot exec into a container in a completed pod" in pipeline("exec", "writer", "--", "sh", fails=True)


def test_the_cluster_is_not_up(newest, cluster, tmp_path):
    port = free_port()
    (tmp_path / "kubeconfig").write_text(cluster.kubeconfig.read_text().replace(f":{cluster.port}", f":{port}"))
    text = newest("--kubeconfig", str(tmp_path / "kubeconfig"), "get", "pods", fails=True)
    assert f"The connection to the server 127.0.0.1:{port} was refused" in text
