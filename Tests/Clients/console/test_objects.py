"""Buckets and objects in a real browser: what a person does on the first day."""

import hashlib
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
import pytest
from botocore.client import Config

from slipway_process import BINARY, PASSWORD, USER


@pytest.fixture(scope="module")
def s3(store):
    return boto3.client("s3", endpoint_url=store.url, aws_access_key_id=USER, aws_secret_access_key=PASSWORD,
                        region_name="us-east-1", config=Config(s3={"addressing_style": "path"}))


@pytest.fixture
def bucket(s3):
    name = f"b{time.time_ns():x}"
    s3.create_bucket(Bucket=name)
    return name


def test_a_wrong_password_is_refused_and_a_right_one_opens(browser):
    browser.open().see("Password").log_in(USER, "not-the-password").see("The user name or the password is wrong.")
    browser.log_in(USER, PASSWORD).see("Overview")
    cookie = next(cookie for cookie in browser.driver.get_cookies() if cookie["name"].startswith("slipway-session"))
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert browser.driver.execute_script("return document.cookie") == ""
    browser.press("Log out").see("Password")
    browser.open("#/buckets").see("Password")


def test_a_bucket_is_made_and_deleted(logged_in, s3):
    name = f"made-{time.time_ns():x}"
    logged_in.open("#/buckets").press("Create bucket").type("#bucket-name", "Not A Name").press("Create", "dialog")
    logged_in.see("Not created")
    logged_in.type("#bucket-name", name).press("Create", "dialog").see(f"Bucket {name} created")
    assert name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.put_object(Bucket=name, Key="x", Body=b"x")
    logged_in.open("#/buckets").press(f"Delete bucket {name}").press("Delete bucket", "dialog").see("still holds objects")
    logged_in.press("Close", "dialog .dialog-actions")
    s3.delete_object(Bucket=name, Key="x")
    logged_in.press(f"Delete bucket {name}").press("Delete bucket", "dialog").see(f"Bucket {name} deleted")
    assert name not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_files_are_uploaded_with_their_bytes_and_names(logged_in, s3, bucket, tmp_path):
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(range(256)) * (20 << 12))
    odd = tmp_path / "a <b>&' ü.txt"
    odd.write_text("text")
    logged_in.open(f"#/buckets/{bucket}?prefix=in%2F").one("#files").send_keys(f"{large}\n{odd}")
    logged_in.see("2 files uploaded").see("a <b>&' ü.txt")
    stored = s3.get_object(Bucket=bucket, Key="in/large.bin")["Body"].read()
    assert hashlib.sha256(stored).digest() == hashlib.sha256(large.read_bytes()).digest()
    assert s3.get_object(Bucket=bucket, Key="in/a <b>&' ü.txt")["Body"].read() == b"text"


def test_files_are_dropped_onto_the_page(logged_in, s3, bucket):
    logged_in.open(f"#/buckets/{bucket}").one(".drop")
    logged_in.driver.execute_script("""
        const data = new DataTransfer();
        data.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
        for (const type of ["dragover", "drop"]) {
            document.querySelector(".drop").dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
        }""")
    logged_in.see("1 file uploaded").see("dropped.txt")
    answer = s3.get_object(Bucket=bucket, Key="dropped.txt")
    assert answer["Body"].read() == b"dropped" and answer["ContentType"] == "text/plain"


def test_an_object_shows_its_metadata_preview_and_download(logged_in, s3, bucket):
    s3.put_object(Bucket=bucket, Key="deep/er/report.json", Body=b'{"accuracy": 0.98, "note": "<b>not bold</b>"}',
                  ContentType="application/json", Metadata={"model": "resnet18"})
    logged_in.open(f"#/buckets/{bucket}").press("deep/").press("er/").press("report.json")
    for text in ("application/json", "x-amz-meta-model", "resnet18", "45 bytes", "<b>not bold</b>"):
        logged_in.see(text)
    etag = s3.head_object(Bucket=bucket, Key="deep/er/report.json")["ETag"].strip('"')
    logged_in.see(etag).press("Download")
    target = logged_in.downloads / "report.json"
    logged_in.until(target.exists, "no download")
    logged_in.until(lambda: target.read_bytes() == b'{"accuracy": 0.98, "note": "<b>not bold</b>"}')


def test_a_shared_link_opens_without_a_log_in_until_it_ends(logged_in, s3, bucket):
    s3.put_object(Bucket=bucket, Key="to share.txt", Body=b"shared bytes")
    logged_in.open(f"#/buckets/{bucket}").press("to share.txt").press("Share").press("Create link")
    url = logged_in.one("#shared-link").get_attribute("value")
    assert urllib.request.urlopen(url, timeout=10).read() == b"shared bytes"
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    assert query["X-Amz-Expires"] == "86400" and PASSWORD not in url
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url.replace("X-Amz-Expires=86400", "X-Amz-Expires=604800"), timeout=10)
    assert caught.value.code == 403


def test_objects_and_folders_are_deleted_after_a_question(logged_in, s3, bucket):
    for key in ("one", "two", "folder/a", "folder/b/c", "stays"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    logged_in.open(f"#/buckets/{bucket}").press("one").press("Delete", "dialog").see("cannot be undone")
    logged_in.press("Cancel", "dialog")
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 5
    logged_in.press("Delete", "dialog").until(lambda: len(logged_in.all("dialog")) == 2)
    logged_in.all("dialog")[1].find_element("css selector", ".button.danger").click()
    logged_in.see("one deleted")
    for name in ("folder/", "two"):
        logged_in.one(f"input[aria-label='Select {name}']").click()
    logged_in.press("Delete selected (2)").press("Delete", "dialog").see("3 objects deleted")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["stays"]


def test_long_listings_come_page_by_page(logged_in, s3, bucket):
    for number in range(205):
        s3.put_object(Bucket=bucket, Key=f"{number:04}", Body=b"x")
    logged_in.open(f"#/buckets/{bucket}").see("0199")
    assert len(logged_in.all("tbody tr")) == 200
    logged_in.press("Show more").see("0204")
    assert len(logged_in.all("tbody tr")) == 205


def test_what_is_empty_or_missing_says_what_to_do(logged_in, bucket):
    logged_in.open(f"#/buckets/{bucket}").see("This bucket is empty").see(f"slipway mc cp FILE local/{bucket}/")
    logged_in.open("#/buckets/there-is-no-such-bucket").see("The specified bucket does not exist")


def test_the_commands_that_an_empty_bucket_shows_fill_it(logged_in, s3, bucket, tmp_path):
    logged_in.open(f"#/buckets/{bucket}").see("slipway mc alias set local")
    file = tmp_path / "file.txt"
    file.write_text("by the command line")
    environment = dict(os.environ, MC_CONFIG_DIR=str(tmp_path / "mc"))
    for line in [code.text for code in logged_in.all(".empty code")]:
        words = line.replace("PASSWORD", PASSWORD).replace("FILE", str(file)).split()
        assert words[0] == "slipway"
        subprocess.run([BINARY, *words[1:]], check=True, env=environment, capture_output=True, timeout=30)
    assert s3.get_object(Bucket=bucket, Key="file.txt")["Body"].read() == b"by the command line"


@pytest.mark.parametrize("page", ["#/overview", "#/buckets", "#/buckets/{bucket}", "#/experiments", "#/models"])
def test_every_page_fits_a_narrow_screen(narrow, s3, bucket, page):
    s3.put_object(Bucket=bucket, Key="a-long-name-" * 8, Body=b"x")
    narrow.open().log_in(USER, PASSWORD).see("Log out")
    narrow.open(page.format(bucket=bucket)).one("main h1")
    assert narrow.width_needed() <= 360


def test_the_keyboard_reaches_a_bucket(logged_in, bucket):
    logged_in.open("#/buckets").one("table")
    link = next(link for link in logged_in.all("td a") if link.text == bucket)
    reached = logged_in.driver.execute_script("arguments[0].focus(); return document.activeElement === arguments[0]", link)
    assert reached
    link.send_keys("\n")
    logged_in.see("This bucket is empty")
