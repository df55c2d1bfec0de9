"""What a person sees who types something wrong, or asks."""

import json
import os
import subprocess

import pytest

from slipway_process import BINARY, ROOT


def slipway(*arguments, **environment):
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("SLIPWAY", "MINIO", "MLFLOW"))}
    return subprocess.run(
        [BINARY, *map(str, arguments)], env=variables | environment, capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("arguments, environment, words", [
    (["stoer"], {}, ["unknown command 'stoer'", "slipway store"]),
    (["up", "--store-prot", "1"], {}, ["unknown flag --store-prot", "--store-port"]),
    (["up", "--store-port", "70000"], {}, ["--store-port", "'70000'", "0 to 65535"]),
    (["up"], {"SLIPWAY_STORE_PORT": "nine"}, ["SLIPWAY_STORE_PORT", "'nine'", "0 to 65535"]),
    (["store"], {"MINIO_ROOT_PASSWORD": "short"}, ["MINIO_ROOT_PASSWORD", "not shown", "8 to 128"]),
    (["store", "--log-level=loud"], {}, ["--log-level", "'loud'", "debug, info, warning, error"]),
    (["up", "--bind", "localhost"], {}, ["--bind", "'localhost'", "numeric"]),
    (["version", "extra"], {}, ["unexpected word 'extra'"]),
])
def test_a_mistake_is_named_with_the_way_out(arguments, environment, words):
    result = slipway(*arguments, **environment)
    assert result.returncode == 2
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr
    assert "short" not in result.stderr


@pytest.mark.parametrize("words, message, way_out", [
    (["start", "--driver=docker"], "`minikube start` is not needed here", "`slipway up`"),
    (["docker-env"], "`minikube docker-env` is not needed here", "docker push localhost:5000/NAME:TAG"),
    (["addons", "enable", "registry"], "`minikube addons enable registry` is not needed here", "`slipway registry`"),
    (["service", "list"], "`minikube service list`", "kubectl get service"),
    ([], "minikube is not part of this program", "`slipway up` takes the place of `minikube start`"),
])
def test_minikube_is_refused_with_what_takes_its_place(tmp_path, words, message, way_out):
    link = tmp_path / "minikube"
    link.symlink_to(BINARY)
    for command in ([link, *words], [BINARY, "minikube", *words]):
        result = subprocess.run(command, capture_output=True, text=True, timeout=20)
        # Nothing on standard output: `eval $(minikube docker-env)` runs nothing.
        assert (result.returncode, result.stdout) == (2, "")
        assert message in result.stderr and way_out in result.stderr, result.stderr


def test_a_configuration_file_is_checked(tmp_path):
    file = tmp_path / "slipway.yaml"
    file.write_text("stoer:\n  port: 1\n")
    result = slipway("store", "--config", file)
    assert result.returncode == 2 and "'stoer'" in result.stderr and "'store'" in result.stderr
    file.write_text("a: [unclosed\n")
    result = slipway("store", "--config", file)
    assert result.returncode == 2 and str(file) in result.stderr
    result = slipway("store", "--config", tmp_path / "absent.yaml")
    assert result.returncode == 2 and "absent.yaml" in result.stderr


def test_version_and_help_are_plain_text_in_a_pipe():
    version = json.loads(slipway("version", "--json").stdout)
    assert version["version"] and version["libraries"]["openssl"].startswith("3.")
    assert slipway("version").stdout.startswith("slipway " + version["version"])
    for arguments in (["help"], ["store", "--help"], ["help", "up"]):
        result = slipway(*arguments)
        assert result.returncode == 0 and "\x1b" not in result.stdout


def test_bash_takes_the_completion_script():
    script = slipway("completion", "bash").stdout
    completed = subprocess.run(
        ["bash", "-c", script + '\nCOMP_WORDS=(slipway up --store-p); COMP_CWORD=2; _slipway; echo "${COMPREPLY[@]}"'],
        capture_output=True, text=True)
    assert completed.stdout.split() == ["--store-port"], completed.stderr


def test_the_configuration_page_is_what_the_binary_says():
    assert (ROOT / "docs/CONFIGURATION.md").read_text() == slipway("configuration").stdout
