"""A PostgreSQL server of one's own, run by scripts/postgres; it ends with this process at the latest."""

import glob
import os
import pathlib
import subprocess
import urllib.parse

from track_roles import free_port

SCRIPT = str(pathlib.Path(__file__).resolve().parents[3] / "scripts/postgres")
INSTALLED = bool(glob.glob("/usr/lib/postgresql/*/bin/initdb"))


class Postgres:
    """`uri` names its first database; the password holds what has to be escaped."""

    user, password, database = "mlflowuser", "p@ss/word:%", "mlflow"

    def __init__(self):
        self.port = free_port()
        self.folder = self.script("start", str(self.port), self.user, self.password, self.database, str(os.getpid()))

    def script(self, *words):
        done = subprocess.run([SCRIPT, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def uri(self, database=None, password=None, port=None, user=None, host="127.0.0.1"):
        secret = urllib.parse.quote(self.password if password is None else password, safe="")
        return f"postgresql://{user or self.user}:{secret}@{host}:{port or self.port}/{database or self.database}"

    def make_database(self, name):
        self.script("database", self.folder, name)
        return self.uri(name)

    def restart(self, mode="fast"):
        self.script("restart", self.folder, mode)

    def stop(self):
        self.script("stop", self.folder)
