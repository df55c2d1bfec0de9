"""Trains the digits model with TensorFlow sessions and packs its checkpoint as DATE.zip.

    train_tf.py STEPS OUT/DATE.zip
"""

import os
import pathlib
import sys
import tempfile
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
# The source of the pack is the one definition of the model; it writes `import tensorflow as tf` and means sessions.
sys.modules["tensorflow"] = tf
sys.path.insert(0, str(pathlib.Path(__file__).parent / "test_model/src"))

from k8s_api_model import k8s_api_model
from k8s_api_utils import scaled
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def main():
    steps, out = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    data, target = load_digits(return_X_y=True)
    images, test_images, labels, test_labels = train_test_split(scaled(data), target, test_size=0.25, random_state=0)
    tf.set_random_seed(0)
    model = k8s_api_model()
    model.build()
    loss = tf.losses.sparse_softmax_cross_entropy(model.labels, model.logits)
    train = tf.train.AdamOptimizer(0.01).minimize(loss)
    right = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(model.logits, 1), model.labels), tf.float32))
    with tf.Session() as session, tempfile.TemporaryDirectory() as folder:
        session.run(tf.global_variables_initializer())
        for step in range(steps):
            start = step * 64 % (len(images) - 64)
            rows = slice(start, start + 64)
            session.run(train, {model.images: images[rows], model.labels: labels[rows]})
        accuracy = session.run(right, {model.images: test_images, model.labels: test_labels})
        # Without this the file `checkpoint` names a folder of this machine.
        weights = tf.train.Saver(tf.trainable_variables(), save_relative_paths=True)
        weights.save(session, folder + "/my_test_model", global_step=steps)
        out.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(pathlib.Path(folder).iterdir()):
                archive.write(file, file.name)
    print(f"{out.name}: {steps} steps, {len(test_images)} test images, accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
