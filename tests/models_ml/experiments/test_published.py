"""Every formula against a published implementation or example, to five digits and better."""

from math import log, sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats as dist
from scipy.special import betaln
from statsmodels.stats import multitest, power, proportion

from models_ml.experiments import bayes, compare, cuped, multiple, quantiles, sequential, srm
from models_ml.experiments import guardrails as guards
from models_ml.experiments import power as ours
from models_ml.experiments.bayes import BetaPrior, NormalPrior
from models_ml.experiments.exposure import delivery
from models_ml.experiments.holdout import cost_per_incremental, lift
from models_ml.experiments.stats import Mean, Pair, Proportion

EXACT = {"rel": 1e-6, "abs": 1e-9}
ARMS = [(1000, 100, 1100, 140), (200, 3, 180, 9), (50, 0, 60, 5), (64_000, 7_000, 32_000, 3_400), (30, 29, 40, 40)]
RNG = np.random.default_rng(20261126)


def moments(y, x=None):
    if x is None:
        return Mean(len(y), y.sum(), (y * y).sum())
    return Pair(len(y), y.sum(), (y * y).sum(), x.sum(), (x * x).sum(), (x * y).sum())


def close(interval, low, high, **how):
    assert (interval.low, interval.high) == pytest.approx((low, high), **(how or EXACT))


@pytest.mark.parametrize(("n0", "s0", "n1", "s1"), ARMS)
def test_proportions_as_statsmodels_has_them(n0, s0, n1, s1):
    control, treated = Proportion(n0, s0), Proportion(n1, s1)
    close(compare.proportion_interval(treated), *proportion.proportion_confint(s1, n1, method="wilson"))
    found = compare.difference_of_proportions(control, treated)
    close(found.interval, *proportion.confint_proportions_2indep(s1, n1, s0, n0, method="newcomb", compare="diff"))
    assert found.p == pytest.approx(proportion.proportions_ztest([s1, s0], [n1, n0])[1], **EXACT)
    assert found.value == s1 / n1 - s0 / n0
    relative = compare.relative_lift((control.mean, control.variance_of_mean), (treated.mean, treated.variance_of_mean))
    if s0 == 0:
        assert relative is None
    else:
        low, high = proportion.confint_proportions_2indep(s1, n1, s0, n0, method="log", compare="ratio")
        close(relative[1], low - 1, high - 1)


def test_newcombe_s_own_example():
    """Newcombe 1998, table II (a): 56/70 against 48/80 gives 0.0524 to 0.3339 by method 10."""
    found = compare.difference_of_proportions(Proportion(80, 48), Proportion(70, 56))
    close(found.interval, 0.0524, 0.3339, abs=5e-5)


@pytest.mark.parametrize(("n0", "n1", "scale"), [(12, 15, 1.0), (500, 80, 40.0), (3_000, 2_900, 0.01)])
def test_means_as_scipy_has_them(n0, n1, scale):
    y0, y1 = RNG.exponential(scale, n0), RNG.normal(1.2 * scale, scale / 2, n1)
    found = compare.difference_of_means(moments(y0), moments(y1))
    theirs = dist.ttest_ind(y1, y0, equal_var=False)
    assert found.p == pytest.approx(theirs.pvalue, **EXACT)
    close(found.interval, *theirs.confidence_interval(0.95))
    close(compare.mean_interval(moments(y1), 0.1), *dist.t.interval(0.9, n1 - 1, y1.mean(), dist.sem(y1)))


def test_a_ratio_varies_as_its_bootstrap_does_and_as_the_linearised_measure_does():
    x = RNG.poisson(3, 4_000) + 0.0
    y = x * RNG.normal(5, 1, 4_000)
    one = moments(y, x)
    linear = (y - one.ratio * x) / x.mean()  # the delta method is the variance of this
    assert one.variance_of_ratio == pytest.approx(linear.var(ddof=1) / len(x), **EXACT)
    picked = RNG.integers(0, len(x), (2_000, len(x)))
    drawn = y[picked].sum(axis=1) / x[picked].sum(axis=1)
    assert sqrt(one.variance_of_ratio) == pytest.approx(drawn.std(), rel=0.06)
    half = dist.t.ppf(0.975, x.sum() ** 2 / (x * x).sum() - 1) * sqrt(one.variance_of_ratio)
    close(compare.ratio_interval(one), one.ratio - half, one.ratio + half)
    both = compare.difference_of_ratios(one, moments(y * 1.1, x))
    assert both.variance == pytest.approx(one.variance_of_ratio * (1 + 1.21), **EXACT)


@pytest.mark.parametrize(("n", "q", "alpha"), [(100, 0.5, 0.05), (400, 0.9, 0.05), (37, 0.25, 0.1), (8, 0.95, 0.05)])
def test_the_interval_of_a_quantile_is_scipy_s(n, q, alpha):
    values = RNG.lognormal(3, 1, n)
    theirs = dist.quantile_test(values, p=q).confidence_interval(1 - alpha)
    mine = quantiles.quantile_interval(values, q, alpha)
    # scipy says nan where no order statistic reaches
    assert (mine.low, mine.high) == pytest.approx(
        (np.nan_to_num(theirs.low, nan=-np.inf), np.nan_to_num(theirs.high, nan=np.inf))
    )


def test_the_difference_of_medians_is_scipy_s_bootstrap():
    y0, y1 = RNG.lognormal(3, 1, 300), RNG.lognormal(3.3, 1, 260)
    mine = quantiles.difference_of_quantiles(y0, y1, 0.5, resamples=6_000)
    theirs = dist.bootstrap(
        (y1, y0), lambda a, b, axis: np.median(a, axis=axis) - np.median(b, axis=axis), method="percentile", n_resamples=6_000, rng=1,
    ).confidence_interval  # fmt: skip
    width = theirs.high - theirs.low
    close(mine.interval, theirs.low, theirs.high, abs=0.08 * width)
    assert mine.value == np.median(y1) - np.median(y0)
    assert mine == quantiles.difference_of_quantiles(y0, y1, 0.5, resamples=6_000)


def closed_form(a0, b0, a1, b1):
    """P(arm 1 above arm 0) for whole parameters (Miller, "Formulas for Bayesian A/B Testing", 2015)."""
    return sum(np.exp(betaln(a0 + i, b0 + b1) - log(b1 + i) - betaln(1 + i, b1) - betaln(a0, b0)) for i in range(a1))


@pytest.mark.parametrize(("n0", "s0", "n1", "s1"), ARMS[:3])
def test_the_chance_to_be_better_is_the_closed_form(n0, s0, n1, s1):
    control, treated = bayes.of_proportion(Proportion(n0, s0)), bayes.of_proportion(Proportion(n1, s1))
    found = bayes.compare(control, treated)
    assert found.probability_better == pytest.approx(closed_form(1 + s0, 1 + n0 - s0, 1 + s1, 1 + n1 - s1), abs=1e-7)
    draws = RNG.beta(1 + s1, 1 + n1 - s1, 400_000) - RNG.beta(1 + s0, 1 + n0 - s0, 400_000)
    close(found.interval, *np.quantile(draws, [0.025, 0.975]), abs=0.025 * draws.std())
    assert found.expected_loss == pytest.approx(np.maximum(-draws, 0).mean(), abs=0.025 * draws.std())
    close(treated.interval(), *dist.beta.interval(0.95, 1 + s1, 1 + n1 - s1))
    best = bayes.probability_best([control, treated])
    assert best[1] == pytest.approx(found.probability_better, abs=1e-5) and sum(best) == pytest.approx(1)


def test_the_midge_wings_of_hoff():
    """Hoff, "A First Course in Bayesian Statistical Methods", section 5.3: nine wings, mu0 = 1.9, kappa0 = 1, nu0 = 1,
    sigma0^2 = 0.01 give kappa_n = 10, mu_n = 1.814, nu_n = 10, sigma_n^2 = 0.015."""
    wings = np.array([1.64, 1.70, 1.72, 1.74, 1.82, 1.82, 1.82, 1.90, 2.08])
    found = bayes.of_mean(moments(wings), NormalPrior(1.9, 1, 0.5, 0.005))
    df, scale = found.freedom, found.scale
    assert found.mean == pytest.approx(1.814, abs=5e-4)
    assert df == 10 and scale**2 * 10 == pytest.approx(0.015, abs=5e-4)


def test_the_posteriors_are_scipy_s_distributions():
    at = np.array([0.001, 0.3, 0.5, 0.99])
    for mine, theirs in [(bayes.Beta(3, 70), dist.beta(3, 70)), (bayes.Student(11, 0.4, 2), dist.t(11, 0.4, 2))]:
        assert mine.cdf(at) == pytest.approx(theirs.cdf(at), rel=1e-10)
        assert mine.ppf(at) == pytest.approx(theirs.ppf(at), rel=1e-10)
        assert mine.mean == pytest.approx(theirs.mean())


def test_a_prior_worth_nothing_gives_student_s_interval():
    y = RNG.normal(10, 3, 25)
    found = bayes.of_mean(moments(y), NormalPrior(0, 1e-12, 1e-12, 1e-12))
    # 2 alpha is n here and n - 1 under Jeffreys' prior: the scale tells the rest.
    assert found.scale == pytest.approx(y.std() / sqrt(25), rel=1e-6)
    with pytest.raises(ValueError, match="proper"):
        BetaPrior(0, 1)
    with pytest.raises(ValueError, match="proper"):
        NormalPrior(0, 1, 0, 1)


def test_the_confidence_sequence_is_the_published_boundary():
    """The margin as the authors' own package writes it, per observation t with rho^2."""
    for t, rho2, alpha in [(100, 0.1, 0.05), (5_000, 0.003, 0.01), (10, 2.0, 0.2)]:
        published = sqrt(2 * (t * rho2 + 1) * log(sqrt(t * rho2 + 1) / alpha) / (t**2 * rho2))
        assert sequential.half_width(1 / t, rho2, alpha) == pytest.approx(published, rel=1e-12)
    # Johari et al.: p of the normal mixture test, with V = sigma^2 / n
    v, tau2, theta = 0.002, 0.01, 0.13
    inverse = sqrt(v / (v + tau2)) * np.exp(tau2 * theta**2 / (2 * v * (v + tau2)))
    assert sequential.p_value(theta, v, tau2) == pytest.approx(1 / inverse, rel=1e-12)
    # the interval is the p value's inversion
    edge = sequential.half_width(v, tau2, 0.05)
    assert sequential.p_value(edge, v, tau2) == pytest.approx(0.05, rel=1e-9)
    # the best mixture for a horizon is no wider there than its neighbours
    best = sequential.tau2_for_horizon(v)
    widths = [sequential.half_width(v, best * factor) for factor in (0.8, 1, 1.25)]
    assert widths[1] < widths[0] * 1.0005 and widths[1] < widths[2] * 1.0005


def test_cuped_is_the_treatment_s_coefficient_in_a_regression():
    x0, x1 = RNG.gamma(2, 10, 900), RNG.gamma(2, 10, 1_100)
    y0, y1 = 0.8 * x0 + RNG.normal(0, 6, 900), 0.8 * x1 + 1.5 + RNG.normal(0, 6, 1_100)
    found = cuped.adjust(moments(y0, x0), moments(y1, x1))
    design = sm.add_constant(np.column_stack([np.r_[np.zeros(900), np.ones(1_100)], np.r_[x0, x1]]))
    fit = sm.OLS(np.r_[y0, y1], design).fit(cov_type="HC2")
    assert found.difference.value == pytest.approx(fit.params[1], rel=1e-8)
    assert found.slope == pytest.approx(fit.params[2], rel=1e-8)
    assert sqrt(found.difference.variance) == pytest.approx(fit.bse[1], rel=0.01)
    true = np.r_[y0 - found.slope * x0, y1 - found.slope * x1]
    assert found.difference.variance == pytest.approx(
        true[:900].var(ddof=1) / 900 + true[900:].var(ddof=1) / 1_100, rel=1e-6
    )
    plain = compare.difference_of_means(moments(y0), moments(y1))
    assert found.variance_reduction == pytest.approx(1 - found.difference.variance / plain.variance, rel=1e-9)
    assert found.variance_reduction > 0.7


def test_corrections_as_statsmodels_has_them():
    for size in (1, 2, 7, 40):
        p = RNG.uniform(0, 1, size) ** 3
        assert multiple.holm(list(p)) == pytest.approx(multitest.multipletests(p, method="holm")[1])
        assert multiple.benjamini_hochberg(list(p)) == pytest.approx(multitest.multipletests(p, method="fdr_bh")[1])
    assert multiple.holm([]) == [] and multiple.benjamini_hochberg([]) == []


def test_srm_is_pearson_s_test_and_the_mixture_is_the_beta_binomial():
    counts, shares = {"a": 5_200, "b": 4_900, "c": 4_900}, {"a": 0.34, "b": 0.33, "c": 0.33}
    theirs = dist.chisquare(list(counts.values()), [share * 15_000 for share in shares.values()]).pvalue
    assert srm.chi_square([(counts, shares)]) == pytest.approx(theirs, rel=1e-9)
    two = {"a": 560, "b": 440}
    mixture = dist.betabinom.pmf(560, 1_000, 50, 50) / dist.binom.pmf(560, 1_000, 0.5)
    assert srm.sequential_p([(two, {"a": 0.5, "b": 0.5})]) == pytest.approx(1 / mixture, rel=1e-6)
    assert srm.check([({"a": 10, "x": 1}, {"a": 1.0})]).blocks


def test_power_as_statsmodels_has_it():
    for n, effect, ratio, alpha in [(100, 0.3, 1, 0.05), (2_000, 0.05, 2, 0.01)]:
        theirs = power.NormalIndPower().power(effect, n, alpha, ratio)
        assert ours.power_of_means(effect, 1, n, ratio, alpha) == pytest.approx(theirs, rel=1e-6)
        needed = power.NormalIndPower().solve_power(effect, None, alpha, 0.8, ratio)
        assert ours.units_for_means(effect, 1, ratio, alpha, 0.8) == pytest.approx(needed, rel=1e-4, abs=1)
    for p0, p1, ratio in [(0.10, 0.12, 1), (0.02, 0.03, 1), (0.5, 0.4, 2)]:
        theirs = proportion.power_proportions_2indep(p1 - p0, p0, 1_500, ratio=ratio).power
        assert ours.power_of_proportions(p0, p1, 1_500, ratio) == pytest.approx(theirs, abs=2e-3)
        n = ours.units_for_proportions(p0, p1, ratio)
        assert ours.power_of_proportions(p0, p1, n, ratio) >= 0.8 > ours.power_of_proportions(p0, p1, n - 2, ratio)
        if p1 > p0:
            assert ours.detectable_proportion(p0, n, ratio) == pytest.approx(p1 - p0, rel=2e-3)
    theirs = proportion.samplesize_proportions_2indep_onetail(0.15, 0.25, 0.95, alpha=0.005, alternative="larger")
    assert ours.units_for_proportions(0.25, 0.40, alpha=0.01, power=0.95) == pytest.approx(theirs, abs=1)
    effect = ours.detectable_mean(3, 500)
    assert ours.power_of_means(effect, 3, 500) == pytest.approx(0.8, abs=1e-4)
    assert ours.detectable_proportion(0.5, 3) is None


def test_delivery_guardrail_and_holdout_agree_with_their_tests():
    found = delivery({"a": Proportion(5_000, 4_900), "b": Proportion(5_000, 4_700), "control": Proportion(0, 0)})
    theirs = dist.chi2_contingency([[4_900, 100], [4_700, 300]], correction=False).pvalue
    assert found.differs and found.p == pytest.approx(theirs, rel=1e-9)
    assert found.gap == pytest.approx(0.04)
    assert not delivery({"a": Proportion(50, 49), "control": Proportion(0, 0)}).differs
    # non-inferiority at a margin: the one-sided z test of statsmodels, unpooled
    control, treated = Proportion(4_000, 80), Proportion(4_000, 84)
    difference = compare.difference_of_proportions(control, treated)
    judged = guards.guard(difference.value, difference.variance, difference.interval, 0.01, higher_is_better=False)
    theirs = proportion.test_proportions_2indep(84, 4_000, 80, 4_000, value=0.01, method="wald", alternative="smaller")
    assert judged.p == pytest.approx(theirs.pvalue, rel=1e-4) and judged.state is guards.Guard.KEPT
    one = lift(Proportion(2_000, 100), Proportion(8_000, 560))
    assert one.incremental == pytest.approx(160) and one.relative[0] == pytest.approx(0.4)
    cost = cost_per_incremental(800.0, one)
    assert cost.low == pytest.approx(800 / one.incremental_interval.high) and cost.low < 5 < cost.high
    assert cost_per_incremental(800.0, lift(Proportion(100, 5), Proportion(100, 5))) is None
