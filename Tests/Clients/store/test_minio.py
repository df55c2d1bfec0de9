"""The minio SDK against the real binary: what the first tutorial does, and its other everyday calls."""

import datetime
import io
import os
import urllib.request

import pytest
from conftest import PASSWORD, USER
from minio import Minio
from minio.commonconfig import CopySource
from minio.deleteobjects import DeleteObject
from minio.error import S3Error


@pytest.fixture(scope="module")
def client(store):
    return Minio(f"127.0.0.1:{store.port}", access_key=USER, secret_key=PASSWORD, secure=False)


def test_the_tutorial(client, tmp_path):
    assert not client.bucket_exists("models")
    client.make_bucket("models")
    assert client.bucket_exists("models")
    data = os.urandom(100_000)
    result = client.put_object(
        "models", "cnn.pt", io.BytesIO(data), length=len(data), metadata={"framework": "torch"})
    assert result.etag
    path = tmp_path / "model.bin"
    path.write_bytes(os.urandom(12 << 20))
    client.fput_object("models", "dir/model.bin", str(path), part_size=5 << 20)
    assert client.get_object("models", "cnn.pt").read() == data
    assert client.stat_object("models", "cnn.pt").metadata["x-amz-meta-framework"] == "torch"
    client.fget_object("models", "dir/model.bin", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == path.read_bytes()
    assert [item.object_name for item in client.list_objects("models")] == ["cnn.pt", "dir/"]
    assert [item.object_name for item in client.list_objects("models", recursive=True)] == ["cnn.pt", "dir/model.bin"]
    with pytest.raises(S3Error) as caught:
        client.make_bucket("models")
    assert caught.value.code == "BucketAlreadyOwnedByYou"


def test_unknown_length_stream_and_range(client):
    client.make_bucket("streams")
    data = os.urandom((11 << 20) + 7)
    client.put_object("streams", "s", io.BytesIO(data), length=-1, part_size=5 << 20)
    assert client.get_object("streams", "s", offset=5_000_000, length=1_000_000).read() == data[5_000_000:6_000_000]
    assert client.stat_object("streams", "s").size == len(data)


def test_copy_presign_and_delete_many(client):
    client.make_bucket("many")
    for number in range(30):
        client.put_object("many", f"k{number}", io.BytesIO(b"x"), 1)
    client.copy_object("many", "copy", CopySource("many", "k1"))
    url = client.presigned_get_object("many", "copy", expires=datetime.timedelta(minutes=1))
    assert urllib.request.urlopen(url).read() == b"x"
    names = [DeleteObject(item.object_name) for item in client.list_objects("many", recursive=True)]
    assert list(client.remove_objects("many", names)) == []
    client.remove_bucket("many")
    with pytest.raises(S3Error) as caught:
        client.stat_object("many", "k1")
    assert caught.value.code in ("NoSuchBucket", "NoSuchKey")


def test_wrong_secret(store):
    client = Minio(f"127.0.0.1:{store.port}", access_key=USER, secret_key="wrongwrong", secure=False)
    with pytest.raises(S3Error) as caught:
        client.list_buckets()
    assert caught.value.code == "SignatureDoesNotMatch"
