#!/usr/bin/env python3
"""`slipway up` on an empty folder: the time until every port is served, and the memory of all roles together at rest."""

import os
import pathlib
import signal
import subprocess
import sys
import time

from common import RELEASE, folder, free_port, report

ROLES = ["store", "track", "infer-http", "infer-grpc", "infer-metrics", "cluster", "registry", "console"]
ROUNDS = 5


def memory_mib(process):
    """Proportional memory of a process and its children: pages that several share count once."""
    children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    total = 0
    for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            total = int(line.split()[1]) / 1024
    return total + sum(memory_mib(child) for child in children)


def start(work):
    """Seconds until `up` says that every port is served, and the memory a second later."""
    flags = [f"--{role}-port={free_port()}" for role in ROLES]
    started = time.monotonic()
    process = subprocess.Popen(
        [RELEASE / "slipway", "up", "--data", work, *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("SLIPWAY")})
    for line in process.stdout:
        if line.startswith("ready after"):
            break
    else:
        sys.exit("slipway up ended before it was ready")
    seconds = time.monotonic() - started
    time.sleep(1)
    memory = memory_mib(process.pid)
    process.send_signal(signal.SIGINT)
    process.wait(10)
    return seconds, memory


def main():
    print("slipway up")
    results = []
    for _ in range(ROUNDS):
        with folder() as work:
            results.append(start(work))
    seconds, memory = min(result[0] for result in results), max(result[1] for result in results)
    passed = [
        report("every port ready on an empty folder", f"{seconds * 1000:.0f} ms", "<= 1000 ms", seconds <= 1),
        report("all roles idle, proportional memory", f"{memory:.0f} MB", "<= 150 MB", memory <= 150),
    ]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
