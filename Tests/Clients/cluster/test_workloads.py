"""Deployments, Services and commands in pods, through every kubectl that the machine has."""

import concurrent.futures
import os
import pty
import select
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from manifests import text
from slipway_process import free_port, running
from waiting import until

SERVER = ["sh", "-c", "hostname > /tmp/index.html; cd /tmp; exec python3 -m http.server --bind $POD_IP 8000"]


def deployment(name="web", replicas=2, **container):
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [dict({
                    "name": "web", "image": "python:3", "command": SERVER,
                    "ports": [{"name": "http", "containerPort": 8000}],
                    "readinessProbe": {"httpGet": {"path": "/index.html", "port": "http"}}}, **container)]}}}}


def service(name="web", **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": dict(
        {"selector": {"app": name}, "ports": [{"port": 8080, "targetPort": "http"}]}, **spec)}


def shell(name="shell", **container):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "terminationGracePeriodSeconds": 1,
        "containers": [dict({"name": "main", "image": "busybox", "command": ["sleep", "1000"]}, **container)]}}


def get(address, port=8080, path="/index.html"):
    with urllib.request.urlopen(f"http://{address}:{port}{path}", timeout=5) as answer:
        return answer.read().decode().strip()


def test_deployment_behind_a_service(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(deployment(), service(type="LoadBalancer")))
    kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=30s")
    row = kubectl("get", "deployment", "web", "-n", namespace).splitlines()[1].split()
    assert row[:4] == ["web", "2/2", "2", "2"]
    address = kubectl("get", "svc", "web", "-n", namespace, "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
    assert address.startswith("127.") and address != "127.0.0.1"
    pods = {pod["metadata"]["name"] for pod in kubectl.json("get", "pods", "-n", namespace)["items"]}
    assert {get(address) for _ in range(4)} == pods
    listed = kubectl("get", "all", "-n", namespace)
    assert all(word in listed for word in ["deployment.apps/web", "replicaset.apps/web-", "service/web", "pod/web-"])
    assert "web-" in kubectl("describe", "deployment", "web", "-n", namespace)
    endpoints = [line for line in kubectl("describe", "service", "web", "-n", namespace).splitlines() if "Endpoints" in line]
    assert endpoints[0].count(":8000") == 2

    kubectl("scale", "deployment/web", "-n", namespace, "--replicas=3")
    kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=30s")
    kubectl("set", "image", "deployment/web", "web=python:3.12", "-n", namespace)
    kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=30s")
    assert kubectl("rollout", "history", "deployment/web", "-n", namespace).split()[-2:-1] == ["2"]
    kubectl("rollout", "undo", "deployment/web", "-n", namespace)
    kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=30s")
    stored = kubectl.json("get", "deployment", "web", "-n", namespace)
    assert stored["spec"]["template"]["spec"]["containers"][0]["image"] == "python:3"
    assert stored["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"

    kubectl("scale", "deployment/web", "-n", namespace, "--replicas=0")

    def refused():
        try:
            get(address)
        except (urllib.error.URLError, ConnectionError):
            return True
    until(refused)
    kubectl("delete", "deployment/web", "-n", namespace, "--timeout=20s")
    until(lambda: not kubectl.json("get", "pods", "-n", namespace)["items"])


def test_a_rollout_loses_no_request(newest):
    newest("create", "namespace", "rolling")
    newest("apply", "-n", "rolling", "-f", "-", stdin=text(deployment(), service()))
    newest("rollout", "status", "-n", "rolling", "deployment/web", "--timeout=30s")
    address = newest("get", "svc", "web", "-n", "rolling", "-o", "jsonpath={.spec.clusterIP}")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        done = pool.submit(lambda: (
            newest("rollout", "restart", "deployment/web", "-n", "rolling"),
            newest("rollout", "status", "deployment/web", "-n", "rolling", "--timeout=30s")))
        answers = 0
        while not done.done():
            assert get(address).startswith("web-")
            answers += 1
        done.result()
    assert answers > 3
    newest("delete", "namespace", "rolling", "--wait=false")


def test_created_by_kubectl_itself(kubectl, namespace):
    # Typed clients from 1.32 on send Protobuf here.
    kubectl("create", "deployment", "made", "--image=busybox", "-n", namespace)
    stored = kubectl.json("get", "deployment", "made", "-n", namespace)
    assert stored["spec"]["selector"]["matchLabels"] == {"app": "made"} and stored["spec"]["replicas"] == 1
    kubectl("expose", "deployment", "made", "--port=80", "-n", namespace)
    assert kubectl.json("get", "svc", "made", "-n", namespace)["spec"]["clusterIP"].startswith("127.")


def test_names_and_variables_in_pods(newest):
    newest("create", "namespace", "names")
    newest("apply", "-n", "names", "-f", "-", stdin=text(deployment(), service(), service(
        "late", selector={"app": "web"}), service("headless", clusterIP="None", selector={"app": "web"})))
    newest("rollout", "status", "-n", "names", "deployment/web", "--timeout=30s")
    newest("apply", "-n", "names", "-f", "-", stdin=text(shell()))
    newest("wait", "pod/shell", "-n", "names", "--for=condition=Ready", "--timeout=20s")

    def run(line):
        return newest("exec", "shell", "-n", "names", "--", "sh", "-c", line)
    address = newest("get", "svc", "web", "-n", "names", "-o", "jsonpath={.spec.clusterIP}")
    for name in ["web", "web.names", "web.names.svc", "web.names.svc.cluster.local"]:
        assert run(f"getent hosts {name}").split()[0] == address
        assert run(f"curl -s http://{name}:8080/index.html").startswith("web-")
    assert run("echo $WEB_SERVICE_HOST:$WEB_SERVICE_PORT").strip() == f"{address}:8080"
    assert run("echo $POD_IP").strip() == newest.json("get", "pod", "shell", "-n", "names")["status"]["podIP"]
    pods = {pod["status"]["podIP"] for pod in newest.json("get", "pods", "-l", "app=web", "-n", "names")["items"]}
    assert run("getent ahostsv4 headless").split()[0] in pods
    # A Service that comes later is seen by a pod that runs already.
    newest("apply", "-n", "names", "-f", "-", stdin=text(service("newer", selector={"app": "web"})))
    until(lambda: "newer.names.svc" in run("cat /etc/hosts"))
    newest("delete", "namespace", "names", "--wait=false")


def test_readiness_decides_about_endpoints(newest):
    newest("create", "namespace", "ready")
    probe = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1, "failureThreshold": 1}
    newest("apply", "-n", "ready", "-f", "-", stdin=text(deployment(replicas=1, readinessProbe=probe), service()))
    pod = until(lambda: newest("get", "pods", "-n", "ready", "-o", "name").strip())
    until(lambda: newest("get", pod, "-n", "ready").split()[-4:-2] == ["0/1", "Running"])
    endpoints = newest.json("get", "endpoints", "web", "-n", "ready")["subsets"]
    assert "addresses" not in endpoints[0] and len(endpoints[0]["notReadyAddresses"]) == 1
    newest("exec", pod, "-n", "ready", "--", "touch", "/tmp/ready")
    newest("wait", pod, "-n", "ready", "--for=condition=Ready", "--timeout=20s")
    newest("exec", pod, "-n", "ready", "--", "rm", "/tmp/ready")
    newest("wait", pod, "-n", "ready", "--for=condition=Ready=false", "--timeout=20s")
    assert "Readiness probe failed: command exited with 1" in newest("describe", pod, "-n", "ready")
    newest("delete", "namespace", "ready", "--wait=false")


def test_liveness_restarts(newest):
    newest("apply", "-f", "-", stdin=text(shell("sick", livenessProbe={
        "exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1})))
    until(lambda: newest.json("get", "pod", "sick")["status"]["containerStatuses"][0]["restartCount"] > 0, 40)
    assert "failed liveness probe, will be restarted" in newest("describe", "pod", "sick")
    newest("delete", "pod", "sick", "--now")


def test_node_port_and_endpoints_by_hand(cluster, newest):
    newest("create", "namespace", "hand")
    alone = service("hand", type="NodePort", ports=[{"port": 80}])
    del alone["spec"]["selector"]
    newest("apply", "-n", "hand", "-f", "-", stdin=text(alone, {
        "apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "hand"},
        "subsets": [{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": cluster.port}]}]}))
    node = newest.json("get", "svc", "hand", "-n", "hand")["spec"]["ports"][0]["nodePort"]

    def answered():
        try:
            # Plain HTTP to the cluster's own TLS port: refused by it, which shows that the connection got there.
            get("127.0.0.1", node, "/")
        except urllib.error.HTTPError as error:
            return error.code == 400
        except (urllib.error.URLError, ConnectionError):
            return False
    until(answered)
    newest("delete", "namespace", "hand", "--wait=false")


def test_two_clusters_at_once(cluster, newest, tmp_path):
    port = free_port()
    newest("apply", "-f", "-", stdin=text(service("same", ports=[{"port": 8080}])))
    with running(["cluster", "--port", port], [port], tmp_path) as other:
        second = type(newest)(newest.path, other.folder / "data" / "kubeconfig", tmp_path)
        second("apply", "-f", "-", stdin=text(service("same", ports=[{"port": 8080}])))
        addresses = [each.json("get", "svc", "same")["spec"]["clusterIP"] for each in (newest, second)]
        assert addresses[0].split(".")[1] != addresses[1].split(".")[1]
    newest("delete", "svc", "same")


def test_wrong_workloads_are_named(newest):
    wrong = deployment()
    wrong["spec"]["selector"]["matchLabels"] = {"app": "other"}
    assert "`selector` does not match template `labels`" in newest("create", "-f", "-", stdin=text(wrong), fails=True)
    wrong = deployment()
    wrong["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    assert 'supported values: "Always"' in newest("create", "-f", "-", stdin=text(wrong), fails=True)
    wrong = service(clusterIP="10.96.0.1")
    assert "not in the valid range" in newest("create", "-f", "-", stdin=text(wrong), fails=True)
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {
        "name": "widgets.example.com"}, "spec": {"group": "example.com", "scope": "Namespaced", "names": {
            "kind": "Widget", "plural": "widgets"}, "versions": [{"name": "v1", "served": True, "storage": True}]}}
    error = newest("create", "-f", "-", stdin=text(definition), fails=True)
    assert "this server has no kind widgets.example.com" in error


@pytest.fixture
def box(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(shell()))
    kubectl("wait", "pod/shell", "-n", namespace, "--for=condition=Ready", "--timeout=20s")
    return namespace


def test_exec(kubectl, box):
    run = ["exec", "shell", "-n", box]
    assert kubectl(*run, "--", "echo", "a b") == "a b\n"
    done = subprocess.run(
        [kubectl.path, *run, "--", "sh", "-c", "echo out; echo err >&2; exit 42"], env=kubectl.environment,
        capture_output=True, text=True, timeout=30)
    assert done.returncode == 42 and done.stdout == "out\n" and done.stderr.startswith("err\n")
    large = "0123456789" * 500_000
    assert kubectl(*run, "-i", "--", "cat", stdin=large) == large
    assert kubectl(*run, "-i", "--", "wc", "-c", stdin=large).strip() == "5000000"
    assert "executable file not found in $PATH: nothing" in kubectl(*run, "--", "nothing", fails=True)
    assert "container other is not valid for pod shell" in kubectl(*run, "-c", "other", "--", "true", fails=True)


def test_copy(kubectl, box, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(os.urandom(1_000_000))
    kubectl("cp", str(tmp_path / "folder"), f"{box}/shell:/tmp/folder")
    kubectl("cp", f"{box}/shell:/tmp/folder/file", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "folder" / "file").read_bytes()


def test_terminal(kubectl, box):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(kubectl.path, ["kubectl", "exec", "-it", "shell", "-n", box, "--", "sh"], kubectl.environment)
    output = b""

    def read_until(word):
        nonlocal output
        end = time.monotonic() + 20
        while word not in output and time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    output += os.read(terminal, 65536)
                except OSError:
                    break
        assert word in output, output

    read_until(b"# ")
    os.write(terminal, b"test -t 0 && echo is-a-$((1+1))-terminal; exit 9\n")
    read_until(b"is-a-2-terminal")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    os.close(terminal)


def test_a_client_that_leaves_takes_its_command_along(newest):
    newest("apply", "-f", "-", stdin=text(shell("left")))
    newest("wait", "pod/left", "--for=condition=Ready", "--timeout=20s")
    client = newest.start("exec", "left", "--", "sleep", "4243.25")
    # The pattern does not match the line of the command that looks.
    running = ["exec", "left", "--", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '4243[.]25' || true"]
    until(lambda: newest(*running).strip() == "1")
    client.kill()
    client.wait()
    until(lambda: newest(*running).strip() == "0")
    newest("delete", "pod", "left", "--now")


def test_what_is_not_served_says_so(newest):
    newest("apply", "-f", "-", stdin=text(shell("refusals")))
    newest("wait", "pod/refusals", "--for=condition=Ready", "--timeout=20s")
    assert "does not support" in newest("attach", "refusals", fails=True)
    newest("delete", "pod", "refusals", "--now")
