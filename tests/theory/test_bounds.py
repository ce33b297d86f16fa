"""Every bound: hand values, units, monotonicity, the largest step, relations between theorems."""

from dataclasses import fields
from math import fsum, inf, nan

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kavg import Algorithm, outer
from kavg.analysis.applicability import check_applicability
from kavg.analysis.bounds import BOUNDS, Condition, Setting
from kavg.analysis.bounds.affine_variance import AffineVariance
from kavg.analysis.bounds.corollaries import tuned_bound, tuned_gamma, tuned_mu, tuning_trends
from kavg.analysis.bounds.heterogeneous import Heterogeneous
from kavg.analysis.bounds.k_avg import KAvg
from kavg.analysis.bounds.k_avg_improved import KAvgImproved
from kavg.analysis.bounds.polyak_lojasiewicz import PolyakLojasiewicz
from kavg.analysis.bounds.polyak_lojasiewicz_momentum import PolyakLojasiewiczMomentum
from kavg.analysis.bounds.slowmo_squared import SlowMoSquared, printed_condition, step_bracket
from kavg.analysis.bounds.theorem_1 import Theorem1
from kavg.analysis.bounds.theorem_1_log_free import Theorem1LogFree
from kavg.analysis.bounds.theorem_1s import Theorem1S, best_eps, least_eps, value_at
from kavg.errors import KavgError

every_bound = pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
MOMENTUM = [bound for bound in BOUNDS if "block_momentum" in bound.outer_rules]
CONSTANTS = ("L", "Delta", "sigma2", "M_v", "zeta2")


@st.composite
def settings(draw):
    """Settings of every size; the step need not meet any condition."""
    L = draw(st.floats(1e-3, 1e3))
    return Setting(
        P=draw(st.integers(1, 64)),
        K=draw(st.integers(1, 40)),
        B=draw(st.integers(1, 64)),
        N=draw(st.integers(1, 1000)),
        gamma=draw(st.floats(1e-4, 0.9)) / L,
        mu=draw(st.sampled_from([0.0, 0.1, 0.5, 0.9]) | st.floats(0, 0.99)),
        L=L,
        Delta=draw(st.floats(1e-3, 1e3)),
        sigma2=draw(st.floats(1e-3, 1e3)),
        M_v=draw(st.floats(0, 10)),
        zeta2=draw(st.floats(0, 10)),
        pl=L * draw(st.floats(1e-3, 1)),
    )


COUNTS = st.sampled_from([1, 2, 7, 10**6, 2**63 - 1])
ANY_SIZE = st.sampled_from([1e-50, 1e-20, 0.1, 1.0, 1e20, 1e50])
OR_NONE = st.sampled_from([0.0, 5e-324, 1e-200, nan]) | ANY_SIZE


@st.composite
def extremes(draw):
    """Settings from whose numbers nothing can be expected, but that they are within reach."""
    L = draw(ANY_SIZE | st.sampled_from([0.0, inf, nan]))
    return Setting(
        **{letter: draw(COUNTS) for letter in "PKBN"},
        gamma=draw(ANY_SIZE),
        mu=draw(st.sampled_from([0.0, 1e-50, 0.5, 1 - 1e-16])),
        L=L,
        **{name: draw(OR_NONE) for name in CONSTANTS[1:]},
        pl=draw(ANY_SIZE.filter(lambda pl: pl <= L) | st.just(nan)) if L >= 1e-50 else nan,
    )


@given(extremes())
@example(Setting(3, 4, 1, 6, gamma=0.1, mu=0.5, L=0.0, Delta=1.0, sigma2=2.0))
@example(Setting(10**6, 7, 10**12, 10**6, gamma=1e-50, mu=0.0, L=1e-49, Delta=1e-9, sigma2=1e-20))
def test_no_number_within_reach_breaks_a_bound(setting):
    for bound in BOUNDS:
        if not bound.exclusion(setting):
            numbers = [bound.value(setting).total, bound.largest_gamma(setting)]
            numbers += [side for c in bound.conditions(setting) for side in (c.left, c.right)]
            assert all(isinstance(number, float) for number in numbers)
    if not Theorem1().exclusion(setting):
        assert all(not one.mu >= 1 for one in tuning_trends(setting))


@pytest.mark.parametrize("K", [1, 9_999, 10_000, 10_001, 123_456])
def test_the_harmonic_numbers(K):
    setting = Setting(1, K, 1, 1, gamma=1.0, mu=0.0, L=1.0, Delta=0.0, sigma2=0.0)
    assert setting.c_K == pytest.approx(fsum(1 / t for t in range(1, K + 1)), rel=3e-16)


def within(bound, setting, share):
    """The setting with the momentum and the step that a bound is about."""
    if bound not in MOMENTUM:
        setting = setting.replace(mu=0.0)
    return setting.replace(gamma=share * bound.largest_gamma(setting))


def parts_of(found):
    return found.optimization, found.noise, found.drift


HAND = Setting(2, 2, 5, 10, 0.02, 0.5, 1.0, 1.0, 5.0, M_v=10.0, zeta2=3.0, pl=0.5)
BY_HAND = [
    (Theorem1(), (2.5, 0.02 * 11 / 6, 0.0002), [0.3204]),
    (Theorem1LogFree(), (2.5, 0.02 * 7 / 3, 0.0004), [0.4008]),
    (AffineVariance(), (2.5, 0.02 * 11 / 6, 0.0002), [0.0012 + 0.08 * 31 / 6]),
    (Heterogeneous(), (2.5, 0.02 * 11 / 6, 0.0014 / 0.9992), [0.32 + 0.0004 / 0.9992]),
    (KAvg(), (10 / 1.9996, 0.04 / 1.9996, 0.0004 / 1.9996), [0.04, 0.0004]),
    (KAvgImproved(), (10 / 1.9996, 0.03 / 1.9996, 0.0004 / 1.9996), [0.04, 0.0004]),
    (PolyakLojasiewicz(), (0.98**10, 0.015, 0.0002), [0.0404]),
    (PolyakLojasiewiczMomentum(), (2 * 0.98**10, 0.152, 0.0008), [0.426]),
    (SlowMoSquared(base_effect=7.0), (2.5, 0.0208 + 0.0128 / 3, 7.0), [0.04 * (1 + 8 * 3**0.5)]),
]


@pytest.mark.parametrize(("bound", "parts", "sides"), BY_HAND, ids=lambda x: getattr(x, "name", ""))
def test_values_and_conditions_by_hand(bound, parts, sides):
    setting = (
        HAND if bound in MOMENTUM or isinstance(bound, SlowMoSquared) else HAND.replace(mu=0.0)
    )
    assert parts_of(bound.value(setting)) == pytest.approx(parts, rel=1e-12)
    assert [c.left for c in bound.conditions(setting)] == pytest.approx(sides, rel=1e-12)
    assert {c.right for c in bound.conditions(setting)} == {1.0}


def test_theorem_1s_by_hand():
    parts = 2.0, 0.016 * (1.5 + 0.02 / 0.1875), 0.00056
    assert parts_of(value_at(HAND, 0.5)) == pytest.approx(parts, rel=1e-12)
    (condition,) = Theorem1S().conditions(HAND)
    assert (condition.left, condition.right) == pytest.approx((0.24, 0.25))
    assert least_eps(HAND) == pytest.approx(0.48)


LARGEST_STEPS = {
    # docs/theory.md, section 3.1: L gamma_max K of (C1) at K = 1, 2, 4, 8, 16, 32
    0.0: (1, 0.8284, 0.7749, 0.7524, 0.7420, 0.7369),
    0.2: (0.4571, 0.4355, 0.4260, 0.4216, 0.4194, 0.4184),
    0.5: (0.1250, 0.1245, 0.1243, 0.1242, 0.1241, 0.1241),
    0.8: (0.0154,) * 6,
    0.9: (0.0036,) * 6,
}


@pytest.mark.parametrize("mu", LARGEST_STEPS)
def test_the_largest_steps_of_theorem_1_to_four_digits(mu):
    for K, expected in zip((1, 2, 4, 8, 16, 32), LARGEST_STEPS[mu], strict=True):
        setting = HAND.replace(K=K, mu=mu, L=3.0)
        assert round(3.0 * Theorem1().largest_gamma(setting) * K, 4) == expected


@every_bound
@given(settings())
def test_the_largest_step_is_where_the_conditions_turn(bound, setting):
    largest = within(bound, setting, 1.0)
    assert all(c.met for c in bound.conditions(largest))
    assert all(c.met for c in bound.conditions(within(bound, setting, 1 - 1e-6)))
    assert not all(c.met for c in bound.conditions(within(bound, setting, 1 + 1e-6)))
    # The step that was asked about does not matter.
    assert bound.largest_gamma(largest) == bound.largest_gamma(within(bound, setting, 0.3))


@every_bound
@given(settings(), st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.01, 1))
def test_units_of_F_and_of_w_do_not_matter(bound, setting, f, w, share):
    """Measure F in units of 1/f and w in units of 1/w; gradients then grow by f/w."""
    theorem = SlowMoSquared(base_effect=0.0) if bound.name == "slowmo_squared" else bound
    old = within(theorem, setting, share)
    new = old.replace(
        L=old.L * f / w**2,
        Delta=old.Delta * f,
        sigma2=old.sigma2 * (f / w) ** 2,
        zeta2=old.zeta2 * (f / w) ** 2,
        pl=old.pl * f / w**2,
        gamma=old.gamma * w**2 / f,
    )
    scale = f if theorem.quantity == "final_gap" else (f / w) ** 2
    before, after = theorem.value(old), theorem.value(new)
    assume(before.total < inf)
    assert after.total == pytest.approx(scale * before.total, rel=1e-6)
    for old_side, new_side in zip(theorem.conditions(old), theorem.conditions(new), strict=True):
        assert new_side.left == pytest.approx(old_side.left, rel=1e-9)


@every_bound
@given(settings(), st.floats(0.01, 0.999))
def test_more_of_a_good_thing_helps_and_more_of_a_bad_one_hurts(bound, setting, share):
    bound = SlowMoSquared(base_effect=0.0) if bound.name == "slowmo_squared" else bound
    here = within(bound, setting, share)
    value = bound.value(here)
    room = 1 + 1e-9
    longer = bound.value(here.replace(N=2 * here.N))
    assert longer.optimization < value.optimization or value.optimization < 1e-300
    assert longer.total <= value.total * room
    for letter in ("P", "B"):
        more = bound.value(here.replace(**{letter: 2 * getattr(here, letter)}))
        assert more.total <= value.total * room
    for letter in ("Delta", "sigma2", "zeta2"):
        more = bound.value(here.replace(**{letter: 2 * getattr(here, letter) + 1e-3}))
        assert more.total >= value.total / room
    noiseless = bound.value(here.replace(sigma2=0.0, zeta2=0.0))
    assert noiseless.noise == noiseless.drift == 0.0
    assert value.noise > 0


@every_bound
@given(settings())
def test_the_largest_step_shrinks_with_L_K_mu_and_growing_variance(bound, setting):
    largest = bound.largest_gamma(setting if bound in MOMENTUM else setting.replace(mu=0.0))
    room = 1 + 1e-9
    setting = setting if bound in MOMENTUM else setting.replace(mu=0.0)
    assert bound.largest_gamma(setting.replace(L=2 * setting.L)) == pytest.approx(largest / 2)
    assert bound.largest_gamma(setting.replace(K=setting.K + 1)) <= largest * room
    assert bound.largest_gamma(setting.replace(M_v=setting.M_v + 1)) <= largest * room
    if bound in MOMENTUM:
        assert bound.largest_gamma(setting.replace(mu=(1 + setting.mu) / 2)) < largest


@every_bound
@given(settings(), st.integers(2, 9), st.floats(0.01, 1))
def test_a_batch_divides_the_variance_and_nothing_else(bound, setting, times, share):
    here = within(bound, setting, share)
    there = here.replace(B=times * here.B, sigma2=times * here.sigma2, M_v=times * here.M_v)
    assert bound.largest_gamma(there) == pytest.approx(bound.largest_gamma(here), rel=1e-12)
    assert parts_of(bound.value(there)) == pytest.approx(
        parts_of(bound.value(here)), rel=1e-9, nan_ok=True
    )


@given(settings())
def test_variants_contain_theorem_1(setting):
    plain = Theorem1()
    fixed = setting.replace(M_v=0.0, zeta2=0.0)
    assert AffineVariance().value(setting) == plain.value(setting)
    (affine,), (c1,) = AffineVariance().conditions(fixed), plain.conditions(fixed)
    assert affine.left == pytest.approx(c1.left, rel=1e-12)
    single = setting.replace(K=1)
    assert Heterogeneous().value(single) == plain.value(single)
    assert Heterogeneous().largest_gamma(single) == pytest.approx(plain.largest_gamma(single))
    assert Heterogeneous().value(fixed).total >= plain.value(fixed).total * (1 - 1e-12)
    assert Heterogeneous().largest_gamma(fixed) <= plain.largest_gamma(fixed) * (1 + 1e-12)


@given(settings())
def test_the_form_without_the_logarithm_beside_theorem_1(setting):
    plain, free = Theorem1().value(setting), Theorem1LogFree().value(setting)
    assert free.optimization == plain.optimization
    assert (free.noise < plain.noise) == (setting.K >= 4)
    assert (free.drift < plain.drift) == (setting.K >= 7)
    step, shorter = Theorem1().largest_gamma(setting), Theorem1LogFree().largest_gamma(setting)
    assert step / 2 <= shorter * (1 + 1e-12)
    assert shorter < step


@given(settings(), st.floats(0.01, 1))
def test_the_improved_k_avg_bound_is_never_worse(setting, share):
    here = within(KAvg(), setting, share)
    known, improved = KAvg().value(here), KAvgImproved().value(here)
    assert improved.optimization == known.optimization
    assert improved.noise <= known.noise * (1 + 1e-12)
    assert improved.drift <= known.drift * (1 + 1e-12)
    if here.K > 2 and known.total < inf:
        assert improved.total < known.total


def test_how_much_the_improved_k_avg_bound_gains():
    """The figures of docs/theory.md, section 3.5: 2 to 0.42 and 77.5 to 21.6."""
    setting = Setting(8, 16, 1, 9, 0.01, 0.0, L=1.0, Delta=1.0, sigma2=1.0)
    known, improved = KAvg().value(setting), KAvgImproved().value(setting)
    assert improved.noise / known.noise == pytest.approx(0.42 / 2, abs=0.003)
    assert improved.drift / known.drift == pytest.approx(21.6 / 77.5, abs=0.001)


@given(settings(), st.floats(0.01, 1), st.floats(0, 1))
def test_theorem_1s_takes_the_best_eps(setting, share, place):
    here = within(Theorem1S(), setting, share)
    low = least_eps(here)
    assert low <= best_eps(here) * (1 + 1e-12)
    assert best_eps(here) <= 0.5
    eps = low + place * (0.5 - low)
    assert Theorem1S().value(here).total <= value_at(here, eps).total * (1 + 1e-9)


@pytest.mark.parametrize("mu", [0.0, 0.8])
def test_theorem_1s_finds_the_best_eps_between_the_ends(mu):
    """Noise alone: the memory of momentum, or drift, weighs against ``1 + eps``."""
    s = Setting(1, 8, 1, 10**9, 1.0, mu, L=1.0, Delta=1.0, sigma2=1.0)
    s = s.replace(gamma=0.005 * Theorem1S().largest_gamma(s) / 0.5)
    grid = [least_eps(s) + (0.5 - least_eps(s)) * i / 4000 for i in range(4001)]
    best = min(grid, key=lambda eps: value_at(s, eps).total)
    assert grid[0] < best < grid[-1]
    assert best_eps(s) == pytest.approx(best, abs=2e-4)


@given(settings())
def test_theorem_1s_halves_theorem_1_for_small_steps(setting):
    tiny = setting.replace(gamma=1e-9 * Theorem1().largest_gamma(setting), N=10**6)
    assert value_at(tiny, 1e-4).optimization == pytest.approx(
        Theorem1().value(tiny).optimization / 2, rel=2e-4
    )
    c = tiny.c_K + tiny.mu / (1 + tiny.mu)
    assert value_at(tiny, 1e-4).noise == pytest.approx(
        Theorem1().value(tiny).noise / (2 * c), rel=1e-3
    )


@given(settings())
def test_momentum_costs_the_polyak_lojasiewicz_bound_factors_of_two(setting):
    plain = within(PolyakLojasiewiczMomentum(), setting.replace(mu=0.0), 1.0)
    one, other = PolyakLojasiewicz().value(plain), PolyakLojasiewiczMomentum().value(plain)
    assert other.noise == pytest.approx(4 * one.noise, rel=1e-12)
    assert other.drift == pytest.approx(4 * one.drift, rel=1e-12)
    assert other.optimization >= 2 * one.optimization


@given(settings(), st.sampled_from([0.25, 0.5, 1.0, 2.0]))
def test_slowmo_squared_is_stricter_than_printed_by_the_root_of_its_bracket(setting, alpha):
    bound = SlowMoSquared(alpha, base_effect=0.0)
    at_end = setting.replace(gamma=bound.largest_gamma(setting))
    assert printed_condition(at_end, alpha).left == pytest.approx(1 / step_bracket(at_end, alpha))
    assert step_bracket(setting, alpha) >= 1 + 3**0.5


def test_the_slowmo_bound_agrees_with_the_form_of_its_paper():
    """The printed sum at alpha gamma/(1-beta) = sqrt(m/(tau T)), term by term."""
    m, tau, beta, alpha, T, L, gap, V = 4, 8, 0.6, 0.5, 50, 2.0, 3.0, 0.25
    gamma = (1 - beta) / alpha * (m / (tau * T)) ** 0.5
    first = (2 * gap + m * V * L) / (m * tau * T) ** 0.5
    second = 4 * m * V * L**2 * (tau - 1) / (tau * T) * ((1 - beta) / alpha - 1) ** 2
    third = 8 * m * V * L**2 * tau / (tau * T) * beta**2 / (1 - beta**2)
    setting = Setting(m, tau, 1, T, gamma, beta, L, gap, sigma2=m * V)
    found = SlowMoSquared(alpha, base_effect=0.5).value(setting)
    assert found.total == pytest.approx(first + second + third + 0.5, rel=1e-12)


OUTSIDE = [
    ({"L": inf}, "L is infinite"),
    ({"Delta": inf}, "Delta is infinite"),
    ({"sigma2": nan}, "sigma2 is unknown"),
    ({"sigma2": inf}, "sigma2 is infinite"),
    ({"M_v": nan}, "M_v is unknown"),
    ({"zeta2": nan}, "zeta2 is unknown"),
]
PLAIN = Setting(2, 1, 1, 9, 0.01, 0.0, L=1.0, Delta=1.0, sigma2=1.0, pl=0.5)


@every_bound
@pytest.mark.parametrize(("change", "reason"), OUTSIDE)
def test_every_theorem_excludes_settings_without_these_constants(bound, change, reason):
    assert bound.exclusion(PLAIN) is None
    assert bound.exclusion(PLAIN.replace(pl=nan).replace(**change)).startswith(reason)


@every_bound
def test_each_theorem_excludes_what_it_does_not_cover(bound):
    speaks = {
        letter: not bound.exclusion(PLAIN.replace(**{letter: value}))
        for letter, value in (("mu", 0.5), ("M_v", 1.0), ("zeta2", 1.0), ("pl", nan))
    }
    assert speaks == {
        "mu": bound in MOMENTUM,
        "M_v": bound.name == "affine_variance",
        "zeta2": bound.name == "heterogeneous",
        "pl": bound.quantity != "final_gap",
    }


def test_slowmo_needs_the_effect_of_its_base_optimizer():
    apart = PLAIN.replace(K=2)
    assert "base_effect is unknown" in SlowMoSquared().exclusion(apart)
    assert SlowMoSquared().exclusion(apart.replace(P=1)) is None
    assert SlowMoSquared(base_effect=0.0).exclusion(apart) is None
    assert SlowMoSquared(base_effect=5.0).value(PLAIN).drift == 0.0


def test_k_avg_at_its_very_end_is_vacuous():
    """With K = 1 and gamma = 1/L there is no positive delta left."""
    assert KAvg().value(PLAIN.replace(gamma=1.0)).total == inf
    assert KAvg().value(PLAIN.replace(gamma=0.999)).total < inf


def test_a_flat_function_allows_every_step():
    for bound in BOUNDS:
        assert bound.largest_gamma(PLAIN.replace(L=0.0, pl=nan)) == inf


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": 0}, "P must be a whole number"),
        ({"N": 2.5}, "N must be a whole number"),
        ({"gamma": 0.0}, "gamma must be a finite number above 0"),
        ({"mu": 1.0}, "mu must be a number of at least 0 and below 1"),
        ({"mu": nan}, "mu must be a number of at least 0 and below 1"),
        ({"Delta": -1.0}, "f_star is no lower bound"),
        ({"sigma2": -1.0}, "sigma2 must be at least 0"),
        ({"pl": 0.0}, "pl must be a finite number above 0"),
        ({"pl": 1.5}, "pl must be at most L"),
    ],
)
def test_a_setting_refuses_wrong_values(change, message):
    with pytest.raises(KavgError, match=message):
        PLAIN.replace(**change)


def test_slowmo_refuses_wrong_arguments():
    with pytest.raises(KavgError, match="alpha"):
        SlowMoSquared(alpha=0.0)
    with pytest.raises(KavgError, match="base_effect must be at least 0"):
        SlowMoSquared(base_effect=-1.0)


def test_a_condition_forgives_rounding_only():
    assert Condition("c", 1 + 1e-13, 1.0).met
    assert not Condition("c", 1 + 1e-11, 1.0).met
    assert not Condition("c", nan, 1.0).met
    assert str(Condition("c", 2.0, 1.0, "a <= b")) == "c: 2 > 1, but a <= b asks"


def test_every_bound_has_values_by_hand():
    names, by_hand = {bound.name for bound in BOUNDS}, {bound.name for bound, *_ in BY_HAND}
    missing = names - by_hand - {"theorem_1s"}
    assert not missing, f"{missing} must have values by hand; add them to BY_HAND"
    assert names == by_hand | {"theorem_1s"}


@every_bound
def test_no_theorem_is_passed_off_as_another(bound):
    """The text of Cong and Liu (2020) could not be read, nor that of Zhou and Cong (2018)."""
    said = " ".join((bound.title, bound.status, bound.source, type(bound).__doc__))
    assert "Liu" not in said
    assert "not seen" in said or bound.name != "k_avg"


def _another(value):
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value * 0.9 + 0.01


def test_every_letter_of_a_setting_is_used_by_some_bound():
    """Guards against a constant that nobody reads: change it, and some answer changes."""
    base = HAND.replace(gamma=0.001, M_v=0.0)
    for field in fields(Setting):
        before = getattr(base, field.name)
        other = base.replace(**{field.name: _another(before)})
        assert any(
            bound.value(base) != bound.value(other)
            or bound.largest_gamma(base) != bound.largest_gamma(other)
            for bound in BOUNDS
        ), field.name


@pytest.mark.parametrize(
    ("alpha", "is_covered"), [(0.25, True), (1.0, True), (1.001, False), (3.0, False)]
)
def test_slowmo_squared_covers_alpha_up_to_1(alpha, is_covered):
    reason = SlowMoSquared(alpha, base_effect=0.0).exclusion(PLAIN)
    assert (reason is None) == is_covered
    assert is_covered or f"alpha of at most 1, not alpha = {alpha:g}" in reason


def test_slowmo_squared_would_be_wrong_above_alpha_1():
    """F = w^2/2 without noise, at the end of the condition, which does not see K."""
    bound, setting = SlowMoSquared(3.0, 0.0), Setting(1, 8, 1, 200, 1.0, 0.0, 1.0, 0.5, 0.0)
    setting = setting.replace(gamma=bound.largest_gamma(setting))
    assert bound.conditions(setting)[0].met
    shrink = 1 - setting.gamma
    starts = (1 + 3.0 * (shrink**8 - 1)) ** np.arange(200)
    measured = np.mean(np.outer(starts, shrink ** np.arange(8)) ** 2)
    assert measured / bound.value(setting).total == pytest.approx(12.1, abs=0.1)


def test_a_bound_for_another_alpha_than_the_run_has_does_not_apply():
    method = Algorithm(P=1, K=1, gamma=0.01, outer=outer.BlockMomentum(0.0))
    for alpha, words in ((0.5, "stated for alpha = 0.5, and the run has alpha = 1"), (1.0, None)):
        found = check_applicability(SlowMoSquared(alpha), method, PLAIN.replace(gamma=0.01), {})
        assert found.reason is words or words in found.reason


@pytest.mark.parametrize(
    "change", [{"M_v": 1.0}, {"zeta2": 1.0}, {"sigma2": nan}, {"L": inf, "pl": nan}]
)
def test_the_corollaries_of_theorem_1_need_its_assumptions(change):
    setting = PLAIN.replace(**change)
    assert np.isnan([tuned_gamma(setting), tuned_mu(setting), tuned_bound(setting)]).all()
