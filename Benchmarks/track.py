"""Measures the tracking server: writes per second by client count, ordered search, metric history.

    python Benchmarks/track.py [--binary .build/release/slipway] [--runs 10000] [--url URL]

Starts `slipway track` on an empty folder, or measures the server at --url (any MLflow server). Every acknowledged write
is on the disk (one fsync for each group of writes). Needs only the standard library.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.parse

from common import RELEASE

API = "/api/2.0/mlflow"


def connect(url):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=120)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def call(connection, method, path, body=None):
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    connection.request(method, API + path, data, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    assert response.status == 200, (path, response.status, text[:300])
    return text


def create(connection, experiment):
    text = call(connection, "POST", "/runs/create", {"experiment_id": experiment, "start_time": int(time.time() * 1000)})
    return json.loads(text)["run"]["info"]["run_id"]


def worker(url, kind, seconds, experiment, results):
    connection = connect(url)
    run = create(connection, experiment)
    count, times, end = 0, [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        if kind == "create":
            create(connection, experiment)
        elif kind == "log-metric":
            call(connection, "POST", "/runs/log-metric",
                 {"run_id": run, "key": "m", "value": count, "timestamp": count, "step": count})
        else:
            metrics = [{"key": f"m{i % 10}", "value": i, "timestamp": count, "step": count * 1000 + i} for i in range(1000)]
            call(connection, "POST", "/runs/log-batch", {"run_id": run, "metrics": metrics})
        times.append(time.perf_counter() - began)
        count += 1
    results.put((count, times))


def throughput(url, kind, clients, seconds, experiment):
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=worker, args=(url, kind, seconds, experiment, results)) for _ in range(clients)]
    for process in workers:
        process.start()
    gathered = [results.get() for _ in workers]
    for process in workers:
        process.join()
    times = sorted(t for _, ts in gathered for t in ts)
    rate = sum(count for count, _ in gathered) / seconds
    p50, p99 = (times[int(len(times) * q)] * 1000 for q in (0.5, 0.99))
    factor = 1000 if kind == "log-batch" else 1
    unit = " metrics/s" if factor > 1 else "/s"
    print(f"{kind:12} clients={clients}  {rate * factor:10.0f}{unit}  p50 {p50:.2f} ms  p99 {p99:.2f} ms", flush=True)


def timed(label, connection, method, path, body=None, times=7):
    samples, size = [], 0
    for _ in range(times):
        began = time.perf_counter()
        size = len(call(connection, method, path, body))
        samples.append((time.perf_counter() - began) * 1000)
    print(f"{label:44} median {statistics.median(samples):8.2f} ms  {size / 1000:.0f} kB", flush=True)


def reads(url, runs):
    connection = connect(url)
    experiment = json.loads(call(connection, "POST", "/experiments/create", {"name": f"search-{time.time_ns()}"}))["experiment_id"]
    for index in range(runs):
        run = create(connection, experiment)
        value = (index * 7919) % runs
        call(connection, "POST", "/runs/log-batch", {
            "run_id": run, "metrics": [{"key": f"m{k}", "value": value + k, "timestamp": 1, "step": 1} for k in range(3)],
            "params": [{"key": "p", "value": str(index % 10)}, {"key": "lr", "value": "0.1"}]})
    ids = [experiment]
    timed(f"runs/search, 100 newest of {runs}", connection, "POST", "/runs/search", {"experiment_ids": ids, "max_results": 100})
    timed(f"runs/search by metric, 100 of {runs}", connection, "POST", "/runs/search",
          {"experiment_ids": ids, "max_results": 100, "order_by": ["metrics.m0 DESC"]})
    timed("runs/search metric + param filter, by metric", connection, "POST", "/runs/search", {
        "experiment_ids": ids, "max_results": 100, "filter": f"metrics.m1 > {runs // 2} and params.p = '3'",
        "order_by": ["metrics.m0 ASC"]})
    run = create(connection, experiment)
    for batch in range(100):
        metrics = [{"key": "long", "value": i, "timestamp": batch * 1000 + i, "step": batch * 1000 + i} for i in range(1000)]
        call(connection, "POST", "/runs/log-batch", {"run_id": run, "metrics": metrics})
    timed("runs/get", connection, "GET", f"/runs/get?run_id={run}", times=50)
    timed("history, all 100,000 points", connection, "GET", f"/metrics/get-history?run_id={run}&metric_key=long", times=3)
    timed("history, first 25,000", connection, "GET", f"/metrics/get-history?run_id={run}&metric_key=long&max_results=25000")
    timed("history, 320 of 100,000", connection, "GET",
          f"/metrics/get-history-bulk-interval?run_ids={run}&metric_key=long&max_results=320")


def memory(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(RELEASE / "slipway"))
    parser.add_argument("--url")
    parser.add_argument("--runs", type=int, default=10000)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    process, folder, url = None, tempfile.mkdtemp(prefix="slipway-track-bench-"), options.url
    try:
        if not url:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            url = f"http://127.0.0.1:{port}"
            began = time.perf_counter()
            process = subprocess.Popen(
                [options.binary, "track", "--data", folder, "--port", str(port), "--log-level", "error"],
                stdout=subprocess.DEVNULL)
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.002)
            print(f"start {(time.perf_counter() - began) * 1000:.0f} ms, {memory(process)} MiB idle, load {os.getloadavg()[0]:.1f}")
        for kind in ["create", "log-metric", "log-batch"]:
            for clients in [1, 8]:
                throughput(url, kind, clients, options.seconds, "0")
        reads(url, options.runs)
        if process:
            print(f"{memory(process)} MiB after all that")
    finally:
        if process:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
