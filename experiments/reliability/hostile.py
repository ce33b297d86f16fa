"""Hypothesis strategies for settings: valid ones, mutated ones, and damaged texts.

Valid tables are made from the constructors' own signatures, as ``kavg.config.models`` reads them,
so that a new kind or key is covered without a change here.  They are tiny; hostile values may ask
for anything.
"""

from __future__ import annotations

import dataclasses
import types
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import tomli_w
from hypothesis import strategies as st

from kavg.base import Objective, Oracle
from kavg.config.config import Config
from kavg.config.kinds import KINDS, NAMES, concrete_classes, field_key, table_classes
from kavg.objectives.data.dataset import Data
from kavg.problem import Algorithm

Draw = Any
DATA: Final = ("digits", "good.npz", "good.csv", "./good.csv")
BAD_DATA: Final = (
    "bad.npz", "bomb.npz", "objects.npz", "bad.csv", "folder.npz", "pipe.csv", "gone.npz", "iris",
    "../good.npz", "/etc/passwd", "/dev/zero", "a\0b.npz", "x" * 300 + ".csv",
    "x/" * 3000 + "a.npz",
    "~/good.npz", "\x1b[31m.npz", "good.npz\n", "http://localhost/good.npz", ".npz", "",
    "\u202e.npz",
)  # fmt: skip
"""Names of files; ``hunt.py`` writes some of them."""
SMALL: Final = st.floats(0.01, 2.0)
COUNTS: Final = {"P": 7, "K": 4, "rounds": 6, "replicas": 3, "dim": 5, "hidden": 3, "features": 3,
                 "B": 3, "use": 12, "agree_every": 9}  # fmt: skip
FLOATS: Final = {
    "mu": st.floats(0.0, 0.95), "held_out": st.sampled_from([0.0, 0.25]), "skew": st.floats(0, 1),
    "outliers": st.floats(0, 1), "nu": st.floats(2.1, 9.0), "gamma": st.floats(0.001, 0.3),
    "alpha": st.floats(0.1, 1.5), "start": st.floats(-2, 2), "low": st.floats(0.1, 0.5),
    "high": st.floats(0.5, 2.0),
}  # fmt: skip
LETTERS: Final = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "M", "Zs"))
READABLE: Final = st.text(LETTERS, min_size=1, max_size=12).filter(
    lambda name: name.isprintable() and bool(name.strip())
)
NAME: Final = READABLE | READABLE.map(lambda name: name * 40) | st.sampled_from(
    ["_hidden", "$\\frac$", "[red]", "a,b\"c", "--set", "K-AVG", "中文" * 200, "..", "e\u0301" * 90]
)  # fmt: skip


# Valid settings.


@st.composite
def valid_settings(draw: Draw) -> dict[str, Any]:
    """Tables of small settings files, most of which can be run."""
    objective = draw(tables_of_kinds(Objective))
    finite = "data" in objective
    oracle = draw(
        tables_of_kinds(Oracle).filter(
            lambda t: (t["kind"] == "minibatch") == (finite and "B" in t)
        )
    )
    algorithms = draw(st.lists(tables_of(Algorithm), min_size=1, max_size=2))
    rest = draw(tables_of(Config, without=("objective", "oracle", "algorithms")))
    return rest | {"objective": objective, "oracle": oracle, "algorithm": algorithms}


def tables_of_kinds(protocol: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Tables with a ``kind``."""
    return st.sampled_from(sorted(KINDS[protocol])).flatmap(
        lambda kind: tables_of(KINDS[protocol][kind])
    )


@st.composite
def tables_of(draw: Draw, cls: type, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Tables for a constructor; keys that have a default are in one of four."""
    hints, found = get_type_hints(cls), {}
    if cls in NAMES:
        found["kind"] = NAMES[cls]
    for field in dataclasses.fields(cls):
        optional = (field.default, field.default_factory) != (dataclasses.MISSING,) * 2
        if field.name in without or (optional and draw(st.integers(0, 3)) > 0):
            continue
        found[field_key(field)] = draw(values_of(field.name, hints[field.name]))
    if "boundaries" in found:  # which must rise, one less than there are pieces
        found["boundaries"] = list(range(1, len(found.get("gammas", found.get("Ks", ())))))
    return found


def values_of(name: str, hint: Any) -> st.SearchStrategy[Any]:
    """Plausible values of a key."""
    if name == "data":
        made = [tables_of(cls) for cls in table_classes(hint)]
        return st.one_of([st.sampled_from(DATA), *made])
    if name == "name":
        return NAME
    if hint in KINDS:
        return tables_of_kinds(hint)
    if hint is int:
        return whole_numbers(name)
    if hint is float:
        return FLOATS.get(name, SMALL)
    if hint is bool:
        return st.booleans()
    if hint is str:
        return st.sampled_from(["never", "10s"]) | READABLE
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) is tuple:
        return st.lists(values_of(name, get_args(hint)[0]), min_size=1, max_size=4)
    if get_origin(hint) in (Union, types.UnionType):
        members = [m for m in get_args(hint) if m not in (types.NoneType, Data)]
        return st.one_of([values_of(name, member) for member in members])
    if isinstance(hint, type) and concrete_classes(hint) != [hint]:
        return st.one_of([tables_of(kind) for kind in concrete_classes(hint)])
    if dataclasses.is_dataclass(hint):
        return tables_of(hint)
    return st.just(1)


def whole_numbers(name: str) -> st.SearchStrategy[int]:
    """Small whole numbers, or any seed."""
    if "seed" in name:
        return st.integers(0, 2**63 - 1)
    if name == "examples":
        return st.integers(8, 30)
    return st.integers(1, COUNTS.get(name, 4))


# Hostile values.

NUMBERS: Final = st.sampled_from(
    [0, -1, 13, 2**31, 2**53 + 1, 2**62, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**6,
     10**9, 10**12, 10**18, 10**30, 10**400, float("nan"), float("inf"), -float("inf"), -0.0, 0.0,
     1e308, -1e308, 5e-324, 1e-300, 1e16, -1.0, 1.0, 1e-16, 1e150]
)  # fmt: skip
MOMENTS: Final = st.sampled_from(
    [date(2020, 2, 29), datetime(2020, 1, 1, tzinfo=UTC), datetime(1, 1, 1), time(23, 59, 59, 7)]
)
WORDS: Final = st.one_of(
    st.text(max_size=20),
    st.sampled_from(BAD_DATA + DATA),
    st.sampled_from(["", " ", "\0", "\x1b[31m", "nan", "0x10", "1e5", "true", "\ufeff", "\u2028"]),
    st.sampled_from(["cosin", "gaussian", "averaging", "exact", "kind", "__class__", "{0}", "%s"]),
    st.integers(1, 5000).map(lambda n: "long " * n),
)  # fmt: skip
LEAVES: Final = st.one_of(NUMBERS, st.integers(), st.floats(), WORDS, st.booleans(), MOMENTS)
TREES: Final = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
JUNK: Final = LEAVES | TREES | st.builds(lambda depth, leaf, dicts: nest(depth, leaf, dicts),
                                         st.integers(1, 60), LEAVES, st.booleans())  # fmt: skip
KEYS: Final = st.text(max_size=8) | st.sampled_from(
    ["lr", "N", "seed", "kind", "name", "data", "start", "type", "", "a.b", "__init__", "K", "\0",
     "ключ"]
)  # fmt: skip


def nest(depth: int, leaf: Any, dicts: bool) -> Any:
    """Put a value deep inside lists or tables."""
    for _ in range(depth):
        leaf = {"a": leaf} if dicts else [leaf]
    return leaf


def list_holders(tables: Any) -> list[Any]:
    """List every table and list in a tree, the tree itself first."""
    parts = tables.values() if isinstance(tables, dict) else tables
    inner = [
        holder for part in parts if isinstance(part, (dict, list)) for holder in list_holders(part)
    ]
    return [tables, *inner]


@st.composite
def mutated_settings(draw: Draw, tables: dict[str, Any]) -> dict[str, Any]:
    """Tables after one to three mutations."""
    found = deepcopy(tables)
    for _ in range(draw(st.integers(1, 3))):
        holder = draw(st.sampled_from(list_holders(found)))
        mutate(draw, found, holder)
    return found


def mutate(draw: Draw, tables: dict[str, Any], holder: Any) -> None:
    """Replace, add, remove, rename, copy or empty a part of a table or a list."""
    places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    how = draw(
        st.sampled_from(
            ["replace", "replace", "replace", "add", "remove", "rename", "copy", "empty"]
        )
    )
    if how == "empty":
        holder.clear()
    elif how == "add" or not places:
        if isinstance(holder, dict):
            holder[draw(KEYS)] = draw(JUNK)
        else:
            holder.append(draw(JUNK))
    else:
        place = draw(st.sampled_from(places))
        if how == "replace":
            holder[place] = draw(JUNK)
        elif how == "remove":
            del holder[place]
        elif how == "copy":
            part = deepcopy(draw(st.sampled_from(list_holders(tables))))
            holder[place] = part if isinstance(holder, dict) else deepcopy(holder[place])
            if isinstance(holder, list):
                holder.append(deepcopy(holder[place]))
        elif isinstance(holder, dict):
            holder[draw(KEYS)] = holder.pop(place)


# Texts.

SNIPPETS: Final = st.sampled_from(
    [b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"[[", b"[algorithm]", b"=", b"'''", b"\"\"\"", b"#",
     b"{", b"\xed\xa0\x80",
     b"\nrounds = 0x" + b"f" * 5000 + b"\n", b"\nstart = " + b"9" * 5000 + b"\n", b"\nseed = 1_0\n",
     b"\nstart = " + b"[" * 2000 + b"]" * 2000 + b"\n", b"\na" + b".a" * 90 + b" = 1\n",
     b"\na" + b".a" * 9000 + b" = 1\n", b"\nstart = 1e400\n", b"\nseed = -nan\n",
     b"\nrounds = 0b" + b"1" * 70 + b"\n",
     b"\nstart = " + b"{a=" * 900 + b"1" + b"}" * 900 + b"\n",
     b"\nstart = [" + b"1.0," * 20000 + b"]\n",
     b"\n[objective.data.x.y]\n", b"\nrounds = 1979-05-27\n", b"\n'' = 1\n", b"\n[[algorithm]]\n"]
)  # fmt: skip


@st.composite
def damaged_texts(draw: Draw, text: bytes) -> bytes:
    """Texts that were cut, doubled, or written into."""
    for _ in range(draw(st.integers(1, 3))):
        at, to = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
        how = draw(st.sampled_from(["insert", "insert", "cut", "double", "end"]))
        if how == "insert":
            text = text[:at] + draw(SNIPPETS | st.binary(max_size=3)) + text[at:]
        elif how == "cut":
            text = text[:at] + text[to:]
        elif how == "double":
            text = text[:to] + text[at:]
        else:
            text = text[:at]
    return text


@dataclass(frozen=True)
class Case:
    """A settings file and the command to run on it."""

    kind: str
    text: bytes
    command: str
    name: str
    sets: tuple[str, ...]
    out: str | None


STEMS: Final = st.sampled_from(
    ["my", "ключ", "with space", "-dash", "a.b.c", "x" * 240, "中" * 80, "e\u0301", "..x", "%s",
     "$HOME", "new\nline", "\\"]
)  # fmt: skip
OUTS: Final = st.none() | st.sampled_from(
    ["out", "deep/er/out", "Ünï 中文", "y" * 255, "y" * 256, "ä" * 127, "d/" * 300 + "out",
     "d/" * 2100 + "out",
     "-out", "my.toml", ".", "good.csv/x", "pipe.csv", "folder.npz", "x" * 5000, "tab\there",
     "new\nline", "\udcff"]
)  # fmt: skip
PLACES: Final = st.sampled_from(
    ["rounds", "replicas", "seed", "start", "algorithm.0.P", "algorithm.*.K", "algorithm.0.name",
     "objective",
     "objective.kind", "oracle.B", "algorithm.0.gamma", "algorithm.9.K", "algorithm.x.K", "",
     "a..b", "record.every",
     "algorithm.*.outer", "rounds.x", "algorithm", "oracle.noise.kind", "mean", "dtype", "\udcff"]
)  # fmt: skip
VALUES: Final = st.one_of(
    st.integers(1, 4).map(str), NUMBERS.map(lambda n: str(n)[:300]),
    WORDS.filter(lambda word: "\0" not in word),
    st.sampled_from(
        ["", "=", "\udcff", "[1,", "{}", "{kind='warm_up'}", "'a", "true", "2020-01-01"]
    ),
    st.sampled_from(["1\n2", "0x" + "f" * 4000]),
)  # fmt: skip
SETS: Final = st.builds("{}={}".format, PLACES, VALUES) | st.text(
    st.characters(exclude_characters="\0"), max_size=9
)


@st.composite
def cases(draw: Draw) -> Case:
    """Cases: a third valid, a third mutated, the rest with damaged texts or odd options."""
    kind = draw(st.sampled_from(["valid", "valid", "mutated", "mutated", "spoilt", "options"]))
    tables = draw(valid_settings())
    if kind == "mutated":
        tables = draw(mutated_settings(tables))
    text = tomli_w.dumps(tables).encode(errors="surrogatepass")
    if kind == "spoilt":
        text = draw(
            damaged_texts(text) | st.binary(max_size=60) | st.text(max_size=60).map(str.encode)
        )
    hostile = kind == "options"
    return Case(
        kind,
        text,
        draw(st.sampled_from(["run"] * 7 + ["check", "bounds", "exact"])),
        draw(STEMS) + ".toml" if hostile else "my.toml",
        tuple(draw(st.lists(SETS, max_size=2))) if hostile else (),
        draw(OUTS) if hostile else None,
    )
