"""kubectl port-forward, through every kubectl that the machine has: SPDY itself, and from 1.31 on in a WebSocket."""

import concurrent.futures
import contextlib
import hashlib
import re
import socket
import time
import urllib.request

import pytest

from manifests import text

SERVER = ("head -c 8000000 /dev/urandom > /tmp/large; echo hello > /tmp/index.html; cd /tmp; "
          "exec python3 -m http.server --bind $POD_IP 8000")
# Answers what it was sent, turned round, once the sender has finished: half-closed connections have to work.
ECHO = """
import os, socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read()[::-1])
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
Server((os.environ["POD_IP"], 7000), Handler).serve_forever()
"""


def pod(name, *command):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": {
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": "python:3", "command": list(command)}]}}


@contextlib.contextmanager
def forwarded(kubectl, namespace, target, port):
    """kubectl port-forward to a free port of this machine, which it names."""
    process = kubectl.start("port-forward", "-n", namespace, target, f":{port}", "--address=127.0.0.1")
    try:
        line = process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+) -> ", line)
        assert found, line + process.stderr.read()
        yield int(found.group(1)), process
    finally:
        process.kill()
        process.wait()


def get(port, path="/index.html"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.read()


def start(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(
        pod("web", "sh", "-c", SERVER), pod("echo", "python3", "-c", ECHO)))
    kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/web", "pod/echo", "--timeout=30s")
    for name, port in (("web", 8000), ("echo", 7000)):
        address = kubectl.json("get", "pod", name, "-n", namespace)["status"]["podIP"]
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
                break
            assert time.monotonic() < end, kubectl("logs", name, "-n", namespace)
            time.sleep(0.05)
    return namespace


@pytest.fixture
def servers(kubectl, namespace):
    return start(kubectl, namespace)


@pytest.fixture(scope="module")
def newest_servers(newest):
    newest("create", "namespace", "forwarded")
    yield start(newest, "forwarded")
    newest("delete", "namespace", "forwarded", "--wait=false")


def test_port_forward(kubectl, servers):
    with forwarded(kubectl, servers, "pod/web", 8000) as (port, process):
        assert get(port) == b"hello\n"
        # Many connections at once, each with 8 MB.
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            bodies = list(pool.map(lambda _: hashlib.sha256(get(port, "/large")).hexdigest(), range(8)))
        assert len(set(bodies)) == 1
        assert process.poll() is None
    with forwarded(kubectl, servers, "pod/echo", 7000) as (port, _):
        for size in (1, 3_000_000):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                sent = bytes(range(256)) * (size // 256 + 1)
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
                received = b""
                while part := client.recv(1 << 16):
                    received += part
                assert received == sent[::-1]


def test_a_client_that_leaves_early_harms_no_other(newest, newest_servers):
    with forwarded(newest, newest_servers, "pod/web", 8000) as (port, process):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                client.sendall(b"GET /large HTTP/1.0\r\n\r\n")
                client.recv(1000)
        assert get(port) == b"hello\n" and process.poll() is None


def test_through_a_service(newest, newest_servers):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
               "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]}}
    newest("apply", "-n", newest_servers, "-f", "-", stdin=text(service))
    with forwarded(newest, newest_servers, "service/web", 80) as (port, _):
        assert get(port) == b"hello\n"


def test_nothing_listens(newest, newest_servers):
    with forwarded(newest, newest_servers, "pod/web", 81) as (port, process):
        with pytest.raises(OSError):
            get(port)
        line = process.stderr.readline()
        assert "nothing listens on port 81 of pod web (127." in line and "$(POD_IP)" in line


def test_a_pod_that_does_not_run(newest, newest_servers):
    newest("run", "late", "-n", newest_servers, "--image=nowhere.invalid/none", "--restart=Never")
    said = newest("port-forward", "-n", newest_servers, "pod/late", ":80", fails=True)
    assert "pod is not running. Current status=Pending" in said
