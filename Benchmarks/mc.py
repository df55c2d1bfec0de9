#!/usr/bin/env python3
"""`mc` beside the clients that people would use instead: boto3's managed transfer and MinIO's SDK, against one store.

Each round copies the same files with every client, one after the other, into keys of its own, so that a busy machine
slows all of them alike. Wall time, and the CPU time of the client alone: what the machine has left for training.
A Python client's time is taken inside of a process that has already imported its library.
"""

import os
import resource
import statistics
import subprocess
import sys
import time

from common import RELEASE, folder, free_port, report, running

ROUNDS, LARGE_BYTES, SMALL_COUNT, SMALL_BYTES = 3, 1 << 30, 2000, 4096
USER, PASSWORD, BUCKET = "benchuser", "benchpassword", "bench"

PYTHON = """
import concurrent.futures, os, pathlib, resource, sys, time
library, way, url, source, prefix = sys.argv[1:]
files = [pathlib.Path(source)] if os.path.isfile(source) else sorted(p for p in pathlib.Path(source).iterdir())
if library == "boto3":
    import boto3
    from botocore.client import Config
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="{user}",
                      aws_secret_access_key="{password}", config=Config(max_pool_connections=16))
    send = lambda path: s3.upload_file(str(path), "{bucket}", prefix + path.name)
    fetch = lambda path: s3.download_file("{bucket}", prefix + path.name, str(path) + ".back")
else:
    from minio import Minio
    client = Minio(url.split("//")[1], access_key="{user}", secret_key="{password}", secure=False)
    send = lambda path: client.fput_object("{bucket}", prefix + path.name, str(path))
    fetch = lambda path: client.fget_object("{bucket}", prefix + path.name, str(path) + ".back")
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
started, before = time.monotonic(), cpu()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(send if way == "up" else fetch, files))
print(time.monotonic() - started, cpu() - before)
""".replace("{user}", USER).replace("{password}", PASSWORD).replace("{bucket}", BUCKET)


def python(library, way, url, source, prefix):
    done = subprocess.run([sys.executable, "-c", PYTHON, library, way, url, source, prefix],
                          capture_output=True, text=True, check=True)
    return tuple(float(word) for word in done.stdout.split())


def mc(environment, *arguments):
    """Wall and CPU seconds of a run of `mc`, its start included."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([RELEASE / "slipway", "mc", "--quiet", *arguments], env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    elapsed, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name, ways, bars):
    """Prints `mc` beside each peer; `bars` are the most that mc's wall and CPU time may be of the faster peer's."""
    times = {client: [] for client in ways}
    for number in range(ROUNDS):
        for client, way in ways.items():
            times[client].append(way(f"{client}-{number}-"))
    median = {client: [statistics.median(column) for column in zip(*rows)] for client, rows in times.items()}
    passed = True
    for index, (what, bar) in enumerate(zip(["wall", "client's CPU"], bars)):
        peers = {client: values[index] for client, values in median.items() if client != "mc"}
        best = min(peers, key=peers.get)
        ratio = statistics.median(ours[index] / theirs[index] for ours, theirs in zip(times["mc"], times[best]))
        text = ", ".join(f"{client} {values[index]:.2f} s" for client, values in median.items())
        passed &= report(f"{name}, {what}", text, f"{ratio:.2f} x {best}, <= {bar:.2f} x", ratio <= bar)
    return passed


def main():
    print("mc beside the SDKs")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = dict(os.environ, MINIO_ROOT_USER=USER, MINIO_ROOT_PASSWORD=PASSWORD)
    with folder() as work:
        large, small, back = work / "large.bin", work / "small", work / "back"
        block = os.urandom(1 << 20)
        with large.open("wb") as file:
            for _ in range(LARGE_BYTES >> 20):
                file.write(block)
        small.mkdir()
        for number in range(SMALL_COUNT):
            (small / f"{number:05}.bin").write_bytes(os.urandom(SMALL_BYTES))
        client = dict(os.environ, HOME=str(work), MC_HOST_here=f"http://{USER}:{PASSWORD}@127.0.0.1:{port}")
        command = [RELEASE / "slipway", "store", "server", work / "data", "--address", f"127.0.0.1:{port}",
                   "--log-level", "warning"]
        with running(command, port, env=environment):
            mc(client, "mb", f"here/{BUCKET}")

            results = [
                compare("cp of 1 GiB into the store", {
                    "mc": lambda prefix: mc(client, "cp", large, f"here/{BUCKET}/{prefix}large.bin"),
                    "boto3": lambda prefix: python("boto3", "up", url, large, prefix),
                    "minio": lambda prefix: python("minio", "up", url, large, prefix)}, (1.2, 0.6)),
                compare("cp of 1 GiB out of the store", {
                    "mc": lambda prefix: mc(client, "cp", f"here/{BUCKET}/{prefix}large.bin", back),
                    "boto3": lambda prefix: python("boto3", "down", url, large, prefix),
                    "minio": lambda prefix: python("minio", "down", url, large, prefix)}, (1.2, 1.0)),
                compare(f"cp -r of {SMALL_COUNT} files of 4 KiB into the store", {
                    "mc": lambda prefix: mc(client, "cp", "-r", f"{small}/", f"here/{BUCKET}/{prefix}/"),
                    "boto3": lambda prefix: python("boto3", "up", url, small, prefix + "/"),
                    "minio": lambda prefix: python("minio", "up", url, small, prefix + "/")}, (1.2, 0.8)),
            ]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
