"""mlflow 1.30.0, the version of many older tutorials, in an environment of its own.

SLIPWAY_MLFLOW1_PYTHON names its interpreter: python3.11 -m venv v; v/bin/pip install mlflow==1.30.0 "setuptools<70".
"""

import os
import pathlib
import subprocess

import pytest

PYTHON = os.environ.get("SLIPWAY_MLFLOW1_PYTHON", "")


@pytest.mark.skipif(not PYTHON, reason="SLIPWAY_MLFLOW1_PYTHON is not set")
def test_the_old_client_works(server, tmp_path):
    steps = pathlib.Path(__file__).with_name("mlflow1_steps.py")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "PYTHON"))}
    done = subprocess.run(
        [PYTHON, str(steps), server.url, str(tmp_path)], env=environment, cwd=tmp_path, capture_output=True, text=True,
        timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
