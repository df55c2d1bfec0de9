"""`mc` against the store: the documents' lines as they stand, and what goes wrong with the message a person needs."""

import contextlib
import hashlib
import json
import os
import stat
import subprocess
import urllib.request

import boto3
import pytest

from slipway_process import BINARY, PASSWORD, USER, free_port, running


class MC:
    """Runs `mc`, by its link, in a folder of its own."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.link = folder / "mc"
        self.link.symlink_to(BINARY.resolve())
        self.environment = dict(os.environ, HOME=str(folder / "home"))
        self.url = f"http://127.0.0.1:{port}"

    def __call__(self, *arguments, fails=False, stdin=None, **environment):
        done = subprocess.run(
            [self.link, *arguments], env=dict(self.environment, **environment), cwd=self.folder, input=stdin,
            capture_output=True, timeout=60)
        assert (done.returncode == 1) == fails, (done.stdout, done.stderr)
        return (done.stderr if fails and not done.stdout else done.stdout).decode()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    port = free_port()
    with running(["store", "--address", f"127.0.0.1:{port}"], [port], tmp_path_factory.mktemp("store")):
        yield port


@pytest.fixture
def mc(store, tmp_path):
    client = MC(tmp_path, store)
    assert client("config", "host", "add", "myminio", client.url, USER, PASSWORD) == "Added `myminio` successfully.\n"
    yield client
    for line in client("ls", "myminio").splitlines():
        client("rb", "--force", "myminio/" + line.split()[-1].rstrip("/"))


@pytest.fixture
def models(mc):
    for name, text in [("mnist/1/saved_model.pb", "m"), ("mnist/1/variables/v.data", "vv"), ("fashion/1/saved_model.pb", "f")]:
        file = mc.folder / "models" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    mc("mb", "myminio/triton")
    return mc.folder / "models"


def keys(mc, bucket="triton"):
    s3 = boto3.client("s3", endpoint_url=mc.url, aws_access_key_id=USER, aws_secret_access_key=PASSWORD,
                      region_name="us-east-1")
    return sorted(item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []))


def test_the_lines_of_the_documents(mc, models):
    assert mc("mb", "--ignore-existing", "myminio/triton").startswith("Bucket created successfully")
    mc("cp", "-r", "models/", "myminio/triton/models")
    assert keys(mc) == ["models/fashion/1/saved_model.pb", "models/mnist/1/saved_model.pb", "models/mnist/1/variables/v.data"]
    assert mc("tree", "myminio/") == (
        "myminio/\n└─ triton\n   └─ models\n      ├─ fashion\n      │  └─ 1\n      └─ mnist\n         └─ 1\n"
        "            └─ variables\n")


@pytest.mark.parametrize("source, target, expected", [
    ("models/", "myminio/triton", "mnist/1/saved_model.pb"),
    ("models/", "myminio/triton/here/", "here/mnist/1/saved_model.pb"),
    ("models", "myminio/triton", "models/mnist/1/saved_model.pb"),
    ("./models", "myminio/triton", "models/mnist/1/saved_model.pb"),
    ("models/mnist", "myminio/triton/p", "p/mnist/1/saved_model.pb"),
    ("models/mnist/", "myminio/triton/p", "p/1/saved_model.pb"),
])
def test_a_slash_at_the_end_means_the_contents(mc, models, source, target, expected):
    mc("cp", "--recursive", source, target)
    assert expected in keys(mc)


def test_one_file_goes_into_a_folder_or_takes_a_name(mc, models):
    file = "models/mnist/1/saved_model.pb"
    mc("cp", file, "myminio/triton")
    mc("cp", file, "myminio/triton/named.pb")
    mc("cp", file, "myminio/triton/folder/")
    mc("cp", file, "models/fashion/1/saved_model.pb", "myminio/triton/many")
    assert keys(mc) == ["folder/saved_model.pb", "many/saved_model.pb", "named.pb", "saved_model.pb"]


def test_large_files_go_in_parts_and_come_back_whole(mc, models):
    data = os.urandom(1 << 20) * 70
    (mc.folder / "large.bin").write_bytes(data)
    mc("cp", "large.bin", "myminio/triton/")
    assert json.loads(mc("--json", "stat", "myminio/triton/large.bin"))["etag"].endswith("-5")
    mc("cp", "myminio/triton/large.bin", "down/back.bin")
    assert hashlib.sha256((mc.folder / "down/back.bin").read_bytes()).digest() == hashlib.sha256(data).digest()
    assert [entry.name for entry in (mc.folder / "down").iterdir()] == ["back.bin"]


def test_folders_come_back_and_stores_copy_among_themselves(mc, models):
    mc("cp", "-r", "models/", "myminio/triton/models")
    mc("cp", "-r", "myminio/triton/models/", "again/")
    assert (mc.folder / "again/mnist/1/saved_model.pb").read_text() == "m"
    mc("mb", "myminio/other")
    mc("cp", "-r", "myminio/triton/models/", "myminio/other/copy")
    assert "copy/fashion/1/saved_model.pb" in keys(mc, "other")
    # Into a whole store: the folders on top are buckets.
    mc("cp", "-r", "myminio/other/copy", "down/")
    os.rename(mc.folder / "down/copy", mc.folder / "down/triton")
    mc("cp", "-r", "down/", "myminio")
    assert "fashion/1/saved_model.pb" in keys(mc)


def test_mirror_brings_changes_and_removes_the_rest(mc, models):
    mc("mirror", "models", "myminio/triton/m")
    assert mc("mirror", "models", "myminio/triton/m") == ""
    (models / "mnist/1/saved_model.pb").write_text("changed")
    (models / "fashion/1/saved_model.pb").unlink()
    assert "--overwrite" in mc("mirror", "models", "myminio/triton/m", fails=True)
    mc("mirror", "--overwrite", "--remove", "models", "myminio/triton/m")
    assert mc("cat", "myminio/triton/m/mnist/1/saved_model.pb") == "changed"
    assert keys(mc) == ["m/mnist/1/saved_model.pb", "m/mnist/1/variables/v.data"]


def test_keys_that_only_bytes_tell_apart(mc, models):
    s3 = boto3.client("s3", endpoint_url=mc.url, aws_access_key_id=USER, aws_secret_access_key=PASSWORD,
                      region_name="us-east-1")
    names = ["x", "/x", "\u00e9", "e\u0301", "\u0301x", "a/\u0301x"]
    for name in names:
        s3.put_object(Bucket="triton", Key="from/" + name, Body=name.encode())
    mc("mb", "myminio/other")
    mc("mirror", "myminio/triton/from", "myminio/other/to")
    assert keys(mc, "other") == sorted("to/" + name for name in names)
    for name in names:
        assert s3.get_object(Bucket="other", Key="to/" + name)["Body"].read() == name.encode()
    # What is removed is what was not wanted, not what looks like it.
    s3.delete_object(Bucket="triton", Key="from//x")
    s3.delete_object(Bucket="triton", Key="from/e\u0301")
    mc("mirror", "--remove", "myminio/triton/from", "myminio/other/to")
    assert keys(mc, "other") == sorted("to/" + name for name in names if name not in ("/x", "e\u0301"))
    mc("rm", "-r", "--force", "myminio/other/to/a")
    assert "to/a/\u0301x" not in keys(mc, "other")


def test_what_it_shows(mc, models):
    mc("cp", "-r", "models/", "myminio/triton/models")
    assert [line.split()[-1] for line in mc("ls", "myminio/triton/models").splitlines()] == ["fashion/", "mnist/"]
    assert len(mc("ls", "-r", "myminio/triton").splitlines()) == 3
    whole = [line.split()[-1] for line in mc("ls", "-r", "myminio").splitlines()]
    assert [name for name in whole if name.startswith("triton/")] == ["triton/" + key for key in keys(mc)]
    assert mc("find", "myminio/triton", "--name", "*.data") == "myminio/triton/models/mnist/1/variables/v.data\n"
    assert mc("du", "myminio/triton") == "4 B\t3 objects\tmyminio/triton\n"
    text = mc("stat", "myminio/triton/models/mnist/1/saved_model.pb")
    assert "Name      : saved_model.pb" in text and "Size      : 1 B" in text and "Content-Type" in text
    entries = [json.loads(line) for line in mc("--json", "ls", "-r", "myminio/triton").splitlines()]
    assert [entry["key"] for entry in entries] == keys(mc)
    assert all(entry["status"] == "success" and entry["type"] == "file" for entry in entries)


def test_pipe_cat_and_remove(mc, models):
    data = os.urandom(20 << 20)
    mc("pipe", "myminio/triton/piped", stdin=data)
    done = subprocess.run([mc.link, "cat", "myminio/triton/piped"], env=mc.environment, capture_output=True, timeout=60)
    assert done.stdout == data
    assert mc("rm", "myminio/triton/piped") == "Removed `myminio/triton/piped`.\n"
    assert "Object does not exist" in mc("rm", "myminio/triton/piped", fails=True)


def test_a_thousand_and_more_go_in_few_requests(mc, models):
    many = mc.folder / "many"
    many.mkdir()
    for number in range(1005):
        (many / f"{number}<&>").write_text("")
    mc("cp", "-r", "many/", "myminio/triton/many")
    mc("cp", "-r", "models/", "myminio/triton/many-more")
    # A prefix ends at a slash: what only begins with the same letters is another folder.
    assert "1005 objects" in mc("du", "myminio/triton/many")
    assert len(mc("find", "myminio/triton/many").splitlines()) == 1005
    removed = mc("rm", "-r", "--force", "myminio/triton/many").splitlines()
    assert len(removed) == 1005 and "Removed `myminio/triton/many/0<&>`." in removed
    assert len(keys(mc)) == 3


def test_metadata_goes_along_between_stores(mc, models, tmp_path):
    s3 = boto3.client("s3", endpoint_url=mc.url, aws_access_key_id=USER, aws_secret_access_key=PASSWORD,
                      region_name="us-east-1")
    s3.put_object(Bucket="triton", Key="m.pt", Body=b"model", Metadata={"accuracy": "0.97"}, ContentType="application/x-pytorch")
    port = free_port()
    with running(["store", "--address", f"127.0.0.1:{port}"], [port], tmp_path):
        mc("alias", "set", "second", f"http://127.0.0.1:{port}", USER, PASSWORD)
        mc("mb", "second/kept")
        mc("cp", "myminio/triton/m.pt", "second/kept/")
        text = mc("stat", "second/kept/m.pt")
    assert "accuracy: 0.97" in text and "application/x-pytorch" in text


def test_a_certificate_that_nobody_vouches_for(mc, tmp_path):
    port = free_port()
    certificates = tmp_path / "certs"
    with running(["store", "--address", f"127.0.0.1:{port}", "--certs-dir", str(certificates)], [port], tmp_path):
        host = {"MC_HOST_safe": f"https://{USER}:{PASSWORD}@localhost:{port}"}
        assert "certificate" in mc("mb", "safe/bucket", fails=True, **host)
        assert mc("--insecure", "mb", "safe/bucket", **host).startswith("Bucket created successfully")
        authorities = mc.folder / "home/.mc/certs/CAs"
        authorities.mkdir(parents=True)
        (authorities / "store.crt").write_bytes((certificates / "ca.crt").read_bytes())
        assert "bucket/" in mc("ls", "safe", **host)


def test_a_bar_on_a_terminal_and_none_in_a_file(mc, models):
    (mc.folder / "large.bin").write_bytes(os.urandom(24 << 20))
    command = [mc.link, "cp", "large.bin", "myminio/triton/large.bin"]
    ours, theirs = os.openpty()
    shown = bytearray()
    with subprocess.Popen(command, env=mc.environment, cwd=mc.folder, stdout=subprocess.PIPE, stderr=theirs) as copying:
        os.close(theirs)
        # The terminal's other end is gone (EIO) when the program has ended.
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 4096):
                shown += piece
        printed = copying.stdout.read().decode()
    os.close(ours)
    assert copying.returncode == 0 and "large.bin" in printed and "\x1b" not in printed
    bars = shown.decode().split("\r\x1b[K")
    assert "━" * 30 + " 100 %  24.0 MiB of 24.0 MiB" in bars[-2] and bars[-1] == "", bars
    silent = subprocess.run([*command, "--quiet"], env=mc.environment, cwd=mc.folder, capture_output=True, timeout=60)
    assert silent.returncode == 0 and silent.stderr == b""


def test_its_version(mc):
    assert mc("--version").startswith("mc version ") and mc("version") == mc("--version")
    assert json.loads(mc("version", "--json"))["status"] == "success"


def test_a_shared_link_opens(mc, models):
    mc("cp", "models/mnist/1/saved_model.pb", "myminio/triton/a b+c")
    link = json.loads(mc("--json", "share", "download", "--expire", "10m", "myminio/triton/a b+c"))["share"]
    assert urllib.request.urlopen(link, timeout=5).read() == b"m"
    assert "not a time" in mc("share", "download", "--expire", "8d", "myminio/triton/a b+c", fails=True)


def test_aliases_are_kept_for_their_owner_alone(mc):
    file = mc.folder / "home/.mc/config.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    document = json.loads(file.read_text())
    assert document["version"] == "10" and document["aliases"]["myminio"]["accessKey"] == USER
    assert PASSWORD not in mc("alias", "list")
    host = f"http://{USER}:{PASSWORD}@127.0.0.1:{mc.port}"
    assert mc("ls", "once", MC_HOST_once=host) == mc("ls", "myminio")
    mc("alias", "set", "second", mc.url, USER, PASSWORD)
    assert mc("alias", "remove", "second") == "Removed `second` successfully.\n"
    assert "not an alias" in mc("ls", "second", fails=True)


@pytest.mark.parametrize("arguments, message", [
    (["alias", "set", "x", "URL", USER, "wrong-password"], "The secret key does not belong to this access key"),
    (["alias", "set", "x", "URL", "nobody", PASSWORD], "The Access Key Id you provided does not exist"),
    (["alias", "set", "x", "http://127.0.0.1:1", USER, PASSWORD], "Is the server running there"),
    (["alias", "set", "x", "127.0.0.1:9000"], "Write http://HOST:PORT"),
    (["config", "host", "add", "URL", USER, PASSWORD], "The alias is missing before"),
    (["alias", "set", "x", "URL", USER], "The secret key is missing"),
    (["stat", "myminio/t/models/x"], "Unable to stat `myminio/t/models/x`. The bucket name must have 3 to 63 characters."),
    (["rm", "myminio/t/models/x"], "Failed to remove `myminio/t/models/x`. The bucket name must have 3 to 63 characters."),
    (["mb", "myminio/No_Capitals"], "Unable to make bucket `myminio/No_Capitals`"),
    (["mb", "myminio"], "A bucket is missing"),
    (["mb", "nowhere/bucket"], "is not an alias"),
    (["cp", "missing.bin", "myminio/triton"], "No such file or directory"),
    (["cp", "models", "myminio/triton"], "needs `--recursive`"),
    (["cp", "-r", "models/", "myminio/not-there/x"], "The specified bucket does not exist. `mc mb` makes it."),
    (["cp", "models/mnist/1/saved_model.pb", "myminio/not-there/x"], "The specified bucket does not exist. `mc mb` makes it."),
    (["mb", "myminio/triton"], "`--ignore-existing`"),
    (["ls", "myminio/not-there/x"], "Unable to list folder `myminio/not-there/x`. The specified bucket does not exist"),
    (["mirror", "models", "myminio/not-there/x"], "The specified bucket does not exist. `mc mb` makes it."),
    (["version", "enable", "myminio/triton"], "`version` is not supported"),
    (["cp", "myminio/triton/nothing", "."], "Object does not exist"),
    (["ls", "myminio/not-there"], "The specified bucket does not exist"),
    (["cat", "myminio/triton/nothing"], "Unable to read from `myminio/triton/nothing`"),
    (["rm", "-r", "myminio/triton/x"], "needs `--force`"),
    (["ls", "--sideways", "myminio"], "is not a flag of `mc ls`"),
    (["watch", "myminio"], "`watch` is not supported"),
])
def test_errors_name_the_thing_the_reason_and_the_way_out(mc, models, arguments, message):
    arguments = [mc.url if word == "URL" else word for word in arguments]
    text = mc(*arguments, fails=True)
    assert text.startswith("mc: <ERROR> ") and message in text, text
    answer = json.loads(mc("--json", *arguments, fails=True))
    assert answer["status"] == "error" and message in answer["error"]["message"]


def test_a_key_cannot_leave_the_target_folder(mc, models):
    s3 = boto3.client("s3", endpoint_url=mc.url, aws_access_key_id=USER, aws_secret_access_key=PASSWORD,
                      region_name="us-east-1")
    try:
        s3.put_object(Bucket="triton", Key="models/x/../../../escaped", Body=b"x")
    except s3.exceptions.ClientError:
        pytest.skip("the store refuses such keys already")
    mc("cp", "-r", "myminio/triton/models/", "target/", fails=True)
    assert not (mc.folder / "escaped").exists() and not (mc.folder.parent / "escaped").exists()
