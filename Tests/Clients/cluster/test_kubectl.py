"""Every verb that people use, through every kubectl that the machine has."""

import json
import time

import pytest
import yaml

from manifests import NOT_RUNNABLE, WORKFLOW, config_map, pod, text


def test_api_resources(kubectl):
    listed = kubectl("api-resources")
    for word in ["configmaps", "persistentvolumeclaims", "workflows", "rolebindings", "pods"]:
        assert word in listed
    assert "wf" in kubectl("api-resources", "--api-group=argoproj.io")
    assert "argoproj.io/v1alpha1" in kubectl("api-versions")


def test_version(kubectl):
    assert json.loads(kubectl("version", "-o", "json"))["serverVersion"]["minor"] == "32"


def test_apply_new_same_changed(kubectl, namespace):
    manifest = text(config_map(), WORKFLOW)
    assert kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest).count("created") == 2
    assert kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest).count("unchanged") == 2
    changed = json.loads(json.dumps(WORKFLOW))
    changed["spec"]["templates"][1]["container"]["command"] = ["echo", "ho"]
    manifest = text(config_map(b="2"), changed)
    assert kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest).count("configured") == 2
    stored = kubectl.json("get", "cm", "settings", "-n", namespace)
    assert stored["data"] == {"b": "2"}
    flow = kubectl.json("get", "wf", "flow", "-n", namespace)
    assert flow["spec"]["templates"][1]["container"]["command"] == ["echo", "ho"]
    assert flow["metadata"]["generation"] == 2


def test_strategic_merge_of_lists(kubectl, namespace):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "svc"}, "spec": {
        "selector": {"app": "x"}, "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}}
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(service))
    service["spec"]["ports"] = [{"name": "b", "port": 81}, {"name": "c", "port": 82}]
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(service))
    ports = kubectl.json("get", "svc", "svc", "-n", namespace)["spec"]["ports"]
    assert [port["port"] for port in ports] == [81, 82]


def test_server_side_apply(kubectl, namespace):
    arguments = ["apply", "--server-side", "-n", namespace, "-f", "-"]
    kubectl(*arguments, stdin=text(config_map(a="1", b="2")))
    kubectl(*arguments, stdin=text(config_map(a="1")))
    assert kubectl.json("get", "cm", "settings", "-n", namespace)["data"] == {"a": "1"}
    error = kubectl(*arguments, "--field-manager=other", stdin=text(config_map(a="3")), fails=True)
    assert "conflict with \"kubectl\"" in error and ".data.a" in error
    kubectl(*arguments, "--field-manager=other", "--force-conflicts", stdin=text(config_map(a="3")))
    assert kubectl.json("get", "cm", "settings", "-n", namespace)["data"] == {"a": "3"}


def test_get_in_every_form(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(pod(), config_map(), WORKFLOW))
    table = kubectl("get", "pods", "-n", namespace).splitlines()
    assert table[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"] and table[1].split()[0] == "box"
    assert "NODE" in kubectl("get", "pods", "-n", namespace, "-o", "wide")
    assert kubectl("get", "wf", "-n", namespace).splitlines()[0].split() == ["NAME", "STATUS", "AGE", "MESSAGE"]
    assert yaml.safe_load(kubectl("get", "cm", "settings", "-n", namespace, "-o", "yaml"))["data"] == {"a": "1"}
    assert kubectl("get", "pod", "box", "-n", namespace, "-o", "jsonpath={.spec.containers[0].image}") == NOT_RUNNABLE
    assert kubectl("get", "cm", "settings", "-n", namespace, "-o", "name").strip() == "configmap/settings"
    assert "pod/box" in kubectl("get", "all", "-n", namespace)
    assert namespace in kubectl("get", "pods", "-A")
    assert "box" in kubectl("get", "pods", "-n", namespace, "-l", "app in (box, other),!absent")
    assert kubectl("get", "pods", "-n", namespace, "-l", "app!=box", "-o", "name") == ""
    assert "box" in kubectl("get", "pods", "-n", namespace, "--field-selector", "metadata.name=box")
    kubectl("get", "pods", "-n", namespace, "--sort-by=.metadata.name")
    for kind in ["ns", "pvc", "secrets", "sa", "events", "nodes", "svc", "roles", "clusterroles", "rolebindings"]:
        kubectl("get", kind, "-n", namespace)


def test_watch(kubectl, namespace):
    watching = kubectl.start("get", "cm", "-n", namespace, "-w", "-o", "name")
    time.sleep(1)
    for name in ["one", "two"]:
        kubectl("create", "configmap", name, "-n", namespace, "--from-literal=a=b")
    time.sleep(0.5)
    watching.terminate()
    output = watching.communicate(timeout=10)[0]
    assert "configmap/one" in output and "configmap/two" in output


def test_typed_creates(kubectl, namespace):
    """From 1.32 on these bodies are Protobuf."""
    kubectl("create", "configmap", "made", "-n", namespace, "--from-literal=key=value")
    assert kubectl.json("get", "cm", "made", "-n", namespace)["data"] == {"key": "value"}
    kubectl("create", "secret", "generic", "hidden", "-n", namespace, "--from-literal=user=me")
    secret = kubectl.json("get", "secret", "hidden", "-n", namespace)
    assert secret["data"] == {"user": "bWU="} and secret["type"] == "Opaque"
    kubectl("create", "serviceaccount", "robot", "-n", namespace)
    kubectl("create", "role", "reader", "-n", namespace, "--verb=get,list", "--resource=pods,pods/log")
    assert kubectl.json("get", "role", "reader", "-n", namespace)["rules"] == [
        {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]}]
    kubectl("create", "rolebinding", "reads", "-n", namespace, "--role=reader", f"--serviceaccount={namespace}:robot")
    binding = kubectl.json("get", "rolebinding", "reads", "-n", namespace)
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "robot", "namespace": namespace}]
    assert binding["roleRef"]["name"] == "reader"
    error = kubectl("create", "configmap", "made", "-n", namespace, fails=True)
    assert 'configmaps "made" already exists' in error


def test_create_with_generated_name(kubectl, namespace):
    flow = dict(WORKFLOW, metadata={"generateName": "flow-"})
    first = kubectl("create", "-n", namespace, "-f", "-", "-o", "name", stdin=text(flow)).strip()
    second = kubectl("create", "-n", namespace, "-f", "-", "-o", "name", stdin=text(flow)).strip()
    assert first != second and first.startswith("workflow.argoproj.io/flow-")


def test_patch_types(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(config_map(a="1"), WORKFLOW))

    def patch(kind, *arguments, **keywords):
        return kubectl("patch", *kind.split("/"), "-n", namespace, *arguments, **keywords)

    patch("cm/settings", "-p", '{"data":{"b":"2"}}')
    patch("cm/settings", "--type=merge", "-p", '{"data":{"a":null}}')
    patch("cm/settings", "--type=json", "-p", '[{"op":"add","path":"/data/c","value":"3"}]')
    assert kubectl.json("get", "cm", "settings", "-n", namespace)["data"] == {"b": "2", "c": "3"}
    error = patch("wf/flow", "-p", '{"spec":{"priority":1}}', fails=True)
    assert "strategic-merge-patch+json is not supported" in error or "UnsupportedMediaType" in error
    patch("wf/flow", "--type=merge", "-p", '{"spec":{"priority":1}}')
    error = patch("cm/settings", "--type=json", "-p", '[{"op":"remove","path":"/data/none"}]', fails=True)
    assert "/data/none" in error or "The request is invalid" in error  # the older clients say no more


def test_label_annotate_replace(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(config_map()))
    kubectl("label", "cm", "settings", "-n", namespace, "tier=web")
    kubectl("annotate", "cm", "settings", "-n", namespace, "note=words with spaces")
    stored = kubectl.json("get", "cm", "settings", "-n", namespace)
    assert stored["metadata"]["labels"] == {"tier": "web"}
    kubectl("label", "cm", "settings", "-n", namespace, "tier-")
    error = kubectl("replace", "-n", namespace, "-f", "-", stdin=json.dumps(stored), fails=True)
    assert "Conflict" in error and "please apply your changes to the latest version" in error
    fresh = kubectl.json("get", "cm", "settings", "-n", namespace)
    fresh["data"] = {"z": "26"}
    kubectl("replace", "-n", namespace, "-f", "-", stdin=json.dumps(fresh))
    assert kubectl.json("get", "cm", "settings", "-n", namespace)["data"] == {"z": "26"}


def test_delete(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(config_map("one"), config_map("two"), pod()))
    assert "deleted" in kubectl("delete", "cm", "one", "-n", namespace)
    assert "NotFound" in kubectl("get", "cm", "one", "-n", namespace, fails=True)
    kubectl("delete", "cm", "--all", "-n", namespace)
    kubectl("delete", "pod", "box", "-n", namespace, "--now")
    assert 'configmaps "one" not found' in kubectl("delete", "cm", "one", "-n", namespace, fails=True)
    assert kubectl("delete", "cm", "one", "-n", namespace, "--ignore-not-found") == ""


def test_delete_waits_for_finalizers(kubectl, namespace):
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    kubectl("create", "-n", namespace, "-f", "-", stdin=text(held))
    kubectl("delete", "cm", "held", "-n", namespace, "--wait=false")
    assert "deletionTimestamp" in kubectl.json("get", "cm", "held", "-n", namespace)["metadata"]
    waiting = kubectl.start("wait", "--for=delete", "cm/held", "-n", namespace, "--timeout=10s")
    time.sleep(0.5)
    kubectl("patch", "cm", "held", "-n", namespace, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert waiting.wait(15) == 0
    assert "NotFound" in kubectl("get", "cm", "held", "-n", namespace, fails=True)


def test_delete_namespace(kubectl):
    kubectl("create", "namespace", "doomed")
    kubectl("apply", "-n", "doomed", "-f", "-", stdin=text(config_map()))
    kubectl("delete", "namespace", "doomed", "--timeout=20s")
    assert "NotFound" in kubectl("get", "ns", "doomed", fails=True)
    error = kubectl("create", "configmap", "late", "-n", "doomed", fails=True)
    assert 'namespaces "doomed" not found' in error


def test_wait_for_condition(kubectl, namespace):
    kubectl("create", "-n", namespace, "-f", "-", stdin=text(WORKFLOW))
    waiting = kubectl.start("wait", "--for=condition=Checked", "wf/flow", "-n", namespace, "--timeout=15s")
    time.sleep(1)
    patch = '{"status":{"conditions":[{"type":"Checked","status":"True"}]}}'
    kubectl("patch", "wf", "flow", "-n", namespace, "--type=merge", "-p", patch)
    assert waiting.wait(20) == 0, waiting.communicate()[1]


def test_describe(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(pod(), config_map(), WORKFLOW))
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "box.1"}, "type": "Warning", "reason": "Odd",
        "message": "something is odd", "involvedObject": {
            "kind": "Pod", "name": "box", "namespace": namespace, "apiVersion": "v1",
            "uid": kubectl.json("get", "pod", "box", "-n", namespace)["metadata"]["uid"]}}
    kubectl("create", "-n", namespace, "-f", "-", stdin=text(event))
    assert "something is odd" in kubectl("describe", "pod", "box", "-n", namespace)
    assert "Entrypoint:" in kubectl("describe", "wf", "flow", "-n", namespace)
    assert "settings" in kubectl("describe", "cm", "settings", "-n", namespace)
    assert "Active" in kubectl("describe", "ns", namespace)
    kubectl("describe", "node", "slipway")


def test_auth(kubectl):
    assert kubectl("auth", "can-i", "create", "pods").strip() == "yes"
    assert "*.*" in kubectl("auth", "can-i", "--list")


def test_explain(kubectl):
    if "v1.2" in kubectl("version", "--client"):
        pytest.skip("this client explains from OpenAPI v2, which is empty here")
    assert "entrypoint" in kubectl("explain", "workflow.spec")
    assert "claimName" in kubectl("explain", "pod.spec.volumes.persistentVolumeClaim")


def test_dry_run(kubectl, namespace):
    if "v1.20" in kubectl("version", "--client"):
        pytest.skip("this client asks OpenAPI v2, which is empty here, whether the server can")
    manifest = text(config_map("dry"))
    kubectl("create", "-n", namespace, "-f", "-", "--dry-run=server", stdin=manifest)
    kubectl("apply", "-n", namespace, "-f", "-", "--dry-run=server", stdin=manifest)
    assert "NotFound" in kubectl("get", "cm", "dry", "-n", namespace, fails=True)
    bad = text(config_map("Not_A_Name"))
    error = kubectl("create", "-n", namespace, "-f", "-", "--dry-run=server", stdin=bad, fails=True)
    assert "a lowercase RFC 1123 subdomain" in error


def test_raw_paths(kubectl):
    assert kubectl("get", "--raw", "/healthz") == "ok"
    assert "apiserver_request_total" in kubectl("get", "--raw", "/metrics")
