"""Packs fetched from our own object store and from a real sshd."""

import http.server
import os
import re
import subprocess
import threading

import boto3
import pytest

from packs import PackServer, Server, Storage, estimator, sklearn_model, zipped
from slipway_process import PASSWORD, USER, s3_environment

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.0, 3.0, 4.8, 1.8]]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("ssh") / "sshd").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """What stands on the SFTP server."""
    storage = Storage(tmp_path_factory.mktemp("remote") / "packs and more", "iris")
    storage.put_sources(zipped({"requirements.txt": ""}))
    storage.put_model("20201103", sklearn_model(0.01))
    storage.put_model("20201107", sklearn_model(10.0))
    return storage


def test_s3(store, tmp_path):
    client = boto3.client("s3", endpoint_url=store.url, aws_access_key_id=USER, aws_secret_access_key=PASSWORD,
                          region_name="us-east-1")
    arguments = ["--storage", "s3://packs/models", "--s3-endpoint", store.url]
    with PackServer(tmp_path, "iris", "sklearn", *arguments, environment=s3_environment(store.port)) as server:
        answer = server.get("/src_download")
        assert answer.status_code == 502 and 'bucket "packs" does not exist' in answer.json()["error"]
        client.create_bucket(Bucket="packs")
        answer = server.get("/src_download")
        assert answer.status_code == 404 and "s3://packs/models holds no iris/src/iris.zip" in answer.json()["error"]
        client.put_object(Bucket="packs", Key="models/iris/src/iris.zip", Body=zipped({"requirements.txt": ""}))
        client.put_object(Bucket="packs", Key="models/iris/model/20201103.zip", Body=sklearn_model(0.01))
        client.put_object(Bucket="packs", Key="models/iris/model/20201107.zip", Body=sklearn_model(10.0))
        client.put_object(Bucket="packs", Key="models/iris/model/old/20301107.zip", Body=b"not looked at")
        assert server.install()["storage"] == "s3://packs/models"
        assert server.get("/").json()["model"] == "20201107.zip"
        assert server.result(ROWS).json() == {"result": estimator(10.0).predict(ROWS).tolist()}


def test_s3_with_a_wrong_key(store, tmp_path):
    environment = {**s3_environment(store.port), "AWS_SECRET_ACCESS_KEY": "wrong-wrong"}
    arguments = ["--storage", "s3://packs", "--s3-endpoint", store.url]
    with PackServer(tmp_path, "iris", "sklearn", *arguments, environment=environment) as server:
        answer = server.get("/src_download")
        assert answer.status_code == 502 and "AWS_SECRET_ACCESS_KEY" in answer.json()["error"]
        assert "wrong-wrong" not in answer.text
    environment = {**s3_environment(store.port), "AWS_ACCESS_KEY_ID": "nobody"}
    with PackServer(tmp_path, "iris", "sklearn", *arguments, environment=environment) as server:
        answer = server.get("/src_download")
        assert answer.status_code == 502 and "(InvalidAccessKeyId): check AWS_ACCESS_KEY_ID" in answer.json()["error"]
    arguments = ["--storage", "s3://packs", "--s3-endpoint", "http://127.0.0.1:1"]
    with PackServer(tmp_path, "iris", "sklearn", *arguments, environment=environment) as server:
        answer = server.get("/src_download")
        assert answer.status_code == 502 and "The object store at http://127.0.0.1:1 did not answer" in answer.json()["error"]
        assert "start the store, or correct --s3-endpoint" in answer.json()["error"]


def test_a_server_that_is_no_object_store(tmp_path):
    """Another server's port, such as the tracking server's, answers and is no store."""
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"no page")

        def log_message(self, *_):
            pass

    other = http.server.HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{other.server_port}"
    try:
        arguments = ["--storage", "s3://packs", "--s3-endpoint", url]
        with PackServer(tmp_path, "iris", "sklearn", *arguments, environment=s3_environment(other.server_port)) as server:
            answer = server.get("/src_download")
            assert answer.status_code == 502 and f"the server at {url} answered 404" in answer.json()["error"]
            assert "is it the S3 API's address?" in answer.json()["error"]
    finally:
        other.shutdown()
        other.server_close()


def test_a_folder_that_is_not_mounted(tmp_path):
    with PackServer(tmp_path, "iris", "sklearn", "--storage", tmp_path / "nas") as server:
        for call in ("/src_download", "/model_download"):
            answer = server.get(call)
            if call == "/model_download":
                assert answer.status_code == 409 and "call /src_download before" in answer.json()["error"]
            else:
                assert answer.status_code == 502, answer.text
                assert answer.json()["error"] == f"the storage folder {tmp_path / 'nas'} is not there; is it mounted?"
        (tmp_path / "nas").mkdir()
        answer = server.get("/src_download")
        assert answer.status_code == 404 and "holds no iris/src/iris.zip" in answer.json()["error"]


def sftp(sshd, remote, tmp_path, *arguments, environment=None, port=None):
    place = f"sftp://{sshd.user}@127.0.0.1:{port or sshd.port}{remote.folder}".replace(" ", "%20")
    return PackServer(tmp_path, "iris", "sklearn", "--storage", place, *arguments, environment=environment)


def test_sftp_with_a_key(sshd, remote, tmp_path):
    with sftp(sshd, remote, tmp_path, "--sftp-key", sshd.folder / "client", "--sftp-known-hosts", sshd.known) as server:
        assert server.install()["model"] == "20201107.zip"
        assert server.result(ROWS).json() == {"result": estimator(10.0).predict(ROWS).tolist()}
        remote.put_model("20201109", sklearn_model(0.01))
        assert server.get("/model_download").json()["replaced"] == "20201107.zip"


def test_sftp_by_fingerprint(sshd, remote, tmp_path):
    arguments = ["--sftp-key", sshd.folder / "client", "--sftp-host-key"]
    with sftp(sshd, remote, tmp_path, *arguments, sshd.fingerprint) as server:
        assert server.get("/src_download").status_code == 200
    wrong = "SHA256:" + "A" * 43
    with sftp(sshd, remote, tmp_path, *arguments, wrong) as server:
        answer = server.get("/src_download")
        assert answer.status_code == 502 and "not among those that are trusted" in answer.json()["error"], answer.text


def test_sftp_mistakes(sshd, remote, tmp_path):
    unknown = tmp_path / "known_hosts"
    unknown.write_text("")
    key = ["--sftp-key", sshd.folder / "client"]
    with sftp(sshd, remote, tmp_path, *key, "--sftp-known-hosts", unknown) as server:
        answer = server.get("/src_download")
        assert answer.status_code == 502 and f"ssh-keyscan -p {sshd.port} 127.0.0.1" in answer.json()["error"]
    other = ["--sftp-key", sshd.folder / "other", "--sftp-known-hosts", sshd.known]
    with sftp(sshd, remote, tmp_path, *other) as server:
        answer = server.get("/src_download")
        assert answer.status_code == 502 and "refuses the user, the password or the key" in answer.json()["error"]
    trusted = [*key, "--sftp-known-hosts", sshd.known]
    with sftp(sshd, remote, tmp_path, *trusted, port=1) as server:
        answer = server.get("/src_download")
        assert answer.status_code == 502 and "did not answer" in answer.json()["error"]
    empty = Storage(tmp_path / "empty", "other")
    with sftp(sshd, empty, tmp_path, *trusted) as server:
        answer = server.get("/src_download")
        assert answer.status_code == 404 and "holds no iris/src/iris.zip" in answer.json()["error"], answer.text


def test_sftp_with_a_password(remote, tmp_path):
    if os.getuid() != 0:
        pytest.skip("a password of the test's own needs a mount namespace, which needs root")
    secret = "a password with spaces"
    hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=secret, text=True, check=True,
                            stdout=subprocess.PIPE).stdout.strip()
    lines = re.sub(r"(?m)^root:[^:]*:", lambda _: f"root:{hashed}:", open("/etc/shadow").read())
    shadow = tmp_path / "shadow"
    shadow.write_text(lines)
    shadow.chmod(0o600)
    sshd = Server(tmp_path / "sshd", shadow).start()
    try:
        known = ["--sftp-known-hosts", sshd.known]
        with sftp(sshd, remote, tmp_path, *known, environment={"MY_PASSWORD": secret}) as server:
            assert server.install()["state"] == "done"
        with sftp(sshd, remote, tmp_path, *known, environment={"MY_PASSWORD": "wrong one"}) as server:
            answer = server.get("/src_download")
            assert answer.status_code == 502 and "MY_PASSWORD" in answer.json()["error"] and "wrong one" not in answer.text
    finally:
        sshd.stop()
