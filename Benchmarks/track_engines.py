"""log-batch beside MLflow's own server, on SQLite and on PostgreSQL: paired rounds in one run, on the same machine.

    python Benchmarks/track_engines.py [--binary .build/release/slipway] [--rounds 3] [--seconds 3] [--clients 8]

Each call carries 1000 metrics. Needs mlflow in the Python that runs it (the test environment has it), for PostgreSQL also its
server (scripts/setup bench), and psycopg2 for the peer; what is missing is said and left out.
"""

import argparse
import contextlib
import glob
import importlib.util
import multiprocessing
import os
import subprocess
import sys
import time
import urllib.request

from common import RELEASE, ROOT, folder, free_port, paired, report
from track import worker

SCRIPT = str(ROOT / "scripts/postgres")


@contextlib.contextmanager
def database(engine, place):
    """The backend store's URI for each server: databases of their own."""
    if engine == "sqlite":
        yield f"sqlite:///{place}/slipway.db", f"sqlite:///{place}/mlflow.db"
        return
    port = free_port()
    started = subprocess.run(
        [SCRIPT, "start", str(port), "bench", "bench", "slipway", str(os.getpid())], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, text=True, check=True)
    cluster = started.stdout.strip()
    try:
        subprocess.run([SCRIPT, "database", cluster, "mlflow"], check=True)
        base = f"bench:bench@127.0.0.1:{port}"
        yield f"postgresql://{base}/slipway", f"postgresql+psycopg2://{base}/mlflow"
    finally:
        subprocess.run([SCRIPT, "stop", cluster], check=True)


@contextlib.contextmanager
def serving(words, port):
    """A server in a session of its own, ready when /health answers; everything it started ends with it."""
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(
        [str(word) for word in words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True)
    try:
        deadline = time.monotonic() + 180
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).read()
                break
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{words[0]} did not become ready")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def rate(url, clients, seconds):
    """Metrics stored per second."""
    results = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=worker, args=(url, "log-batch", seconds, "0", results)) for _ in range(clients)]
    for process in workers:
        process.start()
    count = sum(results.get()[0] for _ in workers)
    for process in workers:
        process.join()
    return count * 1000 / seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=str(RELEASE / "slipway"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    engines = ["sqlite"]
    if not glob.glob("/usr/lib/postgresql/*/bin/initdb"):
        print("PostgreSQL is left out: it is not installed (scripts/setup bench)")
    elif importlib.util.find_spec("psycopg2") is None:
        print(f"PostgreSQL is left out: MLflow's server needs {sys.executable} -m pip install psycopg2-binary")
    else:
        engines.append("postgresql")
    passed = True
    for engine in engines:
        with folder() as place, database(engine, place) as (ours, theirs):
            port, peer_port = free_port(), free_port()
            own = [options.binary, "track", "--data", place / "data", "--port", port, "--backend-store-uri", ours]
            peer = [sys.executable, "-m", "mlflow", "server", "--port", peer_port, "--backend-store-uri", theirs,
                    "--artifacts-destination", place / "artifacts"]
            with serving(own + ["--log-level", "error"], port) as here, serving(peer, peer_port) as there:
                left, right, ratio = paired(
                    options.rounds, lambda: rate(here, options.clients, options.seconds),
                    lambda: rate(there, options.clients, options.seconds))
            value = f"{left:,.0f} and {right:,.0f} metrics/s: {ratio:.1f} x"
            passed &= report(f"log-batch of 1000, {options.clients} clients, {engine}, beside MLflow", value, "5 x", ratio >= 5)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
