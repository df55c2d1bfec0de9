"""Images made of this machine's own programs, pushed into a registry by the distribution protocol."""

import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tarfile

import requests

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PROGRAMS = ["sh", "cat", "ls", "id", "sleep", "tar", "touch", "mkdir", "stat", "env", "grep"]


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(files, links=(), owner=0, pack=gzip.compress):
    """A layer of `files` (name to text or bytes; None is a folder) and `links` (name to target)."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.uid = entry.gid = owner
            if content is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
                continue
            data = content.encode() if isinstance(content, str) else content
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
        for name, target in dict(links).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return pack(raw.getvalue())


def host_layer():
    """A shell and a few tools with their libraries, and two users."""
    files = {"etc/passwd": "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n",
             "etc/group": "root:x:0:\napp:x:1000:\nextra:x:2000:app\n", "tmp": None, "srv": None, "root": None}
    for program in PROGRAMS:
        path = shutil.which(program)
        files[f"bin/{program}"] = pathlib.Path(path).read_bytes()
        for library in re.findall(r"(/\S+)", subprocess.run(["ldd", path], capture_output=True, text=True).stdout):
            library = library.rstrip(":")
            if os.path.isfile(library):
                files[library.lstrip("/")] = pathlib.Path(library).read_bytes()
    return layer(files)


class Pusher:
    """Pushes images to the registry on `port`."""

    def __init__(self, port, log_in=None):
        self.port, self.log_in = port, log_in
        self.name = f"localhost:{port}"

    def _send(self, method, path, **arguments):
        answer = requests.request(method, f"http://127.0.0.1:{self.port}{path}", auth=self.log_in, timeout=30, **arguments)
        assert answer.status_code < 300, answer.text
        return answer

    def blob(self, name, data):
        self._send("POST", f"/v2/{name}/blobs/uploads/?digest={digest(data)}", data=data)
        return {"digest": digest(data), "size": len(data)}

    def manifest(self, name, reference, document, kind=MANIFEST):
        data = json.dumps(document).encode()
        self._send("PUT", f"/v2/{name}/manifests/{reference}", data=data, headers={"Content-Type": kind})
        return {"mediaType": kind, "digest": digest(data), "size": len(data)}

    def push(self, image, layers, architecture=ARCHITECTURE, kind=LAYER, **config):
        """Pushes `layers`, lowest first, as `image` (NAME:TAG). Gives the manifest's descriptor."""
        name, tag = image.split(":")
        blobs = [dict(self.blob(name, data), mediaType=kind) for data in layers]
        document = {"architecture": architecture, "os": "linux", "config": config,
                    "rootfs": {"type": "layers", "diff_ids": [digest(gzip.decompress(data)) for data in layers]
                               if kind == LAYER else []}}
        configuration = self.blob(name, json.dumps(document).encode())
        return self.manifest(name, tag, {
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": blobs,
            "config": dict(configuration, mediaType="application/vnd.oci.image.config.v1+json")})
