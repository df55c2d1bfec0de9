"""A running netfixture (the network core with echo handlers) on a free port, plain and with TLS."""

import os
import pathlib
import select
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("SLIPWAY_NETFIXTURE", str(ROOT / ".build/debug/netfixture"))


class Fixture:
    def __init__(self, tls):
        if not os.path.exists(BINARY):
            pytest.skip(f"{BINARY} is not built: swift build --product netfixture")
        self.folder = tempfile.mkdtemp(prefix="slipway-net-")
        self.file = os.path.join(self.folder, "file")
        with open(self.file, "wb") as out:
            out.write(os.urandom(1 << 20))
        environment = dict(os.environ)
        if tls:
            environment["NETFIXTURE_TLS_FOLDER"] = os.path.join(self.folder, "tls")
        self.process = subprocess.Popen(
            [BINARY, "0", self.file, "2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 10)
        line = self.process.stdout.readline() if ready else ""
        assert line.startswith("listening on "), line
        self.port = int(line.split()[-1])
        self.authority = os.path.join(self.folder, "tls", "ca.crt")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def cpu_seconds(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        alive = self.process.poll() is None
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)
        assert alive, "the fixture died during the tests"


@pytest.fixture(scope="session")
def net():
    fixture = Fixture(tls=False)
    yield fixture
    fixture.stop()


@pytest.fixture(scope="session")
def net_tls():
    fixture = Fixture(tls=True)
    yield fixture
    fixture.stop()
