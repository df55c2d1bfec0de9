"""Asks both models without a pause until a file appears, and counts what failed.

    python load.py http://ADDRESS HOST STOP_FILE
"""

import os
import sys
import threading
import urllib.request

url, host, stop = sys.argv[1:4]
counts = {"mnist": [0, 0], "fashion": [0, 0]}


def ask(name):
    body = open(f"{name}.json", "rb").read()
    while not os.path.exists(stop):
        request = urllib.request.Request(f"{url}/v2/models/{name}/infer", body, {"Host": host})
        counts[name][0] += 1
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                answer.read()
        except OSError as error:
            counts[name][1] += 1
            print(f"{name}: {error}", flush=True)


threads = [threading.Thread(target=ask, args=(name,)) for name in counts]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for name, (sent, failed) in counts.items():
    print(f"{name}: {sent} requests, {failed} failed")
