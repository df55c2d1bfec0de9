"""Send the 10,000 test images to the served model, one request at a time from each of several threads."""

import concurrent.futures
import json
import os
import threading
import time

import mlflow
import numpy
import tritonclient.grpc as triton

import mnist

IMAGES = int(os.environ.get("DEMO_TEST_IMAGES", "10000"))
THREADS = 8
local = threading.local()


def classify(image):
    """The predicted digit and the seconds that the answer took."""
    if not hasattr(local, "server"):
        local.server = triton.InferenceServerClient(os.environ["INFERENCE_GRPC"])
        local.server.is_server_live()
    tensor = triton.InferInput("image", [1, 1, 28, 28], "FP32")
    tensor.set_data_from_numpy(image[None])
    started = time.perf_counter()
    result = local.server.infer("mnist", [tensor])
    return int(result.as_numpy("logits").argmax()), time.perf_counter() - started


def main():
    images, labels = mnist.load("test")
    images, labels = images[:IMAGES], labels[:IMAGES]
    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(classify, images))
    seconds = time.perf_counter() - started
    latency = numpy.array([answer[1] for answer in answers]) * 1000
    figures = {
        "served_accuracy": float(numpy.mean([answer[0] for answer in answers] == labels)),
        "latency_p50_ms": float(numpy.percentile(latency, 50)),
        "latency_p99_ms": float(numpy.percentile(latency, 99)),
        "images_per_second": len(images) / seconds,
    }
    print(f"inference latency p50 {figures['latency_p50_ms']:.2f} ms, p99 {figures['latency_p99_ms']:.2f} ms, "
          f"{figures['images_per_second']:.0f} images/s with {THREADS} threads")
    print(f"inference result: {figures['served_accuracy']:.4f} of {len(images)} test images right", flush=True)

    version = mlflow.MlflowClient().get_model_version_by_alias("mnist", "champion")
    with mlflow.start_run(run_id=version.run_id):
        mlflow.log_metrics(figures)
    # The first is the step's output parameter, the second stays on the volume.
    for path in ["/outputs/figures.json", "/model-log/figures.json"]:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            json.dump(figures, file)


if __name__ == "__main__":
    main()
