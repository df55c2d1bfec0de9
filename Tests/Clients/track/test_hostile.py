"""Bad input over plain HTTP: exact codes, and nothing outside the artifact folder is ever reached."""

import http.client
import json
import os

import pytest
import requests

API = "/api/2.0/mlflow"


def post(server, path, body, **more):
    return requests.post(server.url + API + path, json=body, **more)


def refused(response, status, code):
    assert response.status_code == status, response.text
    body = response.json()
    assert body["error_code"] == code and body["message"]
    assert "/tmp/" not in body["message"] and "sqlite" not in body["message"].lower()
    return body["message"]


@pytest.fixture
def run(server):
    return post(server, "/runs/create", {"experiment_id": "0"}).json()["run"]["info"]["run_id"]


@pytest.mark.parametrize("path, body, word", [
    ("/experiments/create", {}, "name"),
    ("/experiments/create", {"name": 12}, "name"),
    ("/experiments/create", {"name": "n", "tags": "x"}, "tags"),
    ("/experiments/create", {"name": "n" * 501}, "500"),
    ("/runs/log-metric", {"run_id": "RUN", "key": "m", "timestamp": 1}, "value"),
    ("/runs/log-metric", {"run_id": "RUN", "key": "m", "value": "much", "timestamp": 1}, "value"),
    ("/runs/log-metric", {"run_id": "RUN", "key": "m", "value": 1, "timestamp": "soon"}, "timestamp"),
    ("/runs/log-metric", {"run_id": "RUN", "key": "../m", "value": 1, "timestamp": 1}, "metric"),
    ("/runs/log-metric", {"run_id": "RUN", "key": "m" * 251, "value": 1, "timestamp": 1}, "250"),
    ("/runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}, "run_id"),
    ("/runs/log-batch", {"run_id": "RUN", "metrics": [{"key": "m", "value": 1, "timestamp": 1}] * 1001}, "1000"),
    ("/runs/log-batch", {"run_id": "RUN", "params": [{"key": f"p{i}", "value": "1"} for i in range(101)]}, "100"),
    ("/runs/log-batch", {"run_id": "RUN", "metrics": [{"key": "m", "value": 1}]}, "metrics[0]"),
    ("/runs/log-batch", {"run_id": "RUN", "params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, "Duplicate"),
    ("/runs/search", {"experiment_ids": ["0"], "max_results": 0}, "max_results"),
    ("/runs/search", {"experiment_ids": ["0"], "max_results": 1000000000}, "50000"),
    ("/runs/search", {"experiment_ids": ["0"], "page_token": "nonsense"}, "page token"),
    ("/runs/search", {"experiment_ids": ["0"], "order_by": ["metrics.a; drop table runs"]}, "order_by"),
    ("/runs/search", {"experiment_ids": ["0"], "filter": "metrics.a > 'x'"}, "numeric"),
    ("/runs/search", {"experiment_ids": ["0"], "filter": "params.a = 1"}, "quoted"),
    ("/runs/search", {"experiment_ids": ["0"], "filter": "status = 'a' OR 1=1"}, "AND"),
    ("/runs/search", {"experiment_ids": ["0"], "filter": "nothing.a = 'b'"}, "Invalid entity type"),
    ("/runs/search", {"experiment_ids": ["0"], "filter": "(" * 500 + ")" * 500}, "filter"),
    ("/runs/search", {"experiment_ids": ["0"], "filter": "params.a = 'x' and " * 4000}, "filter"),
    ("/runs/search", {"experiment_ids": ["0"], "filter": "params.a LIKE '" + "%a" * 600 + "'"}, "LIKE"),
    ("/registered-models/create", {"name": "a/b"}, "name"),
    ("/registered-models/create", {"name": ""}, "name"),
    ("/model-versions/create", {"name": "x", "source": "file:///etc"}, "source"),
    ("/model-versions/create", {"name": "x", "source": "/proc/self/root"}, "source"),
    ("/model-versions/create", {"name": "x", "source": "s3://b/../../etc"}, "source"),
    ("/model-versions/create", {"name": "x", "source": "mlflow-artifacts://h/%2e%2e/%252e%252e/x"}, "source"),
    ("/model-versions/create", {"name": "x", "source": "http://h/x#/../../etc"}, "source"),
    ("/model-versions/create",
     {"name": "x", "source": "file:///etc", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}, "source"),
])
def test_wrong_values_are_named(server, run, path, body, word):
    body = {k: (run if v == "RUN" else v) for k, v in body.items()}
    assert word in refused(post(server, path, body), 400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("location", [
    "file:///etc/../etc", "mlflow-artifacts:/../../etc", "s3://b/%2e%2e/x", "s3://b/x#y", "http://h/?q=/../x",
])
def test_artifact_locations_cannot_climb(server, location):
    refused(post(server, "/experiments/create", {"name": location, "artifact_location": location}), 400, "INVALID_PARAMETER_VALUE")


def test_unknown_things(server, run):
    refused(requests.get(server.url + API + "/runs/get?run_id=" + "0" * 32), 404, "RESOURCE_DOES_NOT_EXIST")
    refused(requests.get(server.url + API + "/experiments/get?experiment_id=999999"), 404, "RESOURCE_DOES_NOT_EXIST")
    refused(requests.get(server.url + API + "/registered-models/get?name=none"), 404, "RESOURCE_DOES_NOT_EXIST")
    refused(requests.get(server.url + API + "/model-versions/get?name=none&version=1"), 404, "RESOURCE_DOES_NOT_EXIST")
    refused(requests.get(server.url + API + "/nothing"), 404, "ENDPOINT_NOT_FOUND")
    refused(requests.get(server.url + "/wp-admin"), 404, "ENDPOINT_NOT_FOUND")
    refused(requests.delete(server.url + API + "/runs/get"), 405, "ENDPOINT_NOT_FOUND")
    assert "Traces" in refused(requests.post(server.url + "/api/3.0/mlflow/traces/search", json={}), 501, "NOT_IMPLEMENTED")


def test_malformed_bodies(server):
    target = server.url + API + "/runs/search"
    headers = {"Content-Type": "application/json"}
    for body in ["{", "[]", "12", '{"a":' * 100 + "1" + "}" * 100, "\xff"]:
        refused(requests.post(target, data=body.encode("latin-1"), headers=headers), 400, "BAD_REQUEST")
    refused(requests.post(target, data="x=1", headers={"Content-Type": "application/x-www-form-urlencoded"}), 400, "BAD_REQUEST")
    large = {"run_id": "x", "tags": [{"key": "k", "value": "v" * 1_100_000}]}
    refused(post(server, "/runs/log-batch", large), 400, "INVALID_PARAMETER_VALUE")


def test_numbers_as_clients_send_them(server, run):
    body = {"run_id": run, "key": "m", "value": "NaN", "timestamp": "1700000000000", "step": "3"}
    assert post(server, "/runs/log-metric", body).status_code == 200
    assert post(server, "/runs/log-metric", {**body, "value": "-Infinity", "step": 4.0}).status_code == 200
    text = requests.get(server.url + API + f"/metrics/get-history?run_id={run}&metric_key=m").json()["metrics"]
    assert [(m["value"], m["step"]) for m in text] == [("NaN", 3), (-1.7976931348623157e308, 4)]
    assert post(server, "/runs/log-batch", {"runId": run, "unknown": [1]}).status_code == 200


def raw(server, method, target, headers=None, body=None):
    """Sends a target that no client library has tidied."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.putrequest(method, target, skip_host=bool(headers and "Host" in headers))
    for name, value in {"Content-Length": str(len(body or b"")), **(headers or {})}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, data


TRAVERSALS = [
    "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%252e%252e%252fetc%252fpasswd",
    "%25252e%25252e/x", "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "..\\..\\etc\\passwd", "%5c..%5cetc", "a/../../b",
    "a/./../../b", "x%00.txt", "#/../../etc/passwd", "%23/x", "file:///etc/passwd", "C:/windows", "..;/x", "%c0%ae%c0%ae/x",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_artifact_paths_cannot_climb(server, run, path):
    proxy = "/api/2.0/mlflow-artifacts/artifacts"
    query = requests.utils.quote(path, safe="")
    targets = [
        ("GET", f"{proxy}/{path}"), ("PUT", f"{proxy}/{path}"), ("DELETE", f"{proxy}/{path}"),
        ("GET", f"{proxy}?path={query}"), ("GET", f"/get-artifact?run_id={run}&path={query}"),
        ("GET", f"{API}/artifacts/list?run_id={run}&path={query}"),
        ("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path={query}"),
    ]
    for method, target in targets:
        if "#" in target:
            continue  # not a request target; the query form carries it
        status, body = raw(server, method, target, body=b"x" if method in ("PUT", "POST") else None)
        assert 400 <= status < 500, (method, target, status, body)
        assert b"root:" not in body


def test_marks_after_a_slash_belong_to_the_name(server):
    files = "/api/2.0/mlflow-artifacts/artifacts"
    for name in ("keep.txt", "%CC%81keep.txt", "x%D8%80/f"):
        assert raw(server, "PUT", f"{files}/marks/{name}", body=name.encode())[0] == 200
    for name in ("keep.txt", "%CC%81keep.txt", "x%D8%80/f"):
        assert raw(server, "GET", f"{files}/marks/{name}") == (200, name.encode())
    # A name of a mark and two dots is a name; it is not the folder above.
    assert raw(server, "DELETE", f"{files}/marks/%CC%81..")[0] in (200, 404)
    assert raw(server, "DELETE", f"{files}/marks/%CC%81keep.txt")[0] == 200
    assert raw(server, "GET", f"{files}/marks/keep.txt") == (200, b"keep.txt")
    listing = requests.get(f"{server.url}{files}?path=marks").json()["files"]
    assert sorted(entry["path"] for entry in listing) == ["keep.txt", "x\u0600"]


def test_links_are_not_followed(server, run):
    folder = server.words[server.words.index("--data") + 1] + "/track/artifacts"
    os.makedirs(f"{folder}/links", exist_ok=True)
    os.symlink("/etc", f"{folder}/links/out")
    os.symlink("/etc/passwd", f"{folder}/links/file")
    for path in ["links/out/passwd", "links/file"]:
        assert requests.get(f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{path}").status_code == 404
    assert requests.put(f"{server.url}/api/2.0/mlflow-artifacts/artifacts/links/out/x", data=b"x").status_code == 400
    assert "files" not in requests.get(f"{server.url}/api/2.0/mlflow-artifacts/artifacts?path=links").json()


def test_downloads_never_run_here(server):
    target = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/page.html"
    requests.put(target, data=b"<script>alert(1)</script>")
    fields = requests.get(target).headers
    assert fields["Content-Disposition"].startswith("attachment")
    assert fields["X-Content-Type-Options"] == "nosniff" and "sandbox" in fields["Content-Security-Policy"]


def test_foreign_hosts_and_origins(server):
    listing = f"{API}/experiments/search?max_results=1"
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:5000", "169.254.169.254"]:
        status, body = raw(server, "GET", listing, {"Host": host})
        assert status == 403 and json.loads(body)["error_code"] == "PERMISSION_DENIED"
        assert raw(server, "GET", "/health", {"Host": host})[0] == 200
    for host in ["localhost:1", "127.0.0.1", "10.1.2.3:80", "[::1]:5001", "192.168.0.1"]:
        assert raw(server, "GET", listing, {"Host": host})[0] == 200
    body = json.dumps({"name": "from-a-page"}).encode()
    fields = {"Origin": "http://evil.example", "Content-Type": "application/json"}
    assert raw(server, "POST", API + "/experiments/create", fields, body)[0] == 403


def test_server_paths(server):
    assert requests.get(server.url + "/health").text == "OK"
    assert requests.get(server.url + "/version").text.startswith("3.")
    assert requests.get(server.url + "/api/3.0/mlflow/server-info").json()["store_type"] == "SqlStore"
    assert "slipway_track_commits_total" in requests.get(server.url + "/metrics").text
