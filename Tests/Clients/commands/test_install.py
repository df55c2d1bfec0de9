"""`make install`: the program, its other names and completion, and no other program's name taken."""

import os
import subprocess

from slipway_process import BINARY, ROOT


def install(prefix, **environment):
    variables = dict(os.environ, SLIPWAY_BIN=str(BINARY.resolve()), PATH="/usr/bin:/bin") | environment
    return subprocess.run([ROOT / "scripts/install", str(prefix)], env=variables, capture_output=True, text=True, timeout=60)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout


def test_every_name_runs(tmp_path):
    for _ in range(2):
        done = install("/usr/local", DESTDIR=str(tmp_path))
        assert done.returncode == 0, done.stderr
    programs = tmp_path / "usr/local/bin"
    assert sorted(os.listdir(programs)) == ["mc", "minio", "mlflow", "slipway"]
    assert run(programs / "slipway", "version").startswith("slipway ")
    assert run(programs / "mc", "--version").startswith("mc version ")
    assert run(programs / "mlflow", "--version").startswith("mlflow, version ")
    assert "--console-address" in run(programs / "minio", "server", "--help")
    share = tmp_path / "usr/local/share"
    assert "complete -F _slipway slipway" in (share / "bash-completion/completions/slipway").read_text()
    assert "complete -c slipway" in (share / "fish/vendor_completions.d/slipway.fish").read_text()


def test_another_programs_name_is_left_alone(tmp_path):
    here, elsewhere = tmp_path / "prefix/bin", tmp_path / "elsewhere"
    for folder, name in [(here, "mc"), (elsewhere, "mlflow")]:
        folder.mkdir(parents=True)
        (folder / name).write_text("#!/bin/sh\necho somebody else\n")
        (folder / name).chmod(0o755)
    done = install(tmp_path / "prefix", PATH=f"{elsewhere}:/usr/bin:/bin", DESTDIR="")
    assert done.returncode == 0, done.stderr
    assert run(here / "mc") == "somebody else\n" and not (here / "mlflow").exists()
    assert f"{here}/mc is another program; `slipway mc` is the same" in done.stdout
    assert f"{elsewhere}/mlflow is another program; `slipway track` is the same" in done.stdout
    assert f"{here} is not on your PATH" in done.stdout


def test_what_is_missing_is_said(tmp_path):
    done = install(tmp_path, SLIPWAY_BIN=str(tmp_path / "nothing"))
    assert done.returncode == 1 and "run make build" in done.stderr
    (tmp_path / "file").write_text("")
    done = install(tmp_path / "file")
    assert done.returncode == 1 and "make install PREFIX=$HOME/.local" in done.stderr
