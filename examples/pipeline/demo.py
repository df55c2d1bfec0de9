#!/usr/bin/env python3
"""The main job, end to end: `slipway up` in a folder of its own, then kubectl applies the pipeline and this watches it.

Needs only Python's standard library; the steps run in the environment that `make setup` makes. Settings, all optional:
DEMO_IMAGES (50000), DEMO_TEST_IMAGES (10000), DEMO_KEEP=1 leaves everything running at the end.
"""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARY = pathlib.Path(os.environ.get("SLIPWAY_BIN", ROOT / ".build/release/slipway"))
DATA = pathlib.Path(os.environ.get("DEMO_DATA", ROOT / "demo-data"))
NAMESPACE, WORKFLOW = "job-ns", "mnist-pipeline"
PORTS = {"store": 9000, "track": 5001, "infer-http": 8000, "infer-grpc": 8001, "infer-metrics": 8002, "cluster": 6443,
         "registry": 5000, "console": 9001}
# The least test accuracy, trained and served, with that many images at least: one epoch of a few hundred steps teaches little.
BARS = [(50_000, 0.97), (8_000, 0.85), (2_000, 0.5), (0, 0.1)]
ON_TERMINAL = sys.stdout.isatty()


def end(message):
    sys.exit(f"demo: {message}")


def number(name, default):
    """The whole number that an environment variable gives."""
    text = os.environ.get(name, str(default))
    if not text.isascii() or not text.isdecimal() or int(text) == 0:
        end(f"{name}={text} is no number of images; {default} is what it is without it")
    return int(text)


def choose_ports():
    """The default ports, or free ones in the place of those that are taken."""
    chosen = {}
    for name, port in PORTS.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                probe.bind(("127.0.0.1", 0))
                print(f"demo: port {port} is taken; {name} uses {probe.getsockname()[1]}")
            chosen[name] = probe.getsockname()[1]
    return chosen


@contextlib.contextmanager
def slipway(ports, password):
    """`slipway up`, stopped with Ctrl-C's signal at the end."""
    DATA.mkdir(parents=True, exist_ok=True)
    log = open(DATA / "slipway.log", "ab")
    environment = dict(os.environ, MINIO_ROOT_USER="slipway", MINIO_ROOT_PASSWORD=password, SLIPWAY_RUNTIME=str(ROOT / "runtime"))
    arguments = [str(BINARY), "up", "--data", str(DATA / "data")] + [f"--{name}-port={port}" for name, port in ports.items()]
    started = time.monotonic()
    process = subprocess.Popen(arguments, env=environment, stdout=log, stderr=log)
    try:
        for port in ports.values():
            while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
                if process.poll() is not None:
                    end(f"slipway up ended with {process.returncode}; its log is {DATA / 'slipway.log'}")
                if time.monotonic() - started > 20:
                    end(f"port {port} is not served after 20 s; the log is {DATA / 'slipway.log'}")
                time.sleep(0.01)
        print(f"slipway up: every port ready after {(time.monotonic() - started) * 1000:.0f} ms")
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


class Kubectl:
    def __init__(self, kubeconfig):
        local = ROOT / "runtime/bin/kubectl"
        self.program = shutil.which("kubectl") or (str(local) if local.exists() else end("kubectl is missing; run make setup"))
        self.environment = dict(os.environ, KUBECONFIG=str(kubeconfig))

    def __call__(self, *arguments, stdin=None, quiet=False):
        result = subprocess.run(
            [self.program, *arguments], env=self.environment, input=stdin, capture_output=True, text=True)
        if result.returncode != 0:
            end(f"kubectl {' '.join(arguments)}: {result.stderr.strip()}")
        if not quiet and result.stdout.strip():
            print("  " + result.stdout.strip().replace("\n", "\n  "))
        return result.stdout

    def create(self, kind, name, *arguments):
        """Creates or renews a ConfigMap or Secret."""
        manifest = self("create", *kind, name, "-n", NAMESPACE, *arguments, "--dry-run=client", "-o", "yaml", quiet=True)
        self("apply", "-f", "-", stdin=manifest)


def apply_everything(kubectl, ports, password):
    for name in ["ns", "pvc-model-log", "rbac"]:
        kubectl("apply", "-f", str(HERE / f"manifests/{name}.yaml"))
    kubectl.create(["configmap"], "pipeline-scripts", f"--from-file={HERE / 'scripts'}")
    kubectl.create(["secret", "generic"], "s3-credentials", "--from-literal=AWS_ACCESS_KEY_ID=slipway",
                   f"--from-literal=AWS_SECRET_ACCESS_KEY={password}")
    settings = {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{ports['track']}",
        "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{ports['store']}",
        "INFERENCE_GRPC": f"127.0.0.1:{ports['infer-grpc']}",
        "DEMO_IMAGES": str(number("DEMO_IMAGES", 50_000)),
        "DEMO_TEST_IMAGES": str(number("DEMO_TEST_IMAGES", 10_000)),
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        # Threads that wait for one another sleep instead of spinning: other work on the machine costs less time.
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    kubectl.create(["configmap"], "pipeline-settings", *[f"--from-literal={key}={value}" for key, value in settings.items()])
    kubectl("delete", "workflow", WORKFLOW, "-n", NAMESPACE, "--ignore-not-found", quiet=True)
    kubectl("apply", "-f", str(HERE / "manifests/workflow.yaml"))


def steps_of(workflow):
    nodes = workflow.get("status", {}).get("nodes", {}).values()
    pods = [node for node in nodes if node.get("type") == "Pod"]
    # Times are whole seconds: of two that began in the same one, the one that ended first came first.
    return sorted(pods, key=lambda node: (node.get("startedAt") or "~", node.get("finishedAt") or "~"))


def seconds_of(node):
    def moment(text):
        return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))
    if not node.get("startedAt"):
        return 0
    ended = moment(node["finishedAt"]) if node.get("finishedAt") else time.mktime(time.gmtime())
    return ended - moment(node["startedAt"])


def watch(kubectl):
    """Shows the steps until the workflow ends: one line that is renewed on a terminal, a line a change elsewhere."""
    shown = None
    while True:
        workflow = json.loads(kubectl("get", "workflow", WORKFLOW, "-n", NAMESPACE, "-o", "json", quiet=True))
        phase = workflow.get("status", {}).get("phase", "Pending")
        steps = steps_of(workflow)
        line = "  ".join(f"{node['displayName']} {node['phase']}" for node in steps)
        if ON_TERMINAL:
            timed = "  ".join(f"{node['displayName']} {node['phase']} {seconds_of(node):.0f}s" for node in steps)
            print(f"\r\033[K{timed}", end="", flush=True)
        elif line != shown:
            print(f"  {line or phase}", flush=True)
            shown = line
        if phase in ("Succeeded", "Failed", "Error"):
            print("\n" if ON_TERMINAL else "", end="")
            return workflow
        time.sleep(0.5)


def report(kubectl, workflow, ports):
    steps = steps_of(workflow)
    print("\nSTEP     PHASE      SECONDS  LAST LINE OF ITS LOG")
    for node in steps:
        pod = node.get("podName") or pod_of(kubectl, node)
        last = kubectl("logs", pod, "-n", NAMESPACE, "--tail=1", quiet=True).strip() if pod else ""
        print(f"{node['displayName']:<8} {node['phase']:<10} {seconds_of(node):>7.0f}  {last[:100]}")
    if workflow["status"]["phase"] != "Succeeded":
        failed = next((node for node in steps if node["phase"] in ("Failed", "Error")), None)
        pod = pod_of(kubectl, failed) if failed else None
        tail = kubectl("logs", pod, "-n", NAMESPACE, "--tail=30", quiet=True) if pod else ""
        end(f"the workflow {workflow['status']['phase']}: {workflow['status'].get('message', '')}\n{tail}")
    outputs = {p["name"]: p["value"] for node in steps for p in node.get("outputs", {}).get("parameters", [])}
    trained, figures = json.loads(outputs["trained"]), json.loads(outputs["figures"])
    print(f"""
test accuracy      {trained['accuracy']:.4f} in training, {figures['served_accuracy']:.4f} served
inference latency  p50 {figures['latency_p50_ms']:.2f} ms, p99 {figures['latency_p99_ms']:.2f} ms
throughput         {figures['images_per_second']:.0f} images/s

object store  http://127.0.0.1:{ports['store']}     tracking  http://127.0.0.1:{ports['track']}
inference     http://127.0.0.1:{ports['infer-http']}     Kubernetes  https://127.0.0.1:{ports['cluster']}
console       http://127.0.0.1:{ports['console']}""")
    return trained["accuracy"], figures


def lineage(workflow, ports, password):
    """What `slipway lineage` says of the served model; ends the demo when a link of the chain is missing."""
    arguments = ["lineage", "mnist", "--data", str(DATA / "data"), "--track-url", f"http://127.0.0.1:{ports['track']}",
                 "--infer-url", f"http://127.0.0.1:{ports['infer-http']}", "--s3-endpoint", f"http://127.0.0.1:{ports['store']}"]
    environment = dict(os.environ, MINIO_ROOT_USER="slipway", MINIO_ROOT_PASSWORD=password)
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "KUBECONFIG", "SLIPWAY_KUBECONFIG"]:
        environment.pop(name, None)

    def ask(*more):
        result = subprocess.run([str(BINARY), *arguments, *more], env=environment, capture_output=True, text=True)
        if result.returncode != 0:
            end(f"slipway lineage mnist: {result.stderr.strip()}")
        return result.stdout

    print("\n$ slipway lineage mnist")
    print(textwrap.indent(ask().rstrip(), "  "))
    outputs = {p["name"]: p["value"] for node in steps_of(workflow) for p in node.get("outputs", {}).get("parameters", [])}
    newest = max(json.loads(ask("--json"))["versions"], key=lambda entry: int(entry["served"].get("version", 0)))
    flow = f"{NAMESPACE}/{WORKFLOW}"
    links = {
        "served model": newest["served"]["state"] == "found",
        "registry version": newest["registry_version"].get("version") == newest["served"].get("version"),
        "link of the two": newest["link"] == "the tag slipway.served",
        "run": newest["run"].get("run_id") == json.loads(outputs["trained"])["run_id"],
        "step of the run": (newest["step"] or {}).get("phase") == "Succeeded" and newest["step"]["workflow"] == flow,
        "step of the version": (newest["registered_by"] or {}).get("step") == "export",
        "objects of the version": any(group["of"] == "version" and group.get("count") for group in newest["objects"]),
        "objects of the run": any(group["of"] == "run" and group.get("count") for group in newest["objects"]),
    }
    missing = [name for name, is_there in links.items() if not is_there]
    if missing:
        end(f"slipway lineage does not name: {', '.join(missing)}")


def pod_of(kubectl, node):
    pods = json.loads(kubectl("get", "pods", "-n", NAMESPACE, "-o", "json", quiet=True))["items"]
    for pod in pods:
        if pod["metadata"].get("annotations", {}).get("workflows.argoproj.io/node-id") == node["id"]:
            return pod["metadata"]["name"]
    return None


def main():
    if not BINARY.exists():
        end(f"{BINARY} is missing; run make build")
    number("DEMO_IMAGES", 50_000), number("DEMO_TEST_IMAGES", 10_000)
    ports, password = choose_ports(), secrets.token_urlsafe(18)
    with slipway(ports, password):
        kubeconfig = DATA / "data/kubeconfig"
        kubectl = Kubectl(kubeconfig)
        apply_everything(kubectl, ports, password)
        workflow = watch(kubectl)
        trained, figures = report(kubectl, workflow, ports)
        bar = next(least for count, least in BARS if number("DEMO_IMAGES", 50_000) >= count)
        for accuracy, of in [(trained, "in training"), (figures["served_accuracy"], "as served")]:
            if accuracy < bar:
                end(f"the test accuracy {accuracy:.4f} {of} is below {bar}, which that many images reach")
        lineage(workflow, ports, password)
        if os.environ.get("DEMO_KEEP") != "1":
            print(f"\nDone: the servers stop now; what they kept lies in {DATA}. With DEMO_KEEP=1 make demo they go on, and you can:")
        else:
            print("\nTry next, in another terminal:")
        print(f"""\
  export KUBECONFIG={kubeconfig}
  kubectl get workflow,pods -n {NAMESPACE}
  kubectl logs -n {NAMESPACE} -l workflows.argoproj.io/workflow={WORKFLOW} --tail=3
  curl -s http://127.0.0.1:{ports['infer-http']}/v2/models/mnist""")
        if os.environ.get("DEMO_KEEP") == "1":
            print("running until Ctrl-C")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()


if __name__ == "__main__":
    main()
