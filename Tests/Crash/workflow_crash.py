"""kill -9 of the cluster server in the middle of workflows: each ends with the right result, and no step runs twice.

Every step appends one line to a file of its own on a claim. A round starts a workflow of chained and parallel steps, kills
the server at random moments while it runs, starts it again, and in the end counts lines, phases and processes.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time
import urllib.request

from crash_tools import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("SLIPWAY_BIN", str(ROOT / ".build/debug/slipway"))
PARALLEL = 6


class Cluster(Server):
    def start(self):
        self.launch(
            ["cluster", "--port", self.port, "--insecure", "--data", self.folder / "data"],
            lambda: self.call("GET", "/version"))

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, data=json.dumps(body).encode() if body else None,
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def claim():
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "lines"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}


def workflow(name, randomness):
    script = "sleep {{inputs.parameters.pause}}; echo ran >> /lines/{{workflow.name}}-{{inputs.parameters.id}}; echo {{inputs.parameters.id}}"

    def step(name, identity):
        return {"name": name, "template": "work", "arguments": {"parameters": [
            {"name": "id", "value": identity}, {"name": "pause", "value": f"{randomness.random() * 0.15:.3f}"}]}}

    return {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name},
        "spec": {
            "entrypoint": "main",
            "volumes": [{"name": "lines", "persistentVolumeClaim": {"claimName": "lines"}}],
            "templates": [
                {"name": "main", "steps": [
                    [step("first", "first")],
                    [step(f"side-{index}", f"side-{index}") for index in range(PARALLEL)],
                    [step("last", "{{steps.first.outputs.result}}-last")]]},
                {"name": "work", "inputs": {"parameters": [{"name": "id"}, {"name": "pause"}]},
                 "container": {"image": "busybox", "command": ["sh", "-c", script],
                               "volumeMounts": [{"name": "lines", "mountPath": "/lines"}]}}]}}


def run_round(server, number, randomness):
    name = f"round-{number}"
    base = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows"
    server.call("POST", base, workflow(name, randomness))
    for _ in range(randomness.randint(1, 3)):
        time.sleep(randomness.random() * 0.25)
        server.kill()
        time.sleep(randomness.random() * 0.1)
        server.start()
    deadline = time.time() + 60
    while True:
        status = server.call("GET", f"{base}/{name}").get("status", {})
        if status.get("finishedAt"):
            break
        assert time.time() < deadline, f"{name} does not end: {json.dumps(status)[:2000]}"
        time.sleep(0.02)
    assert status["phase"] == "Succeeded", json.dumps(status)[:3000]
    volume = next((server.folder / "data/cluster/volumes").iterdir())
    expected = ["first", "first-last"] + [f"side-{index}" for index in range(PARALLEL)]
    for identity in expected:
        lines = (volume / f"{name}-{identity}").read_text().splitlines()
        assert lines == ["ran"], f"{name}: step {identity} ran {len(lines)} times"
    pods = [node for node in status["nodes"].values() if node["type"] == "Pod"]
    assert len(pods) == len(expected) and all(node["phase"] == "Succeeded" for node in pods)


def launchers(folder):
    """Processes whose environment or command still belongs to the steps of this run."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str(folder).encode() in (entry / "cmdline").read_bytes():
                    found.append(entry.name)
            except OSError:
                pass
    return found


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = arguments.parse_args()
    print(f"workflow crash test: {options.rounds} rounds, seed {options.seed}")
    randomness = random.Random(options.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-crash-"))
    server = Cluster(BINARY, folder, folder / "server.log")
    try:
        server.start()
        server.call("POST", "/api/v1/namespaces/default/persistentvolumeclaims", claim())
        for number in range(options.rounds):
            run_round(server, number, randomness)
        server.stop()
        left = launchers(folder)
        assert not left, f"processes left: {left}"
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{options.rounds} rounds: every workflow Succeeded, every step ran once")


if __name__ == "__main__":
    sys.exit(main())
