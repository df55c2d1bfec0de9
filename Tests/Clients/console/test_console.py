"""The console as a server: what it streams, what it refuses, and what it does when a server behind it is down."""

import hashlib
import os
import socket
import ssl
import subprocess

import boto3
import pytest
import requests
from botocore.client import Config

from slipway_process import BINARY, PASSWORD, USER, free_port, running

MEBIBYTE = 1 << 20


def log_in(url, user=USER, password=PASSWORD, **options):
    session = requests.Session()
    answer = session.post(f"{url}/console/session", json={"user": user, "password": password}, **options)
    answer.raise_for_status()
    session.headers["X-CSRF-Token"] = answer.json()["forgeryToken"]
    session.cookie = answer.headers["Set-Cookie"]
    return session


def peak_memory(process):
    """Bytes of the largest resident size so far."""
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


@pytest.fixture(scope="module")
def s3(store):
    client = boto3.client("s3", endpoint_url=store.url, aws_access_key_id=USER, aws_secret_access_key=PASSWORD,
                          region_name="us-east-1", config=Config(s3={"addressing_style": "path"}))
    client.create_bucket(Bucket="streams")
    return client


def test_a_large_file_streams_both_ways_in_little_memory(console, s3):
    session = log_in(console.url)
    block = os.urandom(MEBIBYTE)
    count = 192

    class Blocks:
        def __len__(self):
            return count * MEBIBYTE

        def __iter__(self):
            return iter([block] * count)

    before = peak_memory(console.process)
    stored = session.put(f"{console.url}/s3/streams", params={"key": "large"}, data=Blocks(), timeout=120)
    assert stored.status_code == 200, stored.text
    assert s3.head_object(Bucket="streams", Key="large")["ContentLength"] == count * MEBIBYTE
    expected, received = hashlib.sha256(), hashlib.sha256()
    for _ in range(count):
        expected.update(block)
    with session.get(f"{console.url}/s3/streams", params={"key": "large"}, stream=True, timeout=120) as answer:
        for piece in answer.iter_content(MEBIBYTE):
            received.update(piece)
    assert received.digest() == expected.digest()
    assert peak_memory(console.process) - before < 24 * MEBIBYTE


def test_a_wrong_log_in_learns_nothing_and_ends_in_429(store, tmp_path):
    port = free_port()
    with running(["console", "--port", port, "--store-url", store.url], [port], tmp_path):
        url = f"http://127.0.0.1:{port}/console/session"
        answers = [requests.post(url, json={"user": user, "password": "wrong-password"}) for user in [USER, "nobody"] * 6]
        assert answers[0].json()["error"]["message"] == "The user name or the password is wrong."
        assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
        assert answers[0].json() == answers[1].json()
        assert not any("Set-Cookie" in answer.headers for answer in answers)


def test_a_session_lives_in_memory_only(store, tmp_path):
    port = free_port()
    arguments = ["console", "--port", port, "--store-url", store.url]
    with running(arguments, [port], tmp_path) as server:
        session = log_in(f"http://127.0.0.1:{port}")
        assert session.get(f"http://127.0.0.1:{port}/console/buckets").status_code == 200
        assert PASSWORD not in server.text() and session.cookies.values()[0] not in server.text()
    with running(arguments, [port], tmp_path):
        assert session.get(f"http://127.0.0.1:{port}/console/buckets").status_code == 401
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".log"]
    assert kept == []


def test_a_store_that_is_down_is_named(tmp_path):
    port = free_port()
    with running(["console", "--port", port, "--store-url", f"http://127.0.0.1:{free_port()}"], [port], tmp_path):
        answer = requests.post(f"http://127.0.0.1:{port}/console/session", json={"user": USER, "password": PASSWORD})
        assert answer.status_code == 502
        assert "the object store does not answer" in answer.json()["error"]["message"]
        assert "slipway store" in answer.json()["error"]["message"]


def test_over_tls_the_cookie_is_secure(store, tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    port = free_port()
    arguments = ["console", "--port", port, "--store-url", store.url, "--tls-certificate", certificate, "--tls-key", key]
    with running(arguments, [port], tmp_path):
        context = ssl.create_default_context(cafile=certificate)
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost"):
            pass
        session = log_in(f"https://localhost:{port}", verify=certificate)
        assert "; Secure" in session.cookie and "HttpOnly" in session.cookie and "SameSite=Strict" in session.cookie
        assert session.get(f"https://localhost:{port}/console/buckets", verify=certificate).status_code == 200


def test_half_of_a_pair_of_tls_files_stops_the_start(tmp_path):
    result = subprocess.run([BINARY, "console", "--tls-key", "/nowhere", "--port", "0"], capture_output=True, text=True, timeout=20)
    assert result.returncode == 2 and "give both --tls-certificate and --tls-key" in result.stderr


def test_one_persons_session_signs_with_that_persons_key(tmp_path):
    """Two users of one store see their own buckets through one console."""
    ports = [free_port(), free_port()]
    environment = {"SLIPWAY_STORE_ACCESS_KEYS": "second:second-secret"}
    with running(["store", "--address", f":{ports[0]}"], ports[:1], tmp_path, environment), \
            running(["console", "--port", ports[1], "--store-url", f"http://127.0.0.1:{ports[0]}"], ports[1:], tmp_path):
        url = f"http://127.0.0.1:{ports[1]}"
        first, second = log_in(url), log_in(url, "second", "second-secret")
        assert first.put(f"{url}/s3/of-first").status_code == 200
        assert second.put(f"{url}/s3/of-second").status_code == 200
        names = lambda session: [bucket["name"] for bucket in session.get(f"{url}/console/buckets").json()["buckets"]]
        assert names(second) == ["of-second"]
        assert "of-first" in names(first)
        assert second.get(f"{url}/s3/of-first", params={"list-type": "2"}).status_code == 403


def test_metrics_count_log_ins_and_sessions(store, tmp_path):
    port = free_port()
    with running(["console", "--port", port, "--store-url", store.url], [port], tmp_path):
        url = f"http://127.0.0.1:{port}"
        requests.post(f"{url}/console/session", json={"user": USER, "password": "wrong-password"})
        log_in(url)
        text = requests.get(f"{url}/metrics").text
        assert 'slipway_console_logins_total{outcome="accepted"} 1' in text
        assert 'slipway_console_logins_total{outcome="refused"} 1' in text
        assert "slipway_console_sessions 1" in text and "slipway_http_requests_total" in text
