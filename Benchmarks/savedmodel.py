#!/usr/bin/env python3
"""A TensorFlow SavedModel served: our server (OpenVINO) beside TensorFlow itself behind FastAPI and uvicorn.

The model is the small convolutional network in Tests/Models. Both get one image of 784 floats as bytes, so that no JSON is
measured; the peer answers with the bytes of the ten probabilities. Rounds in turn, one process each; what is compared is the CPU
time of the server. The peer's Python is that of the examples (`scripts/setup examples`).
"""

import os
import pathlib
import shutil
import socket
import statistics
import struct
import sys
import threading
import time

from common import RELEASE, ROOT, cpu_seconds, folder, free_port, report, running

ROUNDS, SECONDS, CONNECTIONS = 3, 3, 8
PEER_PYTHON = ROOT / "runtime/python/examples/bin/python"
BAR = 0.5
IMAGE = struct.pack("<784f", *((i * 37 % 101) / 101 for i in range(784)))
PEER = """
import os
import sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy
import tensorflow as tf
import uvicorn
from fastapi import FastAPI, Request, Response
tf.config.threading.set_intra_op_parallelism_threads(1)
model = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
app = FastAPI()
@app.post("/infer")
async def infer(request: Request):
    image = numpy.frombuffer(await request.body(), numpy.float32).reshape(-1, 28, 28, 1)
    return Response(model(INPUT_0=tf.constant(image))["OUTPUT_0"].numpy().tobytes())
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
"""


def post(path, fields, body):
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{fields}\r\n").encode() + body


HEADER = (b'{"inputs":[{"name":"INPUT_0","shape":[1,28,28,1],"datatype":"FP32","parameters":{"binary_data_size":3136}}],'
          b'"outputs":[{"name":"OUTPUT_0","parameters":{"binary_data":true}}]}')
OURS = post("/v2/models/digits/infer", f"Inference-Header-Content-Length: {len(HEADER)}\r\n", HEADER + IMAGE)
THEIRS = post("/infer", "", IMAGE)


def http_load(request):
    def work(port, stop, counts, slot):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not stop.is_set():
                connection.sendall(request)
                answer = connection.recv(65536)
                head, _, rest = answer.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200"), answer
                length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                while len(rest) < length:
                    rest += connection.recv(65536)
                counts[slot] += 1
    return work


def grpc_load(port, stop, counts, slot):
    import tritonclient.grpc
    client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{port}")
    tensor = tritonclient.grpc.InferInput("INPUT_0", [1, 28, 28, 1], "FP32")
    tensor._raw_content = IMAGE
    while not stop.is_set():
        client.infer("digits", [tensor])
        counts[slot] += 1


def cost(process, load, port):
    """CPU microseconds of the server for each inference, and inferences a second."""
    stop, counts = threading.Event(), [0] * CONNECTIONS
    threads = [threading.Thread(target=load, args=(port, stop, counts, slot)) for slot in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    done, before, started = sum(counts), cpu_seconds(process.pid), time.monotonic()
    time.sleep(SECONDS)
    done, used, seconds = sum(counts) - done, cpu_seconds(process.pid) - before, time.monotonic() - started
    stop.set()
    for thread in threads:
        thread.join()
    return used / done * 1e6, done / seconds


def main():
    print(f"inference, a TensorFlow SavedModel, {CONNECTIONS} at once, CPU microseconds of the server")
    if not PEER_PYTHON.exists():
        print("  skipped: TensorFlow is not installed; run scripts/setup examples")
        return 0
    with folder() as work:
        work = pathlib.Path(work)
        shutil.copytree(ROOT / "Tests/Models/digits", work / "models/digits/1/model.savedmodel")
        (work / "peer.py").write_text(PEER)
        http, grpc, other = free_port(), free_port(), free_port()
        ours = [RELEASE / "slipway", "infer", "--model-repository", work / "models", "--data", work, "--http-port", http,
                "--grpc-port", grpc, "--metrics-port", free_port(), "--runtime", ROOT / "runtime", "--log-level", "warning"]
        theirs = [PEER_PYTHON, work / "peer.py", ROOT / "Tests/Models/digits", other]
        with running(ours, grpc, env=os.environ) as server, running(theirs, other, seconds=60, env=os.environ) as peer:
            time.sleep(1)
            found = {"http": [], "grpc": [], "peer": []}
            for _ in range(ROUNDS):
                found["http"].append(cost(server, http_load(OURS), http))
                found["peer"].append(cost(peer, http_load(THEIRS), other))
                found["grpc"].append(cost(server, grpc_load, grpc))
        middle = {name: [statistics.median(column) for column in zip(*rounds)] for name, rounds in found.items()}
        passed = True
        for name, title in (("http", "HTTP, binary"), ("grpc", "gRPC")):
            ratio = middle[name][0] / middle["peer"][0]
            passed &= report(
                title, f"{middle[name][0]:.0f} us, {middle[name][1]:.0f}/s; TensorFlow in FastAPI {middle['peer'][0]:.0f} us, "
                f"{middle['peer'][1]:.0f}/s: {ratio:.2f} x", f"<= {BAR} x", ratio <= BAR)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
