"""Workflows through kubectl: what runs, what fails and how it says so."""

import json
import pathlib
import subprocess
import time

import pytest

MANIFESTS = pathlib.Path(__file__).resolve().parent / "manifests"


class Workflows:
    def __init__(self, kubectl, namespace):
        self.kubectl, self.namespace = kubectl, namespace

    def __call__(self, *arguments, **named):
        return self.kubectl("-n", self.namespace, *arguments, **named)

    def apply(self, name):
        self("apply", "-f", str(MANIFESTS / f"{name}.yaml"))

    def get(self, name):
        return json.loads(self("get", "wf", name, "-o", "json"))

    def until(self, name, test, seconds=20):
        deadline = time.monotonic() + seconds
        while True:
            status = self.get(name).get("status", {})
            if test(status):
                return status
            assert time.monotonic() < deadline, json.dumps(status)[:2000]
            time.sleep(0.1)

    def run(self, name, phase="Succeeded"):
        self.apply(name)
        status = self.until(name, lambda status: status.get("finishedAt"))
        assert status["phase"] == phase, json.dumps(status)[:2000]
        return status

    def pod(self, name, status, display):
        node = next(node for node in status["nodes"].values() if node["displayName"] == display)
        pods = json.loads(self("get", "pods", "-l", f"workflows.argoproj.io/workflow={name}", "-o", "json"))["items"]
        return next(pod["metadata"]["name"] for pod in pods
                    if pod["metadata"]["annotations"]["workflows.argoproj.io/node-id"] == node["id"])


@pytest.fixture
def workflows(newest, namespace):
    return Workflows(newest, namespace)


def node(status, display):
    return next(node for node in status["nodes"].values() if node["displayName"] == display)


def test_hello(workflows):
    status = workflows.run("hello")
    assert status["progress"] == "1/1"
    assert "Succeeded" in workflows("get", "wf")
    assert "Completed" in workflows("get", "pods")
    assert workflows("logs", "hello") == "hello from a step\n"
    assert "WorkflowSucceeded" in workflows("describe", "wf", "hello")
    stamped = workflows("logs", "hello", "--timestamps")
    assert stamped.startswith("20") and stamped.endswith("Z hello from a step\n")
    workflows("wait", "--for=condition=Completed", "wf/hello", "--timeout=5s")


def test_steps(workflows):
    status = workflows.run("steps")
    assert node(status, "left")["outputs"]["result"] == "left good morning"
    assert node(status, "right")["outputs"]["result"] == "right good morning"
    assert node(status, "[1]")["type"] == "StepGroup"
    assert workflows("logs", workflows.pod("steps", status, "left")) == "left good morning\n"


def test_diamond(workflows):
    status = workflows.run("diamond")
    assert node(status, "D")["outputs"]["result"] == "BACA"
    assert node(status, "E")["phase"] == "Omitted"


def test_outputs_artifacts_and_loops_over_results(workflows):
    status = workflows.run("outputs")
    parameters = {p["name"]: p["value"] for p in node(status, "make")["outputs"]["parameters"]}
    assert parameters == {"text": "a {{steps.none}} 'quoted'\nsecond line", "missing": "standard"}
    # The value is data: what looks like a tag in it is never looked at again.
    assert node(status, "use")["outputs"]["result"] == "contenta {{steps.none}} 'quoted'\nsecond line"
    assert node(status, "sum")["outputs"]["result"] == '["number 1","number 2","number 3"]'
    assert node(status, "each(1:2)")["outputs"]["result"] == "number 2"


def test_exit_code_and_exit_handler(workflows):
    status = workflows.run("failing", "Failed")
    bad = node(status, "bad")
    assert bad["outputs"]["exitCode"] == "3" and bad["message"] == "main: Error (exit code 3)"
    assert node(status, "cry")["outputs"]["result"] == "status Failed"
    assert node(status, "celebrate")["type"] == "Skipped"
    pod = workflows.pod("failing", status, "bad")
    assert "about to fail" in workflows("logs", pod)
    assert "Exit Code:    3" in workflows("describe", "pod", pod)


def test_retry(workflows):
    status = workflows.run("retry")
    assert [node(status, f"retry({index})")["phase"] for index in range(3)] == ["Failed", "Failed", "Succeeded"]
    assert node(status, "retry")["type"] == "Retry"


def test_loops(workflows):
    status = workflows.run("loops")
    results = {n["displayName"]: n.get("outputs", {}).get("result") for n in status["nodes"].values()}
    assert results["items(2:c d)"] == "c d"
    assert results["maps(0:os:debian,version:12)"] == "debian/12"
    assert results["sequence(1:n009)"] == "n009"
    assert node(status, "maps(1:os:windows,version:11)")["message"] == "when 'windows != windows' evaluated false"


def test_volumes_and_private_roots(workflows):
    status = workflows.run("volumes")
    assert node(status, "read")["outputs"]["result"].split("\n")[0] == "kept"
    assert "Bound" in workflows("get", "pvc", "shared")
    assert not pathlib.Path("/file").exists()


def test_unknown_image_says_what_to_do(workflows):
    workflows.apply("unknown-image")
    status = workflows.until("unknown-image", lambda s: "ImagePullBackOff" in json.dumps(s.get("nodes", {})))
    message = node(status, "unknown-image")["message"]
    said = "registry 127.0.0.1:1 does not answer"
    assert 'image "127.0.0.1:1/none:1"' in message and said in message and "check its address and that it runs" in message
    assert "ImagePullBackOff" in workflows("get", "pods")
    assert said in workflows("describe", "pod", "unknown-image")
    assert said in workflows("logs", "unknown-image", fails=True)


def test_missing_claim(workflows):
    workflows("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "waits"},
        "spec": {"containers": [{"name": "main", "image": "busybox", "command": ["true"]}], "restartPolicy": "Never",
                 "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "none"}}]}}))
    deadline = time.monotonic() + 10
    while 'persistentvolumeclaim "none" not found' not in (text := workflows("describe", "pod", "waits")):
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    assert "Pending" in workflows("get", "pod", "waits")
    # It starts once the claim is there.
    workflows("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "none"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}))
    workflows("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/waits", "--timeout=10s")


@pytest.mark.parametrize("spec, words", [
    ({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k"}}}]}, 'configmap "none" not found'),
    ({"envFrom": [{"secretRef": {"name": "none"}}]}, 'secret "none" not found'),
])
def test_missing_configuration(workflows, spec, words):
    container = {"name": "main", "image": "busybox", "command": ["true"], **spec}
    workflows("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "waits"}, "spec": {"containers": [container]}}))
    deadline = time.monotonic() + 10
    while words not in (text := workflows("describe", "pod", "waits")):
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    assert "CreateContainerConfigError" in workflows("get", "pod", "waits")


def test_host_path_is_refused(workflows):
    workflows("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "host"},
        "spec": {"containers": [{"name": "main", "image": "busybox", "command": ["true"]}],
                 "volumes": [{"name": "etc", "hostPath": {"path": "/etc"}}]}}))
    workflows("wait", "--for=jsonpath={.status.phase}=Failed", "pod/host", "--timeout=10s")
    assert "hostPath /etc is not among the folders this server allows" in workflows("describe", "pod", "host")


def test_delete_ends_every_process(workflows):
    workflows.apply("long")
    workflows.until("long", lambda status: status.get("nodes", {}).get("long", {}).get("phase") == "Running")
    follower = workflows.kubectl.start("-n", workflows.namespace, "logs", "-f", "long")
    assert follower.stdout.readline() == "begun\n"
    assert subprocess.run(["pgrep", "-fc", "sleep 987654"], capture_output=True, text=True).stdout.strip() >= "2"
    workflows("delete", "wf", "long")
    workflows("delete", "pod", "long", "--now", "--ignore-not-found")
    deadline = time.monotonic() + 20
    while subprocess.run(["pgrep", "-f", "sleep 987654"], capture_output=True).returncode == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    follower.wait(10)


@pytest.mark.parametrize("change, words", [
    ({"hooks": {"exit": {"template": "run"}}}, "spec.hooks is not supported here"),
    ({"entrypoint": "none"}, "template name 'none' undefined"),
])
def test_what_is_not_supported_is_named(workflows, change, words):
    spec = {"entrypoint": "run", "templates": [{"name": "run", "container": {"image": "busybox", "command": ["true"]}}]}
    spec.update(change)
    workflows("create", "--validate=false", "-f", "-", stdin=json.dumps({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "odd"}, "spec": spec}))
    status = workflows.until("odd", lambda status: status.get("finishedAt"))
    assert status["phase"] == "Error" and words in status["message"]


def test_a_row_added_to_the_image_table_lets_the_pod_start(workflows, cluster):
    workflows("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "later"},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "team/later:2", "command": ["true"]}]}}))
    workflows("wait", "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff", "pod/later")
    table = cluster.folder / "data" / "cluster" / "images.json"
    table.write_text(json.dumps({"images": {"team/*": {"environment": {"A": "b"}}}}))
    workflows("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/later", "--timeout=20s")
    table.unlink()
