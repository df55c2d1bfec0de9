"""Writes the SavedModel that the tests of OpenVINO load, and what TensorFlow itself predicts with it.

    python Tests/Models/make.py    # needs tensorflow-cpu; the result is committed

`digits/` is a small convolutional network with a named signature; `digits.json` holds TensorFlow's answers to three images
whose element number i is (i * 37 % 101) / 101.
"""

import json
import os
import pathlib
import shutil

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

FOLDER = pathlib.Path(__file__).parent
tf.random.set_seed(7)


class Digits(tf.Module):
    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.random.normal([3, 3, 1, 2], stddev=0.5))
        self.weights = tf.Variable(tf.random.normal([338, 10], stddev=0.1))
        self.bias = tf.Variable(tf.random.normal([10], stddev=0.1))

    @tf.function(input_signature=[tf.TensorSpec([None, 28, 28, 1], tf.float32, name="INPUT_0")])
    def serve(self, INPUT_0):
        layer = tf.nn.relu(tf.nn.conv2d(INPUT_0, self.kernel, strides=1, padding="VALID"))
        layer = tf.nn.max_pool2d(layer, 2, 2, "VALID")
        layer = tf.reshape(layer, [-1, 338])
        return {"OUTPUT_0": tf.nn.softmax(tf.matmul(layer, self.weights) + self.bias)}


def main():
    model = Digits()
    shutil.rmtree(FOLDER / "digits", ignore_errors=True)
    options = tf.saved_model.SaveOptions(save_debug_info=False)
    tf.saved_model.save(model, str(FOLDER / "digits"), signatures={"serving_default": model.serve}, options=options)
    images = np.array([(i * 37 % 101) / 101 for i in range(3 * 784)], dtype=np.float32).reshape(3, 28, 28, 1)
    answers = model.serve(tf.constant(images))["OUTPUT_0"].numpy()
    (FOLDER / "digits.json").write_text(json.dumps({"OUTPUT_0": [[float(x) for x in row] for row in answers]}) + "\n")


if __name__ == "__main__":
    main()
