"""Pods that run images of a registry through runc."""

import base64
import gzip
import io
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tarfile
import time

import pytest

import images
from kubectls import KUBECTLS, Kubectl
from manifests import text
from slipway_process import PASSWORD, USER, Slipway, free_port
from waiting import until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("runc", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"),
                       reason="images run on a server that is root and has runc"),
    pytest.mark.skipif(not KUBECTLS, reason="no kubectl on this machine")]
BASE = images.host_layer()


class Platform:
    """A cluster and a registry on free ports, with the newest kubectl."""

    def __init__(self, folder, login="never", **settings):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        ports = [free_port(), free_port()]
        self.registry = Slipway(["registry", "--port", ports[1], "--login", login], [ports[1]], folder)
        self.cluster = Slipway(
            ["cluster", "--port", ports[0], "--registry", f"localhost:{ports[1]}"], [ports[0]], folder, settings)
        self.pusher = images.Pusher(ports[1], (USER, PASSWORD) if login == "always" else None)
        self.kubectl = Kubectl(KUBECTLS[-1][1], folder / "data" / "kubeconfig", folder)

    def __enter__(self):
        self.registry.start()
        self.cluster.start()
        return self

    def __exit__(self, *_):
        self.cluster.stop()
        self.registry.stop()

    def pod(self, name, image, command=None, spec=None, **container):
        """Applies a pod of one container."""
        if command:
            container["command"] = ["sh", "-c", command]
        if "/" not in image:
            image = f"{self.pusher.name}/{image}"
        self.kubectl("apply", "-f", "-", stdin=text({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": dict({
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
                "containers": [dict({"name": "main", "image": image}, **container)]}, **(spec or {}))}))

    def ended(self, name):
        """The pod's status once it has ended."""
        def status():
            found = self.kubectl.json("get", "pod", name)["status"]
            return found if found["phase"] in ("Succeeded", "Failed") else None
        return until(status)

    def run(self, name, image, command=None, **container):
        """What the pod wrote, once it has ended."""
        self.pod(name, image, command, **container)
        self.ended(name)
        return self.kubectl("logs", name)

    def waiting(self, name, reason):
        """The message with which the pod waits for `reason`."""
        def message():
            state = self.kubectl.json("get", "pod", name)["status"].get("containerStatuses", [{}])[0].get("state", {})
            return state.get("waiting", {}).get("message") if state.get("waiting", {}).get("reason") == reason else None
        return until(message)

    def events(self, name):
        items = self.kubectl.json("get", "events", "--field-selector", f"involvedObject.name={name}")["items"]
        return [(item["reason"], item["message"]) for item in items]


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("images")) as made:
        made.pusher.push("shell:v1", [BASE], Env=["PATH=/bin", "GREETING=hello"], WorkingDir="/srv", Cmd=["sh", "-c", "id"])
        yield made


def processes(text):
    return subprocess.run(["pgrep", "-f", text], capture_output=True, text=True).stdout.split()


def control_groups(uid):
    return list(pathlib.Path("/sys/fs/cgroup").glob(f"**/slipway/{uid}*"))


def test_an_image_says_what_runs_and_a_manifest_may_say_otherwise(platform):
    described = platform.pusher.push(
        "says:v1", [BASE], Env=["PATH=/bin", "GREETING=hello"], WorkingDir="/srv", User="app",
        Entrypoint=["sh", "-c", 'echo "$GREETING $0 $HOME $HOSTNAME"; pwd; id -u; id -g; id -G'], Cmd=["from-cmd"])
    assert platform.run("says", "says:v1") == "hello from-cmd /home/app says\n/srv\n1000\n1000\n1000 2000\n"
    status = platform.ended("says")["containerStatuses"][0]
    assert status["imageID"] == f"{platform.pusher.name}/says@{described['digest']}"
    assert platform.run("says-args", "says:v1", args=["from-args"]).startswith("hello from-args")
    said = platform.run(
        "says-otherwise", "says:v1", "echo $GREETING; pwd; id -u", workingDir="/tmp",
        env=[{"name": "GREETING", "value": "goodbye"}], securityContext={"runAsUser": 0, "runAsGroup": 0})
    assert said == "goodbye\n/tmp\n0\n"


def test_a_pod_sees_its_image_and_none_of_the_host(platform):
    seen = platform.run("sees", "shell:v1", "ls -a /; ls /root; cat /etc/passwd; ls /work /home /usr 2>&1; ls /dev; echo x > /bin/new && cat /bin/new")
    assert "app:x:1000" in seen and "null" in seen and seen.endswith("x\n")
    assert seen.count("No such file or directory") >= 2, seen
    # What it wrote is gone with it.
    assert "No such file" in platform.run("sees-again", "shell:v1", "cat /bin/new 2>&1")


def test_events_tell_where_the_image_came_from(platform):
    platform.pusher.push("events:v1", [BASE], Cmd=["sh", "-c", "true"])
    for name in ("first", "second"):
        platform.run(name, "events:v1")
    image = f"{platform.pusher.name}/events:v1"
    assert {"Scheduled", "Pulling", "Pulled", "Started"} <= {reason for reason, _ in platform.events("first")}
    assert any(message.startswith(f'Successfully pulled image "{image}" in ') for _, message in platform.events("first"))
    assert ("Pulled", f'Container image "{image}" already present on machine') in platform.events("second")
    metrics = platform.kubectl("get", "--raw", "/metrics")
    assert 'slipway_image_pulls_total{outcome="done"}' in metrics and "slipway_image_pull_bytes_total " in metrics


def test_volumes_configuration_and_a_workflow(platform):
    platform.kubectl("apply", "-f", "-", stdin=text(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "claim"},
         "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "blue"}}))
    volumes = {"volumes": [{"name": "kept", "persistentVolumeClaim": {"claimName": "claim"}},
                           {"name": "settings", "configMap": {"name": "settings"}}, {"name": "own", "emptyDir": {}}]}
    mounts = [{"name": "kept", "mountPath": "/kept"}, {"name": "settings", "mountPath": "/etc/settings"},
              {"name": "own", "mountPath": "/own", "subPath": "below"}]
    platform.pod("writes", "shell:v1", "cat /etc/settings/colour; echo kept > /kept/file; echo own > /own/file; touch /etc/settings/x",
                 spec=volumes, volumeMounts=mounts)
    assert platform.ended("writes")["phase"] == "Failed", "a ConfigMap is read-only"
    assert "blue" in platform.kubectl("logs", "writes")
    platform.pod("reads", "shell:v1", "cat /kept/file; ls /own", spec=volumes, volumeMounts=mounts)
    platform.ended("reads")
    assert platform.kubectl("logs", "reads") == "kept\n"

    image = f"{platform.pusher.name}/shell:v1"
    platform.kubectl("apply", "-f", "-", stdin=text({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "in-images"}, "spec": {
            "entrypoint": "main", "templates": [
                {"name": "main", "steps": [
                    [{"name": "make", "template": "make"}],
                    [{"name": "use", "template": "use", "arguments": {
                        "parameters": [{"name": "text", "value": "{{steps.make.outputs.parameters.text}}"}],
                        "artifacts": [{"name": "folder", "from": "{{steps.make.outputs.artifacts.folder}}"}]}}]]},
                {"name": "make", "script": {"image": image, "command": ["sh"], "source": "mkdir -p /srv/folder; echo deep > /srv/folder/file; echo said > /tmp/text"},
                 "outputs": {"parameters": [{"name": "text", "valueFrom": {"path": "/tmp/text"}}],
                             "artifacts": [{"name": "folder", "path": "/srv/folder"}]}},
                {"name": "use", "inputs": {"parameters": [{"name": "text"}], "artifacts": [{"name": "folder", "path": "/srv/in"}]},
                 "container": {"image": image, "command": ["sh", "-c"], "args": ["echo {{inputs.parameters.text}}; cat /srv/in/file"]}}]}}))
    until(lambda: platform.kubectl.json("get", "workflow", "in-images").get("status", {}).get("phase") == "Succeeded")
    pods = platform.kubectl.json("get", "pods", "-l", "workflows.argoproj.io/workflow=in-images")["items"]
    used = [pod["metadata"]["name"] for pod in pods if "use" in pod["metadata"]["name"]]
    assert platform.kubectl("logs", used[0], "-c", "main") == "said\ndeep\n"


def test_commands_terminals_and_copies(platform, tmp_path):
    platform.pod("runs", "shell:v1", "sleep 234501")
    platform.kubectl("wait", "pod/runs", "--for=condition=Ready", "--timeout=20s")
    assert platform.kubectl("exec", "runs", "--", "sh", "-c", "pwd; echo $GREETING") == "/srv\nhello\n"
    failed = subprocess.run([platform.kubectl.path, "exec", "runs", "--", "sh", "-c", "exit 7"],
                            env=platform.kubectl.environment, capture_output=True, text=True, timeout=20)
    assert failed.returncode == 7
    shown = subprocess.run(
        ["script", "-qec", f"{platform.kubectl.path} exec -it runs -- sh", "/dev/null"], env=platform.kubectl.environment,
        input="[ -t 0 ] && echo on a terminal\nexit 5\n", capture_output=True, text=True, timeout=20)
    assert "on a terminal" in shown.stdout and shown.returncode == 5, shown.stdout
    (tmp_path / "file").write_text("copied")
    platform.kubectl("cp", str(tmp_path / "file"), "runs:/srv/file")
    assert platform.kubectl("exec", "runs", "--", "cat", "/srv/file") == "copied"
    assert "no-such-program" in platform.kubectl("exec", "runs", "--", "no-such-program", fails=True)


def test_probes_and_restarts(platform):
    platform.pod("probed", "shell:v1", "touch /tmp/ready; sleep 2; exit 3", spec={"restartPolicy": "OnFailure"},
                 readinessProbe={"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 1})
    platform.kubectl("wait", "pod/probed", "--for=condition=Ready", "--timeout=20s")
    state = until(lambda: platform.kubectl.json("get", "pod", "probed")["status"]["containerStatuses"][0].get("lastState"))
    assert state["terminated"]["exitCode"] == 3
    platform.kubectl("delete", "pod", "probed")


def test_deleting_a_pod_leaves_nothing(platform):
    # Process 1 of a container has no default handler: SIGTERM passes it by, and the grace period ends it.
    platform.pod("deleted", "shell:v1", "sleep 234502")
    platform.kubectl("wait", "pod/deleted", "--for=condition=Ready", "--timeout=20s")
    uid = platform.kubectl.json("get", "pod", "deleted")["metadata"]["uid"]
    assert processes("sleep 234502") and control_groups(uid)
    platform.kubectl("delete", "pod", "deleted", "--timeout=20s")
    assert not processes("sleep 234502") and not control_groups(uid)
    assert not list((platform.folder / "data/cluster/pods").glob(f"*{uid}"))


def test_what_cannot_start_says_why(platform):
    platform.pod("none", "shell:v1", command=None, args=["no-such-program"])
    state = platform.ended("none")["containerStatuses"][0]["state"]["terminated"]
    assert state["reason"] == "StartError" and state["exitCode"] == 128
    assert state["message"] == 'exec: "no-such-program": executable file not found in $PATH'


def test_the_security_context_is_kept(platform):
    read_only = platform.run("read-only", "shell:v1", "echo x > /bin/x; echo y > /tmp/y", securityContext={"readOnlyRootFilesystem": True})
    assert read_only.count("Read-only file system") == 2
    capabilities = platform.run(
        "capabilities", "shell:v1", "grep -E 'CapBnd|NoNewPrivs' /proc/self/status",
        securityContext={"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, "allowPrivilegeEscalation": False})
    assert "0000000000000400" in capabilities and "NoNewPrivs:\t1" in capabilities
    platform.pod("root", "shell:v1", "id", securityContext={"runAsNonRoot": True})
    assert "runAsNonRoot" in platform.waiting("root", "CreateContainerConfigError")
    platform.pod("privileged", "shell:v1", "id", securityContext={"privileged": True})
    assert "privileged is not supported" in platform.ended("privileged")["message"]
    platform.pusher.push("stranger:v1", [BASE], User="nobody-knows", Cmd=["id"])
    platform.pod("stranger", "stranger:v1")
    assert 'no user "nobody-knows"' in platform.waiting("stranger", "CreateContainerConfigError")


def test_layers_add_replace_and_remove(platform):
    first = images.layer({"data": None, "data/kept": "kept", "data/replaced": "old", "data/removed": "x", "folder": None,
                          "folder/hidden": "x", "file": "was a file"})
    second = images.layer({"data/replaced": "new", "data/.wh.removed": "", "folder/.wh..wh..opq": "", "folder/new": "y",
                           ".wh.file": ""}, links={"data/link": "kept"})
    platform.pusher.push("layers:v1", [BASE, first, second, first, second])
    seen = platform.run("layers", "layers:v1", "cd /data; ls; cat kept replaced link; ls /folder; ls /file 2>&1")
    assert seen == "kept\nlink\nreplaced\nkeptnewkeptnew\nls: cannot access '/file': No such file or directory\n"


def test_a_plain_layer_and_an_index(platform):
    described = platform.pusher.push("plain:v1", [BASE, images.layer({"srv/plain": "plain"}, pack=bytes)],
                                     kind="application/vnd.oci.image.layer.v1.tar")
    index = {"schemaVersion": 2, "mediaType": images.INDEX, "manifests": [
        dict(described, platform={"os": "linux", "architecture": images.ARCHITECTURE}),
        dict(described, platform={"os": "linux", "architecture": "s390x"})]}
    top = platform.pusher.manifest("plain", "all", index, images.INDEX)
    assert platform.run("index", "plain:all", "cat /srv/plain") == "plain"
    assert platform.ended("index")["containerStatuses"][0]["imageID"].endswith(top["digest"])


@pytest.mark.parametrize("files,links,reason", [
    ({"../escaped": "x"}, {}, "would leave the layer"),
    ({"a/../../escaped": "x"}, {}, "would leave the layer"),
    ({"file": "x", "file/below": "y"}, {}, "is no folder"),
])
def test_a_layer_that_cannot_be_unpacked_is_refused(platform, files, links, reason):
    name = f"bad-{abs(hash(str(files))) % 10000}"
    platform.pusher.push(f"{name}:v1", [BASE, images.layer(files, links)])
    platform.pod(name, f"{name}:v1", "true")
    message = platform.waiting(name, "ImagePullBackOff")
    assert reason in message and "sha256:" in message and str(platform.folder) not in message
    assert not list((platform.folder / "data/cluster/pulled/incoming").iterdir())


def test_links_of_a_layer_lead_nowhere_else(platform):
    target = platform.folder / "outside"
    target.mkdir()
    # The links first, so that what comes after would be written through them.
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, to in (("way", str(target)), ("tmp-link", "/tmp")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, to
            archive.addfile(entry)
        for name in ("way/escaped", "tmp-link/slipway-escaped"):
            entry = tarfile.TarInfo(name)
            entry.size = 1
            archive.addfile(entry, io.BytesIO(b"x"))
    platform.pusher.push("through:v1", [BASE, gzip.compress(buffer.getvalue())])
    platform.pod("through", "through:v1", "true")
    until(lambda: platform.kubectl.json("get", "pod", "through")["status"]["phase"] == "Succeeded"
          or platform.kubectl.json("get", "pod", "through")["status"].get("containerStatuses", [{}])[0]["state"].get("waiting", {}).get("message"))
    assert not list(target.iterdir()) and not os.path.exists("/tmp/slipway-escaped")


def test_an_image_that_cannot_be_had_says_why_and_comes_when_it_can(platform):
    registry = platform.pusher.name
    platform.pod("missing", "missing:v1", "echo here")
    message = platform.waiting("missing", "ImagePullBackOff")
    assert message == (f'image "{registry}/missing:v1" not found: registry {registry} has no v1 of "missing"; '
                       "push it, or correct name and tag")
    platform.pusher.push("missing:v1", [BASE])
    platform.ended("missing")
    assert platform.kubectl("logs", "missing") == "here\n"

    port = free_port()
    platform.pod("down", f"localhost:{port}/a/b:v1", "true")
    assert f"registry localhost:{port} does not answer" in platform.waiting("down", "ImagePullBackOff")
    platform.pod("capital", f"{registry}/Capital", "true")
    assert "lower case" in platform.waiting("capital", "InvalidImageName")
    platform.pod("never", "shell:never", "true", imagePullPolicy="Never")
    assert "imagePullPolicy is Never" in platform.waiting("never", "ErrImageNeverPull")
    platform.pusher.push("foreign:v1", [BASE], architecture="s390x")
    platform.pod("foreign", "foreign:v1", "true")
    assert f"it is for linux/s390x and this machine is linux/{images.ARCHITECTURE}" in platform.waiting("foreign", "ImagePullBackOff")


def test_a_claim_that_is_missing_comes_before_the_image(platform):
    platform.pod("no-claim", "never-pushed:v1", "true",
                 spec={"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "none"}}]})
    until(lambda: "FailedScheduling" in [reason for reason, _ in platform.events("no-claim")])
    assert "Pulling" not in [reason for reason, _ in platform.events("no-claim")]


def test_names_without_a_registry_and_the_image_table(platform):
    assert platform.run("bare", "docker.io/library/busybox", "echo stands in") == "stands in\n"
    platform.kubectl("run", "own", "--image", "shell:v1", "--restart", "Never", "--", "sh", "-c", "echo $GREETING")
    platform.ended("own")
    assert platform.kubectl("logs", "own") == "hello\n"
    platform.kubectl("run", "unknown", "--image", "unknown:v1", "--restart", "Never")
    message = platform.waiting("unknown", "ImagePullBackOff")
    assert "not found" in message and "is not in the image table" in message


def test_policies_of_pulling(platform):
    platform.pusher.push("moving:v1", [BASE, images.layer({"srv/version": "1"})])
    assert platform.run("moving-1", "moving:v1", "cat /srv/version") == "1"
    platform.pusher.push("moving:v1", [BASE, images.layer({"srv/version": "2"})])
    assert platform.run("moving-kept", "moving:v1", "cat /srv/version") == "1", "IfNotPresent"
    assert platform.run("moving-always", "moving:v1", "cat /srv/version", imagePullPolicy="Always") == "2"
    platform.pusher.push("moving:latest", [BASE, images.layer({"srv/version": "3"})])
    assert platform.run("moving-3", "moving:latest", "cat /srv/version") == "3"
    platform.pusher.push("moving:latest", [BASE, images.layer({"srv/version": "4"})])
    assert platform.run("moving-4", "moving:latest", "cat /srv/version") == "4", "latest is asked for each time"


def test_a_killed_server_finds_its_containers(tmp_path):
    with Platform(tmp_path) as made:
        made.pusher.push("shell:v1", [BASE])
        made.pod("long", "shell:v1", "echo begun; while [ ! -f /srv/go ]; do sleep 0.1; done; exit 4")
        made.pod("short", "shell:v1", "sleep 1; exit 5")
        until(lambda: "begun" in made.kubectl("logs", "long"))
        made.cluster.process.send_signal(signal.SIGKILL)
        made.cluster.process.wait()
        # A pod that runs needs neither its registry nor its tag again.
        made.registry.stop()
        time.sleep(1.5)
        made.cluster.start()
        assert made.ended("short")["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 5
        assert made.kubectl.json("get", "pod", "long")["status"]["phase"] == "Running"
        made.kubectl("exec", "long", "--", "touch", "/srv/go")
        assert made.ended("long")["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 4
        assert made.kubectl.json("get", "pod", "long")["status"]["containerStatuses"][0]["restartCount"] == 0
        made.registry.start()


def test_log_ins(tmp_path):
    with Platform(tmp_path, login="always") as made:
        made.pusher.push("shell:v1", [BASE], Cmd=["sh", "-c", "echo in"])
        assert made.run("own", "shell:v1") == "in\n", "the platform's own registry knows the root user"
        # The same registry under another name is another registry.
        other = made.pusher.name.replace("localhost", "127.0.0.1")
        made.pod("without", f"{other}/shell:v1")
        assert "imagePullSecrets" in made.waiting("without", "ImagePullBackOff")
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        made.kubectl("create", "secret", "docker-registry", "log-in", f"--docker-server={other}",
                     f"--docker-username={USER}", f"--docker-password={PASSWORD}")
        made.pod("with", f"{other}/shell:v1", spec={"imagePullSecrets": [{"name": "log-in"}]})
        made.ended("with")
        assert made.kubectl("logs", "with") == "in\n"
        assert PASSWORD not in made.cluster.text() and pair not in made.cluster.text()
        made.kubectl("create", "secret", "docker-registry", "wrong", f"--docker-server={other}",
                     "--docker-username=somebody", "--docker-password=wrong-password")
        made.pod("refused", f"{other}/shell:v1", spec={"imagePullSecrets": [{"name": "wrong"}]}, imagePullPolicy="Always")
        message = made.waiting("refused", "ImagePullBackOff")
        assert 'the user "somebody"' in message and "wrong-password" not in message


def test_names_beyond_ascii(platform):
    # Python writes such names and link targets as Pax records.
    files = images.layer({"srv/단어": "하나"}, links={"srv/링크": "단어"})
    platform.pusher.push("names:v1", [BASE, files])
    assert platform.run("names", "names:v1", "cat /srv/링크") == "하나"


def test_a_volume_takes_the_place_of_a_standard_mount(platform):
    platform.pod("shm", "shell:v1", "touch /dev/shm/made; ls /dev/shm; grep -c ' /dev/shm ' /proc/self/mountinfo",
                 spec={"volumes": [{"name": "shm", "emptyDir": {}}]}, volumeMounts=[{"name": "shm", "mountPath": "/dev/shm"}])
    assert platform.ended("shm")["phase"] == "Succeeded"


def test_a_registry_that_never_answers_holds_no_deletion_up(platform):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        platform.pod("silent", f"localhost:{silent.getsockname()[1]}/a:v1", "true")
        until(lambda: "Pulling" in [reason for reason, _ in platform.events("silent")])
        platform.kubectl("delete", "pod", "silent", "--timeout=10s")
