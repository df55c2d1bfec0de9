"""boto3 against the real binary; passes with the newest boto3 and with 1.26, which knows no checksums by default."""

import concurrent.futures
import hashlib
import io
import os
import threading
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError


def code(call):
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"]


def read(s3, bucket, key, **arguments):
    return s3.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()


@pytest.mark.parametrize("size", [0, 1, 4096, 65536, 65537, 1 << 20, (8 << 20) + 1])
def test_put_get_range(s3, bucket, size):
    data = os.urandom(size)
    answer = s3.put_object(Bucket=bucket, Key="k", Body=data)
    assert answer["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    assert read(s3, bucket, "k") == data
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == size
    if size > 100:
        for first, last in [(0, 0), (5, 99), (size - 1, size - 1), (size // 2, size + 50)]:
            part = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={first}-{last}")
            assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert part["Body"].read() == data[first:last + 1]
        assert read(s3, bucket, "k", Range="bytes=-7") == data[-7:]
    assert code(lambda: s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={size}-")) == "InvalidRange"


def test_metadata_and_headers(s3, bucket):
    s3.put_object(
        Bucket=bucket, Key="k", Body=b"x", Metadata={"run-id": "abc", "Note": "a b"}, ContentType="text/csv",
        CacheControl="no-cache", ContentDisposition="attachment", ContentEncoding="gzip", ContentLanguage="ko")
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["Metadata"] == {"run-id": "abc", "note": "a b"}
    assert (head["ContentType"], head["CacheControl"], head["ContentEncoding"]) == ("text/csv", "no-cache", "gzip")
    too_much = {"a": "x" * 2048}
    assert code(lambda: s3.put_object(Bucket=bucket, Key="m", Body=b"", Metadata=too_much)) == "MetadataTooLarge"
    got = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/plain")
    assert got["ContentType"] == "text/plain"


def test_listing_pages_and_delimiter(s3, bucket):
    keys = sorted([f"d{number % 7}/f{number:03}" for number in range(60)] + ["top", "d1"])
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for operation in ["list_objects", "list_objects_v2"]:
        pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 7}))
        assert [item["Key"] for page in pages for item in page.get("Contents", [])] == keys
        assert len(pages) == 9
        pages = list(s3.get_paginator(operation).paginate(
            Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 3}))
        assert [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])] == [
            f"d{number}/" for number in range(7)]
        assert [item["Key"] for page in pages for item in page.get("Contents", [])] == ["d1", "top"]
        pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, Prefix="d3/"))
        assert len(pages[0]["Contents"]) == len([key for key in keys if key.startswith("d3/")])
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="d5/f999", FetchOwner=True)["Contents"]
    assert after[0]["Key"].startswith("d6/") and after[0]["Owner"]["ID"]


def test_copy(s3, bucket):
    data = os.urandom(200_000)
    s3.put_object(Bucket=bucket, Key="a", Body=data, Metadata={"x": "1"}, ContentType="text/a")
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    s3.copy_object(
        Bucket=bucket, Key="c", CopySource=f"{bucket}/a", MetadataDirective="REPLACE", Metadata={"y": "2"})
    s3.delete_object(Bucket=bucket, Key="a")
    assert read(s3, bucket, "b") == data == read(s3, bucket, "c")
    assert s3.head_object(Bucket=bucket, Key="b")["Metadata"] == {"x": "1"}
    assert s3.head_object(Bucket=bucket, Key="c")["Metadata"] == {"y": "2"}
    itself = {"Bucket": bucket, "Key": "b"}
    assert code(lambda: s3.copy_object(Bucket=bucket, Key="b", CopySource=itself)) == "InvalidRequest"
    assert code(lambda: s3.copy_object(Bucket=bucket, Key="d", CopySource=f"{bucket}/absent")) == "NoSuchKey"


def test_delete_many(s3, bucket):
    keys = [f"k/{number}" for number in range(1000)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 10), keys))
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys] + []})
    assert len(answer["Deleted"]) == 1000
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.delete_object(Bucket=bucket, Key="never there")
    s3.delete_bucket(Bucket=bucket)
    assert code(lambda: s3.list_objects_v2(Bucket=bucket)) == "NoSuchBucket"


def test_multipart(s3, bucket):
    data = os.urandom((17 << 20) + 123)
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    s3.upload_fileobj(io.BytesIO(data), bucket, "big", Config=config)
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-4"')
    target = io.BytesIO()
    s3.download_fileobj(bucket, "big", target, Config=config)
    assert target.getvalue() == data
    assert read(s3, bucket, "big", Range="bytes=5242870-10485770") == data[5242870:10485771]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    first = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"small")
    copied = s3.upload_part_copy(
        Bucket=bucket, Key="m", UploadId=upload, PartNumber=2, CopySource=f"{bucket}/big", CopySourceRange="bytes=3-99")
    parts = s3.list_parts(Bucket=bucket, Key="m", UploadId=upload)["Parts"]
    assert [part["Size"] for part in parts] == [5, 97]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]

    def complete(*listed):
        return s3.complete_multipart_upload(
            Bucket=bucket, Key="m", UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in listed]})

    one, two = (1, first["ETag"]), (2, copied["CopyPartResult"]["ETag"])
    assert code(lambda: complete(one, two)) == "EntityTooSmall"
    assert code(lambda: complete(two, one)) == "InvalidPartOrder"
    assert code(lambda: complete((1, '"0"'))) == "InvalidPart"
    complete(two)
    assert read(s3, bucket, "m") == data[3:100]
    other = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key="m", UploadId=other)
    gone = dict(Bucket=bucket, Key="m", UploadId=other)
    assert code(lambda: s3.upload_part(PartNumber=1, Body=b"x", **gone)) == "NoSuchUpload"
    assert code(lambda: s3.list_parts(**gone)) == "NoSuchUpload"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned(store, s3, bucket, version):
    signer = store.boto(signature_version=version)
    s3.put_object(Bucket=bucket, Key="a b/\u00e9", Body=b"secret")
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/\u00e9"}, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == b"secret"
    other_end = url[:-1] + ("1" if url.endswith("0") else "0")
    for bad in [other_end, url + "&uploads", url.replace(bucket, bucket + "0")]:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(bad)
        assert caught.value.code in (403, 404)
    put = signer.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "up"}, ExpiresIn=60)
    request = urllib.request.Request(put, data=b"by url", method="PUT")
    request.add_unredirected_header("Content-Type", "") if version == "s3" else None
    urllib.request.urlopen(request)
    assert read(s3, bucket, "up") == b"by url"


def test_wrong_credentials(store, bucket):
    assert code(lambda: store.boto(user="nobody").list_buckets()) == "InvalidAccessKeyId"
    assert code(lambda: store.boto(password="wrongwrong").list_buckets()) == "SignatureDoesNotMatch"
    second = store.boto(user="second", password="secondsecret")
    assert code(lambda: second.list_objects_v2(Bucket=bucket)) == "AccessDenied"
    assert code(lambda: second.put_object(Bucket=bucket, Key="k", Body=b"")) == "AccessDenied"
    assert code(lambda: second.create_bucket(Bucket=bucket)) == "BucketAlreadyExists"
    assert second.list_buckets()["Buckets"] == []
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{store.url}/{bucket}")
    assert caught.value.code == 403 and b"<Code>AccessDenied</Code>" in caught.value.read()


@pytest.mark.parametrize("key", [
    "..", "../../etc/passwd", "a/../b", "\\", "/lead", "x//y", ".minio.sys", "trailing ", "trailing.", "%2e%2e", "a+b c",
    "\U0001F600", "k" * 1024, "s" * 300 + "/x", "?#&=", "\u00e9", "e\u0301", "tab\there"])
def test_hostile_keys(s3, bucket, store, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert read(s3, bucket, key) == key.encode()
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert set(os.listdir(store.folder)) <= {
        "format", "lock", "ballast", "index.db", "index.db-wal", "index.db-shm", "tmp", "blobs"}


def test_a_key_and_keys_below_it(s3, bucket):
    for key in ["a", "a/b", "a/b/c", "a/b/"]:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in ["a", "a/b", "a/b/c", "a/b/"]:
        assert read(s3, bucket, key) == key.encode()


def test_one_of_64_creators_wins(s3, bucket):
    if not hasattr(s3.meta.service_model.operation_model("PutObject").input_shape.members, "IfNoneMatch") and (
            "IfNoneMatch" not in s3.meta.service_model.operation_model("PutObject").input_shape.members):
        pytest.skip("this boto3 knows no conditional writes")

    def create(number):
        try:
            s3.put_object(Bucket=bucket, Key="once", Body=str(number).encode(), IfNoneMatch="*")
            return number
        except ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        winners = [number for number in pool.map(create, range(64)) if number is not None]
    assert len(winners) == 1
    assert read(s3, bucket, "once") == str(winners[0]).encode()


def test_readers_see_one_version_while_it_is_replaced(s3, bucket):
    versions = [bytes([number]) * ((6 << 20) + number) for number in range(4)]
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    s3.put_object(Bucket=bucket, Key="k", Body=versions[0])
    stop = threading.Event()

    def replace():
        number = 0
        while not stop.is_set():
            number += 1
            if number % 2:
                s3.put_object(Bucket=bucket, Key="k", Body=versions[number % 4])
            else:
                s3.upload_fileobj(io.BytesIO(versions[number % 4]), bucket, "k", Config=config)

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for data in pool.map(lambda _: read(s3, bucket, "k"), range(64)):
                assert data in versions
    finally:
        stop.set()
        writer.join()


def test_conditional_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    assert read(s3, bucket, "k", IfMatch=etag) == b"x"
    assert code(lambda: read(s3, bucket, "k", IfNoneMatch=etag)) == "304"
    assert code(lambda: read(s3, bucket, "k", IfMatch='"other"')) == "PreconditionFailed"


def test_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="a=1&b=2")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [
        {"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


def test_bytes_survive_a_kill(store, s3, bucket):
    small, large = b"small", os.urandom(3 << 20)
    s3.put_object(Bucket=bucket, Key="small", Body=small)
    s3.put_object(Bucket=bucket, Key="large", Body=large)
    store.stop(kill=True)
    store.start()
    assert read(s3, bucket, "small") == small and read(s3, bucket, "large") == large


def test_damage_is_an_error_and_never_wrong_bytes(store, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=os.urandom(3 << 20))
    files = [os.path.join(folder, name) for folder, _, names in os.walk(f"{store.folder}/blobs") for name in names]
    newest = max(files, key=os.path.getmtime)
    with open(newest, "r+b") as file:
        file.seek(1_500_000)
        byte = file.read(1)
        file.seek(1_500_000)
        file.write(bytes([byte[0] ^ 1]))
    assert code(lambda: read(s3, bucket, "k")) == "InternalError"
    assert code(lambda: read(s3, bucket, "k", Range="bytes=1499999-1500001")) == "InternalError"
    assert len(read(s3, bucket, "k", Range="bytes=0-999")) == 1000
