#!/usr/bin/env python3
"""A tiny model served: CPU of the server for each inference over HTTP (binary tensors) and gRPC.

The floor is the same model run in process by ONNX Runtime in Python. What is measured is the server's CPU time, since the
machine is shared and the clients in Python are slower than the server.
"""

import os
import pathlib
import socket
import statistics
import sys
import threading
import time

import numpy as np
import onnxruntime

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests/Clients/infer"))

import models  # noqa: E402
from common import RELEASE, cpu_seconds, folder, free_port, report, running  # noqa: E402

ROUNDS, SECONDS, BAR = 3, 2, 100


def http_load(port, stop, counts, slot):
    header = (b'{"inputs":[{"name":"INPUT0","shape":[1,16],"datatype":"FP32","parameters":{"binary_data_size":64}}],'
              b'"outputs":[{"name":"OUTPUT0","parameters":{"binary_data":true}}]}')
    request = (b"POST /v2/models/identity/infer HTTP/1.1\r\nHost: x\r\nInference-Header-Content-Length: %d\r\n"
               b"Content-Length: %d\r\n\r\n" % (len(header), len(header) + 64)) + header + bytes(range(64))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not stop.is_set():
            connection.sendall(request)
            answer = connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(bytes(range(64))), answer
            counts[slot] += 1


def grpc_load(port, stop, counts, slot):
    import tritonclient.grpc
    client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{port}")
    tensor = tritonclient.grpc.InferInput("INPUT0", [1, 16], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 16), "f"))
    while not stop.is_set():
        client.infer("identity", [tensor])
        counts[slot] += 1


def cost(process, load, port, connections):
    """CPU microseconds of the server for each inference."""
    stop, counts = threading.Event(), [0] * connections
    threads = [threading.Thread(target=load, args=(port, stop, counts, slot)) for slot in range(connections)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    done, before = sum(counts), cpu_seconds(process.pid)
    time.sleep(SECONDS)
    done, used = sum(counts) - done, cpu_seconds(process.pid) - before
    stop.set()
    for thread in threads:
        thread.join()
    return used / done * 1e6


def floor(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options)
    x, count = np.zeros((1, 16), "f"), 20_000
    before = time.process_time()
    for _ in range(count):
        session.run(None, {"INPUT0": x})
    return (time.process_time() - before) / count * 1e6


def library():
    found = pathlib.Path(onnxruntime.__file__).parent / "capi"
    return str(sorted(found.glob("libonnxruntime.so*"))[-1])


def main():
    print("inference, identity of 16 floats, CPU microseconds of the server")
    passed = True
    with folder() as work:
        models.identity(work / "models", "identity", shape=["batch", 16])
        base = floor(work / "models/identity/1/model.onnx")
        http, grpc = free_port(), free_port()
        command = [RELEASE / "slipway", "infer", "--model-repository", work / "models", "--data", work, "--http-port", http,
                   "--grpc-port", grpc, "--metrics-port", free_port(), "--onnxruntime", library(), "--log-level", "warning"]
        with running(command, grpc, env=os.environ) as process:
            time.sleep(1)
            for name, load, port in [("HTTP, binary", http_load, http), ("gRPC", grpc_load, grpc)]:
                for connections in (1, 8):
                    value = statistics.median(cost(process, load, port, connections) for _ in range(ROUNDS))
                    passed &= report(f"{name}, {connections} at once", f"{value:.0f} us (Python in process {base:.0f} us)",
                                     f"<= {BAR} us", value <= BAR)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
