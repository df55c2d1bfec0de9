"""The container registry by the sections of the OCI distribution specification, and with the real clients."""

import base64
import gzip
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import time

import pytest
import requests

from slipway_process import PASSWORD, USER, Slipway, free_port, running

OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    def __init__(self, port):
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def __call__(self, method, path, **arguments):
        return requests.request(method, self.url + path, timeout=20, **arguments)

    def push_blob(self, name, data):
        answer = self("POST", f"/v2/{name}/blobs/uploads/?digest={digest(data)}", data=data)
        assert answer.status_code == 201, answer.text
        return {"mediaType": "application/octet-stream", "digest": digest(data), "size": len(data)}

    def push_image(self, name, tag, content=b"layer", **members):
        config, layer = self.push_blob(name, b"{}"), self.push_blob(name, content)
        manifest = {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": [layer], **members}
        manifest = {key: value for key, value in manifest.items() if value is not None}
        data = json.dumps(manifest).encode()
        answer = self("PUT", f"/v2/{name}/manifests/{tag}", data=data, headers={"Content-Type": OCI})
        assert answer.status_code == 201, answer.text
        return data


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    port = free_port()
    with running(["registry", "--port", port], [port], tmp_path_factory.mktemp("registry")):
        yield Registry(port)


def error(answer):
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, answer.json()["errors"][0]["code"]


# Pull (end-1 to end-3)

def test_version(registry):
    answer = registry("GET", "/v2/")
    assert answer.status_code == 200 and answer.headers["Docker-Distribution-API-Version"] == "registry/2.0"


def test_manifests_by_tag_and_digest(registry):
    data = registry.push_image("pull/a", "v1")
    for reference in ("v1", digest(data)):
        answer = registry("GET", f"/v2/pull/a/manifests/{reference}")
        assert answer.content == data and answer.headers["Content-Type"] == OCI
        assert answer.headers["Docker-Content-Digest"] == digest(data)
        head = registry("HEAD", f"/v2/pull/a/manifests/{reference}")
        assert head.status_code == 200 and int(head.headers["Content-Length"]) == len(data) and not head.content


def test_blobs_whole_and_in_ranges(registry):
    data = os.urandom(3_000_000)
    registry.push_blob("pull/b", data)
    path = f"/v2/pull/b/blobs/{digest(data)}"
    assert registry("GET", path).content == data
    assert int(registry("HEAD", path).headers["Content-Length"]) == len(data)
    part = registry("GET", path, headers={"Range": "bytes=1000000-1999999"})
    assert part.status_code == 206 and part.content == data[1_000_000:2_000_000]
    assert part.headers["Content-Range"] == "bytes 1000000-1999999/3000000"
    assert error(registry("GET", path, headers={"Range": "bytes=9000000-"})) == (416, "RANGE_INVALID")


@pytest.mark.parametrize("path, status, code", [
    ("/v2/nothing/manifests/v1", 404, "MANIFEST_UNKNOWN"),
    ("/v2/nothing/blobs/sha256:" + "0" * 64, 404, "BLOB_UNKNOWN"),
    ("/v2/nothing/tags/list", 404, "NAME_UNKNOWN"),
    ("/v2/UPPER/manifests/v1", 400, "NAME_INVALID"),
    ("/v2/a..b/manifests/v1", 400, "NAME_INVALID"),
    ("/v2/a/%2e%2e/b/manifests/v1", 400, "NAME_INVALID"),
    ("/v2/a/blobs/sha256:short", 400, "DIGEST_INVALID"),
    ("/v2/a/blobs/md5:" + "0" * 32, 400, "DIGEST_INVALID"),
    ("/v2/a/manifests/-tag", 400, "MANIFEST_INVALID"),
    ("/v2/a", 404, "NAME_UNKNOWN"),
    ("/v1/search", 404, "NAME_UNKNOWN"),
])
def test_what_is_not_there_or_no_name(registry, path, status, code):
    request = requests.Request("GET", registry.url + path).prepare()
    request.url = registry.url + path
    assert error(requests.Session().send(request, timeout=10)) == (status, code)


# Push (end-4 to end-7, end-11)

def test_a_blob_in_chunks(registry):
    data = os.urandom(700_000)
    location = registry("POST", "/v2/push/a/blobs/uploads/").headers["Location"]
    assert registry("GET", location).headers["Range"] == "0-0"
    for start in range(0, 600_000, 200_000):
        answer = registry("PATCH", location, data=data[start:start + 200_000],
                          headers={"Content-Range": f"{start}-{start + 199_999}"})
        assert answer.status_code == 202 and answer.headers["Range"] == f"0-{start + 199_999}"
    assert error(registry("PATCH", location, data=b"x", headers={"Content-Range": "5-5"})) == (416, "RANGE_INVALID")
    assert registry("GET", location).headers["Range"] == "0-599999"
    answer = registry("PUT", f"{location}?digest={digest(data)}", data=data[600_000:])
    assert answer.status_code == 201 and answer.headers["Docker-Content-Digest"] == digest(data)
    assert registry("GET", answer.headers["Location"]).content == data
    assert error(registry("GET", location)) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_a_stream_of_unknown_length(registry):
    data = os.urandom(5_000_000)
    location = registry("POST", "/v2/push/b/blobs/uploads/").headers["Location"]
    assert registry("PATCH", location, data=iter([data[:2_500_000], data[2_500_000:]])).status_code == 202
    assert registry("PUT", f"{location}?digest={digest(data)}").status_code == 201


def test_a_wrong_digest_leaves_nothing(registry):
    wrong = digest(b"other")
    assert error(registry("POST", f"/v2/push/c/blobs/uploads/?digest={wrong}", data=b"bytes")) == (400, "DIGEST_INVALID")
    assert registry("GET", f"/v2/push/c/blobs/{wrong}").status_code == 404
    location = registry("POST", "/v2/push/c/blobs/uploads/").headers["Location"]
    assert error(registry("PUT", location, data=b"bytes")) == (400, "DIGEST_INVALID")
    assert registry("DELETE", location).status_code == 204
    assert error(registry("PUT", f"{location}?digest={digest(b'bytes')}", data=b"bytes")) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_mount_from_another_repository(registry):
    data = b"shared layer"
    registry.push_blob("mount/from", data)
    assert registry("GET", f"/v2/mount/to/blobs/{digest(data)}").status_code == 404
    answer = registry("POST", f"/v2/mount/to/blobs/uploads/?mount={digest(data)}&from=mount/from")
    assert answer.status_code == 201
    assert registry("GET", f"/v2/mount/to/blobs/{digest(data)}").content == data
    absent = digest(b"absent")
    assert registry("POST", f"/v2/mount/to/blobs/uploads/?mount={absent}&from=mount/from").status_code == 202


@pytest.mark.parametrize("data, message", [
    (b"not json", "not a JSON object"), (b"[]", "not a JSON object"), (b'{"schemaVersion": 1}', "schema version 2"),
    (b'{"schemaVersion": 2, "mediaType": "text/plain"}', "is no image manifest"),
    (json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": {}}).encode(), "no sha256 digest"),
])
def test_bad_manifests(registry, data, message):
    answer = registry("PUT", "/v2/push/d/manifests/v1", data=data)
    assert error(answer) == (400, "MANIFEST_INVALID") and message in answer.json()["errors"][0]["message"]


def test_a_manifest_needs_its_blobs(registry):
    missing = {"mediaType": "x", "digest": digest(b"missing"), "size": 7}
    data = json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": missing, "layers": []}).encode()
    assert error(registry("PUT", "/v2/push/e/manifests/v1", data=data)) == (404, "MANIFEST_BLOB_UNKNOWN")
    large = b'{"schemaVersion": 2, "padding": "' + b"x" * (4 << 20) + b'"}'
    assert error(registry("PUT", "/v2/push/e/manifests/v1", data=large)) == (413, "SIZE_INVALID")
    promised = registry.push_image("push/e", "right")
    assert error(registry("PUT", f"/v2/push/e/manifests/{digest(b'x')}", data=promised)) == (400, "DIGEST_INVALID")


# Content discovery (end-8, end-12, end-13)

def test_tags_and_catalog_in_pages(registry):
    for tag in ("v1", "v2", "v10", "latest"):
        registry.push_image("list/a", tag)
    assert registry("GET", "/v2/list/a/tags/list").json() == {"name": "list/a", "tags": ["latest", "v1", "v10", "v2"]}
    page = registry("GET", "/v2/list/a/tags/list?n=2")
    assert page.json()["tags"] == ["latest", "v1"]
    following = page.headers["Link"].split(";")[0].strip("<>")
    assert registry("GET", following).json()["tags"] == ["v10", "v2"]
    registry.push_image("list/b", "v1")
    names = registry("GET", "/v2/_catalog").json()["repositories"]
    assert names == sorted(names) and {"list/a", "list/b"} <= set(names)
    assert len(registry("GET", "/v2/_catalog?n=1").json()["repositories"]) == 1
    assert error(registry("GET", "/v2/_catalog?n=few")) == (400, "PAGINATION_NUMBER_INVALID")


def test_referrers(registry):
    image = registry.push_image("refer/a", "v1")
    subject = {"mediaType": OCI, "digest": digest(image), "size": len(image)}
    signature = registry.push_image("refer/a", "signature", b"s", artifactType="application/x-signature", subject=subject)
    answer = registry("GET", f"/v2/refer/a/referrers/{digest(image)}")
    assert answer.headers["Content-Type"] == INDEX
    assert [entry["digest"] for entry in answer.json()["manifests"]] == [digest(signature)]
    assert registry("GET", f"/v2/refer/a/referrers/{digest(image)}?artifactType=other").json()["manifests"] == []
    assert registry("GET", f"/v2/refer/a/referrers/{digest(b'nobody')}").json()["manifests"] == []


def test_referrers_in_pages(registry):
    image = registry.push_image("refer/many", "v1")
    subject = {"mediaType": OCI, "digest": digest(image), "size": len(image)}
    kinds = ["application/x-signature", "application/x-bill of+materials"]
    pushed = {kind: {digest(registry.push_image("refer/many", f"{number}{kinds.index(kind)}", f"{number}".encode(),
                                                artifactType=kind, subject=subject)) for number in range(3)} for kind in kinds}
    address = f"/v2/refer/many/referrers/{digest(image)}"

    def walk(path):
        found = []
        while path:
            answer = registry("GET", path)
            assert answer.status_code == 200 and len(answer.json()["manifests"]) <= 2
            found += [entry["digest"] for entry in answer.json()["manifests"]]
            path = answer.links["next"]["url"] if "next" in answer.links else None
        return found

    found = walk(f"{address}?n=2")
    assert len(found) == 6 and set(found) == pushed[kinds[0]] | pushed[kinds[1]]
    # The filter goes along from page to page.
    assert set(walk(f"{address}?n=2&artifactType={requests.utils.quote(kinds[1])}")) == pushed[kinds[1]]
    assert "Link" not in registry("GET", address).headers
    assert error(registry("GET", f"{address}?n=0")) == (400, "PAGINATION_NUMBER_INVALID")


# Content management (end-9, end-10)

def test_deletion(registry):
    data = registry.push_image("delete/a", "v1")
    registry.push_image("delete/a", "also")
    assert registry("DELETE", "/v2/delete/a/manifests/also").status_code == 202
    assert registry("GET", "/v2/delete/a/manifests/v1").status_code == 200
    assert registry("DELETE", f"/v2/delete/a/manifests/{digest(data)}").status_code == 202
    assert error(registry("GET", "/v2/delete/a/manifests/v1")) == (404, "MANIFEST_UNKNOWN")
    assert registry("DELETE", f"/v2/delete/a/blobs/{digest(b'layer')}").status_code == 202
    assert error(registry("GET", f"/v2/delete/a/blobs/{digest(b'layer')}")) == (404, "BLOB_UNKNOWN")
    assert error(registry("POST", "/v2/delete/a/manifests/v1")) == (405, "UNSUPPORTED")


def test_login_where_others_can_reach_the_port(tmp_path):
    port = free_port()
    with running(["registry", "--port", port, "--bind", "0.0.0.0"], [port], tmp_path):
        registry = Registry(port)
        answer = registry("GET", "/v2/")
        assert error(answer) == (401, "UNAUTHORIZED") and answer.headers["WWW-Authenticate"].startswith("Basic")
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        assert registry("GET", "/v2/", headers={"Authorization": f"Basic {token}"}).status_code == 200
        assert registry("GET", "/v2/", headers={"Authorization": "Basic bm9ib2R5Ong="}).status_code == 401


def test_what_was_acknowledged_survives_kill(tmp_path):
    port = free_port()
    server = Slipway(["registry", "--port", port], [port], tmp_path).start()
    try:
        registry = Registry(port)
        pushed = {}
        for number in range(20):
            pushed[f"v{number}"] = registry.push_image("kill/a", f"v{number}", os.urandom(100_000))
        server.process.kill()
        server.process.wait()
        server.start()
        for tag, data in pushed.items():
            assert registry("GET", f"/v2/kill/a/manifests/{tag}").content == data
            layer = json.loads(data)["layers"][0]["digest"]
            assert digest(registry("GET", f"/v2/kill/a/blobs/{layer}").content) == layer
    finally:
        server.stop()


def test_an_upload_under_way_is_unknown_after_a_restart(tmp_path):
    """As the specification lets it: 404 BLOB_UPLOAD_UNKNOWN, and the client begins again."""
    port = free_port()
    server = Slipway(["registry", "--port", port], [port], tmp_path).start()
    try:
        registry = Registry(port)
        location = registry("POST", "/v2/restart/a/blobs/uploads/").headers["Location"]
        assert registry("PATCH", location, data=b"half", headers={"Content-Range": "0-3"}).status_code == 202
        server.stop()
        server.start()
        for method, path in (("GET", location), ("PATCH", location), ("PUT", f"{location}?digest={digest(b'half')}"),
                             ("DELETE", location)):
            answer = registry(method, path, data=b"more")
            assert error(answer) == (404, "BLOB_UPLOAD_UNKNOWN")
            assert "begin again with POST" in answer.json()["errors"][0]["message"]
        assert registry.push_blob("restart/a", b"half and more")["size"] == 13
    finally:
        server.stop()


def test_collection_takes_only_what_no_manifest_names(tmp_path):
    """Two days pass in the index while the registry is down; the collection at its start leaves both images whole."""
    port = free_port()
    server = Slipway(["registry", "--port", port], [port], tmp_path).start()
    try:
        registry = Registry(port)
        images = {"full": registry.push_image("age/a", "full"),
                  # As podman pushes an imported image: the media type stands in Content-Type alone.
                  "bare": registry.push_image("age/b", "bare", b"bare layer", mediaType=None)}
        orphan = registry.push_blob("age/a", b"nobody names this")["digest"]
        server.stop()
        index = sqlite3.connect(next(tmp_path.rglob("registry/index.db")))
        index.execute("UPDATE objects SET modified_nanoseconds = modified_nanoseconds - 172800000000000")
        index.commit()
        index.close()
        server.start()
        deadline = time.monotonic() + 20
        while "removed blobs that no manifest names" not in server.text():
            assert time.monotonic() < deadline, "nothing was collected"
            time.sleep(0.1)
        assert registry("GET", f"/v2/age/a/blobs/{orphan}").status_code == 404
        for name, tag in (("age/a", "full"), ("age/b", "bare")):
            data = registry("GET", f"/v2/{name}/manifests/{tag}").content
            assert data == images[tag]
            manifest = json.loads(data)
            for blob in (manifest["config"], *manifest["layers"]):
                assert digest(registry("GET", f"/v2/{name}/blobs/{blob['digest']}").content) == blob["digest"]
    finally:
        server.stop()


# Real clients

def image_layout(folder):
    """An OCI image layout with one layer, made by hand."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("hello.txt")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
    layer = gzip.compress(archive.getvalue())
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/hello"]},
                         "rootfs": {"type": "layers", "diff_ids": [digest(archive.getvalue())]}}).encode()
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def keep(data, kind):
        (blobs / digest(data)[7:]).write_bytes(data)
        return {"mediaType": kind, "digest": digest(data), "size": len(data)}

    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": OCI, "config": keep(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [keep(layer, "application/vnd.oci.image.layer.v1.tar+gzip")]}).encode()
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    index = {"schemaVersion": 2, "manifests": [dict(keep(manifest, OCI), annotations={"org.opencontainers.image.ref.name": "v1"})]}
    (folder / "index.json").write_text(json.dumps(index))


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
def test_skopeo_pushes_lists_and_pulls(registry, tmp_path):
    image_layout(tmp_path / "layout")
    name = f"127.0.0.1:{registry.port}/tr-ex-job"

    def skopeo(*arguments, fails=False):
        done = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, HOME=str(tmp_path)))
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    policy = ["--insecure-policy"]
    skopeo(*policy, "copy", "--dest-tls-verify=false", f"oci:{tmp_path}/layout:v1", f"docker://{name}:v1.0")
    listed = json.loads(skopeo("list-tags", "--tls-verify=false", f"docker://{name}"))
    assert listed["Tags"] == ["v1.0"]
    found = json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{name}:v1.0"))
    assert found["Os"] == "linux" and len(found["Layers"]) == 1
    skopeo(*policy, "copy", "--src-tls-verify=false", f"docker://{name}:v1.0", f"dir:{tmp_path}/pulled")
    assert json.loads((tmp_path / "pulled/manifest.json").read_text())["schemaVersion"] == 2
    # As docker pushes: schema 2, another repository, layers mounted.
    skopeo(*policy, "copy", "--format", "v2s2", "--src-tls-verify=false", "--dest-tls-verify=false",
           f"docker://{name}:v1.0", f"docker://127.0.0.1:{registry.port}/client-job:v1.0")
    assert "manifest unknown" in skopeo(
        "inspect", "--tls-verify=false", f"docker://{name}:v9", fails=True).lower()
    skopeo("delete", "--tls-verify=false", f"docker://{name}:v1.0")
    assert registry("GET", "/v2/tr-ex-job/manifests/v1.0").status_code == 404
