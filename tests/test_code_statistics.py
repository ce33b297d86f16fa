"""What ``docs/tools/code_statistics.py`` counts stays within limits, and it counts rightly."""

from __future__ import annotations

import pytest
from code_statistics import Code, body_length

CODE = Code()
SMALL = {
    "__init__.py": "",
    "a/one.py": """# A comment.
def twice():
    '''Is it a question?'''
    return 1  # another

def _private(a):
    '''One line.'''
    return 1
""",
    "a/two.py": """def twice():
    '''First line.

    Second line.
    '''
    return 1

    class Inner: ...
""",
}


@pytest.fixture
def small(tmp_path):
    for name, text in SMALL.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return Code(tmp_path)


def test_the_statistics_of_a_small_package(small):
    assert small.files_by_folder() == {".": 1, "a": 2}
    assert small.defined_twice() == {"twice": ["a/one.py", "a/two.py"]}
    assert [text for _, text in small.one_line_docstrings()] == ["Is it a question?"]
    assert len(small.docstrings()) == 2
    assert [text for _, text in small.questions()] == ["Is it a question?"]
    assert small.comment_lines() == 2
    assert small.lines() == sum(text.count("\n") for text in SMALL.values())
    assert [body_length(function) for function in small.functions()] == [1, 1, 3]


def test_a_folder_has_at_most_20_files():
    folder, most = CODE.files_by_folder().most_common(1)[0]
    assert most <= 20, folder


def test_a_name_means_one_thing():
    assert len(CODE.defined_twice()) < 10, CODE.defined_twice()


def test_reasons_are_given_in_comments():
    assert CODE.comment_lines() >= 0.02 * CODE.lines()


def test_public_docstrings_say_more_than_a_line():
    assert len(CODE.one_line_docstrings()) < 0.55 * len(CODE.docstrings())


def test_no_docstring_is_a_question():
    assert not CODE.questions()


def test_bodies_are_short():
    lengths = sorted(body_length(function) for function in CODE.functions())
    assert lengths[-1] <= 40
    assert lengths[int(0.9 * len(lengths))] <= 14
