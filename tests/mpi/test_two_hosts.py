"""Two hosts with a cable between them: the bits of one process, and an end if the cable breaks."""

import json
import re
import subprocess
import sys

import pytest
from helpers.hosts import NotPermitted, two_hosts, wait_for
from helpers.launch import HERE, alone

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]

SCRIPT = HERE / "mpi" / "names_its_host.py"
DIM, ROUNDS, REPLICAS = 100, 30, 8
SETTINGS = f"""
seed = 1
rounds = {ROUNDS}
replicas = {REPLICAS}
start = 2.0
figures = false
timeout = 60
objective = {{ kind = "cosine", dim = {DIM} }}
oracle = {{ kind = "gaussian", sigma2 = 1.0 }}
algorithm = [{{ P = 7, K = 2, gamma = 0.05, outer = {{ kind = "block_momentum", mu = 0.5 }} }}]
"""


@pytest.fixture
def hosts(tmp_path):
    try:
        with two_hosts(tmp_path) as made:
            yield made
    except NotPermitted as reason:
        pytest.skip(f"no two hosts here: {reason}")


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SETTINGS)
    return path


def test_two_hosts_find_the_digest_of_one_process(hosts, config, tmp_path):
    words = ["run", str(config), "-q", "--out"]
    serial = alone([sys.executable, "-m", "kavg", *words, str(tmp_path / "serial")])
    assert serial.returncode == 0, serial.stderr
    before = [hosts.sent(host) for host in (0, 1)]
    command = [sys.executable, str(SCRIPT), *words, str(tmp_path / "two")]
    job = alone(hosts.command(2, *command), seconds=60)
    assert job.returncode == 0, job.stderr
    places = dict(re.findall(r"rank (\d) is on (\w+)", job.stderr))
    first, second = hosts.names
    assert places == {"0": first, "1": first, "2": second, "3": second}
    # Each host must hear the other's sum, or half of it twice, in every round.
    least = ROUNDS * REPLICAS * DIM * 8
    sent = [hosts.sent(host) - was for host, was in zip((0, 1), before, strict=True)]
    assert min(sent) > least, sent
    found = [json.loads((tmp_path / x / "summary.json").read_text()) for x in ("serial", "two")]
    assert found[0]["digest"] == found[1]["digest"]
    assert json.loads((tmp_path / "two" / "environment.json").read_text())["ranks"] == 4


def test_a_cable_that_breaks_ends_the_job_on_both_sides(hosts, config, tmp_path):
    endless = "rounds = 100_000_000\nrecord = { every = 1_000_000 }"
    text = SETTINGS.replace(f"rounds = {ROUNDS}", endless)
    config.write_text(text.replace("timeout = 60", "timeout = 6"))
    words = ["run", str(config), "--out", str(tmp_path / "two")]
    command = hosts.command(2, sys.executable, "-m", "kavg", *words)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as job:
        try:
            assert "algorithm 1" in job.stderr.readline()  # the first round is done
            hosts.cut()
            _, said = job.communicate(timeout=40)
        finally:
            job.kill()
    assert job.returncode != 0
    (line,) = [line for line in said.splitlines() if line.startswith("kavg: ")]
    assert re.fullmatch(
        r"kavg: ranks 2, 3 have not responded for 6 s \(round \d+ of algorithm 1\); aborting", line
    )
    # The other side hears neither us nor the launcher, and ends by itself.
    wait_for(lambda: not hosts.processes())
    assert not (tmp_path / "two").exists()
