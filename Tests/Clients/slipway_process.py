"""The real binary on free ports in a folder of its own: what the fixtures and some tests start and stop."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("SLIPWAY_BIN", ROOT / ".build/debug/slipway"))
USER, PASSWORD = "tester", "test-password"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, host="127.0.0.1"):
    """Returns once `port` takes connections; fails when `process` ends before or 20 s pass."""
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, f"ended with {process.returncode}"
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        assert time.monotonic() < deadline, f"port {port} is not served"
        time.sleep(0.02)


class Slipway:
    """A running `slipway` command."""

    def __init__(self, arguments, ports, folder, environment=None, host="127.0.0.1"):
        self.folder = pathlib.Path(folder)
        self.ports = ports
        self.host = host
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
                with contextlib.suppress(OSError), socket.create_connection((self.host, port), timeout=1):
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
