"""Every kubectl that this machine has."""

import json
import os
import pathlib
import shutil
import subprocess
import sys


def kubectls():
    """Paths of kubectl by version, oldest first: those of the runtime folder, the Cloud SDK, this Python and the PATH."""
    places = [pathlib.Path(sys.prefix) / "bin", pathlib.Path("/usr/lib/google-cloud-sdk/bin"),
              *sorted((pathlib.Path(__file__).resolve().parents[2] / "runtime").glob("kubectl-*"))]
    found = {}
    for place in places:
        for path in sorted(place.glob("kubectl*")):
            found[str(path)] = path
    for name in os.environ.get("KUBECTL", "").split(":") + [shutil.which("kubectl") or ""]:
        if name:
            found[name] = pathlib.Path(name)
    versions = {}
    for path in found.values():
        try:
            text = subprocess.run(
                [path, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=20)
            client = json.loads(text.stdout)["clientVersion"]
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
            continue
        if "dispatcher" not in client["gitVersion"]:
            minor = int("".join(c for c in client["minor"] if c.isdigit()))
            versions.setdefault(minor, (client["gitVersion"], str(path)))
    return [versions[minor] for minor in sorted(versions)]


KUBECTLS = kubectls()


class Kubectl:
    def __init__(self, path, kubeconfig, home):
        self.path = path
        self.environment = dict(os.environ, KUBECONFIG=str(kubeconfig), HOME=str(home))

    def __call__(self, *arguments, stdin=None, fails=False, timeout=30):
        """Standard output, or standard error of a command that must fail."""
        done = subprocess.run(
            [self.path, *arguments], env=self.environment, input=stdin, capture_output=True, text=True, timeout=timeout)
        if fails:
            assert done.returncode != 0, f"{arguments} went well: {done.stdout}"
            return done.stderr
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        self.warnings = done.stderr
        return done.stdout

    def json(self, *arguments):
        return json.loads(self(*arguments, "-o", "json"))

    def start(self, *arguments):
        return subprocess.Popen(
            [self.path, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
