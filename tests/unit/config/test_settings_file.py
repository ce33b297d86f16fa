"""Settings files, the data they name, and the JSON schema for editors."""

from __future__ import annotations

import json

import pytest
from helpers.raw_settings import settings_from_data, text, write_data

import kavg
from kavg.config.settings_file import EXAMPLE, load_config, parse_config, to_toml
from kavg.config.table_conversion import json_schema
from kavg.errors import KavgError


def written(folder, content, name="my.toml"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def said_of(path):
    with pytest.raises(KavgError) as caught:
        load_config(path)
    return str(caught.value)


def test_the_file_is_named_and_its_errors_counted(tmp_path):
    path = written(tmp_path, text("0", "lr = 1"))
    assert said_of(path).split("\n")[0] == f"{path}: 2 errors"
    assert said_of(written(tmp_path, text("0"))).startswith(f"{path}: 1 error\n  rounds: ")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_of_other_systems_are_read(tmp_path, line_end, mark):
    path = written(tmp_path, mark + text().replace("\n", line_end))
    assert load_config(path) == parse_config(text())


def test_other_files_are_refused(tmp_path):
    missing = tmp_path / "missing.toml"
    assert (
        said_of(missing) == f"cannot read the settings {str(missing)!r}: No such file or directory"
    )
    assert said_of(tmp_path).endswith("Is a directory")
    assert said_of(tmp_path / ("x" * 300)).endswith("File name too long")
    assert said_of(written(tmp_path, b"rounds = '\xff'")).endswith("it is not UTF-8 text")
    assert "this is not TOML: " in said_of(written(tmp_path, "rounds = "))
    assert "this is not TOML: " in said_of(written(tmp_path, "rounds = 1\nrounds = 2"))
    assert "this is not TOML: " in said_of(written(tmp_path, b"\x00\x01"))
    assert "this is not TOML: " in said_of(written(tmp_path, "rounds = " + "[" * 5000))
    assert "this is not TOML: " in said_of(written(tmp_path, "rounds = " + "9" * 5000))
    assert "4 errors" in said_of(written(tmp_path, ""))


def test_data_are_looked_up_beside_the_settings(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "elsewhere").mkdir()
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = written(tmp_path / "sub", settings_from_data("../my.npz"))
    config = load_config(path)
    assert config.objective.data == str(tmp_path / "my.npz")
    assert parse_config(to_toml(config)) == config
    absolute = written(tmp_path / "sub", settings_from_data(tmp_path / "my.npz"))
    assert load_config(absolute) == config


def test_a_missing_data_file_is_an_error_of_the_settings(tmp_path):
    words = said_of(written(tmp_path, settings_from_data("gone.npz")))
    assert f"objective: {tmp_path / 'gone.npz'}: no such file" in words


# The JSON schema.


def parts(node):
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from parts(part)


def test_the_schema_knows_every_key_and_kind():
    whole = json.loads(json.dumps(json_schema(), allow_nan=False))
    definitions = whole["$defs"]
    nodes = list(parts(whole))
    for node in nodes:
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/$defs/") in definitions
        for target in node.get("discriminator", {}).get("mapping", {}).values():
            assert target.removeprefix("#/$defs/") in definitions
    kinds = {n["const"] for n in nodes if "const" in n}
    for family in (kavg.objectives, kavg.oracles, kavg.outer, kavg.schedules, kavg.starts):
        assert kinds >= set(family.KINDS)


def test_the_schema_fits_the_example():
    whole = json_schema()
    top = whole["$ref"].rsplit("/", 1)[1] if "$ref" in whole else None
    config = whole["$defs"][top] if top else whole
    data = json.loads(json.dumps(_toml(EXAMPLE)))
    assert config["if"] == {"required": ["sweep"]}
    assert "required" not in config
    assert set(config["else"]["required"]) == {"rounds", "objective", "oracle", "algorithm"}
    assert set(data) <= set(config["properties"])
    assert config["additionalProperties"] is False
    for run in data["algorithm"]:
        assert set(run) <= set(whole["$defs"]["Algorithm"]["properties"])
        assert set(whole["$defs"]["Algorithm"]["required"]) <= set(run)


def test_the_schema_lets_a_sweep_have_any_place_and_nothing_else():
    definitions = json_schema()["$defs"]
    assert definitions["SweepTable"]["additionalProperties"] is False
    for name in ("GridTable", "TuneTable", "RandomTable"):
        forms = definitions[name]["additionalProperties"]["oneOf"]
        assert {"$ref": "#/$defs/Spacing"} in forms
        assert "array" in [form.get("type") for form in forms]


def _toml(given_text):
    import tomllib

    return tomllib.loads(given_text)
