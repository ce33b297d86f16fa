"""The source distribution holds every file of the repository, and no other."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALWAYS = {"README.md", "LICENSE", "setup.cfg", "pyproject.toml"}
"""What setuptools adds of itself."""


@pytest.fixture(scope="module")
def tracked():
    """The files of the repository."""
    listed = ["git", "-C", str(ROOT), "ls-files", "-z"]
    if not (ROOT / ".git").exists():
        pytest.skip("this is no repository, but a source distribution")
    return set(
        subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0")
    ) - {""}


def is_included(name):
    """True if a command of MANIFEST.in, or setuptools itself, includes a file."""
    lines = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    grafted = any(kind == "graft" and name.startswith(f"{where}/") for kind, where, *_ in words)
    named = any(kind == "include" and name in names for kind, *names in words)
    left_out = any(
        kind == "global-exclude" and any(fnmatch(name.split("/")[-1], each) for each in patterns)
        for kind, *patterns in words
    )
    return (grafted or named or name in ALWAYS) and not left_out


def test_the_manifest_includes_every_file_of_the_repository(tracked):
    assert [name for name in sorted(tracked) if not is_included(name)] == []


def test_the_manifest_names_nothing_that_is_gone(tracked):
    for line in (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines():
        kind, *names = line.split()
        if kind in ("include", "graft"):
            assert all((ROOT / name).exists() for name in names), line


@pytest.mark.slow
def test_the_source_distribution_holds_what_the_repository_holds(tracked, tmp_path):
    """With the setuptools of this environment, if there is one; .ci/run builds it in isolation."""
    pytest.importorskip("setuptools")
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    subprocess.run(
        [sys.executable, "-c", "from setuptools import build_meta; build_meta.build_sdist('..')"],
        cwd=copy, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        held = {member.name.partition("/")[2] for member in tar if member.isfile()}
    made = {name for name in held if ".egg-info/" in name} | {"PKG-INFO"}
    listed = subprocess.run(
        ["git", "-C", str(copy), "ls-files"], capture_output=True, text=True, check=True
    )
    assert held - made == set(listed.stdout.split("\n")) - {""}
