"""The files of ``kavg compare``: a JSON document with a schema, and figures in a chosen form."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from helpers.settings import k_avg, m_avg, write_settings

from kavg.cli.comparisons import figures
from kavg.reports.figures import files

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs/comparison.schema.json").read_text(encoding="utf-8")
)


@pytest.fixture(autouse=True)
def here(empty, no_figures):
    """An empty folder with one settings file of two algorithms with 8 replicas."""
    write_settings(empty / "my.toml", rounds=12, replicas=8)
    return empty


@pytest.fixture
def validator():
    validation = pytest.importorskip("jsonschema")
    validation.Draft202012Validator.check_schema(SCHEMA)
    return validation.Draft202012Validator(SCHEMA)


def compare(call, *words):
    code, _, err = call("compare", *words, "--json", "found.json")
    assert code == 0, err
    return json.loads(Path("found.json").read_text())


def tables(content):
    """All tables in a document."""
    inner = content.values() if isinstance(content, dict) else content
    own = [content] if isinstance(content, dict) else []
    return own + [
        table for each in inner if isinstance(each, dict | list) for table in tables(each)
    ]


def test_the_document_of_runs_fits_its_schema(call, run, validator):
    run("a")
    run("b", "--set", "seed=2", "--set", "algorithm.M-AVG.gamma=1e200", "--set", "replicas=1")
    timed = ["a", "--at", "time=20", "--clock", "step=1,communication=1"]
    for words in (["a"], ["a", "b", "--target", "fraction=0.1"], timed):
        found = compare(call, *words)
        assert list(validator.iter_errors(found)) == []


def test_the_document_of_a_sweep_fits_its_schema(call, here, validator):
    sweep = {"grid": {"algorithm.*.K": [1, 2]}, "tune": {"algorithm.*.gamma": [0.02, 0.1]}}
    sweep["target"] = {"quantity": "grad_norm2", "fraction": 0.3}
    path = write_settings(
        here / "s.toml", rounds=8, replicas=8, algorithm=[k_avg(), m_avg()], sweep=sweep
    )
    assert call("sweep", path, "-q", "--out", "s")[0] == 0
    found = compare(call, "s")
    assert list(validator.iter_errors(found)) == []
    assert len(found["groups"]) == 2
    assert found["groups"][0]["methods"][0]["tuning"] is not None


def test_the_schema_knows_every_key(call, run, validator):
    run("a")
    found = compare(call, "a", "--target", "fraction=0.5")
    count = len(tables(found))
    assert count > 10
    for i in range(count):
        missing, more = copy.deepcopy(found), copy.deepcopy(found)
        one = tables(missing)[i]
        is_open = set(one) <= {"P", "K", "gamma", "mu"}  # settings, whose names are the user's
        if not is_open:
            one.popitem()
            assert list(validator.iter_errors(missing)), one
        tables(more)[i]["more"] = []
        assert list(validator.iter_errors(more)), one


def test_figures_have_the_width_the_title_and_the_formats_that_are_asked_for(
    call, run, monkeypatch
):
    pytest.importorskip("matplotlib")
    drawn = []

    def keep(figure, folder, stem, formats):
        drawn.append((figure, stem, formats))
        return [folder / f"{stem}.{each}" for each in formats]

    monkeypatch.setattr(figures, "save", keep)
    run("a")
    words = ["--width", "column", "--title", "Mine", "--format", "pdf", "--format", "svg"]
    code, out, err = call("compare", "a", "--target", "fraction=0.5", "--out", "new", *words)
    assert code == 0, err
    assert [(stem, kinds) for _, stem, kinds in drawn] == [
        ("ratios", ["pdf", "svg"]), ("speed-ups", ["pdf", "svg"])
    ]  # fmt: skip
    for figure, _, _ in drawn:
        assert figure.get_size_inches()[0] == 3.35
        assert figure.get_suptitle().startswith("Mine\n")
    assert "new/speed-ups.svg" in out


@pytest.mark.parametrize("words", [["--width", "column"], ["--format", "pdf"], ["--title", "A"]])
def test_a_form_without_a_place_is_refused(call, run, words):
    run("a")
    code, out, err = call("compare", "a", *words)
    assert (code, out) == (2, "")
    assert "--out" in err


def test_a_format_that_cannot_be_made_is_said_before_anything_is_written(call, run, monkeypatch):
    run("a")
    monkeypatch.setattr(files, "_find_tex", lambda: None)
    code, out, err = call("compare", "a", "--out", "new", "--format", "pgf")
    assert (code, out) == (2, "")
    assert "pgf needs" in err
    assert not Path("new").exists()
