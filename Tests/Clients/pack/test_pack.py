"""The pack service as the document has it: layout, dates, downloads, swaps, and each likely mistake's message."""

import json
import os
import pathlib
import signal
import threading
import time

import pytest
import requests

from packs import MODEL, PackServer, Storage, estimator, sklearn_model, sources, weight, zipped


@pytest.fixture(scope="module")
def tf(tmp_path_factory):
    """A pack of type tf that is served from a folder."""
    folder = tmp_path_factory.mktemp("tf")
    storage = Storage(folder / "storage", "test_model")
    storage.put_sources(sources())
    storage.put_model("20201104", weight(1))
    storage.put_model("20201107", weight(2))
    arguments = ["--storage", storage.folder, "--request-timeout", "2s"]
    with PackServer(folder, "test_model", "tf", *arguments, environment={"AWS_SECRET_ACCESS_KEY": "hidden"}) as server:
        server.storage = storage
        server.install()
        yield server


@pytest.fixture
def fresh(tmp_path):
    """A folder storage and a server for it that has nothing loaded; type and name as asked."""
    servers = []

    def make(name="test_model", kind="tf", *arguments):
        storage = Storage(tmp_path / "storage", name)
        server = PackServer(tmp_path, name, kind, "--storage", storage.folder, *arguments).start()
        servers.append(server)
        return storage, server

    yield make
    for server in servers:
        server.stop()


def test_the_documents_calls(tf):
    assert tf.post("/").json() == {"state": "done"}
    assert tf.result(4).json() == {"result": 80}, "the newest date counts, and build() was called"
    assert tf.post("/post", json={"test": 5}).json() == {"result": 100}
    assert tf.get("/").json()["model"] == "20201107.zip"
    assert tf.post("/model_load").json()["state"] == "done"
    for method in (tf.get, tf.post):
        assert method("/src_download").json()["state"] == "done"
        assert method("/model_download").json()["model"] == "20201107.zip"
    logs = {path.name for path in (tf.local / "logs").iterdir()}
    assert {"my.log", "gunicorn_access.log"} <= logs
    assert '"POST /result HTTP/1.1" 200' in (tf.local / "logs/gunicorn_access.log").read_text()
    assert "switched" in (tf.local / "logs/my.log").read_text()


def test_prediction_runs_in_the_source_folder_without_the_servers_secrets(tf):
    folder, names = tf.result("where").json()["result"]
    assert folder == "src" and "data" in names
    variables = tf.result("environment").json()["result"]
    assert "MODEL_NAME" in variables
    assert not {"AWS_SECRET_ACCESS_KEY", "MINIO_ROOT_PASSWORD", "MY_PASSWORD"} & set(variables)


@pytest.mark.parametrize("body, text", [
    (b"", "not well-formed JSON"), (b"[1]", "no JSON object"), (b'{"input": 1}', 'no member \\"test\\"'),
    (b'{"test": ' + b"[" * 100 + b"]" * 100 + b"}", "nested deeper"), (b'{"test": "\xff"}', "UTF-8"),
])
def test_a_body_that_is_not_the_documents_is_refused(tf, body, text):
    answer = tf.post("/result", data=body)
    assert answer.status_code == 400 and text in answer.text, answer.text


@pytest.mark.parametrize("data, status, text", [
    ({"a": 1}, 400, "predict failed: TypeError"), ("nan", 500, "NaN or infinity"), ("object", 500, "JSON cannot carry"),
    ("path", 500, "No such file or directory: 'src/missing'"),
])
def test_what_predict_raises_is_said_without_paths(tf, data, status, text):
    answer = tf.result(data)
    assert answer.status_code == status and text in answer.json()["error"], answer.text
    assert 'model "test_model"' in answer.json()["error"]
    assert str(tf.local) not in answer.text and "Traceback" not in answer.text
    assert tf.result(1).json() == {"result": 20}


def test_a_worker_that_dies_is_replaced(tf):
    answer = tf.result("die")
    assert answer.status_code == 500
    assert answer.json()["error"] == 'model "test_model": its worker process died (exit status 3)'
    down = tf.result(1)
    assert down.status_code == 503 and "being started again" in down.json()["error"] and "Retry-After" in down.headers
    assert tf.post("/").status_code == 503
    tf.until_done()
    assert tf.result(1).json() == {"result": 20}
    assert 'slipway_pack_worker_restarts_total{model="test_model"} 1' in tf.get("/metrics").text


def test_a_worker_that_hangs_is_ended_in_time(tf):
    started = time.monotonic()
    answer = tf.result("hang")
    assert answer.status_code == 504 and "time allowed" in answer.json()["error"]
    assert time.monotonic() - started < 3
    tf.until_done()
    assert tf.result(1).json() == {"result": 20}


def test_other_paths_and_methods_are_named(tf):
    assert tf.get("/v2/models/test_model").status_code == 501
    assert tf.get("/nothing").status_code == 404
    assert tf.get("/result").status_code == 405
    cross = requests.get(tf.url + "/model_download", headers={"Sec-Fetch-Site": "cross-site"}, timeout=10)
    assert cross.status_code == 403


def test_sources_come_before_models(fresh):
    storage, server = fresh()
    storage.put_model("20201104", weight(1))
    storage.put_sources(sources())
    assert server.post("/").status_code == 503
    early = server.get("/model_download")
    assert early.status_code == 409 and "call /src_download before /model_download" in early.json()["error"]
    assert server.result(1).status_code == 503
    assert server.get("/src_download").status_code == 200
    assert server.get("/model_download").status_code == 200
    assert server.result(1).json() == {"result": 10}


def test_dates(fresh):
    storage, server = fresh()
    storage.put_sources(sources())
    server.get("/src_download")
    empty = server.get("/model_download")
    assert empty.status_code == 404 and "holds no model" in empty.json()["error"]
    storage.put_model("20241399", weight(9))
    wrong = server.get("/model_download")
    assert wrong.status_code == 422 and "20241399.zip is not named after a day" in wrong.json()["error"]
    storage.put_model("20200229", weight(1))
    storage.put_model("20210228", weight(2))
    found = server.get("/model_download").json()
    assert found["model"] == "20210228.zip" and "20241399.zip" in found["warnings"][0]
    assert server.get("/model_download?date=20200229").json()["model"] == "20200229.zip"
    assert server.result(1).json() == {"result": 10}
    missing = server.get("/model_download?date=20200301")
    assert missing.status_code == 404 and "the newest is 20210228.zip" in missing.json()["error"]
    assert server.get("/model_download?date=2020-03-01").status_code == 400


def test_the_same_name_overwrites(fresh):
    storage, server = fresh()
    storage.put_sources(sources())
    storage.put_model("20201104", weight(1))
    server.install()
    storage.put_model("20201104", weight(7))
    answer = server.get("/model_download").json()
    assert answer["model"] == answer["replaced"] == "20201104.zip"
    assert server.result(1).json() == {"result": 70}
    local = server.local / "test_model/model"
    assert [path.name for path in local.iterdir()] == ["20201104.zip"]
    # New sources: the loaded model goes on with its own, the next load takes them.
    storage.put_sources(sources(MODEL.replace("self.scale = 10", "self.scale = 1000")))
    assert "next" in server.get("/src_download").json()
    assert server.result(1).json() == {"result": 70}
    server.post("/model_load")
    assert server.result(1).json() == {"result": 7000}


def test_the_last_model_is_loaded_at_start(fresh):
    storage, server = fresh()
    storage.put_sources(sources())
    storage.put_model("20201104", weight(1))
    storage.put_model("20201107", weight(2))
    server.install()
    server.get("/model_download?date=20201104")
    server.stop()
    server.start()
    server.until_done()
    assert server.get("/").json()["model"] == "20201104.zip", "the one that served last, not the newest"


def test_folders_that_somebody_unpacked_are_served_in_place(tmp_path):
    local = tmp_path / "local/test_model"
    for part, archive in (("src", sources()), ("model", weight(3))):
        import io
        import zipfile
        zipfile.ZipFile(io.BytesIO(archive)).extractall(local / part)
    with PackServer(tmp_path, "test_model", "tf") as server:
        server.until_done()
        assert server.result(1).json() == {"result": 30}
        refused = server.get("/model_download")
        assert refused.status_code == 400 and "--storage" in refused.json()["error"]


BROKEN_SOURCES = [
    (zipped({"readme.md": "x"}), "holds no k8s_api_model.py at its top (it holds readme.md)"),
    (b"this is no zip", "it is not a zip archive"),
    (sources()[:-40], "it is not a zip archive, or it is cut short"),
    (zipped({"../evil.py": "x", "k8s_api_model.py": "x"}), "would be written outside of its folder"),
    (zipped({"/etc/evil": "x"}), "has an absolute name"),
]


@pytest.mark.parametrize("content, text", BROKEN_SOURCES)
def test_broken_sources_are_refused_and_change_nothing(fresh, content, text):
    storage, server = fresh()
    storage.put_sources(content)
    answer = server.get("/src_download")
    assert answer.status_code == 422 and text in answer.json()["error"], answer.text
    assert not (server.local / "test_model/src/test_model.zip").exists()
    assert [path.name for path in (server.local / ".slipway").iterdir()] == ["lock"]


BROKEN_CODE = [
    ("class other: pass", "has no class k8s_api_model"),
    ("class k8s_api_model:\n  def load(self, p): pass", "has no method predict"),
    ("class k8s_api_model:\n  def predict(self, s, d): pass", "has no method load"),
    ("import nothing_like_this\n", "No module named 'nothing_like_this'"),
    ("class k8s_api_model(:", "SyntaxError"),
    ("class k8s_api_model:\n  def load(self, p): return None\n  def predict(self, s, d): pass",
     "load of k8s_api_model returned None; it must return the session"),
    ("class k8s_api_model:\n  def load(self, p): return 5\n  def predict(self, s, d): pass", "returned a int"),
    ("class k8s_api_model:\n  def load(self, p): raise OSError('no checkpoint in ' + p)\n  def predict(self, s, d): 1",
     "load of k8s_api_model failed: OSError: no checkpoint in model"),
    ("import os\nos._exit(9)", "its worker process died (exit status 9)"),
    ("import sys\nsys.exit(1)", "it called sys.exit(1)"),
    (MODEL.replace("predict(self, session, data)", "predict(self, a, b, c)"), "it must take (session, input)"),
]


@pytest.mark.parametrize("code, text", BROKEN_CODE)
def test_a_pack_that_does_not_load_leaves_the_old_one(tf, code, text):
    before = tf.result(1).json()
    tf.storage.put_sources(sources(code))
    try:
        assert tf.get("/src_download").status_code == 200
        answer = tf.get("/model_download")
        assert answer.status_code == 422, answer.text
        assert text in answer.json()["error"] and answer.json()["error"].endswith("20201107.zip goes on serving")
        assert tf.post("/").json() == {"state": "done"} and tf.result(1).json() == before
    finally:
        tf.storage.put_sources(sources())
        tf.get("/src_download")


@pytest.mark.parametrize("signature, call", [
    ("self, session, text", "session.run(text)"), ("self, text, sess", "sess.run(text)"), ("self, session", "session.run(3)"),
    ("self, data", "data"), ("self, session, x, top=1", "session.run(x) * top"),
])
def test_every_way_to_write_predict(fresh, signature, call):
    code = f"""
import tensorflow as tf
class k8s_api_model:
    def load(self, model_path): return tf.Session(1)
    def predict({signature}): return {call}
"""
    storage, server = fresh()
    storage.put_sources(sources(code))
    storage.put_model("20201104", weight(1))
    server.install()
    assert server.result(3).json() == {"result": 3}


def test_a_zip_of_the_folder_is_taken_for_its_contents(fresh):
    storage, server = fresh()
    inner = {"k8s_api_model.py": MODEL, "tensorflow.py": __import__("packs").TENSORFLOW}
    storage.put_sources(zipped({f"src/{name}": text for name, text in inner.items()}))
    storage.put_model("20201104", zipped({"model/weight.txt": "4", "__MACOSX/._x": ""}))
    server.install()
    assert server.result(1).json() == {"result": 40}


def test_a_checkpoint_from_another_machine_is_found_beside(fresh):
    code = """
import tensorflow as tf
class k8s_api_model:
    def load(self, model_path):
        session = tf.Session(1)
        session.text = open(model_path + "/checkpoint").read()
        return session
    def predict(self, session, data): return session.text
"""
    storage, server = fresh()
    storage.put_sources(sources(code))
    text = 'model_checkpoint_path: "/home/me/run/m-8"\nall_model_checkpoint_paths: "/home/me/run/m-1"\n'
    storage.put_model("20201104", zipped({"checkpoint": text, "m-8.index": ""}))
    assert "names files of another folder" in server.install()["warnings"][0]
    assert server.result(0).json()["result"].splitlines() == [
        'model_checkpoint_path: "m-8"', 'all_model_checkpoint_paths: "/home/me/run/m-1"']


def test_tensorflow_missing_is_said(tmp_path):
    storage = Storage(tmp_path / "storage", "test_model")
    storage.put_sources(zipped({"k8s_api_model.py": MODEL}))
    storage.put_model("20201104", weight(1))
    # Debian's own interpreter, which has no libraries of PyPI.
    arguments = ["--storage", storage.folder]
    with PackServer(tmp_path, "test_model", "tf", *arguments, python="/usr/bin/python3") as server:
        server.get("/src_download")
        answer = server.get("/model_download")
        assert answer.status_code == 422 and "needs TensorFlow" in answer.json()["error"], answer.text
        assert "python3 -m pip install tensorflow-cpu" in answer.json()["error"]


def test_sklearn(fresh):
    storage, server = fresh("iris", "sklearn")
    storage.put_sources(zipped({"requirements.txt": "scikit-learn>=1.0\nnumpy==0.1\n# comment\n"}))
    storage.put_model("20201103", sklearn_model(0.01))
    storage.put_model("20201107", sklearn_model(10.0))
    answer = server.install()
    assert answer["model"] == "20201107.zip" and "numpy==0.1" in answer["warnings"][0]
    rows = [[5.1, 3.5, 1.4, 0.2], [6.0, 3.0, 4.8, 1.8]]
    assert server.result(rows).json() == {"result": estimator(10.0).predict(rows).tolist()}
    flat = server.result([1, 2])
    assert flat.status_code == 400 and "Expected 2D array" in flat.json()["error"]
    for content, text in [
        (zipped({"readme.txt": "x"}), "holds no .pkl"), (zipped({"iris.pkl": b"junk"}), "iris.pkl cannot be loaded"),
        (zipped({"a.pkl": b"", "b.pkl": b""}), "several .pkl files (a.pkl, b.pkl); name one iris.pkl"),
        (zipped({"iris.pkl": __import__("pickle").dumps({"a": 1})}), "holds a dict, which has no method predict"),
    ]:
        storage.put_model("20201108", content)
        refused = server.get("/model_download")
        assert refused.status_code == 422 and text in refused.json()["error"], refused.text
        assert "20201107.zip goes on serving" in refused.json()["error"]
    assert server.result(rows).status_code == 200


def test_missing_requirements_are_named(fresh):
    storage, server = fresh("iris", "sklearn")
    storage.put_sources(zipped({"requirements.txt": "no-such-library-here==1.0\nscikit-learn\n"}))
    storage.put_model("20201103", sklearn_model())
    server.get("/src_download")
    answer = server.get("/model_download")
    assert answer.status_code == 422
    assert "no-such-library-here==1.0" in answer.json()["error"] and "--install-requirements" in answer.json()["error"]


def test_a_bomb_stops_at_the_limit(fresh):
    storage, server = fresh("iris", "sklearn", "--max-unpacked", "1MiB")
    storage.put_sources(zipped({"requirements.txt": ""}))
    storage.put_model("20201103", zipped({"iris.pkl": b"\0" * (8 << 20)}))
    server.get("/src_download")
    answer = server.get("/model_download")
    assert answer.status_code == 422 and "unpacks to more than 1048576 bytes" in answer.json()["error"]
    assert [path.name for path in (server.local / ".slipway").iterdir()] == ["lock"]


def test_a_full_queue_is_503_at_once(fresh):
    storage, server = fresh("test_model", "tf", "--queue-size", "2")
    storage.put_sources(sources())
    storage.put_model("20201104", weight(1))
    server.install()
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(server.result("slow").status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) == {200, 503} and codes.count(200) >= 3, codes


def test_a_second_server_on_one_folder_is_told(fresh):
    _, server = fresh()
    second = PackServer(server.folder, "test_model", "tf")
    with pytest.raises(AssertionError, match="another slipway pack serves from the folder"):
        second.start()


def test_a_swap_drops_nothing(fresh):
    storage, server = fresh("test_model", "tf", "--workers", "2")
    storage.put_sources(sources())
    storage.put_model("20201101", weight(1))
    server.install()
    answers, stop = [], threading.Event()

    def ask():
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.post(server.url + "/result", json={"test": 1}, timeout=30)
                answers.append((answer.status_code, answer.text))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for day in range(2, 8):
            storage.put_model(f"2020110{day}", weight(day))
            assert server.get("/model_download").json()["model"] == f"2020110{day}.zip"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {status for status, _ in answers} == {200}
    seen = {json.loads(text)["result"] for _, text in answers}
    assert seen <= {day * 10 for day in range(1, 8)} and len(seen) >= 6 and len(answers) > 200, (seen, len(answers))
    deadline = time.monotonic() + 5
    while len(list((server.local / ".slipway").glob("work-*"))) > 1:
        assert time.monotonic() < deadline, "retired workers take their copy with them"
        time.sleep(0.05)


@pytest.mark.parametrize("environment, arguments, text", [
    ({"MODEL_NAME": ""}, [], "Set MODEL_NAME"), ({"MODEL_TYPE": ""}, [], "Set MODEL_TYPE to tf or sklearn"),
    ({"MODEL_TYPE": "torch"}, [], "environment variable MODEL_TYPE: 'torch' is not allowed"),
    ({"MODEL_NAME": "../up"}, [], "MODEL_NAME '../up' is not allowed"),
    ({}, ["--storage", "azure://container/packs"], "azure://… is not supported"),
    ({}, ["--storage", "sftp://model:secret@nas/packs"], "put it into MY_PASSWORD"),
    ({}, ["--storage", "sftp://model@nas/packs"], "needs a password or a key"),
    ({}, ["--python", "/nonexistent/python"], "is no Python interpreter"),
])
def test_a_start_that_cannot_work_says_why(tmp_path, environment, arguments, text):
    server = PackServer(tmp_path, "iris", "sklearn", *arguments, environment=environment)
    with pytest.raises(AssertionError) as failure:
        server.start()
    assert text in str(failure.value) and "secret@" not in str(failure.value)


def workers(server):
    """Process ids of a server's workers."""
    pid = server.process.pid
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        found += [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split()]
    return found


def test_a_worker_that_is_killed_while_idle_costs_no_request(fresh):
    storage, server = fresh()
    storage.put_sources(sources())
    storage.put_model("20201104", weight(1))
    server.install()
    [worker] = workers(server)
    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + 0.1
    while server.post("/").status_code == 200:
        assert time.monotonic() < deadline, "readiness must end within 100 ms"
    server.until_done()
    assert server.result(1).json() == {"result": 10}
    assert workers(server) != [worker]


def test_no_worker_outlives_its_server(fresh):
    storage, server = fresh("test_model", "tf", "--workers", "2")
    storage.put_sources(sources())
    storage.put_model("20201104", weight(1))
    server.install()
    left = workers(server)
    assert len(left) == 2
    server.stop(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while any(pathlib.Path(f"/proc/{worker}").exists() for worker in left):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_requirements_are_installed_beside_the_pack_when_asked(fresh):
    storage, server = fresh("iris", "sklearn", "--install-requirements")
    module = zipped({
        "pack_helper/__init__.py": "OFFSET = 40\n", "pack_helper-1.0.dist-info/METADATA":
        "Metadata-Version: 2.1\nName: pack-helper\nVersion: 1.0\n", "pack_helper-1.0.dist-info/WHEEL":
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "pack_helper-1.0.dist-info/RECORD": ""})
    wheel = server.folder / "pack_helper-1.0-py3-none-any.whl"
    wheel.write_bytes(module)
    shape = "import pack_helper\nclass Model:\n  def predict(self, rows): return [pack_helper.OFFSET + len(rows)]\n"
    storage.put_sources(zipped({"requirements.txt": f"pack-helper @ file://{wheel}\n", "shape.py": shape}))
    storage.put_model("20201103", zipped({"iris.pkl": "cshape\nModel\n(tR."}))
    server.install()
    assert server.result([[1], [2]]).json() == {"result": [42]}
    with pytest.raises(ImportError):
        __import__("pack_helper")
