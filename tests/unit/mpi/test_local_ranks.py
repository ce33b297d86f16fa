"""How many ranks share this machine's memory, by the variables of launchers."""

from __future__ import annotations

import pytest

from kavg.mpi.local_ranks import VARIABLES, count_local_ranks

RANKS = {"PMI_SIZE": "8", "PMI_RANK": "3"}
SLURM = {"SLURM_STEP_NUM_TASKS": "9", "SLURM_PROCID": "5"}


@pytest.mark.parametrize("variable", VARIABLES)
def test_launchers_say_how_many_ranks_a_machine_has(variable):
    assert count_local_ranks(RANKS | {variable: "4"}) == 4
    assert count_local_ranks({variable: "4"}) == 1  # of an outer job; this is no rank


@pytest.mark.parametrize("text", ["", "many", "-1", "0", "\u0664"])
def test_what_is_no_number_of_ranks_is_one(text):
    assert count_local_ranks(RANKS | {"MPI_LOCALNRANKS": text}) == 1


@pytest.mark.parametrize(
    ("tasks", "node", "ranks"),
    [("4(x2),1", "0", 4), ("4(x2),1", "1", 4), ("4(x2),1", "2", 1), ("9", "0", 9),
     ("4(x2),1", "7", 1), ("", "0", 1), ("5,4", "", 5), ("2(x999999999999)", "0", 2)],
)  # fmt: skip
def test_slurm_lists_the_ranks_of_all_machines(tasks, node, ranks):
    variables = SLURM | {"SLURM_STEP_TASKS_PER_NODE": tasks, "SLURM_NODEID": node}
    assert count_local_ranks(variables) == ranks
