"""What people see when something is wrong."""

import json
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest
import yaml

from manifests import WORKFLOW, config_map, pod, text

PROTOBUF = "application/vnd.kubernetes.protobuf"


def test_unknown_field(kubectl, namespace):
    if "v1.20" in kubectl("version", "--client"):
        pytest.skip("this client does not ask for strict validation")
    wrong = pod()
    wrong["spec"]["containers"][0]["imagee"] = "x"
    wrong["spec"]["foo"] = 1
    error = kubectl("create", "-n", namespace, "-f", "-", stdin=text(wrong), fails=True)
    assert 'unknown field "spec.' in error or 'unknown field "foo"' in error
    flow = json.loads(json.dumps(WORKFLOW))
    flow["spec"]["entrypoit"] = "main"
    error = kubectl("create", "-n", namespace, "-f", "-", stdin=text(flow), fails=True)
    if "strict decoding error" in error:
        assert 'unknown field "spec.entrypoit"' in error


def test_unknown_field_is_a_warning_when_asked(newest):
    newest("create", "namespace", "warned")
    flow = json.loads(json.dumps(WORKFLOW))
    flow["spec"]["entrypoit"] = "main"
    newest("create", "-n", "warned", "-f", "-", "--validate=warn", stdin=text(flow))
    assert 'unknown field "spec.entrypoit"' in newest.warnings
    assert "entrypoit" not in newest.json("get", "wf", "flow", "-n", "warned")["spec"]


def test_wrong_type(newest):
    wrong = config_map()
    wrong["data"] = {"a": 1}
    error = newest("create", "-f", "-", stdin=text(wrong), fails=True)
    assert "cannot unmarshal number into field" in error and "data.a" in error


def test_missing_fields_are_all_named(newest):
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": {}}
    error = newest("create", "-f", "-", stdin=text(claim), fails=True)
    assert "spec.accessModes: Required value" in error and "spec.resources[storage]: Required value" in error
    claim["spec"] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "much"}}}
    assert "quantities must match" in newest("create", "-f", "-", stdin=text(claim), fails=True)


def test_unknown_kind_and_namespace(newest):
    odd = {"apiVersion": "example.com/v1", "kind": "Odd", "metadata": {"name": "x"}}
    assert 'no matches for kind "Odd"' in newest("create", "-f", "-", stdin=text(odd), fails=True)
    error = newest("create", "-n", "nowhere", "-f", "-", stdin=text(config_map()), fails=True)
    assert 'namespaces "nowhere" not found' in error
    assert "the server doesn't have a resource type" in newest("get", "odds", fails=True)


def test_bad_selectors(newest):
    error = newest("get", "pods", "--field-selector", "spec.color=red", fails=True)
    assert "field label not supported: spec.color" in error
    assert "unable to parse requirement" in newest("get", "pods", "-l", "a in (b", fails=True)


def test_pod_is_mostly_fixed(newest):
    newest("create", "-f", "-", stdin=text(pod("fixed")))
    patch = '{"spec":{"restartPolicy":"Always"}}'
    error = newest("patch", "pod", "fixed", "-p", patch, fails=True)
    assert "pod updates may not change fields" in error
    newest("delete", "pod", "fixed", "--now", "--wait=false")


def request(cluster, path, method="GET", body=None, token=None, kind="application/json"):
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    token = config["users"][0]["user"]["token"] if token is None else token
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    call = urllib.request.Request(f"https://127.0.0.1:{cluster.port}{path}", data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(call, context=ssl._create_unverified_context(), timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_wrong_token(cluster, newest):
    assert request(cluster, "/api/v1/pods", token="wrong")[0] == 401
    assert request(cluster, "/api/v1/pods", token="")[0] == 401
    assert json.loads(request(cluster, "/api/v1/pods", token="x")[1])["reason"] == "Unauthorized"
    for path in ["/healthz", "/livez", "/readyz", "/version"]:
        assert request(cluster, path, token="wrong")[0] == 200
    error = newest("--kubeconfig=/dev/null", f"--server=https://127.0.0.1:{cluster.port}", "--insecure-skip-tls-verify",
                   "--token=wrong", "get", "pods", fails=True)
    assert "Unauthorized" in error or "must be logged in" in error


def test_hostile_bodies(cluster):
    path = "/api/v1/namespaces/default/configmaps"
    deep = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","labels":' + b"[" * 100_000
    cases = [
        (b"", "application/json"), (b"null", "application/json"), (b"[]", "application/json"),
        (b"\xff\xfe", "application/json"), (deep, "application/json"), (b"a: [b", "application/yaml"),
        (b"k8s\0", PROTOBUF), (b"k8s\0\x12\xff\xff\xff\xff\xff", PROTOBUF), (b"x", PROTOBUF),
    ]
    for body, kind in cases:
        status, answer = request(cluster, path, "POST", body, kind=kind)
        assert status in (400, 415, 422), (status, body[:40], answer[:200])
        assert json.loads(answer)["kind"] == "Status"
    status, answer = request(cluster, path, "POST", b"{}", kind="text/csv")
    assert status == 415 and b"application/json" in answer
    status, answer = request(cluster, path, "POST", b'{"a":"' + b"x" * (3 << 20) + b'"}')
    assert status == 413 and json.loads(answer)["reason"] == "RequestEntityTooLarge"
    assert request(cluster, "/api/v1/namespaces/default/pods/..%2f..%2fsecrets")[0] in (400, 404)
    assert request(cluster, "/apis/none/v1/things")[0] == 404


def test_duplicate_fields(cluster):
    body = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}'
    path = "/api/v1/namespaces/default/configmaps"
    status, answer = request(cluster, path + "?fieldValidation=Strict", "POST", body)
    assert status == 400 and 'duplicate field \\"data.a\\"' in answer.decode()


def run(cluster, *arguments):
    return subprocess.run([cluster.arguments[0], *arguments], capture_output=True, text=True, timeout=20)


def test_port_in_use(cluster, tmp_path):
    done = run(cluster, "cluster", "--port", str(cluster.port), "--data", str(tmp_path))
    assert done.returncode == 1 and f"port {cluster.port}" in done.stderr and "in use" in done.stderr


def test_insecure_only_on_loopback(cluster, tmp_path):
    done = run(cluster, "cluster", "--insecure", "--bind", "0.0.0.0", "--data", str(tmp_path))
    assert done.returncode == 2 and "loopback" in done.stderr


def test_private_files(cluster):
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600
    token = yaml.safe_load(cluster.kubeconfig.read_text())["users"][0]["user"]["token"]
    assert token not in cluster.text()


def test_plain_http_is_refused(cluster):
    with socket.create_connection(("127.0.0.1", cluster.port), timeout=5) as plain:
        plain.sendall(b"GET /api/v1/pods HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b'"items"' not in plain.recv(4096)
