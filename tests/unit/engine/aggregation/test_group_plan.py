"""Which groups a rank averages, in which order, and with whom."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from helpers.ranks import run_ranks
from hypothesis import given, settings
from hypothesis import strategies as st

from kavg.engine.aggregation.group_plan import find_shared, plan_groups
from kavg.engine.communicator import SerialComm, assign_learners

SIZES = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@settings(max_examples=60)
@given(sizes=SIZES, ranks=st.integers(1, 6))
def test_every_learner_is_in_its_group_once(sizes, ranks):
    P = sum(sizes)

    def members(comm):
        plan = plan_groups(sizes, comm)
        # The sum over the ranks of a group counts its learners; nobody waits for ever.
        found = []
        for learners, size, part in plan:
            count = np.empty(1)
            part.Allreduce(np.array([float(len(learners))]), count)
            assert int(count[0]) == size
            found += [(j, size) for j in learners]
        own = assign_learners(P, comm.Get_size(), comm.Get_rank())
        assert sorted(j for j, _ in found) == list(own)
        return found

    by_learner = dict(pair for found in run_ranks(ranks, members) for pair in found)
    assert [by_learner[j] for j in range(P)] == [size for size in sizes for _ in range(size)]


@given(sizes=SIZES, ranks=st.integers(1, 12))
def test_shared_groups_are_those_with_learners_of_several_ranks(sizes, ranks):
    P = sum(sizes)
    owner = {j: rank for rank in range(ranks) for j in assign_learners(P, ranks, rank)}
    ends = np.cumsum([0, *sizes]).tolist()
    groups = [range(*pair) for pair in pairwise(ends)]
    expected = [i for i, group in enumerate(groups) if len({owner[j] for j in group}) > 1]
    assert find_shared(groups, ranks) == expected


def test_one_rank_needs_no_communicator_that_can_be_split():
    plan = plan_groups((2, 1, 3), SerialComm())
    assert [group.learners for group in plan] == [range(2), range(2, 3), range(3, 6)]
    assert [group.size for group in plan] == [2, 1, 3]
