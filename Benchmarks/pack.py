"""Measures a model pack beside what the original service was: the same pickled model behind Flask and gunicorn.

One worker process each, the same Python with the same libraries, rounds in turn. CPU is that of the whole process tree, so
ours counts the server and its worker. The requests come from wrk: POST /result with one row of the iris data.
"""

import json
import os
import pathlib
import pickle
import subprocess
import sys
import time
import urllib.request
import zipfile

from common import RELEASE, cpu_seconds, folder, free_port, need, paired, report, running

SECONDS = float(os.environ.get("SECONDS", "4"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
CONNECTIONS = 8
BODY = json.dumps({"test": [[5.1, 3.5, 1.4, 0.2]]})

# What the document's service does for a request, without its globals.
FLASK = """
import pickle
import numpy as np
from flask import Flask, jsonify, request
app = Flask(__name__)
with open("iris.pkl", "rb") as file:
    model = pickle.load(file)
@app.route("/", methods=["POST"])
def state(): return jsonify({"state": "done"})
@app.route("/result", methods=["POST"])
def result():
    found = model.predict(request.get_json(force=True)["test"])
    return jsonify({"result": found.tolist() if isinstance(found, np.ndarray) else found})
"""


def train(place):
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    data, target = load_iris(return_X_y=True)
    model = pickle.dumps(LogisticRegression(max_iter=500).fit(data, target))
    (place / "iris.pkl").write_bytes(model)
    (place / "service.py").write_text(FLASK)
    for part in ("src", "model"):
        (place / "iris" / part).mkdir(parents=True)
    with zipfile.ZipFile(place / "iris/src/iris.zip", "w") as archive:
        archive.writestr("requirements.txt", "scikit-learn\n")
    with zipfile.ZipFile(place / "iris/model/20201103.zip", "w") as archive:
        archive.writestr("iris.pkl", model)
    (place / "post.lua").write_text(f"wrk.method = 'POST'\nwrk.body = '{BODY}'\nwrk.headers['Content-Type'] = 'application/json'\n")


def result(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/result", data=BODY.encode(), timeout=30) as answer:
        return json.load(answer)


def until_done(port):
    deadline = time.monotonic() + 60
    while True:
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/", method="POST", data=b"")
            urllib.request.urlopen(request, timeout=5).read()
            return
        except OSError:
            if time.monotonic() > deadline:
                sys.exit("the model was not loaded within 60 s")
            time.sleep(0.05)


def measure(port, process, script, kept):
    """CPU microseconds for a request, and requests a second."""
    started = cpu_seconds(process.pid)
    command = [need("wrk", "wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS:g}s", "-s", script,
               f"http://127.0.0.1:{port}/result"]
    text = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        sys.exit(f"port {port} answered errors:\n{text}")
    count = int(next(line for line in text.splitlines() if "requests in" in line).split()[0])
    kept.append(count / SECONDS)
    return (cpu_seconds(process.pid) - started) / count * 1e6


def main():
    ours, theirs = free_port(), free_port()
    environment = dict(os.environ, MODEL_NAME="iris", MODEL_TYPE="sklearn")
    with folder() as place:
        train(place)
        pack = [RELEASE / "slipway", "pack", "--folder", place, "--port", ours, "--python", sys.executable]
        # A thread's worker keeps connections open; the plain worker of gunicorn closes each, which would measure that.
        flask = [sys.executable, "-m", "gunicorn", "--workers", "1", "--worker-class", "gthread", "--threads", "8",
                 "--bind", f"127.0.0.1:{theirs}", "service:app"]
        with running(pack, ours, env=environment) as first, running(flask, theirs, cwd=place) as second:
            until_done(ours)
            until_done(theirs)
            if result(ours) != result(theirs):
                sys.exit("the two services answer differently")
            rates = {"ours": [], "theirs": []}
            script = pathlib.Path(place) / "post.lua"
            left, right, ratio = paired(
                ROUNDS, lambda: measure(ours, first, script, rates["ours"]),
                lambda: measure(theirs, second, script, rates["theirs"]))
    mean = {name: sorted(values)[len(values) // 2] for name, values in rates.items()}
    print("model pack: POST /result of a scikit-learn model, 8 connections, one worker each")
    passed = report("CPU for a request, beside gunicorn and Flask", f"{left:.0f} us / {right:.0f} us = {ratio:.2f}",
                    "at most 0.5", ratio <= 0.5)
    faster = mean["ours"] / mean["theirs"]
    passed &= report("requests a second", f"{mean['ours']:.0f} / {mean['theirs']:.0f} = {faster:.2f}", "at least 1.5",
                     faster >= 1.5)
    sys.exit(not passed)


if __name__ == "__main__":
    main()
