"""Claims, volumes and classes."""

import pytest

from conftest import KUBECTLS, Kubectl, clients
from manifests import text
from test_workloads import shell
from waiting import until


def claim(name="data", size="1Gi", **spec):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": dict({
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}, **spec)}


def volume(name, path, size="1Gi", **spec):
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": dict({
        "accessModes": ["ReadWriteOnce", "ReadWriteMany"], "capacity": {"storage": size},
        "hostPath": {"path": str(path)}}, **spec)}


def user(name, claim_name):
    pod = shell(name, volumeMounts=[{"name": "data", "mountPath": "/data"}])
    pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}]
    return pod


def phase(kubectl, kind, name):
    return kubectl.json("get", kind, name)["status"]["phase"]


def test_classes_and_made_volumes(kubectl, namespace):
    assert kubectl("get", "sc").splitlines()[1].split()[:4] == ["standard", "(default)", "slipway.dev/folder", "Delete"]
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(claim()))
    kubectl("wait", "pvc/data", "-n", namespace, "--for=jsonpath={.status.phase}=Bound", "--timeout=10s") \
        if "v1.20" not in kubectl("version", "--client") else until(
            lambda: kubectl.json("get", "pvc", "data", "-n", namespace)["status"]["phase"] == "Bound")
    stored = kubectl.json("get", "pvc", "data", "-n", namespace)
    name = stored["spec"]["volumeName"]
    assert name == f"pvc-{stored['metadata']['uid']}" and stored["spec"]["storageClassName"] == "standard"
    row = until(lambda: next((line.split() for line in kubectl("get", "pv").splitlines() if f"{namespace}/data" in line), None))
    assert row[:6] == [name, "1Gi", "RWO", "Delete", "Bound", f"{namespace}/data"]
    assert "slipway.dev" in kubectl("describe", "pv", name)
    kubectl("describe", "sc", "standard")
    # A person may delete what is shown; the claim still has its folder.
    kubectl("delete", "pv", name)
    until(lambda: name in kubectl("get", "pv"))
    kubectl("delete", "pvc", "data", "-n", namespace)
    until(lambda: name not in kubectl("get", "pv"))


@pytest.fixture
def open_cluster(tmp_path):
    """A cluster whose pods may mount a folder of the host."""
    port = clients.free_port()
    (tmp_path / "shared" / "one").mkdir(parents=True)
    arguments = ["cluster", "--port", port, "--host-paths", tmp_path / "shared"]
    with clients.running(arguments, [port], tmp_path) as server:
        kubectl = Kubectl(KUBECTLS[-1][1], tmp_path / "data" / "kubeconfig", tmp_path)
        kubectl.shared = tmp_path / "shared"
        kubectl.server = server
        yield kubectl


def test_volumes_made_by_hand(open_cluster):
    kubectl, shared = open_cluster, open_cluster.shared
    (shared / "one" / "file").write_text("of the host")
    kubectl("apply", "-f", "-", stdin=text(
        claim("named", volumeName="one"), user("reader", "named"), claim("matched", storageClassName="manual"),
        claim("large", "5Gi", storageClassName="manual"), claim("lost", storageClassName="fast")))
    until(lambda: 'volume "one" not found' in kubectl("describe", "pvc", "named"))
    until(lambda: "unbound immediate PersistentVolumeClaims" in kubectl("describe", "pod", "reader"))
    assert [phase(kubectl, "pvc", name) for name in ["named", "matched", "large", "lost"]] == ["Pending"] * 4
    assert 'storageclass.storage.k8s.io "fast" not found' in kubectl("describe", "pvc", "lost")
    kubectl("apply", "-f", "-", stdin=text(
        volume("one", shared / "one"), volume("two", shared / "two", "2Gi", storageClassName="manual"),
        volume("outside", "/etc", storageClassName="manual")))
    kubectl("wait", "pod/reader", "--for=condition=Ready", "--timeout=20s")
    assert kubectl("exec", "reader", "--", "cat", "/data/file") == "of the host"
    until(lambda: phase(kubectl, "pvc", "matched") == "Bound")
    assert kubectl.json("get", "pvc", "matched")["spec"]["volumeName"] == "two"
    assert phase(kubectl, "pvc", "large") == "Pending"
    outside = kubectl.json("get", "pv", "outside")["status"]
    assert outside["phase"] == "Failed" and "--host-paths" in outside["message"]
    assert kubectl("get", "pv", "two").splitlines()[1].split()[:7] == [
        "two", "2Gi", "RWO,RWX", "Retain", "Bound", "default/matched", "manual"]

    kubectl("apply", "-f", "-", stdin=text(claim("second", volumeName="one")))
    until(lambda: "already bound to a different claim" in kubectl("describe", "pvc", "second"))
    kubectl("delete", "pod", "reader", "--now")
    kubectl("delete", "pvc", "named")
    until(lambda: phase(kubectl, "pv", "one") == "Released")
    assert (shared / "one" / "file").read_text() == "of the host", "a folder of the host is nobody's to remove"
    kubectl("patch", "pv", "one", "--type=json", "-p", '[{"op":"remove","path":"/spec/claimRef"}]')
    until(lambda: phase(kubectl, "pvc", "second") == "Bound")
    kubectl("delete", "pv", "one")
    until(lambda: phase(kubectl, "pvc", "second") == "Lost")
    open_cluster.server.stop()
    open_cluster.server.start()
    assert [phase(kubectl, "pvc", name) for name in ["matched", "second"]] == ["Bound", "Lost"]


def test_what_is_no_folder_is_refused(newest):
    wrong = volume("nfs", "/x", nfs={"server": "a", "path": "/b"})
    del wrong["spec"]["hostPath"]
    error = newest("create", "-f", "-", stdin=text(wrong), fails=True)
    assert "spec.nfs" in error and "is not supported here; use hostPath" in error
    wrong = volume("eager", "/x", persistentVolumeReclaimPolicy="Delete")
    assert 'supported values: "Retain"' in newest("create", "-f", "-", stdin=text(wrong), fails=True)
    wrong = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "ebs"},
             "provisioner": "ebs.csi.aws.com"}
    assert "slipway.dev/folder" in newest("create", "-f", "-", stdin=text(wrong), fails=True)
