"""The manifest: every change of a folder is found, and nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kavg
from kavg.cli.results import summarize_runs
from kavg.config.settings_file import EXAMPLE, parse_config, to_toml
from kavg.errors import KavgError
from kavg.storage import RunFolder, StoredRun, manifest
from kavg.storage.atomic import write_bytes

CONFIG = parse_config(EXAMPLE, ["rounds=2", "replicas=2", "objective.dim=2"])


def a_run():
    """A small run folder's worth of real numbers."""
    return [
        kavg.simulate(CONFIG.problem, a, rounds=2, replicas=2, seed=1) for a in CONFIG.algorithms
    ]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder, runs = tmp_path_factory.mktemp("original") / "run", a_run()
    run = StoredRun(to_toml(CONFIG), runs, summarize_runs(runs), {"time": "now"}, {"level": 0.05})
    RunFolder(folder).write(run, lambda f: (f / "a.png").write_bytes(b"\x89PNG" * 9))
    return folder


@pytest.fixture(scope="module")
def copy(original, tmp_path_factory):
    """``copy()``: the folder as it was written, for one example."""
    place = tmp_path_factory.mktemp("copies") / "run"

    def copy():
        shutil.rmtree(place, ignore_errors=True)
        return Path(shutil.copytree(original, place))

    return copy


def files(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_a_folder_is_as_it_was_written(original):
    assert manifest.list_changes(original) == []
    assert len(manifest.read_manifest(original)) == 7 == len(files(original)) - 1


@settings(max_examples=150)
@given(data=st.data())
def test_one_bit_of_any_file(copy, data):
    folder = copy()
    path = data.draw(st.sampled_from(files(folder)))
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    (found,) = manifest.list_changes(folder)
    assert path.name in found


def test_every_bit_of_the_manifest_itself(original):
    whole = (original / manifest.NAME).read_bytes()
    assert len(manifest.parse_manifest(whole)) == 7
    for bit in range(8 * len(whole)):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KavgError, match=r"manifest\.sha256 is damaged itself"):
            manifest.parse_manifest(bytes(content))


@given(data=st.data())
def test_a_file_cut_lost_or_longer_is_found(copy, data):
    folder = copy()
    path = data.draw(st.sampled_from(files(folder)))
    content = path.read_bytes()
    how = data.draw(st.sampled_from(["cut", "lost", "longer", "a folder", "a link"]))
    path.unlink()
    if how == "cut":
        path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    elif how == "longer":
        path.write_bytes(content + data.draw(st.binary(min_size=1)))
    elif how == "a folder":
        path.mkdir()
    elif how == "a link":
        path.symlink_to("/dev/zero")
    found = manifest.list_changes(folder)
    assert len(found) == 1
    assert path.name in found[0]


@given(data=st.data(), name=st.text(st.characters(codec="utf-8", exclude_characters="/\0"),
                                    min_size=1, max_size=40))  # fmt: skip
def test_an_added_file_is_found(copy, data, name):
    folder = copy()
    place = folder / data.draw(st.sampled_from(["", "figures"])) / name
    if name in (".", "..") or place.exists() or os.path.lexists(place):
        return
    place.write_bytes(data.draw(st.binary(max_size=9)))
    (found,) = manifest.list_changes(folder)
    assert found == f"{place.relative_to(folder).as_posix()!r} was added"


def test_an_added_file_is_not_read(copy):
    folder = copy()
    os.mkfifo(folder / "pipe")
    (folder / "all").symlink_to("/")
    assert manifest.list_changes(folder) == ["'all' was added", "'pipe' was added"]


def test_two_files_that_changed_places(copy):
    folder = copy()
    a, b = folder / "config.toml", folder / "verdicts.json"
    content = a.read_bytes(), b.read_bytes()
    a.write_bytes(content[1])
    b.write_bytes(content[0])
    assert len(manifest.list_changes(folder)) == 2


def test_a_changed_size_is_reported(copy):
    folder = copy()
    (folder / "config.toml").write_bytes(b"x")
    size = manifest.read_manifest(folder)["config.toml"].size
    words = f"'config.toml' was changed: it has 1 bytes instead of {size}"
    assert manifest.list_changes(folder) == [words]


# Files that kavg adds later.


def add(folder, name, content, into=None):
    """A file, as commands add it."""

    def write_file(stage):
        (stage / name).parent.mkdir(exist_ok=True)
        (stage / name).write_bytes(content)

    return RunFolder(folder).add(write_file, into)


def test_files_that_kavg_adds_are_entered_and_no_other_entry_changes(copy):
    folder = copy()
    (folder / "metrics.csv").write_bytes(b"tampered")
    assert add(folder, "verdicts.json", b"{}") == [folder / "verdicts.json"]
    assert add(folder, "figures/a.png", b"other") == [folder / "figures" / "a.png"]
    add(folder, "new.png", b"new", into=folder / "figures/../figures")
    assert (folder / "figures" / "new.png").read_bytes() == b"new"
    (found,) = manifest.list_changes(folder)
    assert found.startswith("'metrics.csv' was changed")


def test_a_file_elsewhere_is_not_entered(copy, tmp_path):
    folder = copy()
    before = (folder / manifest.NAME).read_bytes()
    add(folder, "file", b"x", into=tmp_path / "else" / "where")
    assert (tmp_path / "else" / "where" / "file").read_bytes() == b"x"
    assert (folder / manifest.NAME).read_bytes() == before


@pytest.mark.parametrize("damage", [None, b"", b"# kavg manifest 1\n", b"\xff" * 99])
def test_a_manifest_that_is_lost_or_damaged_is_not_mended(copy, damage):
    folder = copy()
    (folder / manifest.NAME).unlink()
    if damage is not None:
        (folder / manifest.NAME).write_bytes(damage)
    before = files(folder)
    add(folder, "verdicts.json", b"{}")
    assert files(folder) == before
    (found,) = manifest.list_changes(folder)
    assert found.startswith("manifest.sha256 is ")


# Its form.


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
@given(names=st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20)
    .filter(lambda name: name not in (".", "..")) | st.sampled_from(["a\\n", "a\nb", "\\", "\r"]),
    max_size=4, unique=True))  # fmt: skip
@settings(max_examples=20)
def test_sha256sum_reads_it(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("folder")
    for i, name in enumerate((*names, "one")):
        (folder / name).write_bytes(bytes([i]))
    write_bytes(folder / manifest.NAME, manifest.build_manifest(folder))
    assert manifest.list_changes(folder) == []
    done = subprocess.run(["sha256sum", "-c", "--strict", manifest.NAME], cwd=folder,
                          capture_output=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK\n") == len({*names, "one"})


def test_names_that_are_no_text(tmp_path):
    name = os.fsdecode(b"\xff\xfe.bin")
    (tmp_path / name).write_bytes(b"x")
    write_bytes(tmp_path / manifest.NAME, manifest.build_manifest(tmp_path))
    assert manifest.list_changes(tmp_path) == []
    (tmp_path / name).write_bytes(b"y")
    assert manifest.list_changes(tmp_path) == [f"{name!r} was changed: its SHA-256 differs"]


@pytest.mark.parametrize("lines", [
    b"", b"# kavg manifest 2\n", b"# kavg manifest 1\nhello\n",
    b"# kavg manifest 1\n# 1 bytes\n" + b"0" * 64 + b"  b\n# 1 bytes\n" + b"0" * 64 + b"  a\n",
])  # fmt: skip
def test_a_seal_is_not_enough(tmp_path, lines):
    (tmp_path / manifest.NAME).write_bytes(lines + manifest.checksum_line(lines))
    with pytest.raises(KavgError, match=r"was written by another version of kavg, or not by kavg"):
        manifest.read_manifest(tmp_path)


def test_single_files_are_checked(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    write_bytes(tmp_path / manifest.NAME, manifest.build_manifest(tmp_path))
    (tmp_path / "b").write_bytes(b"x")
    manifest.validate_files(tmp_path, ["a"])
    with pytest.raises(KavgError, match=r"^'b' was changed: manifest.sha256 does not list it$"):
        manifest.validate_files(tmp_path, ["a", "b"])
    (tmp_path / "a").unlink()
    with pytest.raises(KavgError, match=r"^'a' was changed: it is not a file any more$"):
        manifest.validate_files(tmp_path, ["a"])


def test_a_name_outside_is_never_opened(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    sealed = manifest.format_manifest({"../secret": manifest.compute_entry(tmp_path / "secret")})
    (tmp_path / "run" / manifest.NAME).write_bytes(sealed)
    assert manifest.list_changes(tmp_path / "run") == ["'../secret' is missing"]
