"""A cluster server and the newest kubectl, as in ../cluster."""

import importlib.util
import pathlib

import pytest

SPECIFICATION = importlib.util.spec_from_file_location(
    "cluster_conftest", pathlib.Path(__file__).resolve().parent.parent / "cluster" / "conftest.py")
shared = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(shared)

cluster = shared.cluster
newest = shared.newest
COUNTER = iter(range(1_000_000))


@pytest.fixture
def namespace(newest):
    name = f"wf-{next(COUNTER)}"
    newest("create", "namespace", name)
    yield name
    newest("delete", "namespace", name, "--wait=false")
