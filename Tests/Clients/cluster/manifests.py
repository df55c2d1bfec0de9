"""Objects that the tests write."""

import yaml

NOT_RUNNABLE = "registry.invalid/nothing:1"

WORKFLOW = {
    "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "flow"},
    "spec": {"entrypoint": "main", "suspend": True, "templates": [
        {"name": "main", "steps": [[{"name": "a", "template": "say"}], [{"name": "b", "template": "say"}]]},
        {"name": "say", "container": {"image": NOT_RUNNABLE, "command": ["echo", "hi"]}}]},
}


def config_map(name="settings", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {"a": "1"}}


def pod(name="box"):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "box"}}, "spec": {
        "restartPolicy": "Never",
        "containers": [{"name": "main", "image": NOT_RUNNABLE, "command": ["sleep", "1"]}]}}


def text(*objects):
    return "---\n".join(yaml.safe_dump(item) for item in objects)
