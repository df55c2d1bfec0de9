"""Roles of the real binary on free ports: what the tests of this folder start, stop and kill."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.request

from slipway_process import free_port

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("SLIPWAY_BIN", str(ROOT / ".build/debug/slipway"))


class Role:
    """A running role of the binary."""

    def __init__(self, words, port, health, environment=None):
        self.words, self.port, self.health = words, port, health
        self.environment = {**os.environ, **(environment or {})}
        self.log = tempfile.TemporaryFile()
        self.process = None
        self.program = BINARY
        # True for a shell that starts the role: both get the signal then.
        self.is_shell = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen([self.program, *self.words], env=self.environment, stdout=self.log, stderr=self.log,
                                        start_new_session=self.is_shell)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.url + self.health, timeout=2).read()
                return self
            except OSError:
                assert self.process.poll() is None, self.text()
                time.sleep(0.02)
        raise AssertionError("not ready in 20 s: " + self.text())

    def text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-3000:]

    def stop(self, kill=False):
        if self.process and self.process.poll() is None:
            if self.is_shell:
                os.killpg(self.process.pid, signal.SIGTERM)
            else:
                self.process.kill() if kill else self.process.terminate()
            self.process.wait(20)


def track_role(folder, *flags, port=None, environment=None):
    port = port or free_port()
    return Role(["track", "--data", str(folder), "--port", str(port), *flags], port, "/health", environment)


def store_role(folder):
    port = free_port()
    environment = {"MINIO_ROOT_USER": "testuser", "MINIO_ROOT_PASSWORD": "testpassword"}
    return Role(["store", "server", str(folder), "--address", f"127.0.0.1:{port}"], port, "/minio/health/ready", environment)
