"""The two commands and what they install: pins, extras, the Makefile's own words."""

import functools
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

# ── Pins ────────────────────────────────────────────────────────────────────────────────────────


@functools.cache
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@functools.cache
def pins():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in requirements}


# Every installed package that the extras lead to on this machine, with its version.
def closure():
    extras = project()["optional-dependencies"].values()
    todo = [Requirement(text) for texts in extras for text in texts]
    todo = [wanted for wanted in todo if not wanted.marker or wanted.marker.evaluate()]
    found = {}
    while todo:
        wanted = todo.pop()
        environments = [{"extra": extra} for extra in wanted.extras | {""}]
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key not in found:
            distribution = importlib.metadata.distribution(wanted.name)
            found[key] = distribution.version
            todo += [
                inner
                for inner in map(Requirement, distribution.requires or ())
                if not inner.marker or any(map(inner.marker.evaluate, environments))
            ]
    return {name: version for (name, _extras), version in found.items()}


def test_all_that_is_installed_is_pinned_and_all_that_is_pinned_is_installed():
    installed = closure()
    assert {name: pins().get(name) for name in installed} == installed
    elsewhere = {"appnope", "colorama", "pywinpty"}
    if sys.version_info[:2] == (3, 11) and "drgn" in installed:
        assert pins().keys() - installed.keys() == elsewhere


def test_the_simulator_itself_depends_on_nothing():
    assert project()["dependencies"] == []


def test_the_conda_environment_is_the_projects():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, by_pip = environment["dependencies"]
    assert f">={python.removeprefix('python=')}" == project()["requires-python"]
    assert pip == "pip"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    extras = re.search(r"^BOOK := (.*)$", makefile, re.MULTILINE).group(1)
    assert by_pip == {"pip": ["--constraint constraints.txt", f"--editable .[{extras}]"]}
    assert set(extras.split(",")) <= project()["optional-dependencies"].keys()


def test_make_test_installs_every_extra():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    book, test = (
        re.search(rf"^{name} := (.*)$", makefile, re.MULTILINE).group(1)
        for name in ("BOOK", "TEST")
    )
    extras = test.replace("$(BOOK)", book).split(",")
    assert sorted(extras) == sorted(project()["optional-dependencies"])


# ── The two commands ────────────────────────────────────────────────────────────────────────────


def make(tmp_path, *arguments, **environment):
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "kernelsim").mkdir()
    (tmp_path / "kernelsim/__init__.py").write_text('"""Empty."""\n', encoding="utf-8")
    return subprocess.run(
        ["make", "-C", str(tmp_path), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_package_index_one_sentence_says_so(tmp_path):
    done = make(tmp_path, "book", f"PYTHON={sys.executable}", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert done.returncode
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert said[0].startswith(
        "kernelsim could not be set up, for no package index could be reached"
    )


def test_a_python_that_is_too_old_is_named(tmp_path):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    done = make(tmp_path, "book", f"PYTHON={old}")
    assert f"kernelsim needs Python 3.11 or newer, and '{old}' is not" in done.stderr
