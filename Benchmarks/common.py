"""What the benchmarks share: processes that always end, CPU time of a process, medians of paired rounds."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = pathlib.Path(os.environ.get("SLIPWAY_RELEASE", ROOT / ".build" / "release"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def need(program, package):
    """The path of a program, or an end that says what to install."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if not found:
        sys.exit(f"{program} is missing; install it with: apt-get install {package}")
    return found


def wait_for_port(port, process, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    sys.exit(f"{process.args[0]} did not listen on {port} within {seconds} s")


@contextlib.contextmanager
def running(arguments, port, cpu=None, seconds=10, **options):
    """A server process, pinned to one CPU when asked, ready when it listens, and gone afterwards."""
    command = (["taskset", "-c", str(cpu)] if cpu is not None else []) + [str(a) for a in arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        wait_for_port(port, process, seconds)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def nginx_configuration(work, port, locations):
    """The file of an nginx of one worker that serves `locations`."""
    file = work / "nginx.conf"
    file.write_text(f"""
worker_processes 1; daemon off; error_log /dev/null; pid {work}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  client_body_temp_path {work}; proxy_temp_path {work}; fastcgi_temp_path {work};
  uwsgi_temp_path {work}; scgi_temp_path {work};
  server {{
    listen 127.0.0.1:{port};
    {locations}
  }}
}}
""")
    return file


def cpu_seconds(pid):
    """CPU time of a process and its children that live, to the nanosecond (schedstat of every thread)."""
    total = 0
    for child in [pid] + children(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in os.listdir(f"/proc/{child}/task"):
                total += int(open(f"/proc/{child}/task/{task}/schedstat").read().split()[0])
    return total / 1e9


def children(pid):
    with contextlib.suppress(FileNotFoundError):
        direct = [int(child) for child in open(f"/proc/{pid}/task/{pid}/children").read().split()]
        return direct + [grandchild for child in direct for grandchild in children(child)]
    return []


def resident_peak_mib(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def wrk(url, connections, seconds, cpu=None):
    """Requests that wrk completed; an error response ends the benchmark."""
    command = (["taskset", "-c", str(cpu)] if cpu is not None else []) + [
        need("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        sys.exit(f"{url} answered errors:\n{text}")
    return int(next(line for line in text.splitlines() if "requests in" in line).split()[0])


def paired(rounds, first, second):
    """Runs both alternately and returns the medians of each and of their ratio, first over second."""
    left, right = [], []
    for _ in range(rounds):
        left.append(first())
        right.append(second())
    ratio = statistics.median(a / b for a, b in zip(left, right))
    return statistics.median(left), statistics.median(right), ratio


def report(name, value, bar, passed, is_known=False):
    """Prints a figure beside its bar. True unless the bar is missed by more than is known (README, Figures)."""
    mark = "ok   " if passed else "known" if is_known else "MISS "
    print(f"  {mark} {name:<52} {value:<40} {bar}", flush=True)
    return passed or is_known


@contextlib.contextmanager
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="slipway-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
