"""Settings files of every kind of table, and advice on them followed by program."""

from __future__ import annotations

import copy
import re

from kavg.aggregations import OwnSteps, SampledLearners
from kavg.config.examples import sample_value, smallest_table, table_with
from kavg.config.messages import describe_error
from kavg.config.samples import EITHER
from kavg.config.table_conversion import WrongSettings, convert_tables
from kavg.config.tables import possible_tables, tables_in_file

LISTS = ("algorithm", "stage", "measures")
"""Keys of lists of tables."""
OF_LEARNERS = {"Ks": (OwnSteps, "Ks"), "weights": (SampledLearners, "weights")}
"""Lists of a number a learner."""
TABLES = [*{(table.path, table.cls): table for table in possible_tables()}.values()]
"""Every table that a settings file may have, those of one path and class once."""
PLACE = re.compile(
    r"(?P<place>the top of the file|(?:[\w.]+ of )?\[\[?\w+\]\]?|algorithm\.\d+[\w.]*)"
    r"(?: of kind (?P<kinds>'\w+'(?:(?:, | or )'\w+')*))?"
)


def build_file(table, content):
    """The smallest file in which a table of this place and class has this content."""
    while table.outer is not None:
        key = table.place[-1]
        content = smallest_table(table.outer.cls) | {key: [content] if key in LISTS else content}
        table = table.outer
    return content


def tables_at(file, path):
    """The tables of a file at a path, without the numbers of algorithms."""
    return [each for each in tables_in_file(file) if each.path == path]


def fitted(file):
    """The file with what other keys of an algorithm must be for one of its samples."""
    file = copy.deepcopy(file)
    algorithms = file.get("algorithm")
    for each in algorithms if isinstance(algorithms, list) else ():
        if isinstance(each, dict):
            _fit(each)
    return file


def _fit(algorithm):
    law = algorithm.get("aggregation")
    for name in ("Ks", "weights") if isinstance(law, dict) else ():
        if law.get(name) == sample_value(*OF_LEARNERS[name]):
            algorithm["P"] = len(law[name])
    if isinstance(law, dict) and law.get("Ks") == sample_value(*OF_LEARNERS["Ks"]):
        algorithm["K"] = max(law["Ks"])
    if "restart" in algorithm and algorithm.get("outer") == {"kind": "averaging"}:
        algorithm["outer"] = {"kind": "block_momentum", "mu": 0.5}
        # Their learners do not begin where a rule with a memory moves the meta-iterate.
        if isinstance(law, dict) and law.get("kind") in ("gossip", "stale_gradients"):
            del algorithm["aggregation"]


def errors_of(file):
    """The errors of the keys and values of a file."""
    try:
        convert_tables(fitted(file))
    except WrongSettings as error:
        return [describe_error(*found) for found in error.errors]
    return []


def put(table, key):
    """Give a table a key, in place of those that exclude it."""
    either = EITHER.get(table.cls, ())
    for other in either if key in either else ():
        table.content.pop(other, None)
    table.content[key] = sample_value(table.cls, key)


def followed(words, name, table, file):
    """Every file that one gets by following the advice on a name in a table of a file."""
    words = words.split(", as in ")[0]
    if found := re.search(r" here; use '(\w+)', which is given already: leave .* out$", words):
        return [without(file, table.path, name)]
    if found := re.search(r" here; (?:use|did you mean) '(\w+)'\??$", words):
        return [renamed(file, table.path, name, found[1])]
    if found := re.search(r"^kind .*?; use kind (.*), or leave it out; known here: ", words):
        key = re.search(r"which is '(\w+)' in kavg", words)
        key = key[1] if key else name
        kinds = re.findall(r"'(\w+)'", found[1])
        assert kinds
        chosen = [with_kind(file, table.path, kind, key) for kind in kinds]
        return [without(file, table.path, name), *chosen]
    if found := re.search(r" here; (?:it belongs to|use '(\w+)' in) (.*)", words):
        key, places = found[1] or name, list(PLACE.finditer(found[2]))
        assert places
        rest = without(file, table.path, name)
        return [moved for place in places for moved in moved_to(rest, place, key)]
    raise AssertionError(f"no advice: {words}")


def without(file, path, name):
    file = copy.deepcopy(file)
    for table in tables_at(file, path):
        table.content.pop(name, None)
    return file


def renamed(file, path, name, key):
    file = without(file, path, name)
    for table in tables_at(file, path):
        put(table, key)
    return file


def with_kind(file, path, kind, key):
    """The file with a table of a kind that has the key, its own kind or that of its table."""
    table = next(
        each
        for each in possible_tables()
        if each.path == path and key in each.keys and kind in (*each.kinds, *each.outer.kinds)
    )
    content = table_with(table.cls, key)
    if kind in table.kinds:
        content["kind"] = kind
    built = build_file(table, content)
    return file | {path[0]: built[path[0]]}


def add_table(file, path):
    """Add a table of a path, with what it needs, and those it stands in, where there is none."""
    if tables_at(file, path):
        return
    add_table(file, path[:-1])
    cls = next(table.cls for table in TABLES if table.path == path)
    for outer in tables_at(file, path[:-1]):
        small = smallest_table(cls)
        outer.content[path[-1]] = [small] if path[-1] in LISTS else small


def moved_to(file, place, key):
    path = path_of(place["place"])
    if place["kinds"]:
        kinds = re.findall(r"'(\w+)'", place["kinds"])
        return [with_kind(file, path, kind, key) for kind in kinds]
    file = copy.deepcopy(file)
    add_table(file, path)
    homes = tables_at(file, path)
    assert homes
    for home in homes:
        put(home, key)
    return [file]


def path_of(words):
    """``gamma.then of [[algorithm]]`` as keys."""
    if words == "the top of the file":
        return ()
    inner, _, header = words.rpartition(" of ")
    steps = [*re.findall(r"[a-z_A-Z]\w*", header), *(inner.split(".") if inner else ())]
    return tuple(steps)
