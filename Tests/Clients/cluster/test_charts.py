"""What charts of others bring along: definitions, hooks, probes of servers that the cluster stands in for."""

import json

from manifests import text
from test_jobs import job
from waiting import until


def definition(kind, plural, scope="Namespaced"):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {
        "name": f"{plural}.argoproj.io"}, "spec": {"group": "argoproj.io", "scope": scope, "names": {
            "kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


def test_definitions_of_argo(newest):
    kinds = [("Workflow", "workflows"), ("WorkflowTemplate", "workflowtemplates"), ("CronWorkflow", "cronworkflows"),
             ("ClusterWorkflowTemplate", "clusterworkflowtemplates", "Cluster"),
             ("WorkflowEventBinding", "workfloweventbindings"), ("WorkflowTaskSet", "workflowtasksets"),
             ("WorkflowTaskResult", "workflowtaskresults"), ("WorkflowArtifactGCTask", "workflowartifactgctasks")]
    newest("apply", "--server-side", "-f", "-", stdin=text(*(definition(*kind) for kind in kinds)))
    for _, plural, *_ in kinds:
        newest("wait", "--for=condition=Established", f"crd/{plural}.argoproj.io", "--timeout=10s")
    assert newest("get", "cronwf", "-A") == ""
    for kind, _, *_ in kinds[1:]:
        odd = {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": "x"}, "spec": {}}
        error = newest("create", "--validate=false", "-f", "-", stdin=text(odd), fails=True)
        assert f'Invalid value: "{kind}": is not carried out by this server' in error
    newest("delete", "crd", "--all")


def test_a_hook_that_applies_definitions(newest):
    hook = job("definitions")
    container = hook["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "registry.k8s.io/kubectl:v1.36.2"
    container["command"] = ["kubectl", "apply", "--server-side", "--force-conflicts",
                            "-f", "https://charts.invalid/crds/argoproj.io_workflows.yaml",
                            "-f", "https://charts.invalid/crds/argoproj.io_cronworkflows.yaml"]
    other = json.loads(json.dumps(hook))
    other["metadata"]["name"] = "others"
    other["spec"]["backoffLimit"] = 0
    other["spec"]["template"]["spec"]["containers"][0]["command"] = ["kubectl", "apply", "-f", "https://a.invalid/x.yaml"]
    newest("apply", "-f", "-", stdin=text(hook, other))
    newest("wait", "--for=condition=Complete", "job/definitions", "--timeout=20s")
    lines = newest("logs", "job/definitions").splitlines()
    assert lines == [f"customresourcedefinition.apiextensions.k8s.io/{name}.argoproj.io is built in: nothing applied"
                     for name in ["workflows", "cronworkflows"]]
    newest("wait", "--for=condition=Failed", "job/others", "--timeout=20s")
    assert "holds no definition of argoproj.io; pods hold no token" in newest("logs", "job/others")
    newest("delete", "job", "definitions", "others")


def test_stand_ins_answer_the_probes_of_the_chart(newest):
    newest("create", "namespace", "stand-ins")

    def pod(name, image, port, path, **container):
        probe = {"httpGet": {"path": path, "port": port}, "periodSeconds": 1, "failureThreshold": 1}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
            "terminationGracePeriodSeconds": 1, "volumes": [{"name": "tmp", "emptyDir": {}}],
            # A volume over /tmp must not hide what the image brings, wherever the data folder lies.
            "containers": [dict({"name": name, "image": image, "readinessProbe": probe, "livenessProbe": probe,
                                 "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}, **container)]}}
    newest("apply", "-n", "stand-ins", "-f", "-", stdin=text(
        pod("controller", "quay.io/argoproj/workflow-controller:v4.0.6", 6060, "/healthz",
            command=["workflow-controller"], args=["--configmap", "any", "--loglevel", "info"]),
        pod("server", "quay.io/argoproj/argocli:v4.0.6", 2746, "/", args=["server", "--secure=false"])))
    for name, image in [("controller", "workflow-controller"), ("server", "argocli")]:
        newest("wait", f"pod/{name}", "-n", "stand-ins", "--for=condition=Ready", "--timeout=20s")
        until(lambda: f"this pod stands for {image}" in newest("logs", name, "-n", "stand-ins"))
        states = newest.json("get", "pod", name, "-n", "stand-ins")["status"]["containerStatuses"]
        assert states[0]["restartCount"] == 0
    newest("delete", "namespace", "stand-ins", "--wait=false")
