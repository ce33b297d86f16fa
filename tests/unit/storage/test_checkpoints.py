"""Checkpoints: read only when whole, written whole or not at all, and nothing in them runs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile

import numpy as np
import pytest
from helpers.checkpoint import CONFIG, RUNS, WHOLE
from helpers.same import same_bits
from helpers.settings import settings_text
from hypothesis import given
from hypothesis import strategies as st

import kavg
from kavg.cli.saved_run import load_checkpoint, open_run, read_last_checkpoint
from kavg.config.config import hash_data
from kavg.config.settings_file import parse_config, to_toml
from kavg.errors import KavgError, NewerFormat
from kavg.portability import ARITHMETIC
from kavg.storage import checkpoints, digest
from kavg.storage.checkpoint_line import FORMAT, SAME_ARITHMETIC
from kavg.storage.checkpoints import (
    Checkpoint,
    decode_checkpoint,
    list_checkpoints,
    read_checkpoint,
    write_checkpoint,
)
from kavg.storage.text_files import parse_json


def content_of(checkpoint=WHOLE):
    first, rest = checkpoints.encode_checkpoint(checkpoint)
    return first + bytes(rest)


CONTENT = content_of()


def signed(rest, told=b"kavg checkpoint format=1 kavg=0.1.0 "):
    """A file whose checksum is right, whatever is in it."""
    return told + b"sha256=" + hashlib.sha256(told + rest).hexdigest().encode() + b"\n" + rest


def packed(**changes):
    """The rest of a file with some of its arrays changed, or left out where None."""
    with np.load(io.BytesIO(CONTENT[CONTENT.index(b"\n") + 1 :])) as arrays:
        arrays = dict(arrays) | changes
    rest = io.BytesIO()
    np.savez(rest, **{name: value for name, value in arrays.items() if value is not None})
    return rest.getvalue()


# Read back.


def test_what_is_finished_of_a_sweep_comes_back_as_it_was(tmp_path):
    sweep = {"done": 12, "stages": [[{"number": 3, "reached": None}], []], "runs": [3]}
    whole = Checkpoint(WHOLE.settings, "", WHOLE.runs, [], sweep)
    again = read_checkpoint(write_checkpoint(tmp_path, whole))
    assert again.sweep == sweep
    assert (again.done, list_checkpoints(tmp_path)[0].name) == (12, "000000012.ckpt")
    assert read_checkpoint(write_checkpoint(tmp_path, WHOLE)).sweep is None


def test_a_checkpoint_is_hashed_once(tmp_path, monkeypatch):
    path = write_checkpoint(tmp_path / "checkpoints", WHOLE)
    honest, hashed = hashlib.sha256, []

    class Counted:
        def __init__(self, content=b""):
            self.sha = honest()
            self.hexdigest, self.digest = self.sha.hexdigest, self.sha.digest
            self.update(content)

        def update(self, content):
            hashed.append(len(content))
            self.sha.update(content)

    monkeypatch.setattr(hashlib, "sha256", Counted)
    monkeypatch.setattr(hashlib, "file_digest", None)
    rest = len(path.read_bytes().partition(b"\n")[2])
    read_checkpoint(path)
    assert hashed.count(rest) == 1
    open_run(tmp_path)
    assert hashed.count(rest) == 2


def test_a_checkpoint_comes_back_as_it_was_written(tmp_path):
    path = write_checkpoint(tmp_path / "a" / "b", WHOLE)
    assert path.name == "000000009.ckpt"
    back = read_checkpoint(path)
    assert (back.settings, back.data, back.sessions) == (WHOLE.settings, "", WHOLE.sessions)
    for one, other in zip(back.runs, RUNS, strict=True):
        assert same_bits(one, other)
        assert digest(one) == digest(other)
        assert (one.name, one.done, one.diverged_at) == (other.name, other.done, other.diverged_at)
        for name in ("w", "v", "exponents", "gammas", "seconds"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
        assert [state.n for state in one.states] == [state.n for state in other.states] != []
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["000000009.ckpt"]


def test_the_first_line_is_as_documented():
    line, rest = CONTENT.split(b"\n", 1)
    told, sum_ = line.split(b"sha256=")
    assert told == f"kavg checkpoint format=2 kavg={kavg.__version__} ".encode()
    assert sum_.decode() == hashlib.sha256(told + rest).hexdigest()


def test_a_checkpoint_of_kavg_0_3_is_read_with_its_arithmetic():
    about = parse_json(str(np.load(io.BytesIO(CONTENT[CONTENT.index(b"\n") + 1 :]))["about"]))
    assert [run.pop("arithmetic") for run in about["runs"]] == [ARITHMETIC] * 2
    before = signed(packed(about=text(about)), b"kavg checkpoint format=1 kavg=0.3.0 ")
    runs = decode_checkpoint(before).runs
    assert [run.arithmetic for run in runs] == [1, 1]
    assert same_bits(runs[0], RUNS[0])


def test_earlier_versions_refuse_checkpoints_of_another_arithmetic():
    # They compare the format alone.
    assert FORMAT >= SAME_ARITHMETIC >= ARITHMETIC


def test_a_checkpoint_without_runs(tmp_path):
    path = write_checkpoint(tmp_path, Checkpoint(WHOLE.settings, "", [], []))
    assert path.name == "000000000.ckpt"
    assert read_checkpoint(path).runs == []


# Damage.


def test_a_checkpoint_cut_off_anywhere_is_refused():
    for length in [*range(300), *range(300, len(CONTENT), 97), len(CONTENT) - 1]:
        with pytest.raises(KavgError, match=r"cut off|not a checkpoint|first line is damaged"):
            decode_checkpoint(CONTENT[:length])


def test_any_flipped_bit_is_seen():
    for place in [*range(300), *range(300, len(CONTENT), 89)]:
        for bit in (0, 3, 7):
            damaged = bytearray(CONTENT)
            damaged[place] ^= 1 << bit
            with pytest.raises(KavgError) as caught:
                decode_checkpoint(bytes(damaged))
            assert not isinstance(caught.value, NewerFormat)


@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused(content):
    for foreign in (content, CONTENT + content + b"x", b"kavg checkpoint " + content):
        with pytest.raises(KavgError):
            decode_checkpoint(foreign)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is cut off"),
        (b"kavg check", "it is cut off"),
        (b"kavg checkpoint format=1 kavg=0.1", "it is cut off"),
        (CONTENT[CONTENT.index(b"\n") + 1 :], "it is not a checkpoint of kavg"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "it is not a checkpoint of kavg"),
        (b"kavg checkpoint format=one kavg=1 sha256=2\n", "its first line is damaged"),
        (CONTENT.replace(b"format=2", b"format=1", 1), "its checksum does not fit"),
        (CONTENT + b"\n", "its checksum does not fit"),
    ],
)
def test_an_error_names_the_file(tmp_path, content, words):
    path = tmp_path / "000000001.ckpt"
    path.write_bytes(content)
    with pytest.raises(KavgError, match=rf"^'.*000000001\.ckpt' is refused: .*{words}"):
        read_checkpoint(path)


def test_a_folder_in_place_of_a_checkpoint(tmp_path):
    (tmp_path / "000000001.ckpt").mkdir()
    with pytest.raises(KavgError, match=r"000000001\.ckpt' is refused: it is not a file"):
        read_checkpoint(tmp_path / "000000001.ckpt")


def test_a_newer_format_names_the_version_that_is_needed(tmp_path):
    path = tmp_path / "000000001.ckpt"
    path.write_bytes(signed(b"whatever it may be", b"kavg checkpoint format=7 kavg=3.1.4 "))
    with pytest.raises(KavgError, match=r"format 7, written by kavg 3\.1\.4") as caught:
        read_checkpoint(path)
    assert isinstance(caught.value, NewerFormat)
    assert str(caught.value).endswith("use kavg 3.1.4 or newer")


# Hostile, with a checksum that is right.


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("it ran",)


@pytest.mark.filterwarnings("ignore:Custom type:UserWarning")
def test_nothing_in_a_checkpoint_can_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bomb = np.empty(1, object)
    bomb[0] = Bomb()
    for name in ("0.w", "about", "extra"):
        with pytest.raises(KavgError, match="its content is not what kavg writes"):
            decode_checkpoint(signed(packed(**{name: bomb})))
    assert list(tmp_path.iterdir()) == []


ABOUT = {"settings": WHOLE.settings, "data": "", "sessions": [], "runs": []}


def text(value):
    return np.array(value if isinstance(value, str) else json.dumps(value))


HOSTILE = {
    "no about": {"about": None},
    "about is no JSON": {"about": text("{")},
    "about is a list": {"about": text([1])},
    "about is deep": {"about": text("[" * 100_000)},
    "no settings": {"about": text({"runs": []})},
    "settings are a number": {"about": text(ABOUT | {"settings": 3})},
    "a sweep that is a list": {"about": text(ABOUT | {"sweep": [1]})},
    "a sweep without a number of rounds": {"about": text(ABOUT | {"sweep": {"done": "3"}})},
    "sessions are text": {"about": text(ABOUT | {"sessions": "x"})},
    "an infinity": {"about": text('{"sessions": [NaN]}')},
    "runs are a number": {"about": text(ABOUT | {"runs": 3})},
    "a run too many": {"about": text(ABOUT | {"runs": [{"name": "a"}] * 3})},
    "no w": {"0.w": None},
    "w is one number": {"0.w": np.float64(1.0)},
    "series of another shape": {"0.series.F": np.zeros((7, 7))},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_content_that_kavg_does_not_write_is_refused(name):
    with pytest.raises(KavgError, match="its content is not what kavg writes: "):
        decode_checkpoint(signed(packed(**HOSTILE[name])))


@pytest.mark.filterwarnings("ignore:Reading `.npy`:UserWarning")
@pytest.mark.parametrize("seed", range(8))
def test_damaged_arrays_behind_right_checksums_raise_kavg_error(seed):
    """The zip's own sums are right too: what is left is NumPy's reader of headers."""
    generator, refused = np.random.default_rng(seed), 0
    with zipfile.ZipFile(io.BytesIO(packed())) as stored_arrays:
        arrays = {name: stored_arrays.read(name) for name in stored_arrays.namelist()}
    for victim in [*arrays] * 3:
        array = np.frombuffer(arrays[victim], np.uint8).copy()
        places = generator.integers(min(len(array), 128), size=2)
        array[places] = (
            np.frombuffer(generator.bytes(2), np.uint8)
            if seed % 2
            else [generator.choice(list(b"0123456789()[]{}',<>|OUf \n#")) for _ in places]
        )
        changed = io.BytesIO()
        with zipfile.ZipFile(changed, "w") as archive:
            for name, content in (arrays | {victim: array.tobytes()}).items():
                archive.writestr(name, content)
        try:
            decode_checkpoint(signed(changed.getvalue()))
        except KavgError:
            refused += 1
    assert refused > len(arrays)


def test_entries_that_are_no_arrays_are_refused():
    for name in ("0.v", "1.exponents"):
        changed = io.BytesIO()
        rest = io.BytesIO(packed(**{name: None}))
        with zipfile.ZipFile(rest) as before, zipfile.ZipFile(changed, "w") as archive:
            for entry in before.namelist():
                archive.writestr(entry, before.read(entry))
            archive.writestr(f"{name}.npy", b"text")
        with pytest.raises(KavgError, match="does not begin as an array"):
            decode_checkpoint(signed(changed.getvalue()))


ARRAYS = {
    "0.w": [np.zeros((2, 4)), np.zeros((2, 3), np.float32), np.full((2, 3), np.nan)],
    "1.v": [np.zeros(0), np.zeros((2, 4))],
    "1.exponents": [np.zeros(0, np.int64), np.zeros(3, np.int64), np.zeros(2)],
    "0.rounds": [np.array([0, 4, 5]), np.array([0, 3, 6]), np.array([0.0, 4.0, 6.0])],
    "1.gammas": [np.zeros(0), np.array([np.nan, 0.06])],
    "1.seconds": [np.zeros(0)],
    "0.states.n": [
        np.arange(5),
        np.arange(2, 7),
        np.arange(1, 5),
        np.full(5, np.inf),
        np.zeros((5, 1)),
        np.array(3),
        np.array(["1", "2", "3", "4", "5"]),
        np.array([1, 2, 2, 3, 4]),
    ],
    "0.states.w": [np.zeros((5, 2, 4)), np.zeros((5, 2)), np.zeros((5, 2, 3), np.float32), None],
    "1.states.v": [np.zeros((2, 0)), None],
    "1.states.exponents": [np.zeros((2, 2)), np.zeros((2, 1), np.int64), np.zeros(2)],
}


def test_a_checkpoint_that_is_no_file_is_refused(tmp_path):
    for kind in ("zero", "null"):
        (tmp_path / "000000001.ckpt").symlink_to(f"/dev/{kind}")
        with pytest.raises(KavgError, match="is refused: it is not a file"):
            read_checkpoint(tmp_path / "000000001.ckpt")
        (tmp_path / "000000001.ckpt").unlink()
    os.mkfifo(tmp_path / "000000002.ckpt")
    with pytest.raises(KavgError, match="is refused: it is not a file"):
        read_checkpoint(tmp_path / "000000002.ckpt")


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_do_not_fit_the_settings_are_refused(tmp_path, name):
    path = tmp_path / "000000001.ckpt"
    path.write_bytes(CONTENT)
    assert load_checkpoint(path)[0] == CONFIG
    for array in ARRAYS[name]:
        path.write_bytes(signed(packed(**{name: array})))
        with pytest.raises(KavgError, match=r"^'.*000000001\.ckpt' is refused: "):
            load_checkpoint(path)


def about_with(**changes):
    """What is said of the runs, the first one's changed."""
    with np.load(io.BytesIO(CONTENT[CONTENT.index(b"\n") + 1 :])) as arrays:
        about = json.loads(str(arrays["about"]))
    about["runs"][0] |= changes
    return {"about": text(about)}


WRONG = ({"done": None}, {"done": -1}, {"done": "6"}, {"done": 10**18}, {"done": 5},
         {"diverged_at": 3}, {"P": 3}, {"K": "8"}, {"B": 2}, {"name": "M-AVG"})  # fmt: skip


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_facts_that_do_not_fit_the_settings_are_refused(tmp_path, change):
    path = tmp_path / "000000001.ckpt"
    path.write_bytes(signed(packed(**about_with(**change))))
    with pytest.raises(KavgError, match=r"^'.*000000001\.ckpt' is refused: "):
        load_checkpoint(path)


def test_other_data_under_the_same_name_is_refused(tmp_path):
    np.savez(tmp_path / "my.npz", features=np.eye(8), labels=np.arange(8) % 2)
    settings = settings_text(
        rounds=2,
        objective={"kind": "logistic_regression", "data": "my.npz", "alpha": 0.1},
        oracle={"kind": "minibatch", "B": 2},
    )
    config = parse_config(settings, folder=tmp_path)
    path = write_checkpoint(tmp_path, Checkpoint(to_toml(config), hash_data(config), [], []))
    assert load_checkpoint(path)[0].rounds == 2
    np.savez(tmp_path / "my.npz", features=2 * np.eye(8), labels=np.arange(8) % 2)
    with pytest.raises(KavgError, match="and the run read"):
        load_checkpoint(path)
    (tmp_path / "my.npz").unlink()
    with pytest.raises(KavgError, match=r"is refused: .*my.npz: no such file"):
        load_checkpoint(path)


def test_json_that_could_not_be_written_again_is_refused():
    assert parse_json('{"a": 1.5}') == {"a": 1.5}
    for constant in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(ValueError, match=f"{constant} is not JSON"):
            parse_json(f"[{constant}]")


# The one before.


def test_the_last_checkpoint_is_read(folder):
    found = read_last_checkpoint(folder)
    assert (found.path.name, found.begun.done) == ("000000009.ckpt", 9)
    assert not any("refused" in note for note in found.warnings)


@pytest.mark.parametrize(
    "damage",
    [b"", CONTENT[:-1], CONTENT[:500], b"text", signed(b"no zip"),
     signed(packed(**{"0.w": np.zeros((2, 4))}))],
)  # fmt: skip
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_read(folder, damage):
    (folder / checkpoints.FOLDER / "000000009.ckpt").write_bytes(damage)
    found = read_last_checkpoint(folder)
    assert (found.path.name, found.begun.done) == ("000000007.ckpt", 7)
    refused, going_on, *_ = found.warnings
    assert re.match(r"'.*000000009\.ckpt' is refused: ", refused)
    assert going_on == "continuing from the one before it, 000000007.ckpt"


def test_checkpoints_are_in_the_order_of_numbers(folder):
    for name in ("0000000011.ckpt", "000000003.ckpt", "notes.ckpt", ".000000012.ckpt.ab.partial"):
        (folder / checkpoints.FOLDER / name).write_bytes(b"x")
    assert [path.name for path in list_checkpoints(folder / checkpoints.FOLDER)] == [
        "0000000011.ckpt", "000000009.ckpt", "000000007.ckpt", "000000003.ckpt",
    ]  # fmt: skip
    assert read_last_checkpoint(folder).path.name == "000000009.ckpt"


def test_without_a_whole_checkpoint_each_is_named(folder):
    for path in list_checkpoints(folder / checkpoints.FOLDER):
        path.write_bytes(b"x")
    with pytest.raises(KavgError) as caught:
        open_run(folder)
    first, *names, last = str(caught.value).split("\n")
    assert "no checkpoint in" in first
    assert ["000000009" in names[0], "000000007" in names[1], len(names)] == [True, True, 2]
    assert "--force starts again" in last


def test_a_newer_checkpoint_is_not_passed_over(folder):
    newer = signed(b"", b"kavg checkpoint format=3 kavg=0.9.0 ")
    (folder / checkpoints.FOLDER / "000000009.ckpt").write_bytes(newer)
    with pytest.raises(KavgError, match=r"use kavg 0\.9\.0 or newer"):
        open_run(folder)


@pytest.mark.parametrize("name", ["gone", "empty", "file"])
def test_a_folder_without_a_run_is_reported(tmp_path, name):
    (tmp_path / "empty" / checkpoints.FOLDER).mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(KavgError, match=r"there is no run in .*every rank sees"):
        open_run(tmp_path / name)
