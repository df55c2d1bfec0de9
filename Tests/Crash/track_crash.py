"""Kills the tracking server with SIGKILL while clients log batches, restarts it, and checks that nothing acknowledged is lost.

    python Tests/Crash/track_crash.py [--rounds 20] [--binary .build/debug/slipway] [--seed N] [--engine sqlite|postgresql]

8 writers log batches of 50 metrics, a parameter and a tag to a run of their own, and upload an artifact through the proxy
after each. After each kill and restart every acknowledged batch must be there whole, the one under way whole or not at all,
the latest values must be those of the last batch that is there, and every acknowledged artifact must be there whole.
3 more register models: they make, describe, tag and delete versions, move aliases and rename the model. Each of these must be
as it was acknowledged last, or as the request that was under way would have left it, and no alias names a missing version.
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
import urllib.parse

from crash_tools import free_port

WRITERS, POINTS, REGISTRARS = 8, 50, 3
ABSENT = None
POSTGRES = str(pathlib.Path(__file__).resolve().parents[2] / "scripts/postgres")


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


class Unanswered(Exception):
    """Not acknowledged: it may or may not have happened."""


class Registrar:
    """One registered model. It makes one request at a time, so what may be there is what was acknowledged last or `pending`."""

    def __init__(self, number):
        self.number, self.acknowledged, self.pending, self.highest, self.calls = number, {}, {}, 0, 0
        self.names = [f"model-{number}-a", f"model-{number}-b"]
        self.refusal, self.thread = None, None

    def begin(self, port, seed):
        self.thread = threading.Thread(target=self.run, args=(port, random.Random(seed)), daemon=True)
        self.thread.start()

    def run(self, port, chance):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            while True:
                self.step(connection, chance)
        except (Unanswered, OSError, http.client.HTTPException):
            pass
        except Exception as error:
            self.refusal = repr(error)

    def call(self, connection, method, path, body, changes):
        """A request that makes `changes` (thing to value), which count once it is answered."""
        self.pending = changes
        connection.request(method, "/api/2.0/mlflow" + path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        # The database is away, or the fate of the commit is not known.
        if response.status in (503, 409):
            raise Unanswered(text)
        if response.status != 200:
            raise RuntimeError(f"{path} {body}: {response.status} {text[:300]}")
        self.acknowledged.update(changes)
        self.pending = {}
        self.calls += 1
        return json.loads(text)

    def versions(self):
        return sorted(thing[1] for thing, value in self.acknowledged.items() if thing[0] == "version" and value)

    def step(self, connection, chance):
        name, versions, dice = self.acknowledged.get(("name",)), self.versions(), chance.random()
        if not name:
            self.call(connection, "POST", "/registered-models/create", {"name": self.names[0]}, {("name",): self.names[0]})
        elif dice < 0.4 or not versions:
            number = self.highest + 1
            made = self.call(connection, "POST", "/model-versions/create", {"name": name, "source": f"s3://m/{number}"},
                             {("version", number): "there"})
            self.highest = number
            assert int(made["model_version"]["version"]) == number, f"version {made} was made, {number} is the next"
        elif dice < 0.55:
            alias, version = chance.choice(["champion", "challenger"]), chance.choice(versions)
            self.call(connection, "POST", "/registered-models/alias", {"name": name, "alias": alias, "version": str(version)},
                      {("alias", alias): version})
        elif dice < 0.6:
            self.call(connection, "DELETE", "/registered-models/alias", {"name": name, "alias": "challenger"},
                      {("alias", "challenger"): ABSENT})
        elif dice < 0.7:
            version, text = chance.choice(versions), str(chance.random())
            self.call(connection, "PATCH", "/model-versions/update", {"name": name, "version": str(version), "description": text},
                      {("description", version): text})
        elif dice < 0.8:
            version, text = chance.choice(versions), str(chance.random())
            self.call(connection, "POST", "/model-versions/set-tag",
                      {"name": name, "version": str(version), "key": "t", "value": text}, {("tag", version): text})
        elif dice < 0.9 and len(versions) > 1:
            # Never the newest: its number would be given again.
            version = chance.choice(versions[:-1])
            gone = {(kind, version): ABSENT for kind in ("version", "description", "tag")}
            gone.update({thing: ABSENT for thing, value in self.acknowledged.items() if thing[0] == "alias" and value == version})
            self.call(connection, "DELETE", "/model-versions/delete", {"name": name, "version": str(version)}, gone)
        else:
            other = next(text for text in self.names if text != name)
            self.call(connection, "POST", "/registered-models/rename", {"name": name, "new_name": other}, {("name",): other})

    def check(self, port):
        """Holds what is there against what may be, and goes on from it."""
        assert not self.refusal, self.refusal
        models = call(port, "GET", "/registered-models/search?max_results=1000").get("registered_models", [])
        names = [model["name"] for model in models if model["name"] in self.names]
        assert len(names) <= 1, f"a model has two names: {names}"
        found = {("name",): names[0] if names else ABSENT}
        if names:
            model = call(port, "GET", f"/registered-models/get?name={names[0]}")["registered_model"]
            found.update({("alias", entry["alias"]): int(entry["version"]) for entry in model.get("aliases", [])})
            query = urllib.parse.urlencode({"filter": f"name='{names[0]}'", "max_results": 10_000})
            for entry in call(port, "GET", f"/model-versions/search?{query}").get("model_versions", []):
                number = int(entry["version"])
                found["version", number] = "there"
                if entry.get("description"):
                    found["description", number] = entry["description"]
                found.update({("tag", number): tag["value"] for tag in entry.get("tags", []) if tag["key"] == "t"})
        before = {thing: self.acknowledged.get(thing, ABSENT) for thing in {*found, *self.acknowledged, *self.pending}}
        # The request under way happened whole or not at all.
        assert any(all(found.get(thing, ABSENT) == wanted.get(thing, value) for thing, value in before.items())
                   for wanted in ({}, self.pending)), (
            f"model {self.number}: {[(t, found.get(t), v) for t, v in before.items() if found.get(t) != v][:5]} "
            f"(there, acknowledged), under way {self.pending}")
        for thing, version in found.items():
            assert thing[0] != "alias" or ("version", version) in found, f"{thing} names the missing version {version}"
        self.acknowledged, self.pending = found, {}
        self.highest = max([self.highest, *self.versions()])
        return self.calls


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
        registrars = [Registrar(number) for number in range(REGISTRARS)]
        total = artifacts = 0
        for number in range(1, options.rounds + 1):
            writers = [Writer(port, run) for run in runs]
            for writer in writers:
                writer.next = positions[writer.run_id]
                writer.acknowledged = writer.next - 1
                writer.start()
            for registrar in registrars:
                registrar.begin(port, chance.random())
            time.sleep(chance.uniform(0.1, 0.6))
            if database and number % 2 == 0:
                postgres("restart", database, "immediate")
                # The writers go on through the crash; none of their batches may be lost or be there in part.
                time.sleep(chance.uniform(0.1, 0.3))
            process.send_signal(signal.SIGKILL)
            process.wait()
            for writer in writers:
                writer.join(15)
            for registrar in registrars:
                registrar.thread.join(15)
            process, seconds = start(options.binary, folder, port, flags)
            assert seconds < 2, f"the restart took {seconds:.1f} s"
            total = sum(check(port, writer) for writer in writers)
            artifacts += sum(check_artifacts(port, writer) for writer in writers)
            changes = sum(registrar.check(port) for registrar in registrars)
            positions = {writer.run_id: writer.next for writer in writers}
            print(f"round {number}: {total} batches whole, {changes} changes of models, restart {seconds * 1000:.0f} ms")
        print(f"ok: {total} batches, {total * POINTS} points, {artifacts} artifacts, {changes} changes of registered models, "
              "nothing acknowledged was lost")
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
