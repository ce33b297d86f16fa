"""The text of a settings file: read to its end, if it has one, and to tables in a short time."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.config import toml
from kavg.config.toml import parse_toml, read_settings
from kavg.errors import KavgError


def test_a_file_without_end_is_not_waited_for(tmp_path, monkeypatch):
    with pytest.raises(
        KavgError, match=r"cannot read the settings '/dev/zero': more than 67108864 b"
    ):
        read_settings(type(tmp_path)("/dev/zero"))
    monkeypatch.setattr(toml, "MAX_BYTES", 10)
    (tmp_path / "a.toml").write_text("a = 3 # 56")
    assert read_settings(tmp_path / "a.toml") == "a = 3 # 56"
    (tmp_path / "a.toml").write_text("a = 3 # 567")
    with pytest.raises(KavgError, match="more than 10 bytes"):
        read_settings(tmp_path / "a.toml")


@pytest.mark.parametrize("text", [
    "a" + ".a" * 200_000 + " = 1", "[a" + ".a" * 200_000 + "]",
    "x = { a" + ".a" * 200_000 + " = 1 }",
    "a = 1\n" + "b . " * 101 + "c = 2", '"a"' + '."a"' * 200 + " = 1",
])  # fmt: skip
def test_a_key_of_many_parts_is_refused(text):
    with pytest.raises(KavgError, match="a key, or a text, of more than 100 parts between dots"):
        parse_toml(text)


@pytest.mark.parametrize("text", [
    "a" + ".a" * 99 + " = 1", "a = [" + "1.5, " * 10_000 + "]", "a = '" + "x.y, " * 1000 + "'",
    "a = 1.5\n" * 0 + "\n".join(f"k{i} = 0.5" for i in range(1000)), "",
])  # fmt: skip
def test_text_with_many_dots_is_read(text):
    assert parse_toml(text) == tomllib.loads(text)


@given(st.text(max_size=60))
def test_any_text_is_read_as_toml_or_refused(text):
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        with pytest.raises(KavgError, match=r"^this is not TOML: "):
            parse_toml(text)
    else:
        assert parse_toml(text) == expected or "nan" in text
