"""Waiting for what a server does in its own time."""

import time


def until(condition, seconds=20, server=None):
    """The first true value of `condition`; fails after `seconds`, with the end of what `server` logged."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "it did not come about in time" if server is None else server.text()[-2000:]
        time.sleep(0.05)
