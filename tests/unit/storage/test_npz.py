"""Archives from anyone: what is honest comes back, what lies is refused before memory is taken."""

from __future__ import annotations

import contextlib
import io
import re
import resource
import struct
import sys
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from helpers.launch import run_process
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from kavg.errors import KavgError
from kavg.storage import npz

DTYPES = st.one_of(
    npst.boolean_dtypes(), npst.integer_dtypes(), npst.unsigned_integer_dtypes(),
    npst.floating_dtypes(), npst.unicode_string_dtypes(), npst.byte_string_dtypes(),
)  # fmt: skip
SHAPES = npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), max_size=9)
LITTLE = 4_000_000
"""Bytes that reading a small hostile file may take at its peak."""


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# What is honest comes back.


@given(
    arrays=st.dictionaries(NAMES, npst.arrays(DTYPES, SHAPES), max_size=3),
    save=st.sampled_from([np.savez, np.savez_compressed]),
    fortran=st.booleans(),
)
def test_archives_of_numpy_are_read(tmp_path_factory, arrays, save, fortran):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    if fortran:
        arrays = {name: np.asfortranarray(array) for name, array in arrays.items()}
    # savez takes names as keywords, of which "file" is its own.
    arrays = {f"x{name}": array for name, array in arrays.items()}
    save(path, **arrays)
    found = npz.read_archive(path)
    assert list(found) == list(arrays)
    assert all(same(found[name], arrays[name]) for name in arrays)
    for name in arrays:
        assert list(npz.read_archive(path, [name])) == [name]


def test_a_name_that_looks_like_another_with_its_ending(tmp_path):
    """``np.load`` itself returns the first of these for both."""
    np.savez(tmp_path / "a.npz", **{"x": 1, "x.npy": 2})
    assert npz.read_archive(tmp_path / "a.npz") == {"x": 1, "x.npy": 2}


def archive(path, members, **options):
    """A zip of ``{member: bytes}``, as honest as zipfile makes it."""
    with zipfile.ZipFile(path, "w", **options) as file, warnings.catch_warnings(action="ignore"):
        for name, content in members.items() if isinstance(members, dict) else members:
            file.writestr(name, content)
    return path


def npy(header, body=b"", version=(1, 0), length=None):
    """An ``.npy`` file whose header says what it is told to say."""
    text = header if isinstance(header, bytes) else header.encode()
    size = len(text) if length is None else length
    prefix = struct.pack("<H" if version == (1, 0) else "<I", size)
    return b"\x93NUMPY" + bytes(version) + prefix + text + body


def says(descr="<f8", shape="(3,)", fortran="False"):
    return f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


def test_headers_of_other_programs_are_read(tmp_path):
    body = np.arange(3.0).tobytes()
    members = {
        "plain": npy(says(), body),
        "second": npy(says(), body, version=(2, 0)),
        "old": npy("{'shape': (3L,), 'descr': '<f8', 'fortran_order': False}", body),
        "big": npy(says(">f8"), np.arange(3.0, dtype=">f8").tobytes()),
    }
    path = archive(tmp_path / "a.npz", {f"{k}.npy": v for k, v in members.items()})
    for array in npz.read_archive(path).values():
        assert array.tolist() == [0.0, 1.0, 2.0]


# What lies is refused, in words, before memory is taken.

THREE = np.arange(3.0).tobytes()
HEADERS = {
    "objects": (npy(says("|O"), b"\x80\x04N."), "is of type object; only numbers and text"),
    "records": (npy(says([("a", "<f8")]), THREE), "is of type .* only numbers and text are read"),
    "objects inside": (npy(says([("a", "|O")]), THREE), "is of type .* only numbers and text"),
    "raw bytes": (npy(says("|V8"), THREE), "is of type .*V8"),
    "complex": (npy(says("<c16"), THREE), "is of type complex128"),
    "times": (npy(says("<M8[s]"), THREE), "is of type datetime64"),
    "no bytes each": (npy(says("|S0", "(4611686018427387904,)"), b""), "is of type"),
    "more than follows": (npy(says(shape="(4,)"), THREE), r"claims the shape \(4,\) of float64"),
    "less than follows": (npy(says(shape="(2,)"), THREE), "but 24 bytes follow"),
    "a header to the end": (npy(says() + " " * 2_000_000, THREE, (2, 0)), "header, expected"),
    "huge": (npy(says(shape="(4611686018427387904,)"), THREE), "claims the shape"),
    "huge twice": (npy(says(shape="(2**31, 2**31)"), THREE), "Cannot parse header|malformed"),
    "beyond 64 bits": (npy(says(shape=f"({'9' * 400},)"), THREE), "claims the shape"),
    "beyond digits": (npy(says(shape=f"({'9' * 5000},)"), THREE), "Exceeds the limit|[Cc]annot"),
    "negative": (npy(says(shape="(-3,)"), THREE), r"claims the shape \(-3,\)"),
    "negative twice": (npy(says(shape="(-1, -3)"), THREE), r"claims the shape \(-1, -3\)"),
    "empty but huge": (npy(says(shape="(0, 9223372036854775807, 9)"), b""), "too big|maximum"),
    "many axes": (npy(says(shape=str((1,) * 99)), THREE[:8]), "maximum supported dimension"),
    "half a number": (npy(says(shape="(1.5,)"), THREE), "shape"),
    "no tuple": (npy(says(shape="3"), THREE), "shape"),
    "no header": (npy("", THREE), "Cannot parse header"),
    "no dictionary": (npy("[1, 2]\n", THREE), "Header is not a dictionary"),
    "a call": (npy("__import__('os').abort()\n", THREE), "Cannot parse header|malformed"),
    "deep": (npy("(" * 9000, THREE), "parse|parentheses|memory|EOF"),
    "unfinished": (npy("{'shape': '''", THREE), "Cannot parse header|EOF"),
    "no text": (npy(b"\xff" * 50, THREE), "Cannot parse header|malformed"),
    "long": (npy(says() + " " * 20_000, THREE), "header, expected 20058 bytes got 9990"),
    "longer than the file": (npy(says(), THREE, (2, 0), 2**31), "header, expected 2147483648"),
    "longer than what follows": (npy(says(), b"", length=500), "EOF|expected|claims"),
    "version 3": (npy(says(), THREE, (3, 0)), "does not begin as an array of version 1 or 2"),
    "no array": (b"hello", "does not begin as an array"),
    "nothing": (b"", "does not begin as an array"),
}  # fmt: skip


def refused(path, **options):
    """What is said of a file, and that it took little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(KavgError) as caught:
            npz.read_archive(path, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < LITTLE, f"{peak} bytes"
    said = str(caught.value)
    assert len(said) < 400
    assert said.isprintable()
    return said


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_lies(tmp_path, name):
    content, words = HEADERS[name]
    assert re.search(words, refused(archive(tmp_path / "a.npz", {"x.npy": content})))


GOOD = npy(says(), THREE)
MEMBERS = {
    "a path": ({"../x.npy": GOOD}, r"member '../x.npy' is not named as an array"),
    "an absolute path": ({"/etc/x.npy": GOOD}, "is not named as an array"),
    "a path of Windows": ({"a\\x.npy": GOOD}, "is not named as an array"),
    "a folder": ({"x.npy/": b""}, "member 'x.npy/' is not named as an array"),
    "another ending": ({"x.pkl": GOOD}, "member 'x.pkl' is not named as an array, NAME.npy"),
    "a name to mislead a terminal": ({"\x1b[31m": GOOD}, r"'\\x1b\[31m' is not named"),
    "twice": ([("x.npy", GOOD), ("x.npy", GOOD)], "holds 'x.npy' twice"),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_that_savez_would_not_write(tmp_path, name):
    members, words = MEMBERS[name]
    assert re.search(words, refused(archive(tmp_path / "a.npz", members)))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_not_unpacked(tmp_path, method):
    path = archive(tmp_path / "a.npz", {"x.npy": GOOD}, compression=method)
    assert "packed by another method than deflate" in refused(path)


CENTRAL = b"PK\x01\x02"
FIELDS = {"flags": ("<H", 8), "method": ("<H", 10), "crc": ("<I", 16), "packed": ("<I", 20),
          "size": ("<I", 24), "offset": ("<I", 42)}  # fmt: skip


def patched(path, **changes):
    """The same file with other numbers in the first entry of its directory."""
    content = bytearray(path.read_bytes())
    at = content.index(CENTRAL)
    for name, value in changes.items():
        form, place = FIELDS[name]
        struct.pack_into(form, content, at + place, value)
    path.write_bytes(content)
    return path


PATCHES = {
    "encrypted": ({"flags": 1}, "is encrypted"),
    "an unknown method": ({"method": 99}, "packed by another method"),
    "a wrong checksum": ({"crc": 12345}, "Bad CRC-32"),
    "larger than it can be": ({"size": 2**31}, "claims 2147483648 bytes, more than"),
    "larger than it is": ({"size": 95}, "claims the shape|claims 95 bytes"),
    "smaller than it is": ({"size": 90}, "claims the shape|Bad CRC"),
    "packed larger than the file": ({"packed": 2**30}, "its members overlap"),
    "packed smaller": ({"packed": 20}, "claims|early|Bad CRC"),
    "at another place": ({"offset": 7}, "[Bb]ad magic number|truncated"),
    "beyond the end": ({"offset": 2**31}, "."),
}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", PATCHES)
def test_a_directory_that_lies(tmp_path, name, method):
    changes, words = PATCHES[name]
    path = archive(tmp_path / "a.npz", {"x.npy": GOOD}, compression=method)
    assert re.search(words, refused(patched(path, **changes)))


def test_a_bomb_is_refused_by_its_claimed_size(tmp_path):
    body = npy(says("|u1", "(50000000,)"), bytes(50_000_000))
    path = archive(tmp_path / "a.npz", {"x.npy": body}, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 60_000
    said = refused(path, most_bytes=10_000_000)
    assert said.startswith(
        "it unpacks to 47.7 MiB, and 9.54 MiB is allowed; if this is meant, save"
    )
    assert npz.read_archive(path)["x"].nbytes == 50_000_000


def test_many_small_bombs_are_one(tmp_path):
    body = npy(says("|u1", "(1000000,)"), bytes(1_000_000))
    path = archive(tmp_path / "a.npz", {f"{i}.npy": body for i in range(40)},
                   compression=zipfile.ZIP_DEFLATED)  # fmt: skip
    assert "it unpacks to 38.1 MiB" in refused(path, most_bytes=20_000_000)
    assert npz.read_archive(path, ["7"], most_bytes=2_000_000)["7"].nbytes == 1_000_000


def test_a_stream_longer_than_its_claim_is_not_unpacked(tmp_path):
    path = archive(tmp_path / "a.npz", {"x.npy": npy(says("|u1", "(900,)"), bytes(40_000_000))},
                   compression=zipfile.ZIP_DEFLATED)  # fmt: skip
    assert "Bad CRC-32" in refused(patched(path, size=len(npy(says("|u1", "(900,)"))) + 900))


def test_members_that_share_their_bytes(tmp_path):
    body = npy(says("|u1", "(100000,)"), bytes(100_000))
    path = archive(tmp_path / "a.npz", {f"{i}.npy": body for i in range(30)})
    content = bytearray(path.read_bytes())
    first = content.index(CENTRAL)
    # The data of the last alone, and a directory in which all point there.
    with zipfile.ZipFile(path) as file:
        last = file.infolist()[-1].header_offset
    shorter = bytearray(content[last:first])
    directory = content[first:]
    at = -1
    while (at := directory.find(CENTRAL, at + 1)) >= 0:
        struct.pack_into("<I", directory, at + 42, 0)
    end = directory.index(b"PK\x05\x06")
    struct.pack_into("<I", directory, end + 16, len(shorter))
    path.write_bytes(shorter + directory)
    assert "its members overlap" in refused(path) or "Overlapped" in refused(path)


def test_a_directory_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "DIRECTORY", 70_000)
    path = archive(tmp_path / "a.npz", {f"{i:05}.npy": GOOD for i in range(2000)})
    assert "its directory has" in refused(path)


def test_other_files_are_refused(tmp_path):
    single = io.BytesIO()
    np.save(single, np.ones(3))
    for content, words in {
        b"": "not a zip file", b"PK": "not a zip file", b"PK\x05\x06": "not a zip file",
        b"hello" * 999: "not a zip file", single.getvalue(): "holds a single array",
    }.items():  # fmt: skip
        path = tmp_path / "a.npz"
        path.write_bytes(content)
        assert words in refused(path)
    assert refused(tmp_path) == refused(tmp_path / "gone") == "it is not a file"


HONEST = {"x": np.arange(40.0).reshape(5, 8), "y": np.array("text"), "z": np.zeros((3, 0))}


@given(data=st.data(), save=st.sampled_from([np.savez, np.savez_compressed]))
def test_damage_is_found_or_harmless(tmp_path_factory, data, save):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    save(path, **HONEST)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(content)) | st.integers(0, len(content)))
    path.write_bytes(content[:cut])
    try:
        found = npz.read_archive(path)
    except KavgError:
        return
    assert all(same(found[name], HONEST[name]) for name in found)


@given(header=st.binary(max_size=200) | st.text(max_size=80).map(str.encode), extra=st.binary())
def test_any_header_is_read_or_refused(tmp_path_factory, header, extra):
    path = archive(tmp_path_factory.mktemp("npz") / "a.npz", {"x.npy": npy(header, extra)})
    with contextlib.suppress(KavgError):
        npz.read_archive(path)


LIMITED = """
import resource, sys
from kavg.storage import npz
resource.setrlimit(resource.RLIMIT_AS, (4 * 10**9, 4 * 10**9))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    npz.read_archive(sys.argv[1])
except npz.KavgError as fault:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, fault)
"""


def test_a_claim_beyond_the_memory_is_refused(tmp_path):
    # 40 members of 900 MB each in 40 MB: a ratio of 900, 36 GB.  Their streams are never read.
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as file:
        for i in range(40):
            file.writestr(f"{i}.npy", bytes(1_000_000))
            file.infolist()[-1].file_size = 900_000_000
            file.infolist()[-1].compress_type = zipfile.ZIP_DEFLATED
    job = run_process([sys.executable, "-c", LIMITED, str(path)])
    grown, words = job.stdout.split(" ", 1)
    assert int(grown) < 20_000, "kilobytes"
    assert words.startswith("it unpacks to 33.5 GiB, and 3.73 GiB is allowed")
    assert "33.5 GiB, and " in refused(path)
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
