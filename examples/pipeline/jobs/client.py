"""Send test images to the inference server over gRPC; log latency and result, to standard output and to the volume."""

import os
import time

import numpy
import tritonclient.grpc as triton

import mnist

FOLDER = os.environ.get("MODEL_LOG", "/model-log")
URL = os.environ.get("TRITON_URL", "triton-service:8001")
MODEL = "resnet18_mnist"
IMAGES = int(os.environ.get("CLIENT_IMAGES", "1000"))
WAIT_SECONDS = 60


def ready(server):
    """Waits for the model; the server may still be starting."""
    started = time.monotonic()
    while time.monotonic() - started < WAIT_SECONDS:
        try:
            if server.is_model_ready(MODEL):
                return
        except triton.InferenceServerException as error:
            last = error.message()
        time.sleep(0.2)
    raise SystemExit(f"{MODEL} is not ready at {URL} after {WAIT_SECONDS} s: {locals().get('last', 'the server answers')}")


def main():
    images, labels = mnist.load("test")
    server = triton.InferenceServerClient(URL)
    ready(server)
    os.makedirs(f"{FOLDER}/logs", exist_ok=True)
    log = open(f"{FOLDER}/logs/client.log", "w")

    def say(text):
        print(text, flush=True)
        print(text, file=log, flush=True)

    latency, right = [], 0
    for index in range(IMAGES):
        tensor = triton.InferInput("image", [1, 1, 28, 28], "FP32")
        tensor.set_data_from_numpy(images[index][None])
        started = time.perf_counter()
        digit = int(server.infer(MODEL, [tensor]).as_numpy("logits").argmax())
        latency.append((time.perf_counter() - started) * 1000)
        right += digit == labels[index]
        if index < 5:
            say(f"Inference Latency: {latency[-1]:.2f} ms  Inference Result: {digit} (label {labels[index]})")
    say(f"Inference Latency over {IMAGES} images: p50 {numpy.percentile(latency, 50):.2f} ms, "
        f"p99 {numpy.percentile(latency, 99):.2f} ms")
    say(f"Inference Result: {right} of {IMAGES} right ({right / IMAGES:.4f})")


if __name__ == "__main__":
    main()
