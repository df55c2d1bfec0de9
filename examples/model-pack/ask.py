"""Asks a pack for the digits of real images.

    ask.py URL                the first four images
    ask.py URL accuracy       450 images in one request, held against their labels
    ask.py URL load SECONDS   16 clients without a pause, until something else has swapped the model too; prints what they got
"""

import collections
import http.client
import json
import sys
import threading
import time
import urllib.parse
import urllib.request

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

DATA, TARGET = load_digits(return_X_y=True)


def result(url, rows):
    body = json.dumps({"test": rows.tolist()}).encode()
    with urllib.request.urlopen(urllib.request.Request(url + "/result", data=body), timeout=60) as answer:
        return json.load(answer)["result"]


def accuracy(url):
    _, rows, _, labels = train_test_split(DATA, TARGET, test_size=0.25, random_state=0)
    found = [answer["digit"] for answer in result(url, rows)]
    print(f"accuracy {sum(int(a == b) for a, b in zip(found, labels)) / len(labels):.3f} of {len(labels)} images")


def load(url, seconds):
    address = urllib.parse.urlparse(url)
    body = json.dumps({"test": DATA[:1].tolist()})
    counts, probabilities, slowest = collections.Counter(), collections.Counter(), []
    began = time.monotonic()

    def goes_on():
        """For the time asked, and longer while the other model has not answered: a busy machine takes long to load it."""
        passed = time.monotonic() - began
        return passed < seconds or (len(probabilities) < 2 and passed < seconds + 90)

    def ask():
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        worst = 0
        while goes_on():
            started = time.monotonic()
            try:
                connection.request("POST", "/result", body)
                answer = connection.getresponse()
                text = answer.read()
                counts["done" if answer.status == 200 else f"status {answer.status}"] += 1
                if answer.status == 200:
                    probabilities[round(json.loads(text)["result"][0]["probability"], 6)] += 1
            except OSError as error:
                counts[type(error).__name__] += 1
                connection.close()
            worst = max(worst, time.monotonic() - started)
        slowest.append(worst)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    dropped = sum(count for name, count in counts.items() if name != "done")
    print(f"{counts['done']} answered, {dropped} dropped, {len(probabilities)} models seen, "
          f"{counts['done'] / (time.monotonic() - began):.0f} requests/s, slowest {max(slowest) * 1000:.0f} ms")
    return dropped


def main():
    url, what = sys.argv[1], (sys.argv[2:] + ["first"])[0]
    if what == "load":
        sys.exit(load(url, float(sys.argv[3])) > 0)
    if what == "accuracy":
        accuracy(url)
    else:
        for answer, label in zip(result(url, DATA[:4]), TARGET[:4]):
            print(f"digit {answer['digit']} ({answer['name']}), probability {answer['probability']:.3f}, label {label}")


if __name__ == "__main__":
    main()
