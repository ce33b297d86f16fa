"""``docs/tools/pages.py`` finds every block of a page that its command does not print."""

from __future__ import annotations

import ast

import commands
import digests
import markers
import pages
import pytest

PAGES = pages.read_pages()
SCRIPT = """'''A script.'''
import kavg.cli  # a comment
from kavg.engine import number

print(number)
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A small repository: a script that prints 12, with a number of kavg's engine."""
    for module in (commands, digests, pages):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    files = {
        "experiments/x.py": SCRIPT,
        "experiments/small.toml": "seed = 1\n",
        "kavg/__init__.py": "",
        "kavg/engine/__init__.py": "number = 12\n",
        "kavg/cli/__init__.py": "from kavg.engine import number\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def found(root):
    """Writes a page and returns what is wrong with it."""

    def check(text, *, quick=False):
        (root / "page.md").write_text(text)
        return again(root, quick=quick)

    return check


def runner(root):
    (root / "runs").mkdir(exist_ok=True)
    return commands.Runner(root / "runs")


def again(root, *, quick=False):
    return list(pages.faults([pages.read_page(root / "page.md")], runner(root), quick=quick))


def write(root, text):
    """The page after all that has a marker was written."""
    (root / "page.md").write_text(text)
    page = pages.read_page(root / "page.md")
    failed = pages.write(page, page.known(), runner(root))
    return (root / "page.md").read_text(), failed


def fence(text, marker="", info="text"):
    return f"{marker}\n```{info}\n{text}\n```\n"


QUICK = "<!-- printed by (quick): PYTHONPATH=. python experiments/x.py -->"
SLOW = QUICK.replace("quick", "slow")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_has_a_marker_whose_command_is_known(page):
    assert list(pages.marker_faults(page)) == []


def test_all_pages_are_read():
    names = {page.name for page in PAGES}
    assert {"README.md", "docs/theory.md", "experiments/digits/README.md"} <= names
    assert sum(block.printed is not None for page in PAGES for block in page.blocks) >= 20


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (fence("0.5"), "a block of text without a marker"),
        (fence("$ true", info="console"), "a block of console without a marker"),
        (fence("0.5", info=""), "a block of no language without a marker"),
        ("| a |\n|---|\n| 0.5 |\n", "a table with numbers without a marker"),
        ("| a |\n|---|\n| x = 5 |\n", "a table with numbers without a marker"),
        ("![a figure](figure.png)\n", "a figure without a marker"),
        (f"with digest {'0a' * 32}\n", "a digest outside of a block"),
        (f"{QUICK}\n\nand then prose\n", "a marker that no block follows"),
    ],
)
def test_a_missing_marker_is_found(found, text, fault):
    (one,) = found(text, quick=True)
    assert one.endswith(f": {fault}")


@pytest.mark.parametrize(
    "text",
    [
        *(fence("x = 5", info=info) for info in ("sh", "toml", "python")),
        fence("0.5", "<!-- by hand: a drawing -->"),
        "| a |\n|---|\n| float64, `0.5` |\n",
        "![a badge](https://example.org/badge.svg)\n",
        "12 words of prose\n",
    ],
)
def test_text_that_no_program_prints_needs_no_marker(found, text):
    assert found(text) == []


def test_a_changed_digit_is_found(found):
    assert found(fence("12", QUICK)) == []
    (fault,) = found(fence("13", QUICK))
    assert fault.startswith("page.md:3: ")
    assert fault.endswith("-13\n+12")


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("kavgg run", "unknown command: kavgg run"),
        ("python experiments/y.py", "unknown command: experiments/y.py"),
        ("python experiments/x.py && rm x", "unknown command: rm x"),
        ("python -c 'import nonsense'", "left with 1, not 0: ModuleNotFoundError"),
        ("python -c 1 | nonsense", "the filter 'nonsense' left with 127"),
        ("the block above", "unknown command: the block above"),
    ],
)
def test_a_command_that_does_not_work_is_found(found, command, fault):
    (one,) = found(fence("12", f"<!-- printed by (quick): {command} -->"))
    assert fault in one


def test_another_exit_code_must_be_named(found):
    command = "python -c 'import sys; print(5); sys.exit(2)'"
    (one,) = found(fence("5", f"<!-- printed by (quick): {command} -->"))
    assert "left with 2, not 0" in one
    assert found(fence("5", f"<!-- printed by (quick; exit 2): {command} -->")) == []


@pytest.mark.parametrize(
    "comment",
    ["<!-- printed by quick: true -->", "<!-- by hand -->", "<!-- printed by (quick) true -->"],
)
def test_a_marker_that_cannot_be_read_is_refused(comment):
    with pytest.raises(ValueError, match="a marker must be"):
        markers.parse_marker(comment)


def test_a_filter_selects_and_the_block_above_runs(found):
    program = "```python\nprint(1)\nprint(2)\n```\n"
    assert (
        found(program + fence("2", "<!-- printed by (quick): the block above | tail -1 -->")) == []
    )
    shell = "```sh\npython -c 'print(3)'\n```\n"
    assert found(shell + fence("3", "<!-- printed by (quick): the block above -->")) == []
    assert len(found(shell + fence("4", "<!-- printed by (quick): the block above -->"))) == 1


def test_blocks_with_the_same_command_share_one_run(root):
    count = "python -c \"open('count', 'a').write('x'); print(1); print(2)\""
    text = "".join(
        fence("?", f"<!-- printed by (quick): {count} | {part} -->")
        for part in ("head -1", "tail -1")
    )
    written, failed = write(root, text)
    assert (root / "count").read_text() == "x"
    assert written == text.replace("?", "1", 1).replace("?", "2")
    assert failed == []


def test_a_slow_block_is_compared_by_digests(root):
    (root / "page.md").write_text(fence("?", SLOW))
    (fault,) = again(root)
    assert "never printed" in fault
    written, _ = write(root, fence("?", SLOW))
    assert "\n12\n" in written
    assert " s on " in written
    assert again(root) == []
    (root / "page.md").write_text(written.replace("\n12\n", "\n13\n"))
    (fault,) = again(root)
    assert "the text is not what was printed" in fault
    assert again(root, quick=True) == []


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        ("experiments/x.py", SCRIPT.replace("print(number)", "print(number + 1)"), True),
        (
            "experiments/x.py",
            SCRIPT.replace("A script.", "Some words.").replace("a c", "no c"),
            False,
        ),
        ("experiments/x.py", SCRIPT.replace("(number)", "(\n    number\n)"), False),
        ("kavg/engine/__init__.py", "number = 13\n", True),
        ("kavg/engine/__init__.py", "number = 12\n'''A new docstring.'''\n", False),
        ("kavg/cli/__init__.py", "from kavg.engine import number as n\n", False),
    ],
)
def test_changed_code_is_found_and_changed_words_are_not(root, name, text, changed):
    write(root, fence("?", SLOW))
    (root / name).write_text(text)
    assert [fault[-7:] for fault in again(root)] == ["changed"] * changed


def test_settings_and_named_files_count(root):
    marker = "<!-- printed by (slow{}): python experiments/x.py experiments/small.toml -->"
    for of, name, text, changed in [
        ("", "experiments/small.toml", "seed = 2\n", True),
        ("", "experiments/small.toml", "# words\nseed=2\n", False),
        ("; of kavg/cli", "kavg/cli/__init__.py", "from kavg import engine\n", True),
        ("; of kavg/cli", "experiments/x.py", SCRIPT + "print(1)\n", False),
    ]:
        text_before = fence("?", marker.format(of).replace("python", "PYTHONPATH=. python"))
        write(root, text_before)
        (root / name).write_text(text)
        assert [fault[-7:] for fault in again(root)] == ["changed"] * changed


REQUIRES = """[options]
install_requires = a>=1
[options.extras_require]
test = b>=1
[mypy]
x = 1
"""


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [("a>=1", "a>=2", True), ("b>", "c>", True), ("x = 1", "x = 2", False)],
)
def test_of_setup_cfg_what_it_requires_counts(root, old, new, changed):
    (root / "setup.cfg").write_text(REQUIRES)
    write(root, fence("?", "<!-- printed by (slow; of setup.cfg): python -c 'print(1)' -->"))
    (root / "setup.cfg").write_text(REQUIRES.replace(old, new))
    assert [fault[-7:] for fault in again(root)] == ["changed"] * changed


def test_a_marker_of_several_lines_and_a_region_are_written(root):
    text = "before\n\n<!-- printed by (slow):\n     PYTHONPATH=. python experiments/x.py -->\n"
    text += "# old\n\n| a |\n|---|\n| 1 |\n<!-- end -->\n\nafter\n"
    written, _ = write(root, text)
    assert written.startswith("before\n\n<!-- printed by (slow; code ")
    assert written.endswith(
        "):\n     PYTHONPATH=. python experiments/x.py -->\n12\n<!-- end -->\n\nafter\n"
    )
    assert again(root) == []


def test_a_figure_is_the_bytes_of_its_file(root, found):
    text = "<!-- printed by (quick): python -c 'print(3)' | tr 3 4 -->\n![a figure](figure.png)\n"
    (root / "figure.png").write_bytes(b"5")
    assert found(text) == ["page.md:2: the figure is another"]
    write(root, text)
    assert (root / "figure.png").read_bytes() == b"4\n"
    assert found(text) == []


def test_a_command_that_fails_leaves_the_block_and_is_reported(root):
    text = fence("12", "<!-- printed by (quick): python -c 'import nonsense' -->")
    written, failed = write(root, text)
    assert written == text
    assert len(failed) == 1


def test_the_syntax_tree_is_the_same_in_all_versions_of_python():
    empty = ast.Constant("")  # Python 3.12 has it in f"{x:{y}}"
    assert digests.plain(ast.JoinedStr([empty])) == ("JoinedStr", ("values", ()))
    assert digests.canonical('f"{x:>{y}}"') == (
        "('Module', ('body', (('Expr', ('value', ('JoinedStr', ('values', (('FormattedValue', "
        "('value', ('Name', ('id', 'x'), ('ctx', ('Load',)))), ('conversion', -1), ('format_spec', "
        "('JoinedStr', ('values', (('Constant', ('value', '>')), ('FormattedValue', ('value', "
        "('Name', ('id', 'y'), ('ctx', ('Load',)))), ('conversion', -1))))))),))))),)))"
    )


def test_without_kavg_it_says_so_once(monkeypatch, capsys):
    monkeypatch.setattr(pages, "find_spec", lambda name: None)
    monkeypatch.setattr("sys.argv", ["pages.py", "--check", "--quick"])
    assert pages.main() == 2
    assert capsys.readouterr().out.startswith("kavg is not installed")


def test_names_choose_the_blocks_that_are_checked(root):
    page = root / "page.md"
    page.write_text(
        fence("13", QUICK) + fence("14", "<!-- printed by (quick): python -c 'print(15)' -->")
    )
    every = [pages.read_page(page)]

    def wrong(*names):
        return list(pages.faults(pages.choose(every, names), runner(root)))

    assert len(wrong()) == len(wrong("page.md")) == 2
    assert len(wrong("experiments/x.py")) == len(wrong("print(15)")) == 1
    assert pages.choose(every, ["nothing of the kind"]) == []


@pytest.mark.parametrize("action", ["--check", "--write", "--list"])
def test_a_name_that_chooses_nothing_is_an_error(monkeypatch, capsys, action):
    monkeypatch.setattr("sys.argv", ["pages.py", action, "nothing of the kind"])
    assert pages.main() == 2
    assert "nothing of the kind" in capsys.readouterr().out
