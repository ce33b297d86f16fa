"""Run the commands of markers, each once, and take what they print."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from digests import ROOT, digest_of_code
from markers import Block, Marker

PROGRAMS = ("python", "kavg", "mpiexec", "cat")
"""What a command of a marker may start; ``cat`` shows a file."""
ABOVE = "the block above"
SETTINGS = {"COLUMNS": "100", "NO_COLOR": "1", "LC_ALL": "C.UTF-8", "MPLBACKEND": "Agg"}
"""Variables that would change what is printed."""
PYTHON = "#python\n"
"""The first line of a program that Python runs, not bash."""


@dataclass(frozen=True)
class Output:
    """What a command printed, the code it left with, and its folder."""

    text: bytes
    errors: str
    code: int
    seconds: float
    scratch: Path


@dataclass
class Runner:
    """Runs each command once, in a folder of its own below ``place``."""

    place: Path
    outputs: dict[str, Output] = field(default_factory=dict)

    def output(self, block: Block) -> Output:
        """What the command of a block printed."""
        program = program_of(block)
        if program not in self.outputs:
            self.outputs[program] = run(program, Path(tempfile.mkdtemp(dir=self.place)))
        return self.outputs[program]

    def run_all(self, wanted: Iterable[Block], workers: int) -> None:
        """Run the commands of blocks, ``workers`` at a time, each once."""
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(self.output, {program_of(block): block for block in wanted}.values()))


def run(program: str, scratch: Path) -> Output:
    """Run a command in the root of the repository."""
    words = ["bash", "-c", program.replace("{scratch}", str(scratch))]
    if program.startswith(PYTHON):
        words = [sys.executable, "-c", program]
    start = time.perf_counter()
    job = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, check=False)
    seconds = time.perf_counter() - start
    return Output(job.stdout, job.stderr.decode(), job.returncode, seconds, scratch)


def environment() -> dict[str, str]:
    """The variables of a command: this Python's programs come first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return os.environ | SETTINGS | {"PATH": path}


def marker_of(block: Block) -> Marker:
    """The marker of a block that a command prints."""
    assert block.printed
    return block.printed


def program_of(block: Block) -> str:
    """The command to run; that of ``the block above`` is the text of the fence before."""
    marker = marker_of(block)
    if marker.program != ABOVE:
        return marker.program
    language, text = block.above
    return PYTHON + text if language == "python" else f"set -e\n{text}"


def code_digest(block: Block) -> str:
    """The digest of the code that determines what the command prints."""
    program, of = program_of(block), marker_of(block).option("of")
    if program.startswith(PYTHON):
        return digest_of_code("", program, of)
    return digest_of_code(program, "", of)


def printed(block: Block, output: Output) -> str | bytes:
    """What the block should show: text, or the bytes of a figure.

    Raises ValueError if the command did not leave with the code that the marker names.
    """
    marker = marker_of(block)
    code = int(marker.option("exit", "0"))
    if output.code != code:
        last = output.errors.strip().split("\n")[-1]
        raise ValueError(f"{marker.program!r} left with {output.code}, not {code}: {last}")
    shown = filtered(marker.filter, output)
    return shown if block.kind == "image" else tidy(shown.decode())


def filtered(command: str, output: Output) -> bytes:
    """The part of the output that a filter lets through."""
    if not command:
        return output.text
    job = subprocess.run(
        ["bash", "-c", command.replace("{scratch}", str(output.scratch))],
        input=output.text, cwd=ROOT, env=environment(), capture_output=True, check=False,
    )  # fmt: skip
    if job.returncode:
        raise ValueError(f"the filter {command!r} left with {job.returncode}: {job.stderr!r}")
    return job.stdout


def tidy(text: str) -> str:
    """Text without spaces at the ends of lines and empty lines around it."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def unknown_word(block: Block) -> str | None:
    """A program that is not of ``PROGRAMS``, or a file that does not exist, in a command."""
    marker = marker_of(block)
    if marker.program == ABOVE:
        return None if block.above[0] in ("python", "sh") else f"{ABOVE}, a {block.above[0]!r}"
    for part in re.split(r" && | ; ", marker.program):
        words = [word for word in part.split() if not re.match(r"\w+=", word)]
        if not words or words[0] not in PROGRAMS:
            return part
        for word in words:
            if re.match(r"(docs|experiments|tests)/", word) and not (ROOT / word).exists():
                return word
    return None


def machine() -> str:
    """Processor, cores and versions in a few words, without brackets and semicolons."""
    try:
        match = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        match = None
    processor = re.sub(r"[();]", "", match[1] if match else platform.machine())
    versions = f"Python {platform.python_version()}, NumPy {version('numpy')}"
    return f"{processor}, {os.cpu_count()} cores, {versions}"
