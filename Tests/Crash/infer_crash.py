"""Kills the inference server with SIGKILL while models are loaded, unloaded and called, restarts it, and checks what serves.

    python Tests/Crash/infer_crash.py [--rounds 20] [--binary .build/debug/slipway] [--seed N]

One client loads and unloads eight models at random, four others call whatever serves. After each kill and restart exactly
the models of the last acknowledged load or unload serve (the change under way may have happened or not), and every answer,
before and after, is right. Exit status 0 when every round held.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

from crash_tools import Server, free_port

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "Tests/Clients/infer"))
import models  # noqa: E402

NAMES = [f"add{number}" for number in range(8)]


def call(port, path, body, connection=None):
    """Status and parsed body of a POST."""
    connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    return response.status, json.loads(text) if text else None


def infer(port, name, value, connection=None):
    body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [value]}]}
    return call(port, f"/v2/models/{name}/infer", body, connection)


def serving(port):
    status, entries = call(port, "/v2/repository/index", {"ready": True})
    assert status == 200, entries
    return {entry["name"] for entry in entries}


class Infer(Server):
    def start(self):
        ports = ["--http-port", self.port, "--grpc-port", free_port(), "--metrics-port", free_port()]
        self.launch(
            ["infer", "--data", self.folder / "data", "--model-repository", self.folder / "models",
             "--model-control-mode", "explicit", *ports, "--log-level", "error"],
            self.is_ready, dict(os.environ, SLIPWAY_RUNTIME=str(ROOT / "runtime")))

    def is_ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        connection.request("GET", "/v2/health/ready")
        return connection.getresponse().status == 200


class Controller(threading.Thread):
    """Loads and unloads; knows what was acknowledged and what was under way."""

    def __init__(self, port, loaded, chance):
        super().__init__(daemon=True)
        self.port, self.loaded, self.chance, self.under_way = port, set(loaded), chance, None

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while True:
                name = self.chance.choice(NAMES)
                action = "unload" if name in self.loaded else "load"
                self.under_way = name
                status, body = call(self.port, f"/v2/repository/models/{name}/{action}", {}, connection)
                assert status == 200, body
                self.loaded ^= {name}
                self.under_way = None
        except (OSError, http.client.HTTPException, ValueError):
            pass


class Caller(threading.Thread):
    def __init__(self, port, chance):
        super().__init__(daemon=True)
        self.port, self.chance, self.right, self.wrong = port, chance, 0, []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while True:
                number = self.chance.randrange(len(NAMES))
                value = float(self.chance.randrange(1000))
                status, body = infer(self.port, NAMES[number], value, connection)
                if status == 200 and body["outputs"][0]["data"] == [value + number]:
                    self.right += 1
                elif status == 200 or status >= 500:
                    self.wrong.append((NAMES[number], status, body))
        except (OSError, http.client.HTTPException, ValueError):
            pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--binary", default=".build/debug/slipway")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.rounds} rounds")
    chance = random.Random(options.seed)
    folder = tempfile.mkdtemp(prefix="slipway-infer-crash-")
    for number, name in enumerate(NAMES):
        models.add_constant(f"{folder}/models", name, number)
    server = Infer(options.binary, folder, f"{folder}/infer.log")
    server.start()
    try:
        loaded, answers = set(), 0
        for number in range(1, options.rounds + 1):
            controller = Controller(server.port, loaded, random.Random(chance.random()))
            callers = [Caller(server.port, random.Random(chance.random())) for _ in range(4)]
            for thread in [controller, *callers]:
                thread.start()
            time.sleep(chance.uniform(0.1, 0.6))
            server.kill()
            for thread in [controller, *callers]:
                thread.join(35)
            assert not any(caller.wrong for caller in callers), [caller.wrong[:2] for caller in callers]
            answers += sum(caller.right for caller in callers)
            server.start()
            found = serving(server.port)
            different = found ^ controller.loaded
            assert different <= {controller.under_way}, \
                f"acknowledged {sorted(controller.loaded)}, under way {controller.under_way}, serving {sorted(found)}"
            for name in found:
                status, body = infer(server.port, name, 1.0)
                assert status == 200 and body["outputs"][0]["data"] == [1.0 + NAMES.index(name)], body
            loaded = found
            print(f"round {number}: {len(found)} models serve as acknowledged, {answers} right answers so far")
        print(f"ok: {answers} answers, none wrong; no acknowledged load or unload was lost")
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
