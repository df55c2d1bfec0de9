"""Export the trained weights to ONNX in the model repository's bucket, and register them as a version with an alias."""

import io
import json
import os
import sys
import tempfile
import warnings

import boto3
import mlflow
import torch

from resnet import ResNet18

CONFIGURATION = """
name: "mnist"
backend: "onnxruntime"
max_batch_size: 64
input [ { name: "image" data_type: TYPE_FP32 dims: [ 1, 28, 28 ] } ]
output [ { name: "logits" data_type: TYPE_FP32 dims: [ 10 ] } ]
dynamic_batching { preferred_batch_size: [ 16, 32 ] max_queue_delay_microseconds: 500 }
"""


def main():
    trained = json.loads(sys.argv[1])
    store = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
    weights = store.get_object(Bucket=trained["bucket"], Key=trained["key"])["Body"].read()
    model = ResNet18()
    model.load_state_dict(torch.load(io.BytesIO(weights), weights_only=True))
    model.eval()

    # The TorchScript exporter is asked for by name: it needs no further package and keeps the batch dimension free.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        torch.onnx.export(
            model, (torch.zeros(2, 1, 28, 28),), file.name, input_names=["image"], output_names=["logits"],
            dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}, dynamo=False)
        onnx = open(file.name, "rb").read()

    client = mlflow.MlflowClient()
    if not client.search_registered_models("name = 'mnist'"):
        client.create_registered_model("mnist", description="Handwritten digits, ResNet-18")
    source = "s3://models/mnist"
    version = client.create_model_version("mnist", source, run_id=trained["run_id"]).version
    # For `slipway lineage`: the step that registers the version, as the cluster names it, and the version's objects.
    tags = json.loads(os.environ.get("MLFLOW_RUN_CONTEXT", "{}"))
    tags |= {"test_accuracy": f"{trained['accuracy']:.4f}", "slipway.objects": f"{source}/{version}/"}
    for key, value in tags.items():
        client.set_model_version_tag("mnist", version, key, value)

    if "models" not in [bucket["Name"] for bucket in store.list_buckets()["Buckets"]]:
        store.create_bucket(Bucket="models")
    store.put_object(Bucket="models", Key=f"mnist/{version}/model.onnx", Body=onnx)
    store.put_object(Bucket="models", Key="mnist/config.pbtxt", Body=CONFIGURATION.encode())
    client.set_registered_model_alias("mnist", "champion", version)
    print(f"mnist version {version}: {len(onnx)} bytes of ONNX in s3://models/mnist/{version}/, alias champion", flush=True)


if __name__ == "__main__":
    main()
