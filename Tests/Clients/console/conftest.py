"""The console beside a store and a tracking server, and a browser to look at it."""

import pytest

from browser import Browser
from slipway_process import PASSWORD, USER, free_port, running


@pytest.fixture(scope="module")
def console(store, track, tmp_path_factory):
    """A console of `store` and `track`."""
    port = free_port()
    arguments = ["console", "--port", port, "--store-url", store.url, "--track-url", track.url, "--no-inference", "--no-cluster"]
    with running(arguments, [port], tmp_path_factory.mktemp("console")) as server:
        server.port = port
        server.url = f"http://127.0.0.1:{port}"
        server.store = store
        yield server


def make_browser(request, url, folder, **options):
    browser = Browser(url, folder, **options)
    yield browser
    browser.driver.save_screenshot(str(folder / f"{request.node.name}.png"))
    complaints = browser.complaints()
    browser.close()
    assert complaints == []


@pytest.fixture
def browser(request, console, tmp_path):
    yield from make_browser(request, console.url, tmp_path)


@pytest.fixture
def narrow(request, console, tmp_path):
    yield from make_browser(request, console.url, tmp_path, width=360, dark=True)


@pytest.fixture
def tracking(request, track, tmp_path):
    yield from make_browser(request, track.url, tmp_path)


@pytest.fixture
def logged_in(browser):
    browser.open().log_in(USER, PASSWORD)
    browser.see("Log out")
    return browser
