"""A store of its own for each test module: the real binary in a temporary folder on a free port."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request

import boto3
import pytest
from botocore.client import Config

from slipway_process import free_port

USER, PASSWORD = "testuser", "testpassword"
ROOT = pathlib.Path(__file__).resolve().parents[3]


class Store:
    """A running `slipway store`."""

    def __init__(self, folder, **environment):
        self.binary = os.environ.get("SLIPWAY_BIN", str(ROOT / ".build/debug/slipway"))
        self.folder, self.port = str(folder), free_port()
        self.environment = dict(
            os.environ, MINIO_ROOT_USER=USER, MINIO_ROOT_PASSWORD=PASSWORD, **environment)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.log = open(f"{self.folder}.log", "ab")
        self.process = subprocess.Popen(
            [self.binary, "store", "server", self.folder, "--address", f"127.0.0.1:{self.port}"],
            env=self.environment, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/minio/health/ready", timeout=2).read()
                return self
            except OSError:
                assert self.process.poll() is None, open(f"{self.folder}.log").read()[-2000:]
                time.sleep(0.02)
        raise AssertionError("the store was not ready in 20 s")

    def stop(self, kill=False):
        if self.process and self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(20)
        self.log.close()

    def boto(self, user=USER, password=PASSWORD, **config):
        settings = {"s3": {"addressing_style": "path"}, "retries": {"max_attempts": 0}, "max_pool_connections": 80}
        settings.update(config)
        return boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id=user, aws_secret_access_key=password,
            region_name="us-east-1", config=Config(**settings))


@pytest.fixture(scope="module")
def store():
    folder = tempfile.mkdtemp(prefix="slipway-store-")
    server = Store(f"{folder}/data", SLIPWAY_STORE_ACCESS_KEYS="second:secondsecret").start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def s3(store):
    return store.boto()


@pytest.fixture
def bucket(s3, request):
    name = f"b{time.time_ns():x}"
    s3.create_bucket(Bucket=name)
    return name
