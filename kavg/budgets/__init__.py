"""Budgets of work: gradients, communications or simulated time, and the rounds that fit in them."""

from kavg.budgets.budget import (
    BUDGET_AXES,
    Budget,
    BudgetAxis,
    measure_progress,
    round_cost,
)
from kavg.budgets.clock import CLOCK, Clock

__all__ = [
    "BUDGET_AXES",
    "CLOCK",
    "Budget",
    "BudgetAxis",
    "Clock",
    "measure_progress",
    "round_cost",
]
