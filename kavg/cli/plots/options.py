"""Options of ``kavg plot``: what is drawn, and the form of the figure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, final

import typer


class Axis(StrEnum):
    """The quantity on the horizontal axis."""

    ROUNDS = "rounds"
    STEPS = "steps"
    GRADIENTS = "gradients"
    COMMUNICATIONS = "communications"
    SECONDS = "seconds"


class Kind(StrEnum):
    """The kind of a sweep's figure (``kavg.reports.figures.sweeps.sweep_figure.KINDS``)."""

    HEAT_MAP = "heat-map"
    CURVES = "curves"
    MULTIPLES = "multiples"
    SPEED_UP = "speed-up"
    PHASE = "phase"


class Width(StrEnum):
    """The width of a figure."""

    COLUMN = "column"
    PAGE = "page"


class Format(StrEnum):
    """The format of a figure's file."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"
    PGF = "pgf"


@final
@dataclass(frozen=True)
class Content:
    """What is drawn: axis and quantities, and lines to compare with."""

    axis: Annotated[
        Axis | None,
        typer.Option(
            "--axis",
            metavar="AXIS",
            help=f"Horizontal axis: one of {', '.join(Axis)}; if not given, rounds.",
            show_default=False,
        ),
    ] = None
    quantity: Annotated[
        list[str] | None,
        typer.Option(
            "--quantity",
            metavar="NAME",
            help="Recorded quantity, as F; may be repeated. If not given, all of them.",
            show_default=False,
        ),
    ] = None
    target: Annotated[
        float | None,
        typer.Option(
            "--target",
            metavar="VALUE",
            help="Draw a line at this value; of a sweep, the cost of reaching it.",
            show_default=False,
        ),
    ] = None
    floor: Annotated[
        bool,
        typer.Option("--floor", help="Draw exact stationary values, which quadratics have."),
    ] = False


@final
@dataclass(frozen=True)
class View:
    """The figure of a sweep folder: its kind, and the varied settings on its axes."""

    kind: Annotated[
        Kind | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help=f"Of a sweep: one of {', '.join(Kind)}.",
            show_default=False,
        ),
    ] = None
    x: Annotated[
        str | None,
        typer.Option(
            "--x", metavar="SETTING", help="Of a sweep: horizontal axis.", show_default=False
        ),
    ] = None
    y: Annotated[
        str | None,
        typer.Option(
            "--y", metavar="SETTING", help="Of a sweep: vertical axis.", show_default=False
        ),
    ] = None
    stage: Annotated[
        int | None,
        typer.Option(
            "--stage",
            metavar="N",
            help="Of a sweep: the stage; if not given, the first, where all points were tried.",
            show_default=False,
        ),
    ] = None
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="SETTING", help="Of a sweep: a panel each value.", show_default=False
        ),
    ] = None


@final
@dataclass(frozen=True)
class Form:
    """The form of a figure: its width, its title, and the formats of its files."""

    width: Annotated[
        Width,
        typer.Option("--width", metavar="WIDTH", help="Width: column (3.35 in) or page (6.9 in)."),
    ] = Width.PAGE
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="First line above the figure.")
    ] = ""
    formats: Annotated[
        list[Format] | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"Format: one of {', '.join(Format)}; may be repeated. If not given, png and svg.",
            show_default=False,
        ),
    ] = None

    def list_formats(self) -> list[str]:
        """Return the names of the formats, png and svg if none is given.

        >>> Form(formats=[Format.PDF]).list_formats(), Form().list_formats()
        (['pdf'], ['png', 'svg'])
        """
        return [str(each) for each in self.formats or (Format.PNG, Format.SVG)]


CONTENT: Final = Content()
VIEW: Final = View()
FORM: Final = Form()
"""The options where none is given."""
