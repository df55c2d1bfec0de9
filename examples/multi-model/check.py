"""Sends the test images of a model through the ingress and holds the answers against TensorFlow's own.

    python check.py NAME http://ADDRESS HOST ACCURACY
"""

import sys
import urllib.request

import json
import numpy

name, url, host, bar = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
test = numpy.load(f"{name}-test.npz")
answers = []
for start in range(0, len(test["images"]), 50):
    images = test["images"][start : start + 50]
    body = {"inputs": [{"name": "INPUT_0", "shape": list(images.shape), "datatype": "FP32", "data": images.tolist()}]}
    request = urllib.request.Request(
        f"{url}/v2/models/{name}/infer", json.dumps(body).encode(), {"Host": host, "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        output = json.load(answer)["outputs"][0]
    answers.append(numpy.array(output["data"]).reshape(output["shape"]))
answers = numpy.concatenate(answers)
accuracy = (answers.argmax(1) == test["labels"]).mean()
difference = abs(answers - test["answers"]).max()
print(f"{name}: {len(answers)} images, accuracy {accuracy:.4f}, largest difference to TensorFlow {difference:.1e}")
sys.exit(0 if accuracy >= bar and difference < 1e-4 else f"accuracy below {bar}, or answers that differ")
