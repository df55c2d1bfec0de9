#!/usr/bin/env python3
"""A gRPC unary echo of 100 bytes through h2load: server CPU for each call, on one loop, 16 connections of 8 streams."""

import re
import statistics
import subprocess
import sys

from common import RELEASE, cpu_seconds, folder, free_port, need, report, running

CALLS = 200_000
ROUNDS = 3


def main():
    print("gRPC")
    with folder() as work:
        body = work / "message"
        body.write_bytes(b"\0\0\0\0\x64" + b"x" * 100)
        port = free_port()
        with running([RELEASE / "netfixture", port, "none", 1], port, cpu=0) as server:
            command = ["taskset", "-c", "1", need("h2load", "nghttp2-client"), f"-n{CALLS}", "-c16", "-m8", "-t1",
                       "-d", str(body), "-H", "content-type: application/grpc", "-H", "te: trailers",
                       f"http://127.0.0.1:{port}/echo.Echo/Unary"]
            costs = []
            for _ in range(ROUNDS):
                before = cpu_seconds(server.pid)
                text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                costs.append((cpu_seconds(server.pid) - before) / CALLS * 1e6)
                done = re.search(r"(\d+) succeeded", text)
                if not done or int(done[1]) != CALLS:
                    sys.exit(f"h2load: not every call succeeded:\n{text}")
    cost = statistics.median(costs)
    passed = report("gRPC unary echo, 100 bytes, CPU per call", f"{cost:.2f} us", "<= 10 us", cost <= 10)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
