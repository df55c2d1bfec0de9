"""What `slipway infer` says of the object store that it reads models from, before a request fails for want of it."""

import time

import pytest

from infer_start import start

UNSET = {"MINIO_ROOT_USER": "", "MINIO_ROOT_PASSWORD": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
         "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": "", "MLFLOW_S3_ENDPOINT_URL": ""}


@pytest.mark.parametrize("place, environment, said, not_said", [
    ("s3://models", {}, ["endpoint=http://127.0.0.1:9000", "access_key=none", "no endpoint is set", "are not signed"], []),
    ("s3://models", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "not-shown"},
     ["endpoint=http://127.0.0.1:1 ", "access_key=me"], ["no endpoint", "not signed", "not-shown"]),
    ("s3://http://127.0.0.1:2/models", {}, ["endpoint=http://127.0.0.1:2 ", "are not signed"], ["no endpoint"]),
])
def test_the_store_is_named_and_what_is_missing_too(tmp_path, place, environment, said, not_said):
    context, *_ = start(tmp_path, ["--model-repository", place], UNSET | environment)
    with context as server:
        deadline = time.monotonic() + 20
        while "infer: ready" not in server.text():
            assert time.monotonic() < deadline, server.text()
            time.sleep(0.02)
    for words in said:
        assert words in server.text()
    for words in not_said:
        assert words not in server.text()
