"""The contracts of what a user writes, checked as a run begins: objective, oracle, outer rule.

NumPy code that breaks a contract often runs on: a gradient that returns a new array and leaves
``out`` as it was, an outer rule that binds ``w`` to a new array, draws that depend on the order of
calls.  Its result is then wrong without a word.  ``check_user_code`` finds such code by calling it
on a few rows before the first round, also of a run that is continued; the built-in kinds go the
same way.  Nothing that a run computes depends on these calls, as gradients have no state and draws
are addressed.  Later rounds are guarded by what costs next to nothing: arrays that are read-only,
one number of each gradient, what the outer rule returned, the step size.
"""

from kavg.engine.contracts.beginning import check_algorithm, check_user_code, own_state
from kavg.engine.contracts.calls import explain_failure, move_away
from kavg.engine.contracts.oracles import compare_with_plan
from kavg.engine.contracts.outer_rules import refuse_result

__all__ = [
    "check_algorithm", "check_user_code", "compare_with_plan", "explain_failure", "move_away",
    "own_state", "refuse_result",
]  # fmt: skip
