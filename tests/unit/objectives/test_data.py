"""Data sets: what is read, refused, shuffled, divided and drawn."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kavg.errors import KavgError
from kavg.objectives.data import Data, Preparation, Synthetic, text_lines
from kavg.objectives.data.preparation import (
    digest_data,
    hold_out,
    prepare_data,
    shuffle_examples,
    standardise_features,
)
from kavg.objectives.data.readers import load_data

SEEDS = st.integers(0, 2**64 - 1)
CSV = "a,b,label\n1,2,0\n3,4,1\n\n5,6.5,1\n"


def counted(n: int) -> Data:
    """Example i has features (i, -i) and label i."""
    i = np.arange(n)
    return Data(np.stack([i, -i], axis=1), i)


@given(n=st.integers(2, 60), share=st.floats(0.0, 1.0), seed=SEEDS)
def test_a_split_is_a_partition(n: int, share: float, seed: int) -> None:
    count = round(share * n)
    if not 0 < count < n:
        with pytest.raises(KavgError, match="at least one of each"):
            hold_out(counted(n), share, seed)
        return
    train, held = hold_out(counted(n), share, seed)
    assert len(held) == count
    together = np.concatenate([train.labels, held.labels])
    assert sorted(together) == list(range(n))
    for part in (train, held):
        assert np.array_equal(part.features, np.stack([part.labels, -part.labels], axis=1))


@given(n=st.integers(1, 60), seed=SEEDS)
def test_a_shuffle_is_a_function_of_seed_and_size(n: int, seed: int) -> None:
    order = shuffle_examples(counted(n), seed).labels
    assert sorted(order) == list(range(n))
    assert np.array_equal(order, shuffle_examples(counted(n), seed).labels)


def test_shuffles_differ_between_seeds_and_never_change() -> None:
    orders = [shuffle_examples(counted(6), seed).labels.tolist() for seed in range(3)]
    assert orders == [[0, 2, 1, 5, 4, 3], [3, 5, 2, 0, 1, 4], [1, 4, 0, 3, 5, 2]]


def test_every_order_of_three_is_as_likely() -> None:
    # 6000 shuffles, 6 orders: chi-square with 5 degrees of freedom exceeds 25.7 once in 10^4.
    seen = [tuple(shuffle_examples(counted(3), seed).labels) for seed in range(6000)]
    counts = np.array([seen.count(order) for order in set(seen)])
    assert len(counts) == 6
    assert ((counts - 1000) ** 2 / 1000).sum() < 25.7


@given(n=st.integers(2, 30), p=st.integers(1, 4), seed=SEEDS)
def test_standardised_features_have_mean_0_and_variance_1(n: int, p: int, seed: int) -> None:
    data = Synthetic("regression", examples=n, features=p, seed=seed).draw()
    scaled = standardise_features(Data(data.features * 7 + 100, data.labels), by=data)
    back = standardise_features(data, by=data).features
    np.testing.assert_allclose(back.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(back.std(axis=0), 1)
    # By the other's figures, not its own.
    assert (scaled.features.mean(axis=0) > 10).all()
    assert np.array_equal(scaled.labels, data.labels)


def test_a_constant_feature_stays_as_it_is() -> None:
    # A column of ones for an intercept became zeros, and the intercept was lost.
    data = Data([[0.1, 1.0, 1.0], [0.1, 3.0, 1.0], [0.1, 5.0, 1.0]], [0, 1, 2])
    scaled = standardise_features(data, by=data).features
    assert scaled[:, [0, 2]].tolist() == [[0.1, 1.0]] * 3
    np.testing.assert_allclose(scaled[:, 1].std(), 1)


def test_prepare_keeps_the_first_after_the_shuffle() -> None:
    whole = prepare_data(counted(20), Preparation(0.25, 3, None, standardise=False))
    some = prepare_data(counted(20), Preparation(0.25, 3, 8, standardise=False))
    assert whole.held_out is not None
    assert some.held_out is not None
    assert (len(whole.train), len(whole.held_out), len(some.train)) == (15, 5, 8)
    assert np.array_equal(some.train.labels, whole.train.labels[:8])
    assert np.array_equal(some.held_out.labels, whole.held_out.labels)
    assert np.array_equal(some.label_values, np.arange(20))


def test_prepare_without_held_out_data_uses_all() -> None:
    parts = prepare_data(counted(7), Preparation(0.0, 0, None, standardise=True))
    assert parts.held_out is None
    assert sorted(parts.train.labels) == list(range(7))
    np.testing.assert_allclose(parts.train.features.std(axis=0), 1)


def test_held_out_data_is_scaled_as_training_data_is() -> None:
    raw = prepare_data(counted(20), Preparation(0.3, 1, None, standardise=False))
    parts = prepare_data(counted(20), Preparation(0.3, 1, None, standardise=True))
    assert raw.held_out is not None
    assert parts.held_out is not None
    mean, std = raw.train.features.mean(axis=0), raw.train.features.std(axis=0)
    np.testing.assert_allclose(parts.held_out.features, (raw.held_out.features - mean) / std)


def test_prepare_refuses_more_than_there_is() -> None:
    with pytest.raises(KavgError, match="use=6 examples were asked for, but there are only 5"):
        prepare_data(counted(5), Preparation(0.0, 0, 6, standardise=False))


def test_the_digest_is_over_little_endian_bytes() -> None:
    data = Data([[1.0, 2.0]], [3.0])
    expected = hashlib.sha256(np.array([1, 2], "<i8").tobytes())
    expected.update(np.array([1.0, 2.0, 3.0], "<f8").tobytes())
    assert digest_data(data) == expected.hexdigest()


@given(i=st.integers(0, 11), scale=st.sampled_from([1 + 2**-52, -1.0]))
def test_the_digest_sees_every_number(i: int, scale: float) -> None:
    table = np.arange(1.0, 13.0).reshape(4, 3)
    other = table.copy()
    other.flat[i] *= scale
    one, two = (Data(numbers[:, :2], numbers[:, 2]) for numbers in (table, other))
    assert digest_data(one) != digest_data(two)


def test_the_digest_sees_the_shape() -> None:
    one, two = Data([[1.0], [2.0]], [3.0, 4.0]), Data([[1.0, 2.0, 3.0]], [4.0])
    assert digest_data(one) != digest_data(two)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        ([[1.0], [2.0]], [0.0], "features are for 2 examples and labels for 1"),
        ([1.0, 2.0], [0, 1], r"features have shape \(2,\); needed is \(n, p\)"),
        ([[1.0], [2.0]], [[0, 1], [1, 0]], r"labels have shape \(2, 2\); needed is \(n,\)"),
        (np.empty((0, 3)), np.empty(0), r"shape \(0, 3\); at least one example"),
        (np.empty((2, 0)), np.zeros(2), r"shape \(2, 0\); at least one example"),
        ([[1.0], [np.nan]], [0, 1], "features hold 1 values that are NaN or infinite"),
        ([[1.0], [2.0]], [np.inf, np.nan], "labels hold 2 values that are NaN or infinite"),
        ([["a"], ["b"]], [0, 1], "features have type <U1; give real numbers only"),
        ([[1.0], [2.0]], ["a", None], "labels have type object"),
        ([[1j], [2j]], [0, 1], "features have type complex128"),
        (np.array([[None], [2]]), [0, 1], "features have type object"),
        ([[1.0], [2.0, 3.0]], [0, 1], "features are not an array"),
    ],
)
def test_wrong_data_are_refused(features: Any, labels: Any, message: str) -> None:
    with pytest.raises(KavgError, match=message):
        Data(features, labels)


def test_data_cannot_be_changed_and_leaves_its_source_alone() -> None:
    source = np.ones((2, 2))
    data = Data(source, [True, False])
    assert data.labels.dtype == np.float64
    assert repr(data) == "<Data of 2 examples, 2 features>"
    with pytest.raises(ValueError, match="read-only"):
        data.features[0, 0] = 2.0
    source[0, 0] = 5.0


def test_npz_is_read(tmp_path: Path) -> None:
    path = tmp_path / "my data.npz"
    np.savez(path, features=np.array([[1, 2], [3, 4]], dtype=np.int8), labels=[7, 8])
    data = load_data(str(path))
    assert data.features.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert data.labels.tolist() == [7.0, 8.0]


@pytest.mark.parametrize("text", [CSV, CSV.replace("\n", "\r\n"), "\ufeff" + CSV, CSV.strip()])
def test_csv_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode())
    data = load_data(str(path))
    assert data.features.tolist() == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]
    assert data.labels.tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "there are no examples"),
        ("a.csv", b"a,label\n\n", "there are no examples"),
        ("a.csv", b"a,label\n1,2\n3\n4,5\n", "line 3 has 1 columns where the others have 2"),
        ("a.csv", b"a,label\n1,\n", "1 values are missing in line 2, in column 1"),
        ("a.csv", b"a,label\n1,2#no comment\n3,4\n", "line 2 has '2#no comment'"),
        ("a.csv", b"a,label\nnan,2\n1,2\n", "a.csv: 1 values are missing in line 2, in column 0"),
        ("a.csv", b"label\n1\n", "a.csv: its lines have one column, as '1'"),
        ("a.csv", b"a,\xff\n1,2\n", "is not text in UTF-8 .byte 0xff"),
        (
            "a.csv",
            b"a,b\n1,2\n1,2\x00\n",
            r"line 3 has '2\\x00' in column 1 .*, which is no number",
        ),
        ("a.csv", b"\x00" * 999, "its lines have one column"),
        ("a.csv", b'a,b\n"1\n' + b"2\n" * 999, "its lines have one column"),
        (
            "a.csv",
            b"a,b\n1_0,2\n3,4\n5,6\n",
            "line 2 has '1_0' in column 0 .'a'., which is no number",
        ),
        ("a.csv", b"a,b\n3,4\n5,6\n" + b"x" * 9999 + b",2\n", "line 4 has 'x{40}' in column 0"),
        ("a.csv", b"a,b\n1,2\r3,4\n5\r\n", "line 4 has 1 columns where the others have 2"),
        (
            "a.csv",
            b"," * 9999 + b"\n1,2\n1,2\n" + b"," * 9999,
            "line 1 has 10000 columns where the others have 2",
        ),
        ("a.npz", b"", "a.npz: .*; needed is an .npz file with the arrays 'features'"),
        ("a.npz", b"not a zip at all", "a.npz: .*; needed is an .npz file"),
        ("a.npz", b"PK\x03\x04 cut short", "a.npz: .*; needed is an .npz file"),
        ("a.txt", b"", "there are no examples; needed is a table of text"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(KavgError, match=message):
        load_data(str(path))


@pytest.mark.parametrize("name", ["missing.npz", "missing.csv", "missing.CSV.gz"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(KavgError, match=f"{name}: no such file; give the path of"):
        load_data(str(tmp_path / name))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"features": np.ones((2, 1)), "y": [1]}, r"has the arrays \['features', 'y'\]; needed"),
        ({"labels": np.ones(2)}, r"an array of float64 of shape \(2,\); needed is a table"),
        (
            {"features": np.array([[{}]]), "labels": [1]},
            "is of type object; only numbers and text are read",
        ),
        ({"features": [["a"], ["b"]], "labels": [1, 2]}, "features have type <U1"),
        ({"features": np.ones((2, 1)), "labels": np.ones(3)}, "a.npz: features are for 2"),
    ],
)
def test_a_bad_archive_is_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(KavgError, match=message):
        load_data(str(tmp_path / "a.npz"))


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 1000)
    path = tmp_path / "a.csv"
    for content in (b"a" * 10**7, b"a,b\n1,2\n" + b"1," * 5 * 10**6, b'a,b\n"1' + b" " * 10**7):
        path.write_bytes(content)
        tracemalloc.start()
        with pytest.raises(KavgError, match=r"line \d has more than 1000 characters"):
            load_data(str(path))
        assert tracemalloc.get_traced_memory()[1] < 10**6
        tracemalloc.stop()


def test_a_table_larger_than_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,label\n" + "1,0\n" * 300)
    monkeypatch.setattr(text_lines, "memory_limit", lambda: 4096.0)
    with pytest.raises(KavgError, match=r"its numbers may take 4.72 KiB, and there are 4 KiB"):
        load_data(str(path))


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "a\0b.npz", "x/" * 3000 + "a.csv"])
def test_names_that_no_file_can_have(name: str) -> None:
    with pytest.raises(KavgError, match="no such file"):
        load_data(name)


def test_a_file_name_cannot_control_a_terminal() -> None:
    with pytest.raises(KavgError) as caught:
        load_data("\x1b[31m.npz")
    assert str(caught.value).startswith(r"'\x1b[31m.npz': no such file")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(KavgError, match="it is no regular file"):
        load_data(str(tmp_path / "a.npz"))


def test_a_single_array_is_no_archive(tmp_path: Path) -> None:
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(KavgError, match="holds a single array"):
        load_data(str(tmp_path / "a.npz"))


def test_the_digits_are_loaded_and_scaled() -> None:
    pytest.importorskip("sklearn")
    data = load_data("digits")
    assert data.features.shape == (1797, 64)
    assert (data.features.min(), data.features.max()) == (0.0, 1.0)
    assert np.unique(data.labels).tolist() == list(range(10))


@given(n=st.integers(1, 40), p=st.integers(1, 5), seed=SEEDS)
def test_without_noise_the_labels_are_the_truth(n: int, p: int, seed: int) -> None:
    for kind, form in (("regression", lambda z: z), ("classification", np.sign)):
        source = Synthetic(kind, examples=n, features=p, noise=0.0, seed=seed)  # type: ignore[arg-type]
        data = source.draw()
        np.testing.assert_allclose(data.labels, form(data.features @ source.truth), atol=1e-12)
        assert abs(np.linalg.norm(source.truth) - 1) < 1e-12


@given(n=st.integers(1, 40), share=st.floats(0, 1), seed=SEEDS)
def test_outliers_have_exactly_their_share(n: int, share: float, seed: int) -> None:
    for kind in ("regression", "classification"):
        clean = Synthetic(kind, examples=n, seed=seed).draw()  # type: ignore[arg-type]
        spoilt = Synthetic(kind, examples=n, outliers=share, seed=seed).draw()  # type: ignore[arg-type]
        assert np.array_equal(clean.features, spoilt.features)
        assert (clean.labels != spoilt.labels).sum() == round(share * n)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"kind": "clustering"},
            "kind must be one of regression, classification, got kind='clustering'",
        ),
        ({"examples": 0}, "examples must be a whole number of at least 1"),
        ({"features": 2.5}, "features must be a whole number of at least 1"),
        ({"noise": -1.0}, "noise must be a finite number of at least 0"),
        ({"outliers": 1.5}, "outliers must be a number from 0 to 1, got outliers=1.5"),
        ({"seed": -1}, r"seed must be a whole number from 0 to 2\^64 - 1, got seed=-1"),
    ],
)
def test_wrong_synthetic_data_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(KavgError, match=message):
        Synthetic(**({"kind": "regression"} | settings))
