"""Characters that the fonts of LaTeX lack, as commands that every LaTeX has."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

GREEK: Final = {
    name: name.lower().replace("lamda", "lambda")
    for name in (
        *("ALPHA", "BETA", "GAMMA", "DELTA", "EPSILON", "ZETA", "ETA", "THETA", "IOTA", "KAPPA"),
        *("LAMDA", "MU", "NU", "XI", "PI", "RHO", "SIGMA", "TAU", "UPSILON", "PHI", "CHI", "PSI"),
        "OMEGA",
    )
}
"""Commands of small Greek letters by their names in Unicode; omicron has none."""
SIGNS: Final = {"DOUBLE VERTICAL LINE": "Vert", "NABLA": "nabla"}
"""Commands of the signs in the names of quantities."""
MINUS: Final = "\N{MINUS SIGN}"
"""Matplotlib writes it as a command by itself."""
LATIN: Final = 0x180
"""The first character that the fonts of plain LaTeX do not have."""


def spell_character(character: str) -> str:
    r"""Return a character as LaTeX can print it: a command for a Greek letter, or its code.

    >>> print(*map(spell_character, ["a", chr(0xFC), chr(0x3BC), chr(0x4E2D)]))
    a ü \ensuremath{\mu} U+4E2D
    """
    if ord(character) < LATIN:
        return character
    name = unicodedata.name(character, "")
    # Greek letters are likely in names, as in "μ = 0.5".
    found = re.fullmatch(r"GREEK SMALL LETTER (\w+)", name)
    command = GREEK.get(found[1]) if found else SIGNS.get(name)
    return rf"\ensuremath{{\{command}}}" if command else f"U+{ord(character):04X}"


def spell_characters(text: str) -> str:
    r"""Return a text of matplotlib with the characters spelled that the fonts of LaTeX lack.

    >>> print(spell_characters(f"{chr(0x3B3)}=0.5 50 %"))
    \ensuremath{\gamma}=0.5 50 %
    """
    return "".join(each if each == MINUS else spell_character(each) for each in text)
