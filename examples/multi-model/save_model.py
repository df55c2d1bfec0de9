"""What both notebooks end with: a SavedModel in Triton's layout, a request as JSON, and test images for a check."""

import json
import pathlib

import numpy
import tensorflow as tf

CONFIG = """name: "{name}"
platform: "tensorflow_savedmodel"
max_batch_size: 64
input [ {{ name: "INPUT_0" data_type: TYPE_FP32 dims: [ 28, 28, 1 ] }} ]
output [ {{ name: "OUTPUT_0" data_type: TYPE_FP32 dims: [ 10 ] }} ]
"""


class Served(tf.Module):
    """The network behind a signature with the names that clients use."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    @tf.function(input_signature=[tf.TensorSpec([None, 28, 28, 1], tf.float32, name="INPUT_0")])
    def serve(self, INPUT_0):
        return {"OUTPUT_0": self.network(INPUT_0)}


def save(network, name, images, labels, folder="models"):
    """Writes `models/NAME/` for the store, `NAME.json` with one image and `NAME-test.npz` with many."""
    model = pathlib.Path(folder) / name
    module = Served(network)
    tf.saved_model.save(module, str(model / "1/model.savedmodel"), signatures={"serving_default": module.serve})
    (model / "config.pbtxt").write_text(CONFIG.format(name=name))
    request = {"inputs": [{"name": "INPUT_0", "shape": [1, 28, 28, 1], "datatype": "FP32", "data": images[0].tolist()}]}
    pathlib.Path(f"{name}.json").write_text(json.dumps(request))
    answers = module.serve(tf.constant(images))["OUTPUT_0"].numpy()
    numpy.savez(f"{name}-test.npz", images=images, labels=labels, answers=answers)
    print(f"{name}: saved to {model}, {len(images)} test images, accuracy {(answers.argmax(1) == labels).mean():.4f}")
