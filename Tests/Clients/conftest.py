"""Fixtures that run the real binary on free ports in a folder of their own, and leave nothing behind."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("SLIPWAY_BIN", ROOT / ".build/debug/slipway"))
USER, PASSWORD = "tester", "test-password"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Slipway:
    """A running `slipway` command."""

    def __init__(self, arguments, ports, folder, environment=None):
        self.folder = pathlib.Path(folder)
        self.ports = ports
        self.log = self.folder / f"slipway-{ports[0]}.log"
        variables = dict(os.environ, MINIO_ROOT_USER=USER, MINIO_ROOT_PASSWORD=PASSWORD,
                         SLIPWAY_DATA=str(self.folder / "data"), SLIPWAY_RUNTIME=str(ROOT / "runtime"))
        variables.update(environment or {})
        self.arguments = [str(BINARY)] + [str(argument) for argument in arguments]
        self.environment = variables
        self.process = None

    def start(self):
        self.output = open(self.log, "ab")
        self.process = subprocess.Popen(
            self.arguments, env=self.environment, stdout=self.output, stderr=self.output, cwd=self.folder)
        deadline = time.monotonic() + 20
        for port in self.ports:
            while True:
                if self.process.poll() is not None:
                    raise AssertionError(f"ended with {self.process.returncode}:\n{self.text()}")
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                assert time.monotonic() < deadline, f"port {port} is not served:\n{self.text()}"
                time.sleep(0.02)
        return self

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"did not stop within 10 s:\n{self.text()}") from None
        self.output.close()

    def text(self):
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def running(arguments, ports, folder, environment=None):
    server = Slipway(arguments, ports, folder, environment).start()
    try:
        yield server
    finally:
        server.stop()


def s3_environment(port):
    return {"MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": PASSWORD}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An object store: `.port`, credentials USER and PASSWORD of this module."""
    port = free_port()
    with running(["store", "--address", f":{port}"], [port], tmp_path_factory.mktemp("store")) as server:
        server.port = port
        server.url = f"http://127.0.0.1:{port}"
        yield server


@pytest.fixture(scope="module")
def track(store, tmp_path_factory):
    """A tracking server whose artifacts go into `store`."""
    port = free_port()
    arguments = ["track", "--port", port, "--artifacts-destination", "s3://mlflow"]
    folder = tmp_path_factory.mktemp("track")
    with running(arguments, [port], folder, s3_environment(store.port)) as server:
        server.port = port
        server.url = f"http://127.0.0.1:{port}"
        server.store = store
        yield server


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the end of each server's log with a failure."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for name in ("store", "track", "infer", "cluster", "up"):
            server = item.funcargs.get(name)
            if isinstance(server, Slipway):
                report.sections.append((f"log of {name}", server.text()[-4000:]))
