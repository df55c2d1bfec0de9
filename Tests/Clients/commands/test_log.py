"""Logs go to standard error, and nobody who does not read them can stop a server."""

import http.client
import os
import re
import subprocess

from slipway_process import PASSWORD, USER, BINARY, free_port, wait_for_port


def test_a_reader_that_stops_reading_stops_nothing(tmp_path):
    port = free_port()
    environment = dict(os.environ, MINIO_ROOT_USER=USER, MINIO_ROOT_PASSWORD=PASSWORD, SLIPWAY_DATA=str(tmp_path))
    process = subprocess.Popen(
        [BINARY, "store", "--address", f"127.0.0.1:{port}"], env=environment, stderr=subprocess.PIPE, cwd=tmp_path)
    try:
        wait_for_port(port, process)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        # Lines of some 2 KB: far more than a pipe and the backlog of 1 MiB hold.
        path = "/bucket/" + "k" * 1000
        for _ in range(2000):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 403
        connection.close()
        lines = []
        process.terminate()
        for line in process.stderr:
            lines.append(line.decode())
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.stderr.close()
    dropped = [re.match(r"log: (\d+) lines dropped", line) for line in lines]
    counted = sum(int(match[1]) for match in dropped if match)
    requests = [line for line in lines if "path=/bucket/" in line]
    assert counted > 0 and 500 < len(requests) < 2000
    assert all(line.startswith("20") and line.endswith("\n") for line in requests), "a line is torn"
