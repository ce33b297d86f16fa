"""The contract of an outer rule: it writes in place, and moves ``w`` along the displacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np

from kavg.arrays import view_read_only
from kavg.base import Floats, Outer
from kavg.engine.contracts.calls import (
    call_with_note,
    check_written,
    is_rounding,
    relative_difference,
)
from kavg.errors import KavgError

SCALES: Final = (0.1, 1e-4, 1e-8, 1e2, 1e6)
"""Displacements that are tried, relative to ``gamma + |w|``: a rule may ignore small or large."""
ROUNDS: Final = 4
"""Rounds in which a displacement must have moved ``w``: a rule may apply it rounds later."""


def check_outer(outer: Outer, w: Floats, v: Floats, gamma: float) -> None:
    """Check ``start`` and ``step`` from the state ``w (r, d)`` and ``v``, on copies.

    Raises ``KavgError`` if ``start`` does not write ``out`` or writes to another argument, or if
    ``step`` returns arrays, moves ``w`` against every displacement or not at all, keeps state of
    its own, or couples replicas.
    """
    trial = _Trial(outer, view_read_only(w), view_read_only(v), gamma)
    trial.check_start()
    trial.check_direction()
    trial.check_repetition()
    if len(w) > 1:
        trial.check_replicas()


def refuse_result(outer: Outer, w: Floats, v: Floats, returned: object) -> None:
    """Raise ``KavgError`` for what ``step`` returned, unless it is the arrays that it was given."""
    parts = returned if isinstance(returned, tuple) else (returned,)
    if not all(part is w or part is v for part in parts):
        got = type(returned).__name__ if len(parts) == 1 else "several values"
        raise KavgError(
            f"{type(outer).__name__}.step must write to w and v in place and return nothing, got "
            f"{got} that it returned; write w[...] = NEW_W and v[...] = NEW_V"
        )


@final
@dataclass(frozen=True)
class _Trial:
    outer: Outer
    w: Floats
    v: Floats
    gamma: float

    @property
    def name(self) -> str:
        return type(self.outer).__name__

    def check_start(self) -> None:
        def write(w: Floats, out: Floats) -> object:
            return self.outer.start(w, self.v, out)  # type: ignore[func-returns-value]

        check_written(f"{self.name}.start", write, self.w)

    def check_direction(self) -> None:
        responses = [self._respond(scale) for scale in SCALES]
        if any(response > 0 or np.isnan(response) for response in responses):
            return
        if any(response < 0 for response in responses):
            raise KavgError(
                f"{self.name}.step must move w along the displacement, which points from where the "
                "learners began to their mean, got a move against it; add it: w += displacement"
            )
        raise KavgError(
            f"{self.name}.step must move w by the displacement, got the same w in {ROUNDS} rounds; "
            "write in place, w += displacement or w[...] = w + displacement, as w = w + "
            "displacement binds the name to a new array"
        )

    def _respond(self, scale: float) -> float:
        """Return how far w moves along the displacement; below 0 against it, 0 if not at all.

        The move with the opposite displacement is subtracted, so that what moves w besides, such
        as weight decay, has no part in it.
        """
        d = self._displacement(scale)
        for rounds in range(1, ROUNDS + 1):
            moved = np.vecdot(self._walk(d, rounds)[0] - self._walk(-d, rounds)[0], d)
            if not np.all(moved == 0):
                return float(moved.max())
        return 0.0

    def check_repetition(self) -> None:
        d = self._displacement(SCALES[0])
        pairs = zip(self._walk(d, 1), self._walk(d, 1), strict=True)
        if not all(np.array_equal(*pair, equal_nan=True) for pair in pairs):
            raise KavgError(
                f"{self.name} must keep no state but w and v, got another step when it was taken "
                "again; a run that is continued has w and v alone, so keep the rest in v"
            )

    def check_replicas(self) -> None:
        d = self._displacement(SCALES[0])
        own_v = self.v[-1:] if self.v.ndim > 1 else self.v
        alone = _Trial(self.outer, self.w[-1:], own_v, self.gamma)
        together, single = self._walk(d, 1)[0][-1:], alone._walk(d[-1:], 1)[0]
        if not is_rounding(relative_difference(together, single), single):
            raise KavgError(
                f"{self.name} must treat each replica by itself, got another w for one when it was "
                "alone; sums, means and norms need axis=-1"
            )

    def _walk(self, displacement: Floats, rounds: int) -> tuple[Floats, Floats]:
        w, v, start = self.w.copy(), self.v.copy(), np.empty_like(self.w)
        for _ in range(rounds):
            self.outer.start(view_read_only(w), view_read_only(v), start)
            returned = self._step(w, v, displacement.copy())
            if returned is not None:
                refuse_result(self.outer, w, v, returned)
        return w, v

    def _step(self, w: Floats, v: Floats, displacement: Floats) -> object:
        what = f"{self.name}.step"
        try:
            return call_with_note(what, self.outer.step, w, v, displacement, self.gamma)
        except ValueError as error:
            # NumPy names the shapes that do not fit.
            if v.ndim > 1 or isinstance(error, KavgError) or "(0,)" not in str(error):
                raise
            raise KavgError(
                f"{what} must do without v, of shape {v.shape}, got {str(error)!r}; set memory = "
                "True if the rule uses v"
            ) from error

    def _displacement(self, scale: float) -> Floats:
        # Of both signs, and other numbers in each replica.
        pattern = np.cos(np.arange(1.0, self.w.size + 1.0)).reshape(self.w.shape)
        return np.asarray(scale * (self.gamma + np.abs(self.w)) * pattern)
