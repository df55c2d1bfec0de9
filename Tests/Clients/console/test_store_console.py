"""`slipway store --console-address`: the console in the store's own process, and the way there from the S3 port."""

import pytest
import requests

from browser import Browser
from slipway_process import PASSWORD, USER, free_port, running

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}


@pytest.fixture(scope="module")
def minio(tmp_path_factory):
    """A store as MinIO's container image starts it."""
    folder = tmp_path_factory.mktemp("minio")
    api, console = free_port(), free_port()
    arguments = ["store", "server", folder / "files", "--address", f":{api}", "--console-address", f":{console}"]
    with running(arguments, [api, console], folder) as server:
        server.api, server.console = f"http://127.0.0.1:{api}", f"http://127.0.0.1:{console}"
        yield server


def test_a_browser_on_the_api_port_is_sent_to_the_console(minio, tmp_path):
    browser = Browser(minio.api, tmp_path)
    try:
        browser.open().see("Log in")
        assert browser.driver.current_url.startswith(minio.console)
        browser.log_in(USER, PASSWORD).see("Buckets").see("No buckets yet")
        assert "Experiments" not in browser.text() and "Overview" not in browser.text()
        assert browser.complaints() == []
    finally:
        browser.close()


def test_programs_are_not_redirected(minio):
    ask = lambda headers, path="/": requests.get(minio.api + path, headers=headers, allow_redirects=False)
    sent = ask(BROWSER)
    assert sent.status_code == 307 and sent.headers["Location"] == minio.console + "/"
    assert ask({"User-Agent": "curl/8"}).status_code == 403
    assert ask(BROWSER, "/bucket/key").status_code == 403
    assert ask(BROWSER, "/?list-type=2").status_code == 403
    assert ask({**BROWSER, "Authorization": "AWS4-HMAC-SHA256 nothing"}).status_code == 400
    assert ask(BROWSER, "/minio/health/live").status_code == 200
    assert ask({**BROWSER, "Host": "evil/../host"}).status_code in (307, 400, 403)


def test_without_a_console_nobody_is_redirected(store):
    assert requests.get(store.url + "/", headers=BROWSER, allow_redirects=False).status_code == 403


@pytest.mark.parametrize(("environment", "status", "location"), [
    ({"MINIO_BROWSER_REDIRECT_URL": "https://console.example"}, 307, "https://console.example"),
    ({"MINIO_BROWSER_REDIRECT": "off"}, 403, None),
])
def test_the_redirect_is_set_as_with_minio(tmp_path, environment, status, location):
    ports = [free_port(), free_port()]
    variables = {**environment, "MINIO_CONSOLE_ADDRESS": f":{ports[1]}"}
    with running(["store", "--address", f":{ports[0]}"], ports, tmp_path, variables):
        answer = requests.get(f"http://127.0.0.1:{ports[0]}/", headers=BROWSER, allow_redirects=False)
        assert answer.status_code == status and answer.headers.get("Location") == location
