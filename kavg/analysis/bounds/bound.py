"""What a theorem is: the Protocol that every bound answers, and what they share."""

from __future__ import annotations

from math import inf, isfinite, isnan, nan, sqrt
from typing import Final, Literal, Protocol

from kavg.analysis.bounds.setting import BoundValue, Condition, Setting

Quantity = Literal["mean_grad_norm2", "final_gap", "mean_grad_norm2_local"]
Status = Literal[
    "derived here", "known form, proof here", "published, with the bracket squared"
]  # fmt: skip
NEEDS: Final = (
    ("L", "F must be smooth everywhere"),
    ("Delta", "F must be bounded below, with a known bound"),
    ("sigma2", "the variance of the gradients must be bounded"),
    ("M_v", "the growth of the variance must be bounded"),
    ("zeta2", "the learners' difference must be bounded"),
)
"""What no theorem here can do without, letter by letter."""


class Bound(Protocol):
    """A theorem: what it bounds, when it applies, and its value.

    ``quantity`` is ``"mean_grad_norm2"``, ``(1/N) sum_{n=1..N} E||grad F(w_n)||^2`` (the start
    counts, the last iterate ``w_{N+1}`` does not); ``"final_gap"``, ``E F(w_{N+1}) - f_star``; or
    ``"mean_grad_norm2_local"``, which meta-iterates measure only for K = 1.  ``outer_rules`` are
    names of ``kavg.outer.KINDS``: "averaging" means ``mu = 0``, and "slowmo" means ``alpha = 1``
    except where the bound has an alpha of its own.  All are for a constant step.
    """

    @property
    def name(self) -> str:
        """A short name, such as ``theorem_1``."""
        ...

    @property
    def title(self) -> str:
        """One line for a table."""
        ...

    @property
    def status(self) -> Status:
        """Whose theorem it is, and who proved it."""
        ...

    @property
    def source(self) -> str:
        """Where it is stated and proved."""
        ...

    @property
    def quantity(self) -> Quantity:
        """What ``value`` bounds."""
        ...

    @property
    def outer_rules(self) -> tuple[str, ...]:
        """The outer rules it is about."""
        ...

    def scope(self, setting: Setting) -> str:
        """Nothing if the theorem speaks of such settings, else why not."""
        ...

    def conditions(self, setting: Setting) -> tuple[Condition, ...]:
        """The conditions with their numbers; the bound is a theorem where all are met."""
        ...

    def value(self, setting: Setting) -> BoundValue:
        """The right side, in its parts; claimed only inside scope and conditions."""
        ...

    def largest_gamma(self, setting: Setting) -> float:
        """The largest step that meets the conditions, all else equal; ``gamma`` is not read."""
        ...


def common_exclusion(
    setting: Setting, *, momentum: bool = True, affine: bool = False, heterogeneous: bool = False
) -> str:
    """Why a theorem of this kind has nothing to say about a setting, or nothing.

    >>> setting = Setting(2, 2, 1, 9, gamma=0.1, mu=0.5, L=1.0, Delta=1.0, sigma2=1.0)
    >>> common_exclusion(setting, momentum=False)
    'it is about mu = 0, not mu = 0.5'
    """
    for letter, needs in NEEDS:
        if not isfinite(getattr(setting, letter)):
            what = "unknown" if isnan(getattr(setting, letter)) else "infinite"
            return f"{letter} is {what}: {needs}"
    if setting.mu > 0 and not momentum:
        return f"it is about mu = 0, not mu = {setting.mu:g}"
    if setting.M_v > 0 and not affine:
        return f"the variance grows with the gradient, M_v = {setting.M_v:g}; it assumes M_v = 0"
    if setting.zeta2 > 0 and not heterogeneous:
        return f"the learners differ, zeta2 = {setting.zeta2:g}; it assumes equal learners"
    return ""


def positive_root(linear: float, square: float) -> float:
    """The u > 0 with ``square u^2 + linear u = 1``; ``linear > 0``, ``square >= 0``.

    >>> positive_root(1.0, 2.0)
    0.5
    """
    return 2 / (linear + sqrt(linear * linear + 4 * square))


def gamma_from(scaled: float, L: float) -> float:
    """``gamma`` from ``L gamma``; every step will do where ``L = 0``, none where L is not known."""
    return scaled / L if L > 0 else inf if L == 0 else nan
