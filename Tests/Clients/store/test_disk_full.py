"""A full disk: new bytes are refused in full, everything else goes on. On a tmpfs of 64 MiB, so it needs root."""

import os
import shutil
import subprocess
import tempfile

import pytest
from botocore.exceptions import ClientError
from conftest import Store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")


@pytest.fixture
def small_disk():
    base = tempfile.mkdtemp(prefix="slipway-full-")
    disk = f"{base}/disk"
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk]).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    yield f"{disk}/data"
    subprocess.run(["umount", "-l", disk])
    shutil.rmtree(base, ignore_errors=True)


def fill(s3, size):
    """Puts objects until one is refused; returns the keys that were acknowledged."""
    keys = []
    for number in range(20_000):
        try:
            s3.put_object(Bucket="full", Key=f"{size}/{number}", Body=bytes([number % 256]) * size)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "XMinioStorageFull"
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 507
            return keys
        keys.append(f"{size}/{number}")
    raise AssertionError("the disk never filled")


def test_reads_listings_and_deletes_go_on(small_disk):
    os.makedirs(small_disk)
    store = Store(small_disk).start()
    try:
        s3 = store.boto()
        s3.create_bucket(Bucket="full")
        keys = fill(s3, 3 << 20) + fill(s3, 20_000)
        assert len(keys) > 10

        def check():
            listed = [
                item["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="full")
                for item in page.get("Contents", [])]
            assert sorted(keys) == listed
            for key in keys:
                size, number = (int(part) for part in key.split("/"))
                assert s3.get_object(Bucket="full", Key=key)["Body"].read() == bytes([number % 256]) * size

        check()
        # Somebody else takes the rest of the disk, to the last byte.
        with open(f"{os.path.dirname(small_disk)}/foreign", "wb") as foreign:
            with pytest.raises(OSError):
                while True:
                    foreign.write(b"x" * 65536)
                    foreign.flush()
        check()
        store.stop(kill=True)
        store.start()
        check()
        for _ in range(6):
            s3.delete_object(Bucket="full", Key=keys.pop(0))
        check()
        os.unlink(f"{os.path.dirname(small_disk)}/foreign")
        s3.put_object(Bucket="full", Key="3145728/0", Body=b"\x00" * 3145728)
        keys.append("3145728/0")
        keys.sort()
        check()
        assert os.listdir(f"{small_disk}/tmp") == []
    finally:
        store.stop()
