"""hostPort of containers: a port of this machine that leads to the pod, for as long as the pod lives."""

import contextlib
import itertools
import os
import socket
import urllib.request

import pytest

from conftest import clients
from manifests import text
from waiting import until

ON_POD_ADDRESS = "echo $HOSTNAME > /tmp/index.html; cd /tmp; exec python3 -m http.server --bind $POD_IP {port}"
ON_EVERY_ADDRESS = "echo $HOSTNAME > /tmp/index.html; cd /tmp; exec python3 -m http.server {port}"


NUMBERS = itertools.count()


@pytest.fixture
def namespace(newest):
    name = f"host-ports-{next(NUMBERS)}"
    newest("create", "namespace", name)
    yield name
    newest("delete", "namespace", name, "--wait=false")


def pod(name, host_port, port=8000, command=ON_POD_ADDRESS, **entry):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "terminationGracePeriodSeconds": 1, "containers": [{
            "name": "web", "image": "python:3", "command": ["sh", "-c", command.format(port=port)],
            "ports": [dict({"containerPort": port, "hostPort": host_port}, **entry)]}]}}


def get(port, address="127.0.0.1"):
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}:{port}/index.html", timeout=5) as answer:
        return answer.read().decode().strip()


def scheduling(newest, namespace, name):
    """What the condition PodScheduled says."""
    conditions = newest.json("get", "pod", name, "-n", namespace)["status"].get("conditions", [])
    return next((c.get("message") for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False"), None)


def test_a_host_port_leads_to_the_pod(newest, namespace):
    port = clients.free_port()
    newest("apply", "-n", namespace, "-f", "-", stdin=text(pod("web", port)))
    assert until(lambda: get(port)) == "web"
    address = newest.json("get", "pod", "web", "-n", namespace)["status"]["podIP"]
    assert get(8000, address) == "web"
    newest("delete", "pod", "web", "-n", namespace)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))


def test_the_same_port_on_both_sides(newest, namespace):
    """Whether the server listens on its pod's address or, as containers are written, on every address."""
    for name, command in (("one", ON_POD_ADDRESS), ("every", ON_EVERY_ADDRESS)):
        port = clients.free_port()
        newest("apply", "-n", namespace, "-f", "-", stdin=text(pod(name, port, port=port, command=command)))
        assert until(lambda: get(port)) == name
        newest("delete", "pod", name, "-n", namespace)


def test_host_ip(newest, namespace):
    port = clients.free_port()
    newest("apply", "-n", namespace, "-f", "-", stdin=text(pod("web", port, hostIP="127.0.0.5")))
    assert until(lambda: get(port, "127.0.0.5")) == "web"
    assert get(port) is None
    newest("apply", "-n", namespace, "-f", "-", stdin=text(pod("far", port, hostIP="192.0.2.1")))
    assert until(lambda: scheduling(newest, namespace, "far")).endswith("hostIP 192.0.2.1 is not an address of this machine")


def test_a_port_of_another_pod(newest, namespace):
    port = clients.free_port()
    newest("apply", "-n", namespace, "-f", "-", stdin=text(pod("first", port)))
    until(lambda: get(port))
    newest("apply", "-n", namespace, "-f", "-", stdin=text(pod("second", port)))
    message = until(lambda: scheduling(newest, namespace, "second"))
    assert message.startswith("0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports")
    assert message.endswith(f"port {port} belongs to pod {namespace}/first")
    assert newest.json("get", "pod", "second", "-n", namespace)["status"]["phase"] == "Pending"
    newest("delete", "pod", "first", "-n", namespace)
    # Its turn comes at once, not at the next look.
    assert until(lambda: get(port), 5) == "second"


def test_a_port_of_another_process(newest, namespace):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        newest("apply", "-n", namespace, "-f", "-", stdin=text(pod("web", port)))
        message = until(lambda: scheduling(newest, namespace, "web"))
        assert f"127.0.0.1:{port} is in use by process {os.getpid()} (" in message, message
        until(lambda: "FailedScheduling" in newest("get", "events", "-n", namespace))
    assert until(lambda: get(port)) == "web"


def test_wrong_numbers_are_refused(newest, namespace):
    said = newest("apply", "-n", namespace, "-f", "-", stdin=text(pod("web", 70000)), fails=True)
    assert "spec.containers[0].ports[0].hostPort" in said and "must be between 1 and 65535, inclusive" in said
