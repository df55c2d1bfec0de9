"""The manifests of the examples can be applied as they stand, without a script that fills something in first."""

import pathlib

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples"
FILES = sorted([*EXAMPLES.glob("*/*.yaml"), *EXAMPLES.glob("*/manifests/*.yaml")])


@pytest.fixture(scope="module")
def namespaces(newest):
    for name in ["mms", "job-ns"]:
        newest("create", "namespace", name)
    yield
    newest("delete", "namespace", "mms", "job-ns", "--wait=false")


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(EXAMPLES)) for file in FILES])
def test_a_file_is_taken_as_it_stands(newest, namespaces, file):
    assert "@" not in file.read_text(), "something to fill in"
    assert "(server dry run)" in newest("apply", "--dry-run=server", "-f", str(file))
