"""Load the exported model into the inference server and wait until it is ready."""

import os
import time

import mlflow
import tritonclient.grpc as triton


def main():
    server = triton.InferenceServerClient(os.environ["INFERENCE_GRPC"])
    started = time.monotonic()
    server.load_model("mnist")
    while not server.is_model_ready("mnist"):
        if time.monotonic() - started > 30:
            raise SystemExit("mnist did not become ready within 30 s")
        time.sleep(0.05)
    metadata = server.get_model_metadata("mnist", as_json=True)
    client = mlflow.MlflowClient()
    version = client.get_model_version_by_alias("mnist", "champion").version
    if version not in metadata["versions"]:
        raise SystemExit(f"mnist serves versions {metadata['versions']}, not the champion {version}")
    # What is served under this name and number is this version of the registry.
    client.set_model_version_tag("mnist", version, "slipway.served", f"mnist/{version}")
    print(f"mnist versions {metadata['versions']} ready after {time.monotonic() - started:.2f} s", flush=True)


if __name__ == "__main__":
    main()
