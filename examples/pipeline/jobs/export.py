"""Export the trained weights to ONNX in a model repository on the volume, as the inference server reads it."""

import os
import warnings

import torch

from resnet import ResNet18

FOLDER = os.environ.get("MODEL_LOG", "/model-log")
CONFIGURATION = """name: "resnet18_mnist"
backend: "onnxruntime"
max_batch_size: 32
input [ { name: "image" data_type: TYPE_FP32 dims: [ 1, 28, 28 ] } ]
output [ { name: "logits" data_type: TYPE_FP32 dims: [ 10 ] } ]
"""


def main():
    weights = f"{FOLDER}/model/resnet18_mnist.pt"
    if not os.path.exists(weights):
        raise SystemExit(f"{weights} is missing: the train step has not run on this volume")
    model = ResNet18()
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()
    place = f"{FOLDER}/model_repository/resnet18_mnist"
    os.makedirs(f"{place}/1", exist_ok=True)
    # The TorchScript exporter is asked for by name: it needs no further package and keeps the batch dimension free.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    torch.onnx.export(
        model, (torch.zeros(2, 1, 28, 28),), f"{place}/1/model.onnx.new", input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}, dynamo=False)
    os.replace(f"{place}/1/model.onnx.new", f"{place}/1/model.onnx")
    with open(f"{place}/config.pbtxt", "w") as file:
        file.write(CONFIGURATION)
    print(f"exported {os.path.getsize(f'{place}/1/model.onnx')} bytes to {place}/1/model.onnx", flush=True)


if __name__ == "__main__":
    main()
