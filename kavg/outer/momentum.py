"""The momentum parameter of outer rules."""

from __future__ import annotations

from kavg.errors import KavgError


def check_momentum(mu: float) -> None:
    """Refuse a momentum outside [0, 1)."""
    if not 0 <= mu < 1:
        raise KavgError(f"mu must be at least 0 and below 1, got mu={mu!r}; use 0 for averaging")
