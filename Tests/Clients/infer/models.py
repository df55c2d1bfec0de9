"""Small ONNX models, made anew for each test folder."""

import os

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper

TYPES = {
    "BOOL": (T.BOOL, np.bool_), "UINT8": (T.UINT8, np.uint8), "UINT16": (T.UINT16, np.uint16),
    "UINT32": (T.UINT32, np.uint32), "UINT64": (T.UINT64, np.uint64), "INT8": (T.INT8, np.int8),
    "INT16": (T.INT16, np.int16), "INT32": (T.INT32, np.int32), "INT64": (T.INT64, np.int64),
    "FP16": (T.FLOAT16, np.float16), "FP32": (T.FLOAT, np.float32), "FP64": (T.DOUBLE, np.float64),
    "BYTES": (T.STRING, np.object_),
}
value = helper.make_tensor_value_info


def write(root, name, nodes, inputs, outputs, initializers=(), config=None, version=1):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    folder = os.path.join(root, name, str(version))
    os.makedirs(folder, exist_ok=True)
    # Beside and renamed, as whoever replaces a model under a server should do.
    onnx.save(model, os.path.join(folder, "next.onnx"))
    os.replace(os.path.join(folder, "next.onnx"), os.path.join(folder, "model.onnx"))
    if config is not None:
        with open(os.path.join(root, name, "config.pbtxt"), "w") as file:
            file.write(config)


def identity(root, name, kind=T.FLOAT, shape=("batch", "n"), config=None):
    write(root, name, [helper.make_node("Identity", ["INPUT0"], ["OUTPUT0"])], [value("INPUT0", kind, shape)],
          [value("OUTPUT0", kind, shape)], config=config)


def add_constant(root, name, constant, version=1, config=None):
    write(root, name, [helper.make_node("Add", ["x", "c"], ["y"])], [value("x", T.FLOAT, ["b", 1])],
          [value("y", T.FLOAT, ["b", 1])], [helper.make_tensor("c", T.FLOAT, [1], [float(constant)])],
          config=config, version=version)


def mlp(root, name, config=None):
    generator = np.random.default_rng(1)
    first = helper.make_tensor("w1", T.FLOAT, [784, 128], generator.standard_normal(784 * 128).astype("f") * 0.05)
    second = helper.make_tensor("w2", T.FLOAT, [128, 10], generator.standard_normal(1280).astype("f") * 0.05)
    nodes = [helper.make_node("MatMul", ["x", "w1"], ["a"]), helper.make_node("Relu", ["a"], ["r"]),
             helper.make_node("MatMul", ["r", "w2"], ["y"])]
    write(root, name, nodes, [value("x", T.FLOAT, ["b", 784])], [value("y", T.FLOAT, ["b", 10])], [first, second],
          config=config)


def everything(root):
    for name, (kind, _) in TYPES.items():
        identity(root, f"identity_{name.lower()}", kind)
    ports = "".join(
        f"{side} [{{name: \"{prefix}0\" data_type: TYPE_INT32 dims: [16]}}, {{name: \"{prefix}1\" data_type: TYPE_INT32 dims: [16]}}]\n"
        for side, prefix in (("input", "INPUT"), ("output", "OUTPUT")))
    write(root, "addsub",
          [helper.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]),
           helper.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"])],
          [value("INPUT0", T.INT32, [-1, 16]), value("INPUT1", T.INT32, [-1, 16])],
          [value("OUTPUT0", T.INT32, [-1, 16]), value("OUTPUT1", T.INT32, [-1, 16])],
          config='platform: "onnxruntime_onnx"\nmax_batch_size: 8\n' + ports)
    mlp(root, "mlp")
    mlp(root, "batched", "max_batch_size: 8\ndynamic_batching { max_queue_delay_microseconds: 100000 preferred_batch_size: [8] }\n")
    mlp(root, "narrow",
        "max_batch_size: 1\ninstance_group [{count: 1 kind: KIND_CPU}]\n"
        "dynamic_batching { default_queue_policy { max_queue_size: 2 } }\n")
    identity(root, "fixed", shape=[16])
    write(root, "gather", [helper.make_node("Gather", ["d", "i"], ["o"])], [value("i", T.INT64, [-1])],
          [value("o", T.FLOAT, [-1])], [helper.make_tensor("d", T.FLOAT, [3], [1, 2, 3])])
    for version in (1, 2, 3):
        add_constant(root, "versions", version, version, "version_policy { all {} }\n")
    add_constant(root, "reloaded", 1)
