"""Starts an inference server on free ports."""

import os
import pathlib
import time

import pytest
import tritonclient.http

import models
import slipway_process as clients


def onnxruntime_library():
    """The library of the onnxruntime that the tests compare with; the server must find its own where this is unset."""
    import onnxruntime
    folder = pathlib.Path(onnxruntime.__file__).parent / "capi"
    return str(sorted(folder.glob("libonnxruntime.so*"))[-1])


def start(folder, arguments, environment=None):
    http, grpc, metrics = clients.free_port(), clients.free_port(), clients.free_port()
    variables = {"SLIPWAY_ONNXRUNTIME": os.environ.get("SLIPWAY_ONNXRUNTIME") or onnxruntime_library()}
    variables.update(environment or {})
    ports = ["--http-port", http, "--grpc-port", grpc, "--metrics-port", metrics]
    context = clients.running(["infer", *arguments, *ports], [http, grpc, metrics], folder, variables)
    return context, http, grpc, metrics


@pytest.fixture(scope="module")
def infer(tmp_path_factory):
    """A server with every test model loaded, in explicit mode."""
    folder = tmp_path_factory.mktemp("infer")
    repository = folder / "models"
    models.everything(repository)
    context, http, grpc, metrics = start(
        folder, ["--model-repository", repository, "--model-control-mode", "explicit", "--load-model", "*",
                 "--http-max-input-size", "64MiB"])
    with context as server:
        server.http, server.grpc, server.metrics, server.repository = http, grpc, metrics, repository
        client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{http}")
        deadline = time.monotonic() + 20
        while not client.is_server_ready():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield server
