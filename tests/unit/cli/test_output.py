"""Standard streams that are closed, full or read no more cost no run, and no traceback."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.launch import TESTS
from helpers.run_folder import read_digest
from helpers.settings import write_settings

import kavg
from kavg.cli.output import StandardStream, find_lost_output, protect_streams

KAVG = f"'{sys.executable}' -W error -m kavg"


@pytest.fixture(autouse=True)
def here(empty):
    """An empty folder with one settings file; no launcher."""
    return write_settings(empty / "my.toml", rounds=4, figures=False).parent


def shell(line, seconds=60):
    """Run a line of bash, in which KAVG stands for the command."""
    paths = [str(Path(kavg.__file__).parents[1]), str(TESTS)]
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("KAVG", KAVG)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip


# The streams alone.


def test_a_full_disk_is_recorded_and_not_raised():
    with open("/dev/full", "wb", buffering=0) as full:
        stream = StandardStream(full.fileno(), "w", closefd=False)
        text = io.TextIOWrapper(io.BufferedWriter(stream), "utf-8")
        print("lost", file=text, flush=True)
        print("lost too", file=text, flush=True)
        assert stream.failure.strerror == "No space left on device"
        text.close()


def test_a_pipe_that_nobody_reads_is_recorded_and_not_raised():
    reader, writer = os.pipe()
    os.close(reader)
    with StandardStream(writer, "w") as stream:
        assert stream.write(b"lost") == 4
        assert isinstance(stream.failure, BrokenPipeError)


def test_what_could_be_written_is_written_once():
    reader, writer = os.pipe()
    with StandardStream(writer, "w") as stream, open(reader, "rb") as read:
        assert stream.write(memoryview(b"kept")) == 4
        assert stream.failure is None
        assert os.read(read.fileno(), 100) == b"kept"


def test_a_pipe_that_does_not_block_is_waited_for():
    """As terminals and pipes of other programs may be; Python's own streams raise there."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    size = 4 * fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    stream, read = StandardStream(writer, "w"), []
    buffered = io.BufferedWriter(stream)

    def drain():
        with open(reader, "rb") as file:
            read.append(file.read())

    thread = threading.Thread(target=drain)
    thread.start()
    buffered.write(b"x" * size)
    buffered.close()
    thread.join(30)
    assert (stream.failure, len(read[0])) == (None, size)


def test_a_stream_in_memory_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(sys, "stdout", out := io.StringIO())
    monkeypatch.setattr(sys, "stderr", err := io.StringIO())
    protect_streams()
    assert (sys.stdout, sys.stderr) == (out, err)
    assert find_lost_output() is None


# A run is done and kept.

LOSSES = {
    "2>&-": 0,
    "<&- >&- 2>&-": 0,
    ">/dev/full": 1,
    ">/dev/full 2>&1": 1,
    "1</dev/null": 1,
    "2>&1 | true": 0,
}


@pytest.mark.parametrize("redirected", LOSSES)
def test_a_run_is_kept_whatever_becomes_of_its_output(here, redirected):
    job = shell(f"KAVG run my.toml {redirected}")
    assert job.returncode == LOSSES[redirected], job.stderr
    assert "Traceback" not in job.stderr
    assert "ignored" not in job.stderr
    assert len(read_digest(here / "runs/my")) == 64
    said = [line for line in job.stderr.splitlines() if line.startswith("kavg: ")]
    if job.returncode and "2>" not in redirected:
        (word,) = said
        assert word.startswith("kavg: cannot write to standard output: ")
    else:
        assert said == []


def test_a_log_that_closes_during_a_run_does_not_end_it(here):
    """``kavg run my.toml 2>&1 | head -1``, certain to lose lines that are still to come."""
    command = [sys.executable, "-m", "kavg", "run", "my.toml", "--set", "rounds=2000"]
    job = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(kavg.__file__).parents[1])},
    )  # fmt: skip
    try:
        assert job.stdout.readline().startswith("K-AVG")
        job.stdout.close()
        assert job.wait(60) == 0
    finally:
        job.kill()
    assert len(read_digest(here / "runs/my")) == 64


# A text is what other commands are asked for.


@pytest.mark.parametrize("command", ["schema", "--help"])
def test_a_text_that_cannot_be_written_is_a_failure_with_a_word(command):
    job = shell(f"KAVG {command} >/dev/full")
    word = "kavg: cannot write to standard output: No space left on device; files are complete\n"
    assert (job.returncode, job.stderr) == (1, word)


def test_a_reader_may_stop_where_it_likes():
    job = shell("KAVG list | head -1")
    assert (job.returncode, job.stdout.count("\n"), job.stderr) == (0, 1, "")


def test_errors_keep_their_code_where_nothing_can_be_said():
    assert shell("KAVG run gone.toml 2>/dev/full").returncode == 2


def test_no_file_takes_the_place_of_a_closed_stream(here):
    """The first file to be opened would be standard output, and print_text would write to it."""
    assert shell("KAVG run my.toml <&- >&- --set checkpoint.every=1").returncode == 0
    assert shell("KAVG verify runs/my --files").stdout == "files        unchanged\n"


@pytest.mark.parametrize(("name", "redirected"), [("HUP", "2>&-"), ("INT", ">/dev/full 2>&1")])
def test_a_signal_keeps_its_code_where_nothing_can_be_said(here, redirected, name):
    line = f"""
      set -m  # or bash would let a job in the background ignore SIGINT
      KAVG run my.toml -q --set rounds=10000000 --set record.every=100000 \
        --set checkpoint.every=20 {redirected} &
      while [ ! -e runs/my/checkpoints ]; do sleep 0.05; done
      kill -{name} %1; wait %1"""
    assert shell(line).returncode == 128 + signal.Signals[f"SIG{name}"]
    assert list((here / "runs/my/checkpoints").iterdir())
