"""Kills the container registry with SIGKILL while clients push, delete and it collects, and checks that nothing is lost.

    python Tests/Crash/registry_crash.py [--rounds 20] [--binary .build/debug/slipway] [--seed N]

6 writers push images into repositories of their own: layers in one request, in chunks, or mounted from another writer's
repository, some of them the same bytes everywhere; then a manifest under a tag, sometimes an index over two of them. They
delete tags and manifests, and leave blobs that no manifest names. After each kill and restart every tag and manifest must
be what was acknowledged last or what was under way, every manifest that is there must have all its blobs and manifests with
the right bytes, lists must show what GET shows, uploads under way are refused as unknown, and the restart takes at most 2
seconds. Every other round two days pass in the index before the restart, so that the collection of garbage runs, and is
killed too; then what no manifest names must be gone. Needs only the standard library. Exit status 0 when every round held.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
import time

from crash_tools import ABSENT, Ledger, Server

WRITERS = 6
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
TWO_DAYS = 2 * 86_400 * 1_000_000_000
# Layers that every writer pushes now and then: one blob with many links.
COMMON = [random.Random(number).randbytes(50_000 * (number + 1)) for number in range(4)]


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Refused(Exception):
    """An answer that was not the expected one."""


class Client:
    """Plain requests over one connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def __call__(self, method, path, data=None, headers=None, expect=None):
        self.connection.request(method, path, data, headers or {})
        response = self.connection.getresponse()
        body = response.read()
        if expect is not None and response.status != expect:
            raise Refused(f"{method} {path}: {response.status} {body[:300]}")
        return response.status, response.headers, body


class Registry(Server):
    def start(self):
        """Starts the registry and returns the seconds until it was ready."""
        return self.launch(
            ["registry", "--data", self.folder, "--port", self.port],
            lambda: socket.create_connection(("127.0.0.1", self.port), 1).close())

    def age(self):
        """Lets two days pass for everything that is stored. The registry must not run."""
        index = sqlite3.connect(self.folder / "registry/index.db")
        index.execute("UPDATE objects SET modified_nanoseconds = modified_nanoseconds - ?", (TWO_DAYS,))
        index.commit()
        index.close()


class RegistryLedger(Ledger):
    """For each tag and manifest: what was acknowledged last, and what has been under way since then."""

    def __init__(self):
        super().__init__()
        # By repository: the blobs that were acknowledged, and those that other writers may mount.
        self.blobs, self.manifests = {}, {}

    def things(self, kind):
        with self.lock:
            return sorted(thing for thing in set(self.acknowledged) | set(self.pending) if thing[0] == kind)

    def keep_blob(self, repository, name):
        with self.lock:
            self.blobs.setdefault(repository, set()).add(name)

    def mountable(self, generator, repository):
        with self.lock:
            others = [(other, name) for other in sorted(self.blobs) if other != repository for name in sorted(self.blobs[other])]
        return generator.choice(others) if others else None


class Writer(threading.Thread):
    """Its repository is its own, so the order of its requests is the order of their effects."""

    def __init__(self, number, port, ledger, stop, seed):
        super().__init__(daemon=True)
        self.repository, self.ledger, self.stop = f"crash/writer-{number}", ledger, stop
        self.generator, self.client = random.Random(seed), Client(port)
        self.upload, self.refusal, self.pushed = None, None, 0

    def run(self):
        try:
            while not self.stop.is_set():
                chance = self.generator.random()
                if chance < 0.70:
                    self.push()
                elif chance < 0.78:
                    self.push_index()
                elif chance < 0.86:
                    self.delete_tag()
                elif chance < 0.94:
                    self.delete_manifest()
                else:
                    self.blob(self.generator.randbytes(10_000))
        except (OSError, http.client.HTTPException):
            # Not acknowledged: it may or may not have happened.
            pass
        except Refused as error:
            self.refusal = str(error)

    def known(self, kind):
        """Things of this repository that are there for certain."""
        return [thing for thing in self.ledger.things(kind)
                if thing[1] == self.repository and self.ledger.allowed(thing) - {ABSENT} and
                len(self.ledger.allowed(thing)) == 1]

    def blob(self, data):
        name, base = digest(data), f"/v2/{self.repository}/blobs/uploads/"
        way = self.generator.random()
        if way < 0.4:
            self.client("POST", f"{base}?digest={name}", data, expect=201)
        else:
            location = self.client("POST", base, expect=202)[1]["Location"]
            self.upload = location
            start = 0
            for _ in range(self.generator.randint(0, 3)):
                end = min(len(data), start + 1 + len(data) // 3)
                if end > start:
                    field = {"Content-Range": f"{start}-{end - 1}"}
                    self.client("PATCH", location, data[start:end], field, expect=202)
                start = end
            self.client("PUT", f"{location}?digest={name}", data[start:], expect=201)
            self.upload = None
        self.ledger.keep_blob(self.repository, name)
        return {"mediaType": "application/octet-stream", "digest": name, "size": len(data)}

    def layer(self):
        chance = self.generator.random()
        if chance < 0.2 and (found := self.ledger.mountable(self.generator, self.repository)):
            other, name = found
            status, headers, _ = self.client("POST", f"/v2/{self.repository}/blobs/uploads/?mount={name}&from={other}")
            if status == 201:
                self.ledger.keep_blob(self.repository, name)
                size = self.client("HEAD", f"/v2/{self.repository}/blobs/{name}", expect=200)[1]["Content-Length"]
                return {"mediaType": "application/octet-stream", "digest": name, "size": int(size)}
            # It went with the garbage of its repository; an upload has begun instead.
            if status != 202:
                raise Refused(f"mount: {status}")
            self.client("DELETE", headers["Location"], expect=204)
        if chance < 0.4:
            return self.blob(self.generator.choice(COMMON))
        return self.blob(self.generator.randbytes(self.generator.choice([0, 100, 65_537, 400_000])))

    def put_manifest(self, document, kind, children=()):
        data = json.dumps(document).encode()
        tag = f"v{self.generator.randint(0, 9)}"
        manifest, label = ("manifest", self.repository, digest(data)), ("tag", self.repository, tag)
        with self.ledger.lock:
            self.ledger.manifests[manifest[1:]] = set(children)
        self.ledger.intend(manifest, digest(data))
        self.ledger.intend(label, digest(data))
        self.client("PUT", f"/v2/{self.repository}/manifests/{tag}", data, {"Content-Type": kind}, expect=201)
        self.ledger.acknowledge(manifest, digest(data))
        self.ledger.acknowledge(label, digest(data))
        self.pushed += 1

    def push(self):
        config = self.blob(json.dumps({"seed": self.generator.random()}).encode())
        layers = [self.layer() for _ in range(self.generator.randint(1, 3))]
        self.put_manifest({"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": layers}, OCI)

    def push_index(self):
        found = self.known("manifest")[:2]
        entries = [{"mediaType": OCI, "digest": name, "size": 1} for _, _, name in found
                   if not self.ledger.manifests.get((self.repository, name))]
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries, "annotations": {"n": str(self.pushed)}}
        self.put_manifest(document, INDEX, [entry["digest"] for entry in entries])

    def delete_tag(self):
        if found := self.known("tag"):
            thing = self.generator.choice(found)
            self.ledger.intend(thing, ABSENT)
            self.client("DELETE", f"/v2/{thing[1]}/manifests/{thing[2]}", expect=202)
            self.ledger.acknowledge(thing, ABSENT)

    def delete_manifest(self):
        with self.ledger.lock:
            named = set().union(*(names for (owner, _), names in self.ledger.manifests.items() if owner == self.repository), set())
        if found := [thing for thing in self.known("manifest") if thing[2] not in named]:
            thing = self.generator.choice(found)
            tags = [tag for tag in self.ledger.things("tag") if tag[1] == self.repository and thing[2] in self.ledger.allowed(tag)]
            for one in [thing, *tags]:
                self.ledger.intend(one, ABSENT)
            self.client("DELETE", f"/v2/{thing[1]}/manifests/{thing[2]}", expect=202)
            for one in [thing, *tags]:
                self.ledger.acknowledge(one, ABSENT)


def pages(client, path, member):
    """Every entry of a list that comes in pages."""
    found, path = [], path + "?n=7"
    while path:
        status, headers, body = client("GET", path)
        if status == 404:
            return found
        found += json.loads(body)[member]
        path = headers["Link"].split(";")[0].strip("<>") if headers["Link"] else None
    return found


def check(port, ledger):
    """Every disagreement between the ledger and the registry, and what each repository's manifests name."""
    client, wrong, named = Client(port), [], {}
    for kind in ("tag", "manifest"):
        present = {}
        for thing in ledger.things(kind):
            status, _, body = client("GET", f"/v2/{thing[1]}/manifests/{thing[2]}")
            state = digest(body) if status == 200 else ABSENT if status == 404 else f"status {status}"
            if state not in ledger.allowed(thing):
                wrong.append(f"{thing} is {state}, allowed {sorted(ledger.allowed(thing))}")
            ledger.acknowledge(thing, state)
            if state != ABSENT:
                present.setdefault(thing[1], set()).add(thing[2])
                wrong += check_parts(client, thing[1], json.loads(body), named.setdefault(thing[1], set()))
        if kind == "tag":
            for repository in {thing[1] for thing in ledger.things(kind)}:
                listed = set(pages(client, f"/v2/{repository}/tags/list", "tags"))
                if listed != present.get(repository, set()):
                    wrong.append(f"the tags of {repository} differ from GET: {listed ^ present.get(repository, set())}")
        elif set(pages(client, "/v2/_catalog", "repositories")) != set(present):
            wrong.append(f"the catalog differs from GET: {set(present)}")
    return wrong, named


def check_parts(client, repository, document, named):
    """What a manifest names must be there, whole."""
    wrong = []
    for part in [document["config"], *document["layers"]] if "config" in document else []:
        if part["digest"] not in named:
            named.add(part["digest"])
            status, _, body = client("GET", f"/v2/{repository}/blobs/{part['digest']}")
            if status != 200 or digest(body) != part["digest"] or len(body) != part["size"]:
                wrong.append(f"a manifest of {repository} names {part['digest']}: {status}, {len(body)} bytes")
    for part in document.get("manifests", []):
        if client("HEAD", f"/v2/{repository}/manifests/{part['digest']}")[0] != 200:
            wrong.append(f"an index of {repository} names the missing manifest {part['digest']}")
    return wrong


def check_garbage(port, ledger, named):
    """Waits until what no manifest names is gone; what is wrong, and how much went."""
    client, deadline = Client(port), time.monotonic() + 20
    garbage = [(repository, name) for repository, names in ledger.blobs.items() for name in names
               if name not in named.get(repository, set())]
    for repository, name in garbage:
        while client("HEAD", f"/v2/{repository}/blobs/{name}")[0] != 404:
            if time.monotonic() > deadline:
                return [f"{repository} still has {name}, which no manifest names"], 0
            time.sleep(0.02)
        ledger.blobs[repository].discard(name)
    return [], len(garbage)


def check_uploads(port, writers):
    """An upload does not outlive its registry; the client is told to begin again."""
    client, wrong = Client(port), []
    for path in [writer.upload for writer in writers if writer.upload]:
        status, _, body = client("PATCH", path, b"more")
        if status != 404 or json.loads(body)["errors"][0]["code"] != "BLOB_UPLOAD_UNKNOWN":
            wrong.append(f"an upload from before the kill: {status} {body[:200]}")
    return wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--binary", default=os.environ.get("SLIPWAY_BIN", ".build/debug/slipway"))
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = arguments.parse_args()
    print(f"registry: seed {options.seed}, {options.rounds} rounds", flush=True)
    generator, ledger, failures, pushed, collected = random.Random(options.seed), RegistryLedger(), 0, 0, 0
    base = tempfile.mkdtemp(prefix="slipway-registry-crash-")
    server = Registry(options.binary, f"{base}/data", f"{base}/data.log")
    try:
        server.start()
        for number in range(1, options.rounds + 1):
            stop = threading.Event()
            writers = [Writer(w, server.port, ledger, stop, generator.random()) for w in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(generator.uniform(0.3, 1.5))
            server.kill()
            stop.set()
            for writer in writers:
                writer.join(30)
            pushed += sum(writer.pushed for writer in writers)
            wrong = [f"refused: {writer.refusal}" for writer in writers if writer.refusal]
            if number % 2 == 0:
                server.age()
                server.start()
                # Into the middle of the collection.
                time.sleep(generator.uniform(0, 0.3))
                server.kill()
            seconds = server.start()
            if seconds > 2:
                wrong.append(f"the start took {seconds:.2f} s")
            found, named = check(server.port, ledger)
            wrong += found + check_uploads(server.port, writers)
            if number % 2 == 0:
                found, count = check_garbage(server.port, ledger, named)
                collected += count
                wrong += found
                wrong += check(server.port, ledger)[0]
            failures += len(wrong)
            print(f"round {number}: {pushed} manifests pushed, {sum(map(len, named.values()))} blobs named, "
                  f"{len(wrong)} wrong, ready after {seconds * 1000:.0f} ms", flush=True)
            for line in wrong[:20]:
                print(f"  {line}", flush=True)
        print(f"ok: {pushed} manifests, nothing acknowledged was lost; {collected} blobs collected" if failures == 0 else f"{failures} wrong; see {base}")
    finally:
        server.end()
        if failures == 0:
            shutil.rmtree(base, ignore_errors=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
