"""Commands: their help pages, their options, and that they run only when typer has returned."""

from __future__ import annotations

import dataclasses
import inspect
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from templates.command import rounds

from kavg import SerialComm
from kavg.cli import entry_point
from kavg.cli.app import EXIT_CODES, PANELS, app
from kavg.cli.command import Command, PlainCommand, command
from kavg.cli.session import Session

COMMANDS = {each.name: each for commands in PANELS.values() for each in commands}
WIDTH = max(8, *map(len, COMMANDS))
every_command = pytest.mark.parametrize("name", COMMANDS)
QUICKSTART = Path(__file__).parents[3] / "experiments" / "quickstart.toml"


# Help


@pytest.fixture(params=["50", "80", "200"])
def page(call, monkeypatch, request):
    """``page("run")``: the help page of a command, on terminals of several widths."""
    monkeypatch.setenv("COLUMNS", request.param)

    def page(*words):
        code, out, err = call(*words, "--help")
        assert (code, err) == (0, "")
        assert "\x1b" not in out
        if request.param != "50":  # examples are never broken
            assert max(map(len, out.splitlines())) <= 80
        return out

    return page


def test_help_lists_the_commands_in_panels_with_whole_summaries(page):
    out = page()
    lines = out.splitlines()
    for panel, commands in PANELS.items():
        at = lines.index(f"{panel}:") + 1
        for each, line in zip(commands, lines[at:], strict=False):
            summary = inspect.getdoc(each.function).split("\n")[0]
            if os.environ["COLUMNS"] != "50":  # a summary may take two lines there
                assert line == f"  {each.name:{WIDTH}}  {summary.rstrip('.')}"
            assert f" {each.name} {summary.rstrip('.')} " in " ".join(out.split())
            assert len(summary) <= 45, f"the summary of {each.name} must have at most 45 characters"
    assert out.endswith(f"{EXIT_CODES}\n")


@every_command
def test_a_help_page_has_usage_options_and_examples(page, name):
    out = page(name)
    assert out.startswith(f"Usage: kavg {name} ")
    assert "  -h, --help" in out
    for example in COMMANDS[name].examples:
        assert f"\n  {example}\n" in out
        assert f"kavg {name}" in example


@every_command
def test_every_argument_and_option_says_what_it_is(name):
    _, *parameters = inspect.signature(COMMANDS[name].callback).parameters.values()
    for each in parameters:
        info = each.annotation.__metadata__[-1]
        assert info.help[0].isupper()
        assert info.help.endswith(".")
        assert len(info.help) > 10
        is_flag = each.annotation.__origin__ is bool
        assert is_flag or info.metavar == info.metavar.upper()


@every_command
def test_arguments_and_values_are_in_capitals(call, name):
    usage, *_ = call(name, "-h")[1].splitlines()
    for word in usage.split()[4:]:
        assert word.strip("{}[].") == word.strip("{}[].").upper()


@pytest.mark.parametrize(
    ("short", "long", "commands"),
    [
        ("-o", "--out", "run check exact atlas plot"),
        ("-f", "--force", "run check exact"),
        ("-s", "--set", "run check bounds exact"),
        ("-q", "--quiet", "run resume check exact verify"),
    ],
)
def test_common_options_have_one_letter(call, short, long, commands):
    for name in commands.split():
        assert f"  {short}, {long}" in call(name, "-h")[1]


def test_short_options_do_what_the_long_ones_do(call, empty):
    words = ["-s", "rounds=2", "-s", "replicas=2", "-s", "figures=false", "-q", "-o", "a"]
    code, out, err = call("run", QUICKSTART, *words)
    assert (code, err) == (0, "")
    assert out.endswith("folder  a\n")
    assert "--force" in call("run", QUICKSTART, *words)[2]
    assert call("run", QUICKSTART, *words, "-f")[1] == out


# A command of one's own


@dataclass(frozen=True)
class Group:
    """Two options."""

    level: Annotated[float, typer.Option("--level")] = 0.05
    all_: Annotated[bool, typer.Option("--all")] = False


GROUP = Group()


def app_with(*commands):
    new = typer.Typer(rich_markup_mode=None)
    for each in (*commands, command()(ignored)):
        new.command(each.name, cls=PlainCommand, epilog=each.epilog)(each.callback)
    return new


def ignored(session: Session) -> None:
    """Do nothing."""


def action(new, session, *words):
    return new(list(words), standalone_mode=False, obj=session, prog_name="kavg")


def test_a_command_runs_when_typer_has_returned_and_gets_its_options():
    seen = []

    @command("kavg try x")
    def try_(
        session: Session,
        path: Path,
        group: Group = GROUP,
        names: Annotated[list[str] | None, typer.Option("--name")] = None,
    ) -> int:
        """Try."""
        seen.append((session, path, group, names or []))
        return 3

    assert (try_.name, try_.epilog) == ("try", "Examples:\n  kavg try x")
    session = Session(SerialComm())
    new = app_with(try_)
    run = action(new, session, "try", "x", "--level", "0.5", "--name", "a", "--name", "b")
    assert seen == []
    assert run() == 3
    assert seen.pop() == (session, Path("x"), Group(level=0.5), ["a", "b"])
    action(new, session, "try", "x", "--all")()
    assert seen.pop() == (session, Path("x"), Group(all_=True), [])
    assert try_(session, Path("y"), Group(1.0)) == 3
    assert seen.pop() == (session, Path("y"), Group(1.0), [])


def test_the_template_of_a_command_works(call, empty, capsys):
    words = ["-s", "rounds=3", "-s", "replicas=2", "-s", "figures=false", "-q", "-o", "a"]
    assert call("run", QUICKSTART, *words)[0] == 0
    action(app_with(rounds), Session(SerialComm()), "rounds", "a")()
    assert capsys.readouterr().out == "K-AVG  3\nM-AVG  3\n"


def test_an_option_without_a_default_is_required():
    @dataclass(frozen=True)
    class Needs:
        level: Annotated[float, typer.Option("--level")]

    def need(session, needs):
        """Need."""

    need.__annotations__ = {"session": Session, "needs": Needs}
    callback = Command(need).callback
    parameter = inspect.signature(callback).parameters["level"]
    assert parameter.default is inspect.Parameter.empty


@pytest.mark.parametrize("name", COMMANDS)
def test_options_of_all_commands_are_named_once(name):
    parameters = list(inspect.signature(COMMANDS[name].callback).parameters)
    assert parameters[0] == "context"
    assert len(parameters) == len(set(parameters))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit(5)])
def test_typer_handles_no_error_of_a_run(call, monkeypatch, error):
    def fail(session):
        raise error

    stand_in = dataclasses.replace(COMMANDS["schema"], function=fail)
    fail.__annotations__ = {"session": Session}
    handled = []
    monkeypatch.setattr(
        entry_point, "_exit_code_of", lambda error, comm: handled.append(type(error)) or 9
    )
    new = app_with(stand_in)
    parse = lambda **options: action(new, options["obj"], "fail")  # noqa: E731 - a stand-in
    monkeypatch.setattr(entry_point, "_parser", lambda: parse)
    assert call("fail")[0] == 9
    assert handled == [error if isinstance(error, type) else type(error)]


def test_the_application_has_all_commands():
    assert [each.name for each in app.registered_commands] == list(COMMANDS)
    folder = Path(inspect.getfile(Command)).parent / "commands"
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files <= set(COMMANDS), f"{files - set(COMMANDS)} must be in PANELS of kavg/cli/app.py"
    assert set(COMMANDS) == files


def test_the_parser_is_built_once_for_all_calls(call, monkeypatch):
    assert call("--version")[0] == 0
    monkeypatch.setattr(entry_point, "get_command", None)
    assert call("list")[0] == 0
