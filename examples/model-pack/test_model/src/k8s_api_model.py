"""The model as the service loads it: TensorFlow's sessions, hyperparameters hard coded, load returns the session."""

import numpy as np
import tensorflow as tf

from k8s_api_utils import names, scaled


class k8s_api_model(object):

    def __init__(self):
        self.pixel_count = 64
        self.hidden_size = 64
        self.class_count = 10
        self.names = names()

    def build(self):
        self.images = tf.placeholder(tf.float32, [None, self.pixel_count], name="images")
        self.labels = tf.placeholder(tf.int64, [None], name="labels")
        hidden = tf.nn.relu(self.dense(self.images, self.pixel_count, self.hidden_size, "hidden"))
        self.logits = self.dense(hidden, self.hidden_size, self.class_count, "output")
        self.probabilities = tf.nn.softmax(self.logits)

    @staticmethod
    def dense(inputs, size, units, name):
        with tf.variable_scope(name):
            weights = tf.get_variable("weights", [size, units])
            bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
            return tf.matmul(inputs, weights) + bias

    def load(self, model_path):
        checkpoint = tf.train.get_checkpoint_state(model_path)
        if checkpoint is None:
            raise FileNotFoundError("no checkpoint in " + model_path)
        session = tf.Session()
        tf.train.Saver().restore(session, checkpoint.model_checkpoint_path)
        return session

    def predict(self, session, data):
        images = scaled(np.asarray(data, dtype=np.float32))
        if images.ndim != 2 or images.shape[1] != self.pixel_count:
            raise ValueError("expected rows of %d pixels, got shape %s" % (self.pixel_count, list(images.shape)))
        probabilities = session.run(self.probabilities, {self.images: images})
        return [{"digit": int(row.argmax()), "name": self.names[row.argmax()], "probability": float(row.max())}
                for row in probabilities]
