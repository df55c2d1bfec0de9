"""The store started as MinIO's image starts its own: flags, environment, console, redirect, TLS, mounted secrets."""

import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request

import boto3
import minio
import pytest
import urllib3

from slipway_process import BINARY, free_port, running

USER, PASSWORD = "scv-user", "scv-password"
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Accept": "text/html,application/xhtml+xml"}


def fetch(url, headers=None, context=None):
    """Status, fields and body, redirects not followed."""
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    handlers = [Stay()] + ([urllib.request.HTTPSHandler(context=context)] if context else [])
    try:
        with urllib.request.build_opener(*handlers).open(urllib.request.Request(url, headers=headers or {}), timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_as_the_compose_file_starts_it(tmp_path):
    api, console = free_port(), free_port()
    environment = {"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD, "MINIO_VOLUMES": str(tmp_path / "volume")}
    arguments = ["store", "server", "--address", f":{api}", "--console-address", f":{console}"]
    with running(arguments, [api, console], tmp_path, environment):
        client = minio.Minio(f"127.0.0.1:{api}", access_key=USER, secret_key=PASSWORD, secure=False)
        client.make_bucket("models")
        assert client.bucket_exists("models") and (tmp_path / "volume").is_dir()
        status, fields, _ = fetch(f"http://localhost:{api}/", BROWSER)
        assert (status, fields["Location"]) == (307, f"http://localhost:{console}/")
        # Programs are never sent away, whatever they call themselves.
        assert fetch(f"http://localhost:{api}/")[0] == 403
        assert fetch(f"http://localhost:{api}/models", BROWSER)[0] == 403
        assert fetch(f"http://localhost:{api}/", dict(BROWSER, Authorization="AWS4-HMAC-SHA256 x"))[0] in (400, 403)
        status, fields, body = fetch(f"http://localhost:{console}/", BROWSER)
        assert status == 200 and b"<html" in body and "Content-Security-Policy" in fields


def test_a_store_without_console_sends_browsers_nowhere(tmp_path):
    api, console = free_port(), free_port()
    arguments = ["store", "--address", f":{api}", "--console-address", f":{console}"]
    with running(arguments, [api], tmp_path, {"MINIO_BROWSER": "off"}):
        assert fetch(f"http://localhost:{api}/", BROWSER)[0] == 403
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"http://localhost:{console}/", timeout=2)


@pytest.mark.parametrize("own", [True, False], ids=["made by the owner", "made by the store"])
def test_tls_with_certificates_in_minios_layout(tmp_path, own):
    certificates = tmp_path / "certs"
    certificates.mkdir()
    if own:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-keyout", certificates / "private.key", "-out", certificates / "public.crt", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    authority = str(certificates / ("public.crt" if own else "ca.crt"))
    api, console = free_port(), free_port()
    arguments = ["store", "server", tmp_path / "d", "--address", f":{api}", "--console-address", f":{console}", "--certs-dir", certificates]
    with running(arguments, [api, console], tmp_path, {"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD}):
        s3 = boto3.client("s3", endpoint_url=f"https://localhost:{api}", aws_access_key_id=USER,
                          aws_secret_access_key=PASSWORD, region_name="us-east-1", verify=authority)
        s3.create_bucket(Bucket="models")
        s3.put_object(Bucket="models", Key="a", Body=b"over TLS")
        pool = urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=authority)
        client = minio.Minio(f"localhost:{api}", access_key=USER, secret_key=PASSWORD, http_client=pool)
        assert client.get_object("models", "a").read() == b"over TLS"
        context = ssl.create_default_context(cafile=authority)
        status, fields, _ = fetch(f"https://localhost:{api}/", BROWSER, context)
        assert (status, fields["Location"]) == (307, f"https://localhost:{console}/")
        assert fetch(f"https://localhost:{console}/", BROWSER, context)[0] == 200
        # A client that forgot the `s` is told.
        status, _, body = fetch(f"http://localhost:{api}/")
        assert status == 400 and b"https" in body
        # mc trusts the authority that lies where mc looks for it.
        home = tmp_path / "home"
        (home / ".mc/certs/CAs").mkdir(parents=True)
        (home / ".mc/certs/CAs/store.crt").write_bytes(open(authority, "rb").read())
        host = f"https://{USER}:{PASSWORD}@localhost:{api}"
        mc = dict(os.environ, HOME=str(home), MC_HOST_tls=host)
        assert subprocess.run([BINARY, "mc", "cat", "tls/models/a"], env=mc, capture_output=True).stdout == b"over TLS"
        refused = subprocess.run([BINARY, "mc", "ls", "tls"], env=dict(mc, HOME=str(tmp_path)), capture_output=True, text=True)
        assert refused.returncode == 1 and "certificate" in refused.stderr


def test_secrets_in_files(tmp_path):
    (tmp_path / "user").write_text(USER + "\n")
    (tmp_path / "password").write_text(PASSWORD + "\n")
    environment = {"MINIO_ROOT_USER": "", "MINIO_ROOT_PASSWORD": "", "MINIO_ROOT_USER_FILE": str(tmp_path / "user"),
                   "MINIO_ROOT_PASSWORD_FILE": str(tmp_path / "password")}
    port = free_port()
    with running(["store", "--address", f":{port}"], [port], tmp_path, environment):
        assert minio.Minio(f"127.0.0.1:{port}", access_key=USER, secret_key=PASSWORD, secure=False).list_buckets() == []


@pytest.mark.parametrize("environment, message", [
    ({"MINIO_ROOT_USER": "ab", "MINIO_ROOT_PASSWORD": PASSWORD}, "3 to 128 characters"),
    ({"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": "short"}, "8 to 128 characters"),
    ({"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": ""}, "give both"),
    ({"MINIO_VOLUMES": "/data{1...4}"}, "several drives"),
    ({"MINIO_ROOT_USER": "", "MINIO_ROOT_PASSWORD": "", "MINIO_ROOT_USER_FILE": "/no/file"}, "there is no file"),
])
def test_what_cannot_be_started_says_why(tmp_path, environment, message):
    variables = dict(os.environ, MINIO_ROOT_USER=USER, MINIO_ROOT_PASSWORD=PASSWORD, SLIPWAY_DATA=str(tmp_path), **{})
    variables.update(environment)
    done = subprocess.run([BINARY, "store", "--address", f":{free_port()}"], env=variables, capture_output=True, text=True, timeout=20)
    assert done.returncode in (1, 2) and message in done.stderr, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_folder_of_another_user():
    """As in a container whose volume belongs to root."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        pathlib.Path(folder, "data").mkdir()
        program = shutil.copy(BINARY, folder)
        done = subprocess.run(
            [program, "store", f"{folder}/data", "--address", f":{free_port()}", "--data", folder], user=65534, group=65534,
            extra_groups=[], cwd=folder, env={"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD}, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "Permission denied" in done.stderr, done.stderr
    assert f"The user 65534 may not write there: `chown -R 65534 {folder}/data` as root" in done.stderr
    assert "One process serves a folder" not in done.stderr


def test_a_folder_that_is_served_already(tmp_path):
    port = free_port()
    with running(["store", tmp_path / "data", "--address", f":{port}"], [port], tmp_path):
        done = subprocess.run(
            [BINARY, "store", tmp_path / "data", "--address", f":{free_port()}"], capture_output=True, text=True, timeout=20,
            env=dict(os.environ, MINIO_ROOT_USER=USER, MINIO_ROOT_PASSWORD=PASSWORD, SLIPWAY_DATA=str(tmp_path)))
    assert done.returncode == 1 and "One process serves a folder; give another with a word or --volumes." in done.stderr


def test_called_as_minio(tmp_path):
    link = tmp_path / "minio"
    link.symlink_to(BINARY.resolve())
    done = subprocess.run([link, "server", "--help"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and "--console-address" in done.stdout
    assert subprocess.run([link, "--version"], capture_output=True, text=True, timeout=20).stdout.startswith("slipway ")
