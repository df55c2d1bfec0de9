#!/usr/bin/env python3
"""A chart repository of this folder's charts on 127.0.0.1:PORT: an index and one archive each, kept in FOLDER."""

import functools
import hashlib
import http.server
import pathlib
import sys
import tarfile

import yaml

CHARTS = pathlib.Path(__file__).resolve().parent.parent / "charts"


def build(folder):
    entries = {}
    for chart in sorted(CHARTS.iterdir()):
        about = yaml.safe_load((chart / "Chart.yaml").read_text())
        name = f"{about['name']}-{about['version']}.tgz"
        with tarfile.open(folder / name, "w:gz") as archive:
            archive.add(chart, arcname=about["name"])
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        entries[about["name"]] = [dict(about, urls=[name], digest=digest, created="2026-11-21T00:00:00Z")]
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": entries, "generated": "2026-11-21T00:00:00Z"}))


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    build(folder)
    handler = functools.partial(Files, directory=folder)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()
