"""Text for messages and reports: escaped, shortened, and counts with their nouns."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, Final

SHOWN: Final = 60
"""Characters of a value that a message shows."""


def escape_unprintable(text: str) -> str:
    r"""Return text on one line, in which nothing but printable characters is left.

    Control characters, line ends, bidirectional overrides, invisible characters and lone surrogates
    become escape sequences, so that a name cannot move the cursor or look like another.

    >>> print(escape_unprintable("two" + chr(10) + "lines" + chr(0x202E)))
    two\nlines\u202e
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def escape_lines(text: str) -> str:
    """Return text of several lines, each of them escaped: for the border where text is printed.

    A name inside the text must be escaped before, as its line ends look like those of the text.
    """
    return text if text.isprintable() else "\n".join(map(escape_unprintable, text.split("\n")))


def shorten_repr(value: Any) -> str:
    """Return the ``repr`` of a value on one line, truncated to 60 characters.

    >>> shorten_repr("a" * 100) == "'" + "a" * 56 + "..."
    True
    """
    # Only as much of the value as is shown: the repr of a million numbers takes a second.
    if isinstance(value, (str, list, tuple)):
        value = value[: SHOWN + 1]
    elif isinstance(value, dict):
        value = dict(islice(value.items(), SHOWN + 1))
    try:
        # An array is shown on one line.
        return shorten(re.sub(r"\s*\n\s*", " ", repr(value)))
    except RecursionError:  # lists in lists, a thousand deep
        return "a value nested too deeply to be shown"
    except Exception:  # of a class of the user, on which no message should fail
        return f"a {type(value).__name__} that cannot be shown"


def shorten(text: str) -> str:
    """Truncate a text to 60 characters and escape it."""
    return escape_unprintable(text if len(text) <= SHOWN else text[: SHOWN - 3] + "...")


def format_count(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1.

    >>> format_count(1, "replica"), format_count(8, "replica")
    ('1 replica', '8 replicas')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"
