"""Files of figures: png, svg, pdf and pgf, the same bytes from the same figure."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kavg.errors import KavgError
from kavg.reports.figures.style import use_default_style
from kavg.reports.tex_characters import spell_characters
from kavg.storage.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure

FORMATS: Final[Mapping[str, Mapping[str, Any]]] = {
    "png": {"dpi": 200},
    "svg": {"metadata": {"Date": None}},
    "pdf": {"metadata": {"CreationDate": None}},
    "pgf": {},
}
"""The formats of files, with the options of ``savefig`` that keep dates out of them."""
DEFAULT: Final = ("png", "svg")
TEX_SYSTEMS: Final = ("xelatex", "lualatex", "pdflatex")
TEX: Final = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}"} | {
    c: f"\\{c}" for c in "{}$&#_"
}
"""Characters that mean something to TeX; matplotlib itself escapes ``%`` and ``^``."""


@use_default_style()
def save(
    figure: Figure,
    folder: str | os.PathLike[str],
    stem: str,
    formats: Sequence[str] = DEFAULT,
) -> tuple[Path, ...]:
    r"""Write ``stem.png`` (200 dots an inch), ``stem.svg`` or others, each whole or not at all.

    Equal figures give equal files: none holds a date or a random identifier.  All formats have the
    same layout.  ``pgf`` is for ``\input`` in a document of LaTeX, which sets the text in its own
    fonts; matplotlib needs a LaTeX on this machine to write it.

    Raises:
        KavgError: if ``stem`` is not a plain file name, or a format is unknown or cannot be made.
        OSError: if the folder cannot be written.
    """
    if not stem or Path(stem).name != stem:
        raise KavgError(f"stem must be a file name without folder or ending, got {stem!r}")
    check_formats(formats)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    # By the same renderer for all formats: each measures text a little differently.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once, it stays as it is
    return tuple(_write_file(figure, place / f"{stem}.{each}") for each in dict.fromkeys(formats))


def check_formats(formats: Sequence[str]) -> None:
    """Raise KavgError if a format is unknown, there is none, or pgf lacks its LaTeX."""
    if not formats or not set(formats) <= FORMATS.keys():
        raise KavgError(f"formats must be one or more of {', '.join(FORMATS)}, got {list(formats)}")
    if "pgf" in formats and _find_tex() is None:
        raise KavgError(
            f"pgf needs {', '.join(TEX_SYSTEMS[:-1])} or {TEX_SYSTEMS[-1]}, and none is installed; "
            "use pdf, which LaTeX includes as well"
        )


def _write_file(figure: Figure, path: Path) -> Path:
    kind = path.suffix[1:]
    with write_atomically(path) as file, _prepare_tex(figure, kind):
        # The format is named because a file that is open has no ending.
        figure.savefig(file, format=kind, **FORMATS[kind])
    return path


def _find_tex() -> str | None:
    return next((name for name in TEX_SYSTEMS if shutil.which(name)), None)


@contextmanager
def _prepare_tex(figure: Figure, kind: str) -> Iterator[None]:
    """For pgf only: choose a LaTeX, escape what names of users mean to it, spell what it lacks."""
    if kind != "pgf":
        yield
        return
    from matplotlib import rc_context
    from matplotlib.text import Text

    # Mathematics too may stand beside a Greek letter of a name.
    texts = figure.findobj(Text)
    before = [text.get_text() for text in texts]
    for text, name in zip(texts, before, strict=True):
        text.set_text(spell_characters(name if text.get_parse_math() else escape_tex(name)))
    try:
        # Without fonts of matplotlib the document sets the text in its own.
        with rc_context({"pgf.texsystem": _find_tex() or TEX_SYSTEMS[0], "pgf.rcfonts": False}):
            yield
    except OSError:
        raise
    except Exception as error:  # of the LaTeX that measures text, of a class of matplotlib's own
        reason = str(error).strip().split("\n")[0]
        raise KavgError(f"LaTeX could not measure the text of a pgf: {reason}; use pdf") from None
    finally:
        for text, name in zip(texts, before, strict=True):
            text.set_text(name)


def escape_tex(text: str) -> str:
    r"""Return the text as LaTeX prints it, apart from ``%`` and ``^``.

    >>> print(escape_tex("my_run {50} & $x"))
    my\_run \{50\} \& \$x
    """
    return re.sub("[" + re.escape("".join(TEX)) + "]", lambda found: TEX[found[0]], text)
