"""Ownership of arrays: what enters kavg is its own copy, what leaves is read-only.

An array that two parties may write to changes a run, or an objective, without a word.  So kavg
keeps own copies of the arrays it is given, and hands out none that can be written to.
"""

from __future__ import annotations

from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from kavg.errors import KavgError

Scalar = TypeVar("Scalar", bound=np.generic)


def as_array(value: object, what: str) -> NDArray[Any]:
    """Return whatever a user gave or returned as an array; what is none has no axes.

    Raises ``KavgError``, with ``what`` it is, if it is a masked array with masked entries.

    >>> as_array([1, 2], "w").shape, as_array([[1], [1, 2]], "w").shape
    ((2,), ())
    """
    refuse_masked(value, what)
    try:
        return np.asarray(value)
    except ValueError:  # rows of unequal length
        return np.asarray(None)


def refuse_masked(value: object, what: str) -> None:
    """Raise ``KavgError`` for an array with masked entries, also as a row of a list.

    >>> refuse_masked([np.ma.array([1.0, 2.0], mask=[False, True])], "features")
    Traceback (most recent call last):
    kavg.errors.KavgError: features must have no masked entries, got 1; remove or fill them
    """
    count = _count_masked(value)
    if count:
        raise KavgError(f"{what} must have no masked entries, got {count}; remove or fill them")


def _count_masked(value: object) -> int:
    # NumPy's conversions drop the mask and take the numbers beneath it.
    if isinstance(value, np.ma.MaskedArray):
        return int(np.count_nonzero(np.ma.getmaskarray(value)))
    return sum(map(_count_masked, value)) if isinstance(value, (list, tuple)) else 0


def freeze(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Make an array that nobody else holds read-only, and return it.

    >>> freeze(np.zeros(2)).flags.writeable
    False
    """
    # By position: 35 ns, where array.flags.writeable = False takes 400, and a round sets three.
    array.setflags(False)  # type: ignore[call-arg]
    return array


def view_read_only(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a read-only view; the array itself stays as it is, also where it is read-only already.

    >>> mine = np.zeros(2)
    >>> view_read_only(mine).flags.writeable, mine.flags.writeable
    (False, True)
    """
    return freeze(array.view()) if array.flags.writeable else array


@final
class _OwnMemory:
    """The memory of an array that kavg made: it shows NumPy a read-only buffer and nothing else."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        interface = array.__array_interface__
        self.__array_interface__ = interface | {"data": (interface["data"][0], True)}


def adopt(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return an array that nobody else holds as one that nobody can ever write to.

    The memory is the same.  ``own_array`` knows the result, and parts of it, and does not copy it;
    an array that is only frozen is copied, as somebody may hold a view from before.

    >>> own = adopt(np.zeros(2))
    >>> own_array(own, np.float64) is own
    True
    """
    return np.asarray(_OwnMemory(array))


def is_own(array: NDArray[Any]) -> bool:
    """True if an array is one that ``adopt`` returned, or a part of one.

    >>> is_own(adopt(np.zeros(2))[1:]), is_own(freeze(np.zeros(2)))
    (True, False)
    """
    memory: object = array
    while isinstance(memory, np.ndarray):
        memory = memory.base
    return isinstance(memory, _OwnMemory)


def own_array(given: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Return the numbers of an array as a contiguous read-only array that nobody else can change.

    It is a copy, unless ``given`` is of this kind already (``is_own``).

    >>> mine = np.zeros(2)
    >>> own = own_array(mine, np.float64)
    >>> mine[0] = 1.0
    >>> own
    array([0., 0.])
    """
    numbers = np.asarray(given, dtype=dtype, order="C")
    if is_own(numbers):
        return numbers
    return adopt(numbers.copy() if np.may_share_memory(numbers, given) else numbers)
