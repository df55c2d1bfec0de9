"""Kills the tracking server with SIGKILL while clients log batches, restarts it, and checks that nothing acknowledged is lost.

    python Tests/Crash/track_crash.py [--rounds 20] [--binary .build/debug/slipway] [--seed N] [--engine sqlite|postgresql]

8 writers log batches of 50 metrics, a parameter and a tag to a run of their own, and upload an artifact through the proxy
after each. After each kill and restart every acknowledged batch must be there whole, the one under way whole or not at all,
the latest values must be those of the last batch that is there, and every acknowledged artifact must be there whole.
With PostgreSQL every other round crashes the database server instead (`pg_ctl -m immediate`), and the tracking server has to
come back by itself. Without --engine both are tried, PostgreSQL where it is installed. Needs only the standard library. Exit
status 0 when every round held.
"""

import argparse
import glob
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

WRITERS, POINTS = 8, 50
POSTGRES = str(pathlib.Path(__file__).resolve().parents[2] / "scripts/postgres")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(port, method, path, body=None, connection=None):
    connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    data = json.dumps(body) if body is not None else None
    connection.request(method, "/api/2.0/mlflow" + path, data, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status} {text[:300]}")
    return json.loads(text)


def postgres(*words):
    done = subprocess.run([POSTGRES, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def start(binary, folder, port, flags):
    process = subprocess.Popen(
        [binary, "track", "--data", folder, "--port", str(port), "--log-level", "error", *flags],
        stdout=subprocess.DEVNULL, stderr=open(f"{folder}.log", "ab"))
    began = time.monotonic()
    while time.monotonic() - began < 20:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, time.monotonic() - began
        except OSError:
            if process.poll() is not None:
                raise SystemExit("the server ended: " + open(f"{folder}.log").read()[-2000:])
            time.sleep(0.01)
    raise SystemExit("the server was not ready in 20 s")


def artifact(run, batch):
    return f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/part-{batch}.bin"


def contents(run, batch):
    """Up to some 300 KB that say whose they are."""
    return f"{run} {batch} ".encode() * (1 + batch * 7919 % 8000)


def check_artifacts(port, writer):
    for batch in writer.artifacts:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", artifact(writer.run_id, batch))
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, f"the acknowledged artifact {batch} of {writer.run_id} is missing: {response.status}"
        assert body == contents(writer.run_id, batch), f"the artifact {batch} of {writer.run_id} is not whole"
        connection.close()
    return len(writer.artifacts)


class Writer(threading.Thread):
    def __init__(self, port, run):
        super().__init__(daemon=True)
        self.port, self.run_id, self.next, self.acknowledged = port, run, 0, -1
        self.artifacts = []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            while True:
                batch = self.next
                body = {
                    "run_id": self.run_id,
                    "metrics": [
                        {"key": f"m{i % 5}", "value": batch, "timestamp": batch, "step": batch * POINTS + i}
                        for i in range(POINTS)
                    ],
                    "params": [{"key": f"p{batch}", "value": str(batch)}], "tags": [{"key": "last", "value": str(batch)}],
                }
                call(self.port, "POST", "/runs/log-batch", body, connection)
                self.acknowledged = batch
                self.next += 1
                connection.request("PUT", artifact(self.run_id, batch), contents(self.run_id, batch))
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    self.artifacts.append(batch)
        except (OSError, http.client.HTTPException, ValueError):
            pass


def check(port, writer):
    run = call(port, "GET", f"/runs/get?run_id={writer.run_id}")["run"]["data"]
    stored = {int(p["key"][1:]) for p in run.get("params", [])}
    expected = set(range(writer.acknowledged + 1))
    assert expected <= stored, f"acknowledged batches are missing: {sorted(expected - stored)[:5]}"
    assert stored <= expected | {writer.next}, f"batches nobody sent: {sorted(stored - expected)[:5]}"
    steps = set()
    for index in range(5):
        history = call(port, "GET", f"/metrics/get-history?run_id={writer.run_id}&metric_key=m{index}")
        steps |= {m["step"] for m in history.get("metrics", [])}
    assert steps == {b * POINTS + i for b in stored for i in range(POINTS)}, "a batch is there in part"
    if stored:
        last = max(stored)
        assert {t["key"]: t["value"] for t in run["tags"]}["last"] == str(last)
        assert {m["value"] for m in run["metrics"]} == {float(last)}, "latest values are not those of the last batch"
    writer.next = max(stored, default=-1) + 1
    return len(stored)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--binary", default=".build/debug/slipway")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--engine", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    engines = [options.engine] if options.engine else ["sqlite"] + ["postgresql"] * bool(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    for engine in engines:
        print(f"{engine}: seed {options.seed}, {options.rounds} rounds")
        database, flags = None, []
        if engine == "postgresql":
            database_port = free_port()
            database = postgres("start", str(database_port), "crash", "crash", "crash", str(os.getpid()))
            flags = ["--backend-store-uri", f"postgresql://crash:crash@127.0.0.1:{database_port}/crash"]
        try:
            crash(options, flags, database)
        finally:
            if database:
                postgres("stop", database)


def crash(options, flags, database):
    chance = random.Random(options.seed)
    folder = tempfile.mkdtemp(prefix="slipway-track-crash-")
    port = free_port()
    process, _ = start(options.binary, folder, port, flags)
    try:
        runs = [call(port, "POST", "/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"] for _ in range(WRITERS)]
        positions = dict.fromkeys(runs, 0)
        total = artifacts = 0
        for number in range(1, options.rounds + 1):
            writers = [Writer(port, run) for run in runs]
            for writer in writers:
                writer.next = positions[writer.run_id]
                writer.acknowledged = writer.next - 1
                writer.start()
            time.sleep(chance.uniform(0.1, 0.6))
            if database and number % 2 == 0:
                postgres("restart", database, "immediate")
                # The writers go on through the crash; none of their batches may be lost or be there in part.
                time.sleep(chance.uniform(0.1, 0.3))
            process.send_signal(signal.SIGKILL)
            process.wait()
            for writer in writers:
                writer.join(15)
            process, seconds = start(options.binary, folder, port, flags)
            assert seconds < 2, f"the restart took {seconds:.1f} s"
            total = sum(check(port, writer) for writer in writers)
            artifacts += sum(check_artifacts(port, writer) for writer in writers)
            positions = {writer.run_id: writer.next for writer in writers}
            print(f"round {number}: {total} batches whole, restart {seconds * 1000:.0f} ms")
        print(f"ok: {total} batches, {total * POINTS} points, {artifacts} artifacts, nothing acknowledged was lost")
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
