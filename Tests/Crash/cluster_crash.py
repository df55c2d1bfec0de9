"""Kills the cluster server with SIGKILL while clients write objects, and checks that nothing is lost.

    python Tests/Crash/cluster_crash.py [--rounds 20] [--binary .build/debug/slipway] [--seed N]

8 writers create, patch and delete config maps. After each kill and restart every object must hold what was acknowledged
last, or what a request under way asked for; acknowledged deletes stay deleted; resource versions never go back; and the
token and certificate of the first start still hold. Needs only the standard library. Exit status 0 when all held.
"""

import argparse
import base64
import http.client
import json
import random
import shutil
import ssl
import sys
import tempfile
import threading
import time

from crash_tools import Server

WRITERS = 8
PATH = "/api/v1/namespaces/default/configmaps"


class Cluster(Server):
    def start(self):
        """Starts the cluster and returns the seconds until it was ready."""
        # The kubeconfig is written once the port is open; its authority must fit what is served.
        return self.launch(
            ["cluster", "--data", self.folder, "--port", self.port, "--log-level", "warning"],
            lambda: self.connect().request("GET", "/readyz"))

    def connect(self):
        with open(f"{self.folder}/kubeconfig", encoding="utf-8") as file:
            config = json.load(file)
        authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        self.token = config["users"][0]["user"]["token"]
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)
        connection.connect()
        return connection

    def call(self, connection, method, path, body=None, kind="application/json"):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def write(server, number, state, stop, seed):
    """`state[name]` is the set of values the object may have; None stands for absent."""
    choose = random.Random(seed)
    names = [f"w{number}-{index}" for index in range(20)]
    try:
        connection = server.connect()
        while not stop.is_set():
            name = choose.choice(names)
            known = state.get(name, {None})
            value = str(choose.randrange(1 << 30))
            if known == {None}:
                state[name] = {None, value}
                body = {"metadata": {"name": name}, "data": {"v": value}}
                status, _ = server.call(connection, "POST", PATH, body)
                assert status == 201, status
                state[name] = {value}
            elif choose.random() < 0.3:
                state[name] = known | {None}
                status, _ = server.call(connection, "DELETE", f"{PATH}/{name}")
                assert status == 200, status
                state[name] = {None}
            else:
                state[name] = known | {value}
                status, _ = server.call(
                    connection, "PATCH", f"{PATH}/{name}", {"data": {"v": value}}, "application/merge-patch+json")
                assert status == 200, status
                state[name] = {value}
            state["writes"] = state.get("writes", 0) + 1
    except (OSError, http.client.HTTPException, ValueError):
        return


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--binary", default=".build/debug/slipway")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    choose = random.Random(options.seed)
    folder = tempfile.mkdtemp(prefix="cluster-crash-")
    server = Cluster(options.binary, f"{folder}/data", f"{folder}/server.log")
    states = [{} for _ in range(WRITERS)]
    highest, slowest, writes = 0, 0.0, 0
    try:
        for round_number in range(options.rounds + 1):
            slowest = max(slowest, server.start())
            status, listed = server.call(server.connect(), "GET", PATH)
            assert status == 200
            present = {item["metadata"]["name"]: item["data"]["v"] for item in listed["items"]}
            version = int(listed["metadata"]["resourceVersion"])
            assert version >= highest, f"resource versions went back from {highest} to {version}"
            highest = version
            for state in states:
                writes += state.pop("writes", 0)
                for name, values in state.items():
                    found = present.get(name)
                    assert found in values, f"round {round_number}: {name} is {found}, acknowledged {values}"
                    state[name] = {found}
            if round_number == options.rounds:
                break
            stop = threading.Event()
            threads = [
                threading.Thread(target=write, args=(server, number, states[number], stop, choose.random()))
                for number in range(WRITERS)]
            for thread in threads:
                thread.start()
            time.sleep(choose.uniform(0.05, 0.5))
            server.kill()
            stop.set()
            for thread in threads:
                thread.join()
        server.stop()
        print(f"{options.rounds} rounds, {writes} acknowledged writes, none lost; slowest start {slowest:.2f} s")
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
