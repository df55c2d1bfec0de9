"""What the crash loops share: a server that is killed and started again, and what its clients know of it."""

import http.client
import pathlib
import signal
import socket
import subprocess
import threading
import time

ABSENT = "absent"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A role of the binary on a free port, with its data below `folder`."""

    def __init__(self, binary, folder, log):
        self.binary, self.folder, self.log = binary, pathlib.Path(folder), pathlib.Path(log)
        self.port, self.process = free_port(), None

    def launch(self, arguments, is_ready, environment=None):
        """Starts the role and returns the seconds until `is_ready` neither fails nor gives False."""
        begin = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, *map(str, arguments)], env=environment, stdout=log, stderr=log)
        while time.monotonic() - begin < 30 and self.process.poll() is None:
            try:
                if is_ready() is not False:
                    return time.monotonic() - begin
            except (OSError, ValueError, http.client.HTTPException):
                pass
            time.sleep(0.01)
        raise SystemExit(f"the server did not start: {self.log.read_text()[-2000:]}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def end(self):
        """Leaves no process behind, however the loop ended."""
        if self.process and self.process.poll() is None:
            self.kill()


class Ledger:
    """For each thing: what was acknowledged last, and what has been under way since then."""

    def __init__(self):
        self.lock, self.acknowledged, self.pending = threading.Lock(), {}, {}

    def intend(self, thing, state):
        with self.lock:
            self.pending.setdefault(thing, set()).add(state)

    def acknowledge(self, thing, state):
        with self.lock:
            self.acknowledged[thing] = state
            self.pending[thing] = set()

    def allowed(self, thing):
        with self.lock:
            return {self.acknowledged.get(thing, ABSENT)} | self.pending.get(thing, set())
