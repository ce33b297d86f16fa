"""Descriptions of types and ranges in words, for messages that say what is needed."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Interval

from kavg.protocols import is_protocol, missing_members, protocol_members
from kavg.text import shorten_repr

POWERS: Final[Mapping[Any, str]] = {2**63 - 1: "2^63 - 1", 2**64 - 1: "2^64 - 1"}
"""Bounds that messages show as powers and not in 20 digits."""

WORDS: Final[Mapping[str, str]] = {
    "AdditiveNoise": "additive noise such as oracles.Gaussian(sigma2=1.0)",
    "Algorithm": "an Algorithm(P, K, gamma, outer)",
    "Callable": "a function",
    "Constant": "a Constant such as Constant(2.0, 'exact')",
    "ConstantStep": "a schedule such as schedules.ConstantStep(0.1)",
    "Data": "a Data(features, labels)",
    "DataFile": "a DataFile such as DataFile('iris.csv', label='species')",
    "Mapping": "a dict such as {'distance': lambda n, w: ...}",
    "NoiseConstants": "a NoiseConstants(M, M_v, zeta2, B)",
    "NoneType": "None",
    "Objective": "an objective such as objectives.Cosine(dim=3)",
    "Oracle": "an oracle such as oracles.Gaussian(sigma2=1.0)",
    "Outer": "an outer rule such as outer.BlockMomentum(mu=0.5)",
    "Partition": "a Partition such as oracles.Partition(skew=1.0)",
    "PathLike": "a path",
    "Period": "a function of round and step size such as lambda n, gamma: 1 + n // 50",
    "PiecewisePeriod": "a period such as periods.PiecewisePeriod((1, 8), (50,))",
    "Problem": "a Problem(objective, oracle, start)",
    "QuadraticSynchronization": "periods.QuadraticSynchronization(alpha=0.1)",
    "Schedule": "a function of the round such as lambda n: 0.1 / n",
    "Start": "a law such as starts.Normal(scale=1.0)",
    "Synthetic": "a Synthetic such as Synthetic('regression')",
    "Trajectory": "a Trajectory that simulate returned",
    "bool": "True or False",
    "float": "a number",
    "int": "a whole number",
    "str": "text",
}
"""Descriptions of types by their names, with an example that is accepted."""


def describe_misfit(hint: Any, name: str, value: Any) -> str:
    """Return a message: what ``name`` must be by its type, and what was given instead.

    >>> describe_misfit(int | None, "use", "all")
    "use must be a whole number or None, got use='all'"
    """
    given = f"{name} must be {describe_type(hint)}, got "
    if isinstance(value, type) and get_origin(hint) is not Literal:
        return f"{given}the class {value.__name__}; make one, {value.__name__}(...)"
    return f"{given}{name}={shorten_repr(value)}{_describe_missing(hint, value)}"


def describe_type(hint: Any) -> str:
    """Return what a value of this type is, in words.

    >>> describe_type(Annotated[float, Interval(gt=0)] | str)
    'a finite number above 0 or text'
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return describe_range(*arguments[:2])
    if origin in (Union, UnionType):
        *others, last = map(describe_type, arguments)
        return f"{', '.join(others)} or {last}"
    if origin is tuple:
        return f"a list (each entry {describe_type(arguments[0])})"
    if origin is Literal:
        return f"one of {', '.join(arguments)}"
    name = getattr(origin or hint, "__name__", str(hint))
    return WORDS.get(name, f"{'an' if name[0] in 'AEIOU' else 'a'} {name}")


def _describe_missing(hint: Any, value: Any) -> str:
    """Name what a value lacks that has some members of a Protocol, but not all."""
    protocols = filter(is_protocol, (hint, *get_args(hint)))
    for protocol in protocols:
        missing = missing_members(protocol, value)
        if 0 < len(missing) < len(protocol_members(protocol)):
            return f"; it has no {', no '.join(missing)}"
    return ""


def describe_range(kind: type, interval: Interval) -> str:
    """Return the numbers of an interval, in words.

    >>> describe_range(int, Interval(ge=1))
    'a whole number of at least 1'
    """
    is_bounded = interval.le is not None or interval.lt is not None
    number = "a whole number" if kind is int else "a number" if is_bounded else "a finite number"
    if interval.le is not None:
        high = POWERS.get(interval.le, interval.le)
        return f"{number} from {interval.ge} to {high}"
    if interval.gt is not None:
        number += f" above {interval.gt}"
    if interval.ge is not None:
        number += f" of at least {interval.ge}"
    return number if interval.lt is None else f"{number} and below {interval.lt}"
