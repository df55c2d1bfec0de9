"""Jobs, through every kubectl that the machine has."""

import signal
import time

from conftest import KUBECTLS, Kubectl, clients
from manifests import text
from waiting import until


def job(name="train", line="echo done", **spec):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": dict({"template": {"spec": {
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": "busybox", "command": ["sh", "-c", line]}]}}}, **spec)}


def conditions(kubectl, name, namespace):
    status = kubectl.json("get", "job", name, "-n", namespace)["status"]
    return {item["type"]: item.get("reason") for item in status.get("conditions", []) if item["status"] == "True"}


def test_a_job_from_apply_to_delete(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text(job()))
    kubectl("wait", "--for=condition=Complete", "job/train", "-n", namespace, "--timeout=20s")
    table = kubectl("get", "jobs", "-n", namespace).splitlines()
    assert table[0].split() == ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]
    assert table[1].split()[:3] == ["train", "Complete", "1/1"]
    assert "busybox" in kubectl("get", "jobs", "-n", namespace, "-o", "wide")
    assert kubectl("logs", "job/train", "-n", namespace) == "done\n"
    described = kubectl("describe", "job", "train", "-n", namespace)
    assert "1 Succeeded / 0 Failed" in described
    until(lambda: "SuccessfulCreate" in kubectl("describe", "job", "train", "-n", namespace))
    until(lambda: "Completed" in kubectl("describe", "job", "train", "-n", namespace))
    stored = kubectl.json("get", "job", "train", "-n", namespace)
    assert stored["status"]["succeeded"] == 1 and stored["status"]["completionTime"] >= stored["status"]["startTime"]
    assert conditions(kubectl, "train", namespace) == {
        "SuccessCriteriaMet": "CompletionsReached", "Complete": "CompletionsReached"}
    pod = kubectl.json("get", "pods", "-n", namespace, "-l", "job-name=train")["items"][0]
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "Job"
    assert "job.batch/train" in kubectl("get", "all", "-n", namespace)
    assert "unchanged" in kubectl("apply", "-n", namespace, "-f", "-", stdin=text(job()))
    error = kubectl("apply", "-n", namespace, "-f", "-", stdin=text(job(line="echo other")), fails=True)
    assert "field is immutable" in error
    kubectl("delete", "job", "train", "-n", namespace)
    until(lambda: not kubectl.json("get", "pods", "-n", namespace)["items"])


def test_created_by_kubectl_itself(kubectl, namespace):
    # Typed clients from 1.32 on send Protobuf here.
    kubectl("create", "job", "made", "--image=busybox", "-n", namespace, "--", "sh", "-c", "echo made")
    kubectl("wait", "--for=condition=complete", "job/made", "-n", namespace, "--timeout=20s")
    assert kubectl("logs", "job/made", "-n", namespace) == "made\n"
    generated = job(line="true")
    generated["metadata"] = {"generateName": "made-"}
    names = {kubectl("create", "-n", namespace, "-f", "-", "-o", "name", stdin=text(generated)) for _ in range(2)}
    assert len(names) == 2 and all(name.startswith("job.batch/made-") for name in names)


def test_failure_within_the_limit(newest):
    newest("create", "namespace", "job-limits")
    here = ["-n", "job-limits"]
    newest("apply", *here, "-f", "-", stdin=text(job("never", "exit 3", backoffLimit=0)))
    newest("wait", "--for=condition=Failed", "job/never", *here, "--timeout=20s")
    assert conditions(newest, "never", "job-limits") == {
        "FailureTarget": "BackoffLimitExceeded", "Failed": "BackoffLimitExceeded"}
    assert newest("get", "job", "never", *here).splitlines()[1].split()[:3] == ["never", "Failed", "0/1"]
    assert newest.json("get", "job", "never", *here)["status"]["failed"] == 1
    until(lambda: "BackoffLimitExceeded" in newest("describe", "job", "never", *here))

    # A second pod after ten seconds, which finds what the first one left.
    newest("apply", *here, "-f", "-", stdin=text(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "kept"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}))
    second = job("second", "test -e /kept/first || { touch /kept/first; exit 1; }")
    second["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "kept", "mountPath": "/kept"}]
    second["spec"]["template"]["spec"]["volumes"] = [{"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}}]
    newest("apply", *here, "-f", "-", stdin=text(second, job("late", "sleep 100", activeDeadlineSeconds=1)))
    newest("wait", "--for=condition=Failed", "job/late", *here, "--timeout=20s")
    assert conditions(newest, "late", "job-limits")["Failed"] == "DeadlineExceeded"
    assert not newest.json("get", "pods", *here, "-l", "job-name=late")["items"]
    newest("wait", "--for=condition=Complete", "job/second", *here, "--timeout=30s")
    pods = newest.json("get", "pods", *here, "-l", "job-name=second", "--sort-by=.metadata.creationTimestamp")["items"]
    assert [pod["status"]["phase"] for pod in pods] == ["Failed", "Succeeded"]
    ended = pods[0]["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"]
    assert pods[1]["metadata"]["creationTimestamp"] > ended

    again = job("in-place", "exit 1", backoffLimit=1)
    again["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    newest("apply", *here, "-f", "-", stdin=text(again))
    newest("wait", "--for=condition=Failed", "job/in-place", *here, "--timeout=30s")
    newest("delete", "namespace", "job-limits", "--wait=false")


def test_several_pods(newest):
    newest("create", "namespace", "job-many")
    here = ["-n", "job-many"]
    newest("apply", *here, "-f", "-", stdin=text(
        job("many", "sleep 0.3", completions=5, parallelism=2),
        job("numbered", "echo $JOB_COMPLETION_INDEX", completions=3, parallelism=3, completionMode="Indexed"),
        job("halted", "true", suspend=True), job("brief", "true", ttlSecondsAfterFinished=1)))
    most = 0

    def over():
        nonlocal most
        pods = newest.json("get", "pods", *here, "-l", "job-name=many")["items"]
        most = max(most, sum(pod["status"]["phase"] in ("Pending", "Running") for pod in pods))
        return newest("get", "job", "many", *here).splitlines()[1].split()[2] == "5/5"
    until(over)
    assert 1 <= most <= 2
    assert len(newest.json("get", "pods", *here, "-l", "job-name=many")["items"]) == 5
    newest("wait", "--for=condition=Complete", "job/numbered", *here, "--timeout=20s")
    assert newest.json("get", "job", "numbered", *here)["status"]["completedIndexes"] == "0-2"
    assert sorted(newest("logs", "-l", "job-name=numbered", *here).split()) == ["0", "1", "2"]
    until(lambda: "NotFound" in newest("get", "job", "brief", *here, fails=True)
          if "brief" not in newest("get", "jobs", *here) else False)

    assert newest("get", "job", "halted", *here).splitlines()[1].split()[:3] == ["halted", "Suspended", "0/1"]
    assert not newest.json("get", "pods", *here, "-l", "job-name=halted")["items"]
    newest("patch", "job", "halted", *here, "-p", '{"spec":{"suspend":false}}')
    newest("wait", "--for=condition=Complete", "job/halted", *here, "--timeout=20s")
    newest("delete", "namespace", "job-many", "--wait=false")


def test_deletion_of_a_running_job(newest):
    newest("apply", "-f", "-", stdin=text(job("running", "sleep 100"), job("orphaned", "sleep 2")))
    until(lambda: newest("get", "pods", "-l", "job-name in (running,orphaned)").count("Running") == 2)
    newest("delete", "job", "running", "--cascade=foreground", "--timeout=20s")
    assert not newest.json("get", "pods", "-l", "job-name=running")["items"]
    newest("delete", "job", "orphaned", "--cascade=orphan")
    assert len(newest.json("get", "pods", "-l", "job-name=orphaned")["items"]) == 1
    newest("delete", "pods", "-l", "job-name=orphaned", "--now")


def test_a_workflow_makes_a_job(newest):
    manifest = """
        apiVersion: batch/v1
        kind: Job
        metadata: {generateName: of-workflow-}
        spec:
          template:
            spec:
              restartPolicy: Never
              containers: [{name: main, image: busybox, command: [sh, -c, "exit EXIT"]}]
          backoffLimit: 0
    """
    for name, code, phase in [("job-well", "0", "Succeeded"), ("job-badly", "1", "Failed")]:
        newest("apply", "-f", "-", stdin=text({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": name}, "spec": {
                "entrypoint": "main", "templates": [{"name": "main", "resource": {
                    "action": "create", "setOwnerReference": True, "manifest": manifest.replace("EXIT", code),
                    "successCondition": "status.succeeded > 0", "failureCondition": "status.failed > 0"}}]}}))
        newest("wait", "--for=condition=Completed", f"wf/{name}", "--timeout=20s")
        assert newest.json("get", "wf", name)["status"]["phase"] == phase
        row = newest("get", "wf", name).splitlines()[1].split(maxsplit=3)
        assert ("status.failed > 0" in row[-1]) == (phase == "Failed")
        newest("delete", "wf", name)
    until(lambda: "of-workflow" not in newest("get", "jobs,pods"))


def test_what_is_not_carried_out_is_named(newest):
    wrong = job("wrong", podFailurePolicy={"rules": []}, parallelism=-1)
    wrong["spec"]["template"]["spec"]["restartPolicy"] = "Always"
    error = newest("create", "-f", "-", stdin=text(wrong), fails=True)
    assert "spec.podFailurePolicy" in error and "is not supported here" in error
    assert 'supported values: "Never", "OnFailure"' in error or 'supported values: "OnFailure", "Never"' in error
    assert "spec.parallelism" in error


def test_a_killed_server_runs_no_finished_pod_again(tmp_path):
    port = clients.free_port()
    with clients.running(["cluster", "--port", port], [port], tmp_path) as server:
        kubectl = Kubectl(KUBECTLS[-1][1], tmp_path / "data" / "kubeconfig", tmp_path)
        lines = tmp_path / "lines"
        lines.mkdir()
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "lines"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}
        long = job("long", "echo $HOSTNAME >> /lines/all; sleep 1", completions=6, parallelism=2)
        long["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "l", "mountPath": "/lines"}]
        long["spec"]["template"]["spec"]["volumes"] = [{"name": "l", "persistentVolumeClaim": {"claimName": "lines"}}]
        kubectl("apply", "-f", "-", stdin=text(claim, long))
        for _ in range(3):
            time.sleep(0.9)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            time.sleep(0.7)
            server.start()
        kubectl("wait", "--for=condition=Complete", "job/long", "--timeout=30s")
        assert kubectl.json("get", "job", "long")["status"]["succeeded"] == 6
        pods = kubectl.json("get", "pods", "-l", "job-name=long")["items"]
        written = next((tmp_path / "data" / "cluster" / "volumes").iterdir()) / "all"
        assert sorted(written.read_text().split()) == sorted(pod["metadata"]["name"] for pod in pods)
        assert len(pods) == 6
