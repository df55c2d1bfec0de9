"""TLS and ALPN against curl and Python's ssl."""

import contextlib
import os
import socket
import ssl
import stat
import subprocess

import pytest


def curl(net_tls, path, *arguments, input=None):
    command = ["curl", "-sS", "--max-time", "30", "--cacert", net_tls.authority, *arguments,
               f"https://localhost:{net_tls.port}{path}"]
    return subprocess.run(command, input=input, capture_output=True, check=True).stdout


@pytest.mark.parametrize("version, expected", [("--http1.1", b"1.1"), ("--http2", b"2")])
def test_alpn_chooses(net_tls, version, expected):
    assert curl(net_tls, "/", version, "-o", "/dev/null", "-w", "%{http_version}") == expected


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_large_bodies(net_tls, version):
    assert curl(net_tls, "/file", version) == open(net_tls.file, "rb").read()
    assert curl(net_tls, "/sink", version, "-T", "-", input=b"\0" * 10_000_000) == b"10000000"


def test_plain_http_is_told(net_tls):
    out = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{net_tls.port}/"], capture_output=True, text=True)
    assert "https" in out.stdout


def connect(net_tls, **options):
    context = ssl.create_default_context(cafile=net_tls.authority)
    for name, value in options.items():
        if name == "alpn":
            context.set_alpn_protocols(value)
        else:
            setattr(context, name, value)
    with socket.create_connection(("127.0.0.1", net_tls.port), timeout=10) as raw:
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as secure:
            return secure.version(), secure.selected_alpn_protocol()


def test_versions(net_tls):
    assert connect(net_tls) == ("TLSv1.3", None)
    assert connect(net_tls, maximum_version=ssl.TLSVersion.TLSv1_2, alpn=["http/1.1"]) == ("TLSv1.2", "http/1.1")
    with pytest.raises(ssl.SSLError):
        connect(net_tls, alpn=["spdy/3.1"])


def test_files_are_private_and_the_certificate_holds(net_tls):
    folder = os.path.dirname(net_tls.authority)
    for name in ["ca.crt", "ca.key", "server.crt", "server.key"]:
        assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600
    out = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", net_tls.authority, "-verify_hostname", "localhost",
         os.path.join(folder, "server.crt")], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr


def test_noise_instead_of_a_handshake(net_tls):
    with socket.create_connection(("127.0.0.1", net_tls.port), timeout=10) as raw:
        raw.sendall(b"\x16\x03\x01\x00\x05hello" + b"\0" * 100)
        with contextlib.suppress(ConnectionResetError):
            while raw.recv(4096):
                pass
    assert curl(net_tls, "/") == b"x" * 100
