#!/usr/bin/env python3
"""The network core beside nginx, in one run: CPU time per request, never wall time, since the machine is shared.

The server under test and nginx run on CPU 0 with one loop and one worker, the load on CPU 1.
"""

import json
import pathlib
import re
import socket
import subprocess
import sys

from common import (
    RELEASE, cpu_seconds, folder, free_port, need, nginx_configuration, paired, report, resident_peak_mib, running, wrk)

FIXTURE = RELEASE / "netfixture"
THRESHOLDS = json.loads((pathlib.Path(__file__).parent / "thresholds.json").read_text())
ROUNDS = 5
SECONDS = 2

NGINX = """
    location = / {{ default_type text/plain; return 200 "{body}"; }}
    location = /file {{ alias {file}; }}
"""


def cost(process, url, connections):
    """CPU microseconds of the server for each request."""
    before = cpu_seconds(process.pid)
    requests = wrk(url, connections, SECONDS, cpu=1)
    return (cpu_seconds(process.pid) - before) / requests * 1e6


def beside_nginx(work):
    file = work / "one-mebibyte"
    file.write_bytes(bytes(range(256)) * 4096)
    work.chmod(0o755)
    ours_port, nginx_port = free_port(), free_port()
    configuration = nginx_configuration(work, nginx_port, NGINX.format(body="x" * 100, file=file))
    nginx = need("nginx", "nginx-light")
    passed = True
    with running([FIXTURE, ours_port, file, 1], ours_port, cpu=0) as ours, \
            running([nginx, "-c", configuration], nginx_port, cpu=0) as peer:
        small, peer_small, ratio = paired(
            ROUNDS, lambda: cost(ours, f"http://127.0.0.1:{ours_port}/", 64),
            lambda: cost(peer, f"http://127.0.0.1:{nginx_port}/", 64))
        passed &= report("100-byte GET, 64 connections, CPU per request",
                         f"{small:.2f} us, nginx {peer_small:.2f} us, ratio {ratio:.2f}", "<= 1.10 x nginx", ratio <= 1.10)
        file_ours, file_peer, ratio = paired(
            ROUNDS, lambda: cost(ours, f"http://127.0.0.1:{ours_port}/file", 16),
            lambda: cost(peer, f"http://127.0.0.1:{nginx_port}/file", 16))
        passed &= report("1 MiB file GET, 16 connections, bytes per CPU second",
                         f"{1e6 / file_ours / 1024:.1f} GiB, nginx {1e6 / file_peer / 1024:.1f}, ratio {1 / ratio:.2f}",
                         ">= 0.90 x nginx", 1 / ratio >= 0.90)
    return passed


def put_memory(work):
    """Peak memory of a server that takes 2 GiB in one request."""
    port = free_port()
    size = 2 << 30
    with running([FIXTURE, port, work / "none", 1], port) as ours:
        idle = resident_peak_mib(ours.pid)
        before = cpu_seconds(ours.pid)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode())
            block = bytes(1 << 20)
            for _ in range(size // len(block)):
                client.sendall(block)
            answer = client.recv(4096)
        spent = cpu_seconds(ours.pid) - before
        if str(size).encode() not in answer:
            sys.exit(f"the server counted wrong: {answer!r}")
        peak = resident_peak_mib(ours.pid)
    return report("2 GiB streamed PUT, peak memory",
                  f"{peak:.1f} MiB (idle {idle:.1f}), {size / spent / 2**30:.1f} GiB per CPU second", "<= 32 MiB", peak <= 32)


def instructions(work):
    """User instructions for each small request: what callgrind counts for 6000 of them less 2000, by 4000."""
    valgrind = need("valgrind", "valgrind")
    stripped = work / "netfixture"
    subprocess.run(["strip", "-o", stripped, FIXTURE], check=True)

    def count(requests):
        port = free_port()
        out = work / f"callgrind.{requests}"
        command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={out}", stripped, port, "none", 1]
        with running(command, port) as server:
            with socket.create_connection(("127.0.0.1", port)) as client:
                for _ in range(requests):
                    client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    received = b""
                    while not received.endswith(b"x" * 100):
                        received += client.recv(4096)
            server.terminate()
            server.wait(20)
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[1])

    each = (count(6000) - count(2000)) / 4000
    bar = THRESHOLDS["user_instructions_per_small_request"]
    return report("user instructions per small request (callgrind)", f"{each:.0f}", f"<= {bar}", each <= bar)


def main():
    print("network core")
    with folder() as work:
        results = [beside_nginx(work), put_memory(work), instructions(work)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
