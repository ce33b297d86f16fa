"""Commands of ``kavg``: typer parses their options, and they run after typer has returned.

Typer only binds the options; ``kavg.cli.entry_point`` then calls the function.  Inside typer an
interrupt of a run would be swallowed, and the other ranks would wait for ever.

A command is a function of a ``Session`` and its options, decorated with ``command`` in a module of
its own under ``kavg.cli.commands`` and entered in ``kavg.cli.app``.  Modules that load SciPy,
pydantic, matplotlib or mpi4py are imported in its body, so that help and completion stay fast.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Concatenate, Final, Generic, ParamSpec, Protocol, final, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from kavg.cli.session import Session

Options = ParamSpec("Options")
Action = Callable[[], int | None]
"""A command with its options bound; calling it runs the command and returns the exit code."""

_CONTEXT: Final = inspect.Parameter(
    "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
)


@final
@dataclasses.dataclass(frozen=True)
class Command(Generic[Options]):
    """A command of the command line: its function, with examples for its help page.

    The parameters of ``function`` after the session are the options, annotated for typer; a
    parameter whose type is a dataclass adds one option for each of its fields.
    """

    function: Callable[Concatenate[Session, Options], int | None]
    examples: tuple[str, ...] = ()

    def __call__(self, session: Session, *given: Options.args, **named: Options.kwargs) -> int:
        """Run the command from Python; return the exit code."""
        return self.function(session, *given, **named) or 0

    @property
    def name(self) -> str:
        """The word on the command line: the function's name, without a ``_`` at its end."""
        # list_ has the underscore, as list is a built-in of Python.
        return self.function.__name__.rstrip("_")

    @property
    def epilog(self) -> str | None:
        """The examples, for the end of the help page."""
        return "\n  ".join(["Examples:", *self.examples]) if self.examples else None

    @property
    def callback(self) -> Callable[..., Action]:
        """The function for typer: it binds the options and returns the ``Action``.

        Its signature is that of the command, with typer's context in place of the session and the
        fields of a dataclass in place of the dataclass.
        """

        def bind(context: typer.Context, **values: Any) -> Action:
            options = {name: _value(hint, name, values) for name, hint in hints.items()}
            return partial(self.function, context.obj, **options)

        hints = _option_hints(self.function)
        parameters = [_CONTEXT, *_parameters(self.function)]
        # Typer reads both: the signature for defaults, the annotations for types.
        bind.__annotations__ = {each.name: each.annotation for each in parameters}
        bind.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return bind


def command(
    *examples: str,
) -> Callable[[Callable[Concatenate[Session, Options], int | None]], Command[Options]]:
    r"""Turn a function of a session and its options into a ``Command``; a decorator.

    ``examples`` are command lines for the end of its help page.  The first line of its docstring,
    of at most 45 characters, is its summary in ``kavg --help``.

    >>> @command("kavg hello")
    ... def hello(session: Session) -> None:
    ...     '''Greet all ranks.'''
    >>> hello.name, hello.epilog
    ('hello', 'Examples:\n  kavg hello')
    """
    return lambda function: Command(function, examples)


def _option_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of all parameters after the session."""
    hints = get_type_hints(function, include_extras=True)
    return {name: hints[name] for name in list(inspect.signature(function).parameters)[1:]}


def _parameters(function: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """One keyword for each option, fields of dataclasses included."""
    declared = inspect.signature(function).parameters
    for name, hint in _option_hints(function).items():
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            field_hints = get_type_hints(hint, include_extras=True)
            for field in dataclasses.fields(hint):
                yield _keyword(field.name, field_hints[field.name], field.default)
        else:
            yield _keyword(name, hint, declared[name].default)


def _keyword(name: str, hint: Any, default: object) -> inspect.Parameter:
    missing = (dataclasses.MISSING, inspect.Parameter.empty)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default in missing else default,
        annotation=hint,
    )


def _value(hint: Any, name: str, values: Mapping[str, Any]) -> Any:
    """The value of a parameter of the function; a dataclass is built from its fields."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return hint(**{field.name: values[field.name] for field in dataclasses.fields(hint)})
    return values[name]


class _Formatter(Protocol):
    """The part of click's formatter of help pages that is used here."""

    def write(self, string: str) -> None: ...

    def write_dl(self, rows: list[tuple[str, str]]) -> None: ...

    def section(self, name: str) -> AbstractContextManager[None]: ...


@final
class PlainCommand(TyperCommand):
    """A command whose help page names arguments as it names options, and ends with its examples."""

    def format_options(self, ctx: Any, formatter: _Formatter) -> None:
        """Write the arguments, then the options.

        Typer adds Python types to the arguments alone (``CONFIG <path>``); they are left out.
        """
        for kind in ("argument", "option"):
            params = [each for each in self.get_params(ctx) if each.param_type_name == kind]
            rows = [row for each in params if (row := each.get_help_record(ctx)) is not None]
            if rows:
                if kind == "argument":
                    rows = [(name.split(" <")[0], text) for name, text in rows]
                with formatter.section(f"{kind.capitalize()}s"):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: _Formatter) -> None:
        """Write the epilog line by line; click would wrap its lines to a paragraph."""
        _write_epilog(self.epilog, formatter)


@final
class PlainGroup(TyperGroup):
    """A group whose help page lists the commands panel by panel, without boxes.

    Typer shows panels only in rich's boxes, which take a third of 80 columns and hamper ``grep``.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """List the commands in the order of ``PANELS``; older versions of typer sort them."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: _Formatter) -> None:
        """Write one section for each panel."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, each in self.commands.items():
            panel = str(getattr(each, "rich_help_panel", "Commands"))
            panels.setdefault(panel, []).append((name, each.get_short_help_str().rstrip(".")))
        width = max(8, *map(len, self.commands))  # that of all panels, so that summaries align
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl([(f"{name:{width}}", summary) for name, summary in rows])

    def format_epilog(self, ctx: Any, formatter: _Formatter) -> None:
        """Write the epilog line by line."""
        _write_epilog(self.epilog, formatter)


def _write_epilog(epilog: str | None, formatter: _Formatter) -> None:
    if epilog:
        formatter.write(f"\n{epilog}\n")
