"""Groups of learners on several ranks, in the command: parts of a watched communicator."""

import pytest
from helpers.launch import run_kavg, run_kavg_on_ranks
from helpers.run_folder import read_digest
from helpers.settings import k_avg, write_settings

pytestmark = [pytest.mark.mpi, pytest.mark.timeout(120)]

GROUPS = {"kind": "groups", "K1": 1, "groups": [3, 2, 2]}
VARIED = {"kind": "piecewise", "Ks": [1, 4], "boundaries": [3]}


@pytest.fixture
def config(tmp_path):
    """Two algorithms, so that the second splits the ranks again."""
    algorithms = [
        k_avg(name="Hier-AVG", K=4, aggregation=GROUPS),
        k_avg(name="varied", K=VARIED, aggregation=GROUPS),
    ]
    return write_settings(tmp_path / "my.toml", figures=False, algorithm=algorithms)


def test_groups_on_several_ranks_have_the_digest_of_one_process(config, tmp_path):
    job = run_kavg("run", config, "-q", "--out", tmp_path / "serial")
    assert job.returncode == 0, job.stderr
    for size in (2, 3, 5):
        job = run_kavg_on_ranks(size, "run", config, "-q", "--out", tmp_path / str(size))
        assert job.returncode == 0, job.stderr
        assert read_digest(tmp_path / str(size)) == read_digest(tmp_path / "serial")


def test_a_period_that_does_not_fit_is_said_once(tmp_path):
    one = k_avg(K=VARIED | {"Ks": [2, 3]}, aggregation=GROUPS | {"K1": 2})
    config = write_settings(tmp_path / "my.toml", figures=False, algorithm=[one])
    job = run_kavg_on_ranks(3, "run", config, "-q", "--out", tmp_path / "out")
    assert job.returncode == 2
    assert job.stderr.count("K1 must divide K in every round, got K1=2 and K=3 in round 4") == 1
