"""The Protocol of a theorem, and the helpers that its implementations share."""

from __future__ import annotations

from math import inf, isfinite, isnan, nan, sqrt
from typing import Final, Literal, Protocol

from kavg.analysis.bounds.setting import BoundValue, Condition, Setting

Quantity = Literal["mean_grad_norm2", "final_gap", "mean_grad_norm2_local"]
Status = Literal[
    "derived here", "known form, proof here", "published, with the bracket squared"
]  # fmt: skip
_NEEDS: Final = (
    ("L", "F must be smooth everywhere"),
    ("Delta", "F must be bounded below, with a known bound"),
    ("sigma2", "the variance of the gradients must be bounded"),
    ("M_v", "the growth of the variance must be bounded"),
    ("zeta2", "the learners' difference must be bounded"),
)
"""The constants that every theorem here needs, with the assumption behind each."""


class Bound(Protocol):
    """A theorem: the quantity it bounds, the settings it covers, and the value of the bound.

    ``quantity`` is ``"mean_grad_norm2"``, ``(1/N) sum_{n=1..N} E||grad F(w_n)||^2`` (the start
    counts, the last iterate ``w_{N+1}`` does not); ``"final_gap"``, ``E F(w_{N+1}) - f_star``; or
    ``"mean_grad_norm2_local"``, which meta-iterates measure only for K = 1.  ``outer_rules`` are
    names of ``kavg.outer.KINDS``: "averaging" means ``mu = 0``, and all have ``alpha = 1`` except
    where the bound has an alpha of its own.  All theorems assume a constant step.

    To add one, write a module of this package with a frozen dataclass of this shape, and list an
    instance in ``kavg.analysis.bounds.BOUNDS``; ``tests/contracts/test_bounds.py`` then holds it
    to what every theorem must satisfy.  Its docstring states the assumptions, the conditions, the
    bound in its parts (start, noise, drift), its source, and which constants are exact.
    """

    @property
    def name(self) -> str:
        """A short name, that of its module, such as ``theorem_1``."""
        ...

    @property
    def title(self) -> str:
        """One line for a table."""
        ...

    @property
    def status(self) -> Status:
        """Whether the theorem is published or derived here, and where its proof is."""
        ...

    @property
    def source(self) -> str:
        """The paper, or the section of docs/theory.md, that states and proves it."""
        ...

    @property
    def quantity(self) -> Quantity:
        """The quantity that ``value`` bounds."""
        ...

    @property
    def outer_rules(self) -> tuple[str, ...]:
        """The outer rules it covers."""
        ...

    def exclusion(self, setting: Setting) -> str | None:
        """Return why the theorem does not cover such settings, or None if it does.

        An exclusion is about assumptions (momentum, unknown or infinite constants), whatever the
        step; ``conditions`` are about the size of the step.
        """
        ...

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """Return the step conditions with their numbers; the bound is valid where all are met."""
        ...

    def value(self, setting: Setting) -> BoundValue:
        """Return the right side in its parts.

        It is a bound only where nothing excludes the setting and all conditions are met.
        """
        ...

    def largest_gamma(self, setting: Setting) -> float:
        """Return the largest step that meets the conditions, all else equal.

        ``setting.gamma`` is not used.  Infinite where every step will do (``L = 0``).
        """
        ...


def common_exclusion(
    setting: Setting, *, momentum: bool = True, affine: bool = False, heterogeneous: bool = False
) -> str | None:
    """Return why a theorem of this kind does not cover a setting, or None if it does.

    ``momentum``, ``affine`` and ``heterogeneous`` say that the theorem allows ``mu > 0``,
    ``M_v > 0`` and ``zeta2 > 0``.

    >>> setting = Setting(2, 2, 1, 9, gamma=0.1, mu=0.5, L=1.0, Delta=1.0, sigma2=1.0)
    >>> common_exclusion(setting, momentum=False)
    'it covers mu = 0, not mu = 0.5'
    """
    # An unknown variance excludes every theorem: the variance of mini-batches, measured at some
    # iterates, is no bound at the others.
    for letter, needs in _NEEDS:
        if not isfinite(getattr(setting, letter)):
            state = "unknown" if isnan(getattr(setting, letter)) else "infinite"
            return f"{letter} is {state}: {needs}"
    if setting.mu > 0 and not momentum:
        return f"it covers mu = 0, not mu = {setting.mu:g}"
    if setting.M_v > 0 and not affine:
        return f"the variance grows with the gradient, M_v = {setting.M_v:g}; it assumes M_v = 0"
    if setting.zeta2 > 0 and not heterogeneous:
        return f"the learners differ, zeta2 = {setting.zeta2:g}; it assumes equal learners"
    return None


def positive_root(linear: float, square: float) -> float:
    """Return the u > 0 with ``square u^2 + linear u = 1``; ``linear > 0``, ``square >= 0``.

    >>> positive_root(1.0, 2.0)
    0.5
    """
    # This form of the quadratic formula cancels nothing, and square = 0 is no exception.
    return 2 / (linear + sqrt(linear * linear + 4 * square))


def gamma_from(scaled: float, L: float) -> float:
    """Return ``gamma`` given ``L gamma``.

    Infinite for ``L = 0``, where every step will do, and NaN for an unknown L.

    >>> gamma_from(0.5, L=2.0), gamma_from(0.5, L=0.0)
    (0.25, inf)
    """
    return scaled / L if L > 0 else inf if L == 0 else nan
