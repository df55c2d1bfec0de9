"""`slipway up`: ready fast, restarts what dies, names what is in its way, and leaves nothing behind."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
import pytest
import tritonclient.http
import tritonclient.utils

from slipway_process import BINARY, ROOT, Slipway, free_port
from waiting import until

sys.path.append(str(ROOT / "Tests/Clients/infer"))
import models  # noqa: E402

# A user who owns nothing else, so that only these processes count.
NOBODY = 61_234
PORTS = ["store", "track", "infer-http", "infer-grpc", "infer-metrics", "cluster", "registry", "console"]


def processes_of(folder):
    """Process ids whose environment names the data folder: the roles and all that they started."""
    mark = f"SLIPWAY_DATA={folder}".encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if int(entry.name) != os.getpid() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def make(folder, host="127.0.0.1", **environment):
    ports = {name: free_port() for name in PORTS}
    arguments = ["up", "--data", folder / "data"] + [f"--{name}-port={port}" for name, port in ports.items()]
    variables = dict({"MINIO_ROOT_USER": "", "MINIO_ROOT_PASSWORD": "", "SLIPWAY_BIND": host}, **environment)
    server = Slipway(arguments, list(ports.values()), folder, variables, host)
    server.named = ports
    server.data = folder / "data"
    return server


@pytest.fixture
def up(tmp_path):
    server = make(tmp_path).start()
    try:
        yield server
    finally:
        server.stop()


def role_processes(server):
    children = pathlib.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    found = {}
    for child in children:
        # One that died and is not yet collected has no command line.
        with contextlib.suppress(OSError, IndexError):
            found[pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[1].decode()] = int(child)
    return found


def test_first_start_makes_a_credential_and_shows_it_once(up, tmp_path):
    until(lambda: "ready after" in up.text())
    text = up.text()
    kept = up.data / "root-credential.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    secret = json.loads(kept.read_text())["password"]
    assert secret in text and "ROLE" in text
    for name in ("store", "track", "cluster"):
        assert name in text and str(up.named[name]) in text
    up.stop()
    up.log.unlink()
    before = kept.read_bytes()
    up.start()
    until(lambda: "ready after" in up.text())
    assert secret not in up.text() and kept.read_bytes() == before


def test_a_role_that_dies_is_started_again(up):
    until(lambda: "ready after" in up.text())
    for role, port in [("store", up.named["store"]), ("track", up.named["track"]), ("cluster", up.named["cluster"])]:
        before = role_processes(up)[role]
        os.kill(before, signal.SIGKILL)
        until(lambda: role_processes(up).get(role, before) != before and answers(port))
    assert "signal 9" in up.text()


@pytest.fixture
def ordinary(tmp_path):
    """`slipway up` of a user who is not root, whom a limit of processes binds."""
    if not shutil.which("setpriv") or not shutil.which("prlimit"):
        pytest.skip("setpriv and prlimit are not installed")
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
    # Folders of pytest are closed to other users.
    with tempfile.TemporaryDirectory() as folder:
        if other:
            os.chown(folder, NOBODY, NOBODY)
        server = make(pathlib.Path(folder), HOME=folder)
        server.arguments = other + server.arguments
        # The soft limit alone, which the owner may raise again.
        server.limit = lambda count: subprocess.run(
            [*other, "prlimit", f"--pid={server.process.pid}", f"--nproc={count}:"], check=True, timeout=20)
        yield server


def test_a_role_that_cannot_be_spawned_is_tried_until_it_can(ordinary):
    """No process may be added for a while: the other roles serve on, the log says why, and the role comes back."""
    up = ordinary.start()
    try:
        until(lambda: "ready after" in up.text())
        ordinary.limit("1")
        killed = role_processes(up)["registry"]
        os.kill(killed, signal.SIGKILL)
        until(lambda: up.text().count("role cannot be started") >= 2, 20)
        assert "role=registry" in up.text() and "Resource temporarily unavailable" in up.text() and "again_in_ms=" in up.text()
        assert not answers(up.named["registry"]) and "registry" not in role_processes(up)
        for name in ("store", "track", "infer-http", "cluster", "console"):
            assert answers(up.named[name]), name
        ordinary.limit("4096")
        until(lambda: answers(up.named["registry"]), 30)
    finally:
        up.stop()
    assert up.process.returncode == 0 and processes_of(up.data) == []


def test_a_role_comes_back_after_its_binary_was_removed(tmp_path):
    """An upgrade takes the file away under a running program, which goes on with what it was started from."""
    binary = tmp_path / "slipway"
    shutil.copy(BINARY, binary)
    server = make(tmp_path)
    server.arguments[0] = str(binary)
    server.start()
    try:
        until(lambda: "ready after" in server.text())
        binary.unlink()
        before = role_processes(server)["store"]
        os.kill(before, signal.SIGKILL)
        until(lambda: role_processes(server).get("store", before) != before and answers(server.named["store"]))
        assert "role cannot be started" not in server.text()
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_everything_within_two_seconds(tmp_path, number):
    server = make(tmp_path).start()
    started = len(processes_of(server.data))
    assert started >= 3
    began = time.monotonic()
    server.stop(number)
    assert time.monotonic() - began < 2
    assert server.process.returncode == 0
    assert processes_of(server.data) == []


def test_requests_in_flight_do_not_hold_up_the_end(up):
    until(lambda: "ready after" in up.text())
    with contextlib.ExitStack() as held:
        for name in ("store", "track", "infer-http"):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", up.named[name])))
            connection.sendall(b"POST /v2/models/x/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx")
        time.sleep(0.2)
        began = time.monotonic()
        up.stop()
        assert time.monotonic() - began < 2
    assert up.process.returncode == 0
    assert "did not end in time" not in up.text()


@pytest.mark.parametrize("host, shown", [("127.0.0.2", "127.0.0.2"), ("::1", "[::1]"), ("0.0.0.0", "127.0.0.1")])
def test_it_listens_where_it_is_told_and_says_so(tmp_path, host, shown):
    if host == "::1" and not pathlib.Path("/proc/net/if_inet6").read_text().strip():
        pytest.skip("this machine has no IPv6")
    server = make(tmp_path, host).start()
    try:
        until(lambda: "ready after" in server.text())
        for name in PORTS:
            assert f"{shown}:{server.named[name]}" in server.text()
        # The roles find one another there too.
        with urllib.request.urlopen(f"http://{shown}:{server.named['track']}/health", timeout=5) as answer:
            assert answer.status == 200
        kubeconfig = (server.data / "kubeconfig").read_text()
        assert f"https://{shown}:{server.named['cluster']}" in kubeconfig
    finally:
        server.stop()


def test_loaded_models_come_back_with_the_server(up):
    """A load that was acknowledged survives the death of the role and of the whole program; an unload does too."""
    until(lambda: "ready after" in up.text())
    credential = json.loads((up.data / "root-credential.json").read_text())
    s3 = boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{up.named['store']}", region_name="us-east-1",
        aws_access_key_id=credential["user"], aws_secret_access_key=credential["password"])
    s3.create_bucket(Bucket="models")
    for name in ("kept", "dropped"):
        models.identity(up.folder / "repository", name)
        s3.upload_file(str(up.folder / f"repository/{name}/1/model.onnx"), "models", f"{name}/1/model.onnx")
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{up.named['infer-http']}")
    override = json.dumps({"max_batch_size": 7})
    client.load_model("kept", config=override)
    client.load_model("dropped")
    client.unload_model("dropped")

    def is_back():
        with contextlib.suppress(OSError, tritonclient.utils.InferenceServerException):
            return client.is_model_ready("kept") and client.get_model_config("kept")["max_batch_size"] == 7
        return False

    process = role_processes(up)["infer"]
    os.kill(process, signal.SIGKILL)
    until(lambda: role_processes(up).get("infer", process) != process and is_back(), 20)
    up.stop()
    up.start()
    until(is_back, 20)
    assert not client.is_model_ready("dropped")


def test_no_role_outlives_a_supervisor_that_is_killed(tmp_path):
    server = make(tmp_path).start()
    server.process.kill()
    server.process.wait()
    until(lambda: processes_of(server.data) == [], 5)
    server.output.close()


def refused_for_a_used_port(server):
    """What a start prints while this process has one of its ports."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", server.named["track"]))
        holder.listen()
        result = subprocess.run(server.arguments, env=server.environment, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    return result


def test_a_used_port_is_named_with_who_holds_it(tmp_path):
    server = make(tmp_path)
    result = refused_for_a_used_port(server)
    assert f"port {server.named['track']} is in use by process {os.getpid()}" in result.stderr
    assert processes_of(server.data) == []


def test_ports_that_cannot_be_are_named_before_anything_starts(tmp_path):
    for flags, words in [
        (["--store-port", "0"], "--store-port is 0: the roles tell one another their ports"),
        (["--store-port", "9300", "--track-port", "9300"], "--store-port and --track-port are both 9300"),
        (["--bind", "192.0.2.1"], "'192.0.2.1' is not an address of this machine"),
    ]:
        done = subprocess.run([BINARY, "up", "--data", tmp_path / "d", *flags], capture_output=True, text=True, timeout=20)
        assert done.returncode in (1, 2) and words in done.stderr, done.stderr
    assert not (tmp_path / "d/root-credential.json").exists()


def test_the_password_is_shown_by_the_first_start_that_succeeds(tmp_path):
    first = make(tmp_path)
    refused_for_a_used_port(first)
    for words in ("(shown once; kept in ", ", password in "):
        first.start()
        try:
            until(lambda: f"{words}{first.data}/root-credential.json" in first.text(), server=first)
        finally:
            first.stop()


def test_a_used_data_folder_is_named_with_who_holds_it(up, tmp_path):
    other = make(tmp_path)
    result = subprocess.run(other.arguments, env=other.environment, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert "in use by `slipway up`" in result.stderr and str(up.process.pid) in result.stderr
