"""The first tutorial's likely mistakes through its clients: what a person reads must name the thing, the reason, the way out."""

import http.server
import io
import threading
import urllib.request

import boto3
import minio
import pytest
import urllib3
from botocore.client import Config
from botocore.exceptions import ClientError
from minio.error import S3Error

from slipway_process import PASSWORD, USER, free_port, running


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Ports of a store's API and of its console."""
    api, console = free_port(), free_port()
    arguments = ["store", "server", "--address", f":{api}", "--console-address", f":{console}"]
    folder = tmp_path_factory.mktemp("mistakes")
    with running(arguments, [api, console], folder, {"MINIO_VOLUMES": str(folder / "data")}):
        yield api, console


def sdk(port, user=USER, password=PASSWORD, **options):
    return minio.Minio(f"127.0.0.1:{port}", access_key=user, secret_key=password, secure=False, **options)


def boto(port, user=USER, password=PASSWORD):
    return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id=user, region_name="us-east-1",
                        aws_secret_access_key=password, config=Config(retries={"max_attempts": 0}))


def put(client):
    return client.put_object("models", "cnn.pt", io.BytesIO(b"model"), 5)


def refusal(call):
    with pytest.raises(S3Error) as caught:
        call()
    return caught.value.code, str(caught.value)


def test_a_wrong_key(places):
    for call in (put, lambda client: client.bucket_exists("models"), lambda client: client.list_buckets()):
        code, text = refusal(lambda: call(sdk(places[0], password="wrong-password")))
        assert code == "SignatureDoesNotMatch" and "Check your key" in text and "wrong-password" not in text
        code, text = refusal(lambda: call(sdk(places[0], user="nobody")))
        assert code == "InvalidAccessKeyId" and "does not exist in our records" in text
    with pytest.raises(ClientError, match="SignatureDoesNotMatch.*Check your key and signing method"):
        boto(places[0], password="wrong-password").list_buckets()


def test_no_key(places):
    code, text = refusal(minio.Minio(f"127.0.0.1:{places[0]}", secure=False).list_buckets)
    assert code == "AccessDenied" and "give the client an access key and a secret key" in text


def test_a_missing_bucket(places, tmp_path):
    (tmp_path / "large").write_bytes(bytes(6 << 20))
    client = sdk(places[0])
    for call in (
        lambda: put(client), lambda: client.fput_object("models", "large", str(tmp_path / "large"), part_size=5 << 20),
        lambda: client.get_object("models", "cnn.pt"), lambda: list(client.list_objects("models")),
    ):
        code, text = refusal(call)
        assert code == "NoSuchBucket" and "The specified bucket does not exist: models." in text
    # boto3 shows nothing but the message, so the name must stand in it.
    with pytest.raises(ClientError, match="The specified bucket does not exist: models."):
        boto(places[0]).put_object(Bucket="models", Key="cnn.pt", Body=b"")


def test_a_missing_object(places):
    client = sdk(places[0])
    client.make_bucket("present")
    try:
        code, text = refusal(lambda: client.get_object("present", "cnn.pt"))
        assert code == "NoSuchKey" and "/present/cnn.pt" in text
        assert refusal(lambda: client.stat_object("present", "cnn.pt"))[0] == "NoSuchKey"
    finally:
        client.remove_bucket("present")


def test_a_store_that_is_not_up():
    port = free_port()
    with pytest.raises(urllib3.exceptions.HTTPError, match=f"port={port}.*Connection refused"):
        sdk(port, http_client=urllib3.PoolManager(retries=False)).list_buckets()


def test_the_consoles_port_for_the_apis(places):
    client = sdk(places[1])
    for call in (lambda: put(client), client.list_buckets, lambda: client.bucket_exists("models")):
        code, text = refusal(call)
        assert code == "InvalidRequest" and "This is the web console, not the S3 API" in text and "--address" in text
    with pytest.raises(ClientError, match="This is the web console, not the S3 API"):
        boto(places[1]).list_buckets()
    link = sdk(places[1], region="us-east-1").presigned_get_object("models", "cnn.pt")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(link, timeout=5)
    assert b"This is the web console" in caught.value.read()


def test_a_host_that_was_changed_on_the_way(places):
    """A proxy that does not pass the Host header on breaks every signature."""
    client = boto(places[0])
    client.meta.events.register(
        "before-send.s3", lambda request, **_: request.headers.__setitem__("Host", "models.example.com"))
    with pytest.raises(ClientError, match="that no proxy changed the Host header"):
        client.list_buckets()


def test_a_proxy_that_passes_the_host_on(places):
    """The counterpart of the above: signatures hold through another address when the Host header goes along."""
    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            request = urllib.request.Request(f"http://127.0.0.1:{places[0]}{self.path}", headers=dict(self.headers))
            with urllib.request.urlopen(request, timeout=5) as answer:
                body = answer.read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    proxy = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        assert [bucket.name for bucket in sdk(proxy.server_port).list_buckets()] == []
    finally:
        proxy.shutdown()
        proxy.server_close()
