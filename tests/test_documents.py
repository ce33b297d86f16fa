"""The documents say what is true: their programs run, their settings parse, their links exist."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
from pathlib import Path

import pytest

from kavg.config import settings_file
from kavg.sweeps import load_sweep, parse_sweep

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("experiments/**/*.md")])
PAGES.append(ROOT / "tests" / "README.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"```python\n([^`]*)```\n+<!-- [^\n]* the block above -->\n```text\n([^`]*)```")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def blocks(page, language):
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def names(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def test_the_readme_program_prints_what_the_readme_says():
    page = (ROOT / "README.md").read_text()
    ((program, output),) = re.findall(OUTPUT, page)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(program, {})
    assert printed.getvalue() == output


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_programs_compile(page):
    for program in blocks(page, "python"):
        compile(program, str(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_settings_parse(page):
    for text in blocks(page, "toml"):
        parse = parse_sweep if "[sweep" in text else settings_file.parse_config
        parse(text)


# Faults are texts of a program, and no settings.
SETTINGS = sorted(
    set(ROOT.glob("experiments/**/*.toml")) - set(ROOT.glob("experiments/*/faults/*"))
)


@pytest.mark.parametrize("path", SETTINGS, ids=names(SETTINGS))
def test_experiments_parse(path):
    load = load_sweep if "[sweep" in path.read_text() else settings_file.load_config
    load(path)


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_document_a_docstring_names_exists():
    for path in ROOT.glob("kavg/**/*.py"):
        for name in re.findall(r"\bdocs/\w+\.md", path.read_text()):
            assert (ROOT / name).exists(), f"{path.name} names {name}"


PROGRAMS = {
    path.relative_to(ROOT).as_posix()
    for folder in ("kavg", "tests", "experiments", "docs")
    for path in (ROOT / folder).rglob("*.py")
}


def page_names(pattern):
    return [
        (page.relative_to(ROOT).as_posix(), name)
        for page in PAGES
        if page.name != "CHANGELOG.md"  # it names what has gone
        for name in sorted(set(re.findall(pattern, page.read_text())))
    ]


@pytest.mark.parametrize(("page", "name"), page_names(r"(?<![\w/.])\w[\w/]*\.py\b"))
def test_every_program_that_a_page_names_exists(page, name):
    users_own = name == "my.py" or name.endswith("NAME.py")
    assert users_own or any(f"/{path}".endswith(f"/{name}") for path in PROGRAMS)


@pytest.mark.parametrize(("page", "name"), page_names(r"`(kavg(?:\.\w+)+)"))
def test_every_name_of_kavg_on_a_page_exists(page, name):
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        with contextlib.suppress(ModuleNotFoundError):
            found = importlib.import_module(".".join(parts[:n]))
            for part in parts[n:]:
                found = getattr(found, part)
            return
    raise AssertionError(name)


def test_the_page_of_faults_counts_no_hang_and_no_loss():
    page = (ROOT / "docs" / "reliability.md").read_text()
    counts = re.findall(r"^cases = (\d+), hangs = (\d+), lost = (\d+)$", page, re.MULTILINE)
    assert len(counts) == page.count("\n## ") - 1 > 0  # the last is of another script
    assert max(int(cases) for cases, _, _ in counts) >= 100
    assert {(hangs, lost) for _, hangs, lost in counts} == {("0", "0")}
    (injected,) = re.findall(r"^cases = (\d+), losses = 0, rubbish left = 0$", page, re.MULTILINE)
    assert int(injected) >= 50
