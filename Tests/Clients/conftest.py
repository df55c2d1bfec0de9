"""Fixtures that run the real binary on free ports in a folder of their own, and leave nothing behind."""

import pytest

from slipway_process import Slipway, free_port, running, s3_environment


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An object store: `.port`, credentials USER and PASSWORD of this module."""
    port = free_port()
    with running(["store", "--address", f":{port}"], [port], tmp_path_factory.mktemp("store")) as server:
        server.port = port
        server.url = f"http://127.0.0.1:{port}"
        yield server


@pytest.fixture(scope="module")
def track(store, tmp_path_factory):
    """A tracking server whose artifacts go into `store`."""
    port = free_port()
    arguments = ["track", "--port", port, "--artifacts-destination", "s3://mlflow"]
    folder = tmp_path_factory.mktemp("track")
    with running(arguments, [port], folder, s3_environment(store.port)) as server:
        server.port = port
        server.url = f"http://127.0.0.1:{port}"
        server.store = store
        yield server


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the end of each server's log with a failure."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for name in ("store", "track", "infer", "cluster", "up"):
            server = item.funcargs.get(name)
            if isinstance(server, Slipway):
                report.sections.append((f"log of {name}", server.text()[-4000:]))
