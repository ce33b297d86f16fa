"""Settings from standard input, pipes and devices: read once, by one rank, and never for ever."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest
from helpers.ranks import run_ranks
from helpers.settings import settings_text
from hypothesis import given
from hypothesis import strategies as st

from kavg.config import settings_stream as streams
from kavg.config.settings_file import load_config, to_toml
from kavg.config.settings_stream import STDIN, is_stream, read_stream
from kavg.errors import KavgError
from kavg.mpi.collective import share_bytes


@pytest.fixture
def fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


def written(path, pieces, pause=0.0):
    """A thread that writes to a pipe, piece by piece."""

    def write():
        with path.open("wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                time.sleep(pause)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_what_is_a_stream_and_what_is_a_file(tmp_path, fifo):
    (tmp_path / "a.toml").touch()
    (tmp_path / "link").symlink_to(fifo)
    assert [*map(is_stream, (STDIN, Path("/dev/fd/63"), Path("/proc/self/fd/0"), fifo))] == [
        True
    ] * 4
    assert is_stream(tmp_path / "link")
    files = ("a.toml", "gone.toml", ".", "x" * 300, "\udcff")
    assert not any(is_stream(tmp_path / name) for name in files)


@given(st.lists(st.binary(min_size=1, max_size=10**5), min_size=1, max_size=4))
def test_a_pipe_is_read_to_its_end(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("pipe") / "fifo"
    os.mkfifo(path)
    thread = written(path, pieces)
    assert read_stream(path, print) == b"".join(pieces)
    thread.join(30)


def test_a_slow_writer_is_waited_for_with_a_word(monkeypatch, fifo):
    monkeypatch.setattr(streams, "NOTICE", 0.02)
    said = []
    thread = written(fifo, [b"seed", b" = 1\n"], pause=0.2)
    assert read_stream(fifo, said.append) == b"seed = 1\n"
    thread.join(30)
    assert said[-1] == f"waiting for the end of the settings {str(fifo)!r}"


def test_a_pipe_without_a_writer_is_given_up(monkeypatch, fifo):
    monkeypatch.setattr(streams, "NOTICE", 0.02)
    said = []
    with pytest.raises(KavgError, match=r"0 bytes came, and then for 0.05 s neither more nor"):
        read_stream(fifo, said.append, patience=0.05)
    assert said == [f"waiting for the beginning of the settings {str(fifo)!r}"]


def test_a_pipe_without_an_end_is_given_up(monkeypatch, fifo):
    """Open MPI's mpiexec gives rank 0 what it reads itself, and keeps the pipe open."""
    monkeypatch.setattr(streams, "NOTICE", 0.02)
    with open(os.open(fifo, os.O_RDWR), "wb", buffering=0) as kept:
        kept.write(b"seed = 1")
        with pytest.raises(KavgError, match=r"8 bytes came, and then for 0.05 s neither more nor"):
            read_stream(fifo, print, patience=0.05)


def test_streams_that_give_nothing_or_cannot_be_read(tmp_path, fifo):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for path in ("/dev/null", tmp_path / "socket", "/dev/gone", "/proc/self/mem"):
            with pytest.raises(KavgError, match="cannot read the settings") as caught:
                read_stream(Path(path), print)
            assert "\n" not in str(caught.value)
    thread = written(fifo, [])
    with pytest.raises(KavgError, match="nothing came; give a file"):
        read_stream(fifo, print)
    thread.join(30)


def test_a_device_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(streams, "MAX_BYTES", 10**6)
    assert 10**6 < len(read_stream(Path("/dev/zero"), print)) < 2 * 10**6


def test_settings_of_a_pipe_are_those_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = settings_text(rounds=4)
    (tmp_path / "a.toml").write_text(text)
    from_pipe = load_config(STDIN, ["seed=3"], text.encode())
    assert to_toml(from_pipe) == to_toml(load_config("a.toml", ["seed=3"]))
    for content, reason in ((b"\xff", "is not UTF-8"), (b"a =", "not TOML")):
        with pytest.raises(KavgError, match=reason):
            load_config(STDIN, (), content)


def test_data_of_settings_from_a_pipe_are_relative_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.csv").write_text("x,y\n1,0\n2,1\n3,0\n4,1\n")
    objective = {"kind": "logistic_regression", "data": "my.csv"}
    text = settings_text(start=None, objective=objective, oracle={"kind": "minibatch", "B": 2})
    assert load_config(STDIN, (), text.encode()).problem.objective.examples == 4


@given(st.one_of(st.none(), st.binary(max_size=5000)), st.integers(1, 4))
def test_all_ranks_get_what_rank_0_read(content, size):
    def share(comm):
        return share_bytes(comm, content if comm.Get_rank() == 0 else b"another")

    assert run_ranks(size, share) == [content] * size
