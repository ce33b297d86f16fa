"""On which machines a run has the same bits: what its parts promise, and the weakest of that.

IEEE 754 and integer arithmetic define ``+ - * / sqrt``, roundings, shifts and table look-ups
exactly, so what is made of them has the same bits on any machine.  BLAS and the functions of the C
library differ between processors in their last bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Final, Literal, get_args

from kavg.errors import OtherArithmetic
from kavg.protocols import find_definer
from kavg.text import shorten_repr

SameBits = Literal[
    "any machine", "any machine with the same ranks and MPI", "one kind of machine", "unknown"
]
"""Where a part computes the same bits, from the strongest promise to none.

On one kind of machine, a run with ``mean = "allreduce"`` needs the same ranks and MPI as well.
"""
ARITHMETIC: Final = 2
"""Raised by every release in which some runs have other bits: other noise, or other functions.

The format of checkpoints is raised with it, so that earlier versions do not resume them."""


def require_same_arithmetic(sessions: Sequence[object], what: str, purpose: str) -> None:
    """Raise ``OtherArithmetic`` unless all sessions of a run had the arithmetic of this kavg.

    ``sessions`` are the facts that were recorded of each, in their order; one without the number
    had that of kavg 0.3.0 and before.  The message is about ``what``, and ends with what to install
    for this ``purpose``.

    >>> require_same_arithmetic([{"versions": {"kavg": "0.4.0"}, "arithmetic": 2}], "it", "verify")
    """
    made = [_read_arithmetic(facts) for facts in sessions]
    numbers = {number for number, _ in made}
    if numbers <= {str(ARITHMETIC)}:
        return
    if len(numbers) > 1:
        known = dict.fromkeys(f"{number} of {version or 'a version'}" for number, version in made)
        raise OtherArithmetic(
            f"{what} was made with several arithmetics, {', then '.join(known)}, so that no kavg "
            f"can {purpose} it; run its settings again"
        )
    number, version = made[-1]
    raise OtherArithmetic(
        f"{what} was made with arithmetic {number} of {version or 'a version not recorded'}; this "
        f"kavg has arithmetic {ARITHMETIC}, so other numbers are possible; install "
        f"{version.replace(' ', '==') or 'the version that made it'} to {purpose} it"
    )


def _read_arithmetic(facts: object) -> tuple[str, str]:
    """The number of a session's arithmetic, and its kavg ("kavg 0.3.0", or "") as text."""
    known = facts if isinstance(facts, Mapping) else {}
    versions = known.get("versions")
    version = versions.get("kavg") if isinstance(versions, Mapping) else None
    shown = f"kavg {shorten_repr(version)[1:-1]}" if isinstance(version, str) else ""
    return shorten_repr(known.get("arithmetic", 1)), shown


def find_same_bits(*parts: object) -> SameBits:
    """Return the weakest promise of some parts of a run: their attributes ``same_bits``.

    Numbers and tuples of numbers are the same anywhere.  A part whose own class does not state the
    attribute, as a user's may not, promises nothing: what a base or an object inside says of itself
    need not be true of what is derived from it.

    >>> from kavg.objectives import Cosine
    >>> find_same_bits(Cosine(dim=2), 0.1), find_same_bits(Cosine(dim=2), object())
    ('any machine', 'unknown')
    """
    return find_weakest_promise(*map(_promise_of, parts))


def find_weakest_promise(*promises: object) -> SameBits:
    """Return the weakest of some promises; what is none of the words promises nothing.

    >>> find_weakest_promise("any machine", "any machine with the same ranks and MPI")
    'any machine with the same ranks and MPI'
    """
    order: tuple[SameBits, ...] = get_args(SameBits)
    # A user's attribute, or a fact in a file, may be anything.
    words = (each if isinstance(each, str) and each in order else "unknown" for each in promises)
    return order[max(map(order.index, words), default=0)]


def is_portable(same_bits: SameBits) -> bool:
    """True if bits with this promise do not depend on the machine.

    >>> is_portable("any machine with the same ranks and MPI"), is_portable("one kind of machine")
    (True, False)
    """
    return same_bits in get_args(SameBits)[:2]


def _promise_of(part: object) -> object:
    if isinstance(part, (Real, tuple)):
        return "any machine"
    definer = find_definer(part, "same_bits")
    is_own = definer is part or definer is type(part)
    return getattr(part, "same_bits", None) if is_own else None
