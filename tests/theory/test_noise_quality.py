"""Addressed noise is normal and independent; small versions of ``experiments/noise``.

Every test of randomness is also shown faults that it must find.
"""

import os
import sys
from itertools import pairwise

import numpy as np
import pytest
from helpers.experiment import experiment
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from threadpoolctl import threadpool_limits

from kavg.oracles.streams import Purpose, Streams, mix_words

anderson_darling, battery, findings, law, normals, resolution, word_tests = (
    experiment(f"noise/{name}")
    for name in ("anderson_darling", "battery", "findings", "law", "normals", "resolution", "words")
)
DRAWS = 160_000


@pytest.fixture(scope="module", autouse=True)
def one_blas_thread():
    """Products of 64 rows are too small for two threads, which would mostly wait."""
    with threadpool_limits(1, "blas"):
        yield


def rejected(found):
    return findings.verdict(found)[1]


# --- normals


@pytest.mark.parametrize("layout", normals.LAYOUTS)
def test_normals_are_normal_and_independent(layout):
    found, tails, size = normals.of_layout(layout, DRAWS, seed=5)
    assert len(found) > 100
    assert size > 3.9 * DRAWS
    assert rejected([*found, *normals.tails(tails, size, "all")]) == 0


def flawless(seed=3):
    rng = np.random.Generator(np.random.PCG64(seed))
    return rng.standard_normal((20, 40, 20, 10), dtype=np.float32)


def test_flawless_normals_pass():
    assert rejected(normals.examined(flawless(), "")) == 0


def moved(z):
    return z + np.float32(0.02)


def wide(z):
    return z * np.float32(1.015)


def skewed(z):
    return z + np.float32(0.01) * (z * z - 1)


def heavy(z):
    return z + np.float32(0.004) * z * (z * z - 3)


def cut_off(z):
    return np.clip(z, -2.8, 2.8)


def coarse(z):
    return np.round(z * 8) / 8


def wavy(z):
    return z + np.float32(0.0015) * z * (z**4 - 10 * z * z + 15)


def rippled(z):
    """Every second of 4096 bins hands a seventh of its draws to the bin above it."""
    above = special.ndtri(special.ndtr(z.astype(float)) + 1 / 4096).astype(np.float32)
    even = np.floor(special.ndtr(z) * 4096) % 2 == 0
    chosen = np.random.Generator(np.random.PCG64(8)).random(z.shape) < 1 / 7
    return np.where(even & chosen, above, z)


def shared_by_two_learners(z):
    z[:, 1::2] = (z[:, 1::2] + np.float32(0.03) * z[:, ::2]) / np.float32(np.hypot(1, 0.03))
    return z


def one_size_for_two_replicas(z):
    z[:, :, 1] = np.copysign(z[:, :, 0], z[:, :, 1])
    return z


def squares_that_follow_each_other(z):
    z[..., 1] = z[..., 1] * (1 + np.float32(0.1) * (z[..., 0] ** 2 - 1))
    return z


def a_step_again_seven_later(z):
    z[9] = z[2]
    return z


def a_circle_too_round(z):
    angle = np.arctan2(z[..., 1], z[..., 0])
    z[..., 0], z[..., 1] = np.sqrt(2) * np.cos(angle), np.sqrt(2) * np.sin(angle)
    return z


def a_rotation_that_is_none(z):
    """``z2 = 0.6 A - 0.7 B`` with 0.7 for 0.8."""
    z[..., 1::2] += np.float32(0.06) * z[..., 0::2] - np.float32(0.08) * z[..., 1::2]
    return z


def a_sign_that_alternates(z):
    z[..., 1] = np.copysign(z[..., 1], np.sin(16 * z[..., 0]))
    return z


def a_square_for_a_circle(z):
    """Angles crowd about four axes."""
    first, second = z[..., 0::2].copy(), z[..., 1::2].copy()
    angle, radius = np.arctan2(second, first), np.hypot(first, second)
    angle -= np.float32(0.12) * np.sin(4 * angle)
    z[..., 0::2], z[..., 1::2] = radius * np.cos(angle), radius * np.sin(angle)
    return z


def one_quiet_learner(z):
    z[:, 7, 3] *= np.float32(0.5)
    return z


def learners_that_repel(z):
    return z - np.float32(0.3) * z.mean(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (moved, "E z^1 - 0"),
        (wide, "E z^2 - 1"),
        (skewed, "E z^3 - 0"),
        (heavy, "E z^4 - 3"),
        (wavy, "E z^6 - 15"),
        (cut_off, "E z^8 - 105"),
        (cut_off, "above +3"),
        (rippled, "4096 bins"),
        (coarse, "Kolmogorov-Smirnov"),
        (coarse, "Anderson-Darling"),
        (shared_by_two_learners, "learners: z"),
        (one_size_for_two_replicas, "replicas: z^2-1"),
        (squares_that_follow_each_other, "dimensions: 9 products"),
        (a_step_again_seven_later, "steps, lag 7: z"),
        (a_circle_too_round, "a pair: length"),
        (a_rotation_that_is_none, "a pair: z"),
        (a_square_for_a_circle, "a pair: angle"),
        (a_sign_that_alternates, "a pair: 64 x 64 cells"),
        (one_quiet_learner, "the oddest sum of squares"),
        (learners_that_repel, "means of the learners"),
    ],
)
def test_a_planted_fault_of_normals_is_found(fault, name):
    found = normals.examined(fault(flawless()), "")
    assert min(f.p for f in found if f.quantity == name) < 1e-6
    assert rejected(found) > 0


@pytest.mark.parametrize(
    ("statistic", "p"),
    [(1.933, 0.0999946), (2.492, 0.0500222), (3.878125, 0.01), (6.0, 9.67453e-4)],
)
def test_anderson_and_darlings_law(statistic, p):
    """Expected: Imhof's inversion of the law's characteristic function, a sum of chi-squares."""
    assert anderson_darling.above(statistic) == pytest.approx(p, rel=2e-6)


def test_p_values_of_anderson_and_darling_are_uniform():
    rng = np.random.Generator(np.random.PCG64(4))
    p = [anderson_darling.p_value(np.sort(rng.standard_normal(400))) for _ in range(300)]
    assert findings.of_law("", "", np.sort(p)).p > 1e-3


# --- the law without sampling error


@pytest.fixture(scope="module")
def code_law():
    return law.law_of_the_code()


def test_normals_are_pairs_of_table_entries():
    given_words = np.random.Generator(np.random.PCG64(6)).integers(0, 2**64, 1000, dtype=np.uint64)
    first, second = resolution.normals_of(given_words, resolution.Normals)
    table = law.law_of_the_code()
    a, b = (given_words >> np.uint64(shift) & np.uint64(0xFFFF) for shift in (0, 16))
    np.testing.assert_array_equal(first, (table.v[a] + table.u[b]).astype(np.float32))
    np.testing.assert_array_equal(second, (table.u[a] - table.v[b]).astype(np.float32))


def test_moments_to_the_eighth_are_those_of_independent_normals(code_law):
    powers = [(i, j) for i in range(9) for j in range(9 - i) if i + j]
    assert max(abs(code_law.error(*power)) for power in powers) < law.EXACT


def test_quantiles_that_are_not_moved_lack_variance():
    plain = special.ndtri((np.arange(2**16) + 0.5) / 2**16)
    assert law.Law(0.8 * plain, 0.6 * plain).error(2, 0) < -law.EXACT


def test_a_quarter_turn_of_a_pair_keeps_all_bits():
    assert law.quarter_turns(100_000) == 0


def test_a_normal_is_normal_to_a_millionth(code_law):
    points = special.ndtri((np.arange(20) + 0.3) / 40)
    np.testing.assert_allclose(code_law.below(points), special.ndtr(points), rtol=0, atol=2e-6)
    tails = np.array([-4.0, -5.0])
    np.testing.assert_allclose(code_law.below(tails), special.ndtr(tails), rtol=0.04)


def test_the_distance_of_the_angle_is_half_the_jump_at_45_degrees(code_law):
    assert law.angle_distance(code_law, 20) == pytest.approx(2**-18, rel=0.01)
    # With the entries 1 and 2 no angle is below that of the slope 1/2.
    entries = np.array([-2.0, -1.0, 1.0, 2.0])
    expected = np.arctan(0.5) / (2 * np.pi)
    assert law.angle_distance(law.Law(entries, 0.75 * entries), 2000) == pytest.approx(
        expected, rel=2e-3
    )


def small_law(seed=7, n=40):
    entries = np.sort(np.random.Generator(np.random.PCG64(seed)).standard_normal(n))
    return law.Law(0.8 * entries, 0.6 * entries)


def small_pairs(some):
    return (some.v[:, None] + some.u).ravel(), (some.u[:, None] - some.v).ravel()


def test_probabilities_are_counts_of_pairs():
    some = small_law()
    first, second = small_pairs(some)
    points = np.array([-1.0, -0.2, 0.7])
    expected = [np.mean(first <= point) for point in points]
    np.testing.assert_allclose(some.below(points), expected, rtol=1e-12)
    counts, _, _ = np.histogram2d(first, second, [[-9, *points, 9]] * 2)
    np.testing.assert_array_equal(some.cells(points), counts)


@given(st.integers(0, 5), st.integers(0, 5))
def test_moments_are_means_over_pairs(i, j):
    some = small_law()
    first, second = small_pairs(some)
    assert some.moment(i, j) == pytest.approx(np.mean(first**i * second**j), abs=1e-9)


# --- words


@pytest.mark.parametrize("layout", word_tests.LAYOUTS)
def test_words_are_fair_and_independent(layout):
    found = word_tests.of_layout(layout, 60_000, seed=5)
    assert len(found) > 100
    assert rejected(found) == 0


def test_each_bit_of_an_address_sways_each_bit_of_the_word():
    found = [*word_tests.avalanche(10_000, 5, ""), *word_tests.mistaken(50_000, 5, "")]
    assert rejected(found) == 0


def test_single_words_are_those_of_the_streams():
    where = {"seed": 9, "learner": 11, "step": 6, "place": 10}
    word = word_tests.words_at({part: np.array([x], np.uint64) for part, x in where.items()})
    streams = Streams(seed=9, purpose=Purpose.NOISE, R=3, tile=1, W=4)
    streams.select(range(11, 12))
    assert word == streams.words(6)[0, 2, 2]


def fair(seed=3):
    rng = np.random.Generator(np.random.PCG64(seed))
    return rng.integers(0, 2**64, (4, 250, 20, 4), dtype=np.uint64)


def found_in(words):
    pairs = [word_tests.dependence(*pair, "") for pair in word_tests.neighbours(words)]
    return [*word_tests.single(words, ""), *(found for pair in pairs for found in pair)]


def test_fair_words_pass():
    assert rejected(found_in(fair())) == 0


def unfair_bit(w):
    w[fair(4) < 2**64 // 8] |= np.uint64(1 << 17)
    return w


def a_bit_copied_within(w):
    return (w & ~np.uint64(1)) | (w >> np.uint64(40) & np.uint64(1))


def a_byte_that_shuns_zero(w):
    zero = w & np.uint64(255) == 0
    w[zero] ^= np.uint64(1)
    return w


def too_even(w):
    return np.where(np.bitwise_count(w) < 20, ~np.uint64(0xFFFFFFFF), w)


def a_bit_copied_to_the_next_learner(w):
    w[:, 1:] = (w[:, 1:] & ~np.uint64(1 << 63)) | (w[:, :-1] << np.uint64(10) & np.uint64(1 << 63))
    return w


def the_same_weight_at_the_next_step(w):
    turns = np.uint64(7)
    w[1] = (w[0] << turns) | (w[0] >> np.uint64(64) - turns)
    return w


def counters_without_the_mixer(w):
    return np.arange(w.size, dtype=np.uint64).reshape(w.shape) * np.uint64(0x9E3779B97F4A7C15)


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (unfair_bit, "all bits"),
        (a_bit_copied_within, "pairs of bits of a word"),
        (a_byte_that_shuns_zero, "bytes"),
        (too_even, "1s in a word"),
        (a_bit_copied_to_the_next_learner, "learners: 64 x 64 bits"),
        (the_same_weight_at_the_next_step, "steps: numbers of 1s"),
        (counters_without_the_mixer, "words of a step: 1s of the xor"),
    ],
)
def test_a_planted_fault_of_words_is_found(fault, name):
    found = found_in(fault(fair()))
    assert min(f.p for f in found if f.quantity == name) < 1e-6
    assert rejected(found) > 0


def test_a_bit_that_does_not_sway_is_found(monkeypatch):
    def deaf(where):
        return word_at(where | {"learner": where["learner"] & ~np.uint64(1 << 20)})

    word_at = word_tests.words_at
    monkeypatch.setattr(word_tests, "words_at", deaf)
    assert rejected(list(word_tests.avalanche(2000, 5, ""))) == 1


# --- resolution


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5))
def test_the_mixer_is_undone(given_words):
    there = np.array(given_words, np.uint64)
    back = resolution.unmixed(there)
    mix_words(back, np.empty_like(back))
    np.testing.assert_array_equal(back, there)


def test_the_largest_normal_is_what_32_bits_allow():
    values = np.abs(resolution.normals_of(resolution.extreme_words()))
    assert np.isfinite(values).all()
    assert np.sqrt(2 * np.log(2.0**31)) < values.max() < np.sqrt(2 * np.log(2.0**33)) + 1e-5


@pytest.mark.parametrize("plan", [resolution.Normals, resolution.PolarNormals])
def test_normals_are_as_finely_spaced_as_float32(plan):
    found, size = resolution.distinct(plan, 200_000)
    expected = resolution.expected_distinct(size)
    assert abs(found - expected) < 5 * np.sqrt(size - expected)


def test_expected_numbers_of_values_are_those_of_rounded_normals():
    expected = resolution.expected_distinct(DRAWS)
    z = flawless().ravel()
    assert abs(len(np.unique(z)) - expected) < 5 * np.sqrt(len(z) - expected)


def test_what_streams_share_is_counted():
    run = resolution.Run(P=1000, places=250, steps=10**6)
    assert run.shifted == pytest.approx(1e6 * 250 * 1e6 / 2**126)
    assert run.shared_words == pytest.approx(run.shared_columns * run.shared_by_columns)
    assert run.shared_columns == pytest.approx(7.2760, rel=1e-4)


# --- the battery


def first_words(order, count=3):
    return next(battery.ORDERS[order]()).ravel()[:count].tolist()


def word(learner=0, step=0, place=0, seed=1, purpose=Purpose.NOISE):
    streams = Streams(seed=seed, purpose=purpose, R=1, tile=1, W=place + 1)
    streams.select(range(learner, learner + 1))
    return int(streams.words(step)[0, 0, place])


def test_each_order_reads_the_words_of_its_name():
    three = range(3)
    steps = [word(step=s) for s in three]
    places = [word(place=p) for p in three]
    assert first_words("steps_in_turn") == steps
    assert first_words("places_in_turn") == places
    assert first_words("lower_halves") == [w % 2**32 for w in steps]
    assert first_words("lowest_lane") == [w % 2**16 for w in steps]
    assert first_words("upper_halves") == [w >> 32 for w in places]
    assert first_words("highest_lane") == [w >> 48 for w in places]
    assert first_words("learners_in_turn") == [word(learner=j) for j in three]
    assert first_words("new_learners") == [word(learner=j, step=1000) for j in three]
    assert first_words("distant_steps") == [word(step=s << 24) for s in three]
    assert first_words("small_steps", 7)[3:] == [
        word(step=s, place=p) for s, p in ((0, 3), (0, 4), (1, 0), (1, 1))
    ]
    assert first_words("seeds_and_purposes")[:2] == [
        word(seed=0, purpose=purpose) for purpose in (Purpose.NOISE, Purpose.BATCH)
    ]


def test_counters_are_not_mixed_where_the_battery_must_fail():
    steps = pairwise(first_words("without_the_mixer", 4))
    assert len({(after - before) % 2**64 for before, after in steps}) == 1


def test_the_weakest_increment_moves_the_upper_half_by_one():
    states = resolution.unmixed(np.array(first_words("weak_increment", 4), np.uint64))
    assert set(np.diff(states).tolist()) == {2**32}


def test_bits_are_reversed():
    first = bytes(next(battery.ORDERS["reversed_bits"]()).ravel()[:8])
    assert f"{int.from_bytes(first, 'little'):064b}" == f"{word():064b}"[::-1]


BATTERY = """#!{python}
import sys
first = int.from_bytes(sys.stdin.buffer.read(8), "little")
print("#=== a heading ===#")
print("  some_test,   3,{p},  PASSED  " if first == {word} else "  some_test, 3,0.0, FAILED")
"""


@pytest.mark.parametrize(("p", "fails"), [("0.25000000", 0), ("0.00000000", 1), ("1.00000000", 1)])
def test_the_battery_is_fed_and_its_p_values_decide(tmp_path, monkeypatch, capsys, p, fails):
    program = tmp_path / "dieharder"
    program.write_text(BATTERY.format(python=sys.executable, word=word(), p=p))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert battery.main("full", "steps_in_turn") == fails
    said = capsys.readouterr().out
    assert f"{fails} rejected at 0.001" in said
    assert "FAILED\n" not in said.split("not PASSED:")[1]


COMPILER = """#!{python}
import pathlib, sys
program = pathlib.Path(sys.argv[sys.argv.index("-o") + 1])
program.write_text({crush!r})
program.chmod(0o755)
"""
CRUSH = """#!{python}
import sys
first = int.from_bytes(sys.stdin.buffer.read(8), "little")
print("========= Summary =========", sys.argv[1])
print("p,Gap, with a comma,{p}" if first == {word} and sys.argv[1] == "medium" else "p,None,0")
"""


@pytest.mark.parametrize(
    ("p", "fails", "said"), [("0.25", 0, ""), ("1e-300", 1, "FAILED"), ("0.0008", 0, "WEAK")]
)
def test_testu01_is_compiled_and_fed(tmp_path, monkeypatch, capsys, p, fails, said):
    crush = CRUSH.format(python=sys.executable, word=word(), p=p)
    compiler = tmp_path / "cc"
    compiler.write_text(COMPILER.format(python=sys.executable, crush=crush))
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert battery.main("crush", "steps_in_turn") == fails
    printed = capsys.readouterr().out
    assert ("Gap, with a comma" in printed) == bool(said)
    assert said in printed
    assert f"{fails} rejected at 0.001" in printed


def test_the_normal_law_is_the_one_tested():
    ordered = np.linspace(-3, 3, 7)
    assert findings.of_law("", "", special.ndtr(ordered)).p > 0.5
