"""Packs for tests: zips with real sklearn models and with classes that behave in every way, and an sshd to fetch them from."""

import contextlib
import io
import os
import pathlib
import pickle
import pwd
import shutil
import socket
import subprocess
import sys
import time
import zipfile

import requests
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from slipway_process import Slipway, free_port

# What a pack of type tf needs of TensorFlow, so that these tests do not need TensorFlow: the example runs the real one.
TENSORFLOW = """
import types
class Session:
    def __init__(self, weight): self.weight = weight
    def run(self, value): return value * self.weight
v1 = types.SimpleNamespace(disable_eager_execution=lambda: None, Session=Session, train=types.SimpleNamespace())
compat = types.SimpleNamespace(v1=v1)
"""

MODEL = """
import os, time, sys
import tensorflow as tf
class k8s_api_model(object):
    def __init__(self):
        self.scale = 1
    def build(self):
        self.scale = 10
    def load(self, model_path):
        with open(os.path.join(model_path, "weight.txt")) as file:
            return tf.Session(int(file.read()))
    def predict(self, session, data):
        if data == "die": os._exit(3)
        if data == "hang": time.sleep(600)
        if data == "nan": return float("nan")
        if data == "object": return object()
        if data == "path": open(os.path.join(os.getcwd(), "missing"))
        if data == "environment": return sorted(os.environ)
        if data == "where": return [os.path.basename(os.getcwd()), sorted(os.listdir("."))]
        if data == "slow": time.sleep(0.3); return session.weight
        if data == "noise":
            for _ in range(100): print("x" * 1000)
            return 1
        return session.run(data) * self.scale
"""


def zipped(files):
    """The bytes of a zip of {name: content}."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def estimator(strength):
    data, target = load_iris(return_X_y=True)
    return LogisticRegression(C=strength, max_iter=500).fit(data, target)


def sklearn_model(strength=1.0, name="iris.pkl"):
    return zipped({name: pickle.dumps(estimator(strength))})


def sources(model=MODEL, **files):
    return zipped({"k8s_api_model.py": model, "tensorflow.py": TENSORFLOW, "data/words.txt": "하나", **files})


def weight(number):
    return zipped({"weight.txt": str(number)})


class Storage:
    """A folder laid out as the document has it."""

    def __init__(self, folder, name):
        self.folder, self.name = pathlib.Path(folder), name
        for part in ("src", "model"):
            (self.folder / name / part).mkdir(parents=True, exist_ok=True)

    def put_sources(self, content):
        (self.folder / self.name / "src" / f"{self.name}.zip").write_bytes(content)

    def put_model(self, date, content):
        (self.folder / self.name / "model" / f"{date}.zip").write_bytes(content)


class PackServer(Slipway):
    """`slipway pack` on a free port, with this test's own Python for its workers unless another is named."""

    def __init__(self, folder, name, kind, *arguments, environment=None, python=sys.executable):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.local = pathlib.Path(folder) / "local"
        variables = {"MODEL_NAME": name, "MODEL_TYPE": kind, **(environment or {})}
        super().__init__(["pack", "--port", port, "--folder", self.local, "--python", python, *arguments],
                         [port], folder, variables)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def get(self, path):
        return requests.get(self.url + path, timeout=60)

    def post(self, path, **arguments):
        return requests.post(self.url + path, timeout=60, **arguments)

    def result(self, data):
        return self.post("/result", json={"test": data})

    def install(self):
        """Downloads sources and the newest model."""
        for path in ("/src_download", "/model_download"):
            answer = self.get(path)
            assert answer.status_code == 200, answer.text
        return answer.json()

    def until_done(self, seconds=30):
        deadline = time.monotonic() + seconds
        while self.post("/").status_code != 200:
            assert time.monotonic() < deadline, self.post("/").text
            time.sleep(0.02)


class Server:
    """A real sshd on a free port with keys of its own, as the user who runs the test."""

    def __init__(self, folder, shadow=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.user = pwd.getpwuid(os.getuid()).pw_name
        for name in ("host", "client", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)], check=True)
        (self.folder / "authorized").write_text((self.folder / "client.pub").read_text())
        public = " ".join((self.folder / "host.pub").read_text().split()[:2])
        self.known = self.folder / "known_hosts"
        self.known.write_text(f"[127.0.0.1]:{self.port} {public}\n")
        self.fingerprint = subprocess.run(["ssh-keygen", "-l", "-f", str(self.folder / "host.pub")], check=True,
                                          stdout=subprocess.PIPE, text=True).stdout.split()[1]
        (self.folder / "config").write_text(f"""
            Port {self.port}
            ListenAddress 127.0.0.1
            HostKey {self.folder}/host
            PidFile none
            AuthorizedKeysFile {self.folder}/authorized
            PasswordAuthentication {"yes" if shadow else "no"}
            KbdInteractiveAuthentication no
            PermitRootLogin yes
            StrictModes no
            UsePAM no
            Subsystem sftp internal-sftp
        """)
        self.shadow = shadow

    def start(self):
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        command = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "config")]
        if self.shadow:
            # A mount namespace of its own, in which the user has a password that the test knows.
            mount = f"mount --bind {self.shadow} /etc/shadow && exec \"$@\""
            command = ["unshare", "--mount", "sh", "-c", mount, "sh", *command]
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
