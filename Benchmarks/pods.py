#!/usr/bin/env python3
"""A pod of a registry's image beside `podman run` of the same image: from the request to the end of a command that does nothing.

Both run through an OCI runtime on an overlay of the same layer, alternating in one run. Needs root.
"""

import contextlib
import itertools
import json
import os
import pathlib
import subprocess
import sys
import time

import requests

from common import RELEASE, ROOT, folder, free_port, need, paired, report, running

sys.path.append(str(ROOT / "Tests" / "Clients" / "cluster"))
import images  # noqa: E402

ROUNDS = 15
NUMBERS = itertools.count()


def pod(url, image):
    """Seconds until a pod that was made has succeeded."""
    name = f"bench-{next(NUMBERS)}"
    pods = f"{url}/api/v1/namespaces/default/pods"
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "restartPolicy": "Never", "containers": [{"name": "main", "image": image, "command": ["sh", "-c", ":"]}]}}
    began = time.monotonic()
    made = requests.post(pods, json=manifest, timeout=10)
    made.raise_for_status()
    query = {"watch": "1", "fieldSelector": f"metadata.name={name}", "resourceVersion": made.json()["metadata"]["resourceVersion"],
             "timeoutSeconds": "30"}
    with contextlib.closing(requests.get(pods, params=query, stream=True, timeout=40)) as events:
        for line in events.iter_lines(chunk_size=None):
            phase = json.loads(line)["object"]["status"].get("phase")
            if phase == "Succeeded":
                elapsed = time.monotonic() - began
                requests.delete(f"{pods}/{name}", timeout=10).raise_for_status()
                return elapsed
            if phase == "Failed":
                break
    sys.exit(f"pod {name} did not succeed: {requests.get(f'{pods}/{name}', timeout=10).text}")


def podman(environment, image):
    """Seconds of `podman run`."""
    began = time.monotonic()
    # Its default limits are above what a container may have.
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
    subprocess.run([need("podman", "podman"), "run", "--rm", "--network", "none", *limits, image, "sh", "-c", ":"],
                   env=environment, check=True, capture_output=True)
    return time.monotonic() - began


def podman_environment(work, registry):
    """Settings that keep podman's images below `work` and let it speak plain HTTP to the registry."""
    (work / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{work}/storage"\nrunroot = "{work}/run"\n')
    (work / "registries.conf").write_text(f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    return dict(os.environ, CONTAINERS_STORAGE_CONF=str(work / "storage.conf"),
                CONTAINERS_REGISTRIES_CONF=str(work / "registries.conf"))


def main():
    print("pods of images")
    if os.geteuid() != 0:
        print("  not run: a server that is not root runs no images")
        return
    ports = [free_port(), free_port()]
    environment = dict(os.environ, SLIPWAY_DATA="data")
    with folder() as work:
        data = pathlib.Path(work) / "data"
        image = f"localhost:{ports[1]}/bench:v1"
        registry = [RELEASE / "slipway", "registry", "--data", data, "--port", str(ports[1]), "--login", "never"]
        cluster = [RELEASE / "slipway", "cluster", "--data", data, "--port", str(ports[0]), "--insecure"]
        with running(registry, ports[1], env=environment), running(cluster, ports[0], env=environment):
            images.Pusher(ports[1]).push("bench:v1", [images.host_layer()])
            url, peer = f"http://127.0.0.1:{ports[0]}", podman_environment(work, f"localhost:{ports[1]}")
            try:
                # The first of each pulls.
                pulled = [pod(url, image), podman(peer, image)]
                ours, theirs, ratio = paired(ROUNDS, lambda: pod(url, image), lambda: podman(peer, image))
            finally:
                subprocess.run(["podman", "system", "reset", "--force"], env=peer, capture_output=True)
    print(f"  the first time, with the pull: {pulled[0] * 1000:.0f} ms, podman {pulled[1] * 1000:.0f} ms")
    sys.exit(0 if report("pod made to succeeded", f"{ours * 1000:.0f} ms, podman run {theirs * 1000:.0f} ms = {ratio:.2f}",
                         "<= 1 x podman run", ratio <= 1) else 1)


if __name__ == "__main__":
    main()
