"""Kills the object store with SIGKILL while writers are at work, restarts it, and checks that nothing acknowledged is lost.

    python Tests/Crash/store_crash.py [--rounds 20] [--binary .build/debug/slipway] [--seed N]

16 writers put, overwrite, delete, copy and upload in parts. Each notes what it is about to do before the request and
what was acknowledged after it. After each kill and restart every key must hold the bytes that were acknowledged last,
or those of a request that was under way; acknowledged deletes stay deleted; a listing shows what GET shows; tmp/ is
empty; and the restart takes at most 2 seconds. Needs boto3. Exit status 0 when every round held.
"""

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import urllib.request

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from crash_tools import ABSENT, Ledger, Server

USER, PASSWORD, BUCKET = "crashuser", "crashpassword", "crash"


def client(port):
    return boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id=USER, aws_secret_access_key=PASSWORD,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, read_timeout=20, connect_timeout=5))


class Store(Server):
    def start(self):
        """Starts the store and returns the seconds until it was ready."""
        environment = dict(os.environ, MINIO_ROOT_USER=USER, MINIO_ROOT_PASSWORD=PASSWORD)
        ready = f"http://127.0.0.1:{self.port}/minio/health/ready"
        return self.launch(
            ["store", self.folder, "--address", f"127.0.0.1:{self.port}"],
            lambda: urllib.request.urlopen(ready, timeout=2).read(), environment)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def body(generator):
    size = generator.choice([0, 1, 100, 4096, 65536, 65537, 300_000, 1 << 20, generator.randint(0, 8 << 20)])
    return generator.randbytes(size)


def write(writer, port, ledger, stop, seed):
    """One writer: its keys are its own, so the order of its requests is the order of their effects."""
    generator, s3 = random.Random(seed), client(port)
    keys = [f"writer-{writer:02}/key-{number}" for number in range(12)]
    while not stop.is_set():
        key, action = generator.choice(keys), generator.random()
        try:
            if action < 0.65:
                data = body(generator)
                ledger.intend(key, digest(data))
                s3.put_object(Bucket=BUCKET, Key=key, Body=data)
                ledger.acknowledge(key, digest(data))
            elif action < 0.80:
                ledger.intend(key, ABSENT)
                s3.delete_object(Bucket=BUCKET, Key=key)
                ledger.acknowledge(key, ABSENT)
            elif action < 0.90:
                parts = [generator.randbytes(5 << 20), generator.randbytes(generator.randint(1, 200_000))]
                state = digest(b"".join(parts))
                upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
                listed = []
                for number, part in enumerate(parts, 1):
                    answer = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=part)
                    listed.append({"PartNumber": number, "ETag": answer["ETag"]})
                ledger.intend(key, state)
                s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": listed})
                ledger.acknowledge(key, state)
            else:
                source = generator.choice(keys)
                states = ledger.allowed(source)
                if source == key or ABSENT in states or len(states) != 1:
                    continue
                state = next(iter(states))
                ledger.intend(key, state)
                s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source})
                ledger.acknowledge(key, state)
        except (BotoCoreError, ClientError, OSError):
            if stop.is_set():
                return
            # Not acknowledged: it may or may not have happened. Wait for the kill.
            stop.wait(5)


def check(port, ledger):
    """Every disagreement between the ledger and the store."""
    s3, found, wrong = client(port), {}, []
    with ledger.lock:
        keys = sorted(set(ledger.acknowledged) | set(ledger.pending))
    for key in keys:
        try:
            data = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            found[key] = digest(data)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                wrong.append(f"{key}: {error}")
                continue
            found[key] = ABSENT
        if found[key] not in ledger.allowed(key):
            wrong.append(f"{key}: holds {found[key][:12]}, allowed {sorted(s[:12] for s in ledger.allowed(key))}")
        else:
            ledger.acknowledge(key, found[key])
    listed = {
        item["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET) for item in page.get("Contents", [])}
    present = {key for key, state in found.items() if state != ABSENT}
    if listed != present:
        wrong.append(f"the listing differs from GET: {sorted(listed ^ present)[:5]}")
    return len(keys), wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--writers", type=int, default=16)
    arguments.add_argument("--binary", default=os.environ.get("SLIPWAY_BIN", ".build/debug/slipway"))
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    options = arguments.parse_args()
    print(f"seed {options.seed}", flush=True)
    generator, ledger = random.Random(options.seed), Ledger()
    base = tempfile.mkdtemp(prefix="slipway-crash-")
    server = Store(options.binary, f"{base}/data", f"{base}/data.log")
    failures = 0
    try:
        server.start()
        client(server.port).create_bucket(Bucket=BUCKET)
        for number in range(1, options.rounds + 1):
            stop = threading.Event()
            writers = [
                threading.Thread(target=write, args=(w, server.port, ledger, stop, generator.random()))
                for w in range(options.writers)]
            for thread in writers:
                thread.start()
            time.sleep(generator.uniform(0.5, 3.0))
            server.kill()
            stop.set()
            for thread in writers:
                thread.join()
            seconds = server.start()
            count, wrong = check(server.port, ledger)
            left = os.listdir(os.path.join(server.folder, "tmp"))
            if left:
                wrong.append(f"tmp/ holds {len(left)} files after the start")
            if seconds > 2:
                wrong.append(f"the start took {seconds:.2f} s")
            failures += len(wrong)
            print(f"round {number}: {count} keys checked, {len(wrong)} wrong, ready after {seconds:.2f} s", flush=True)
            for line in wrong:
                print(f"  {line}", flush=True)
        print(f"{options.rounds - (failures > 0)} passed, {1 if failures else 0} failed" if failures
              else f"{options.rounds} passed, 0 failed")
    finally:
        server.end()
        if failures == 0:
            shutil.rmtree(base, ignore_errors=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
