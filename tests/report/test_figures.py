import dataclasses

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bayesmix import figures
from bayesmix.errors import BayesmixError
from bayesmix.extrapolation import Extrapolation
from bayesmix.figures.fitted import fitted
from bayesmix.figures.gain import probability
from bayesmix.model import Model
from bayesmix.prediction import predict
from bayesmix.runs import Runs
from fakes import fake, table


def texts(figure):
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def points(axes, marker="o"):
    return sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == marker)


def drawn(figure, tmp_path):
    """Draw it without a warning, as a layout that does not fit gives one."""
    assert isinstance(figure, Figure)
    figure.savefig(tmp_path / "figure.png")
    return figure


def test_nothing_global_changes(chinchilla, tmp_path):
    before, backend = dict(matplotlib.rcParams), matplotlib.get_backend()
    drawn(figures.fit_figure(chinchilla), tmp_path)
    assert dict(matplotlib.rcParams) == before
    assert matplotlib.get_backend() == backend


@pytest.mark.filterwarnings("error::UserWarning")
def test_fit_of_one_target(chinchilla, tmp_path):
    figure = drawn(figures.fit_figure(chinchilla), tmp_path)
    left, right = figure.axes
    assert left.get_ylabel() == "measured: loss (nats/token)"
    assert right.get_xlabel() == "C: training compute (FLOP)"
    assert right.get_ylabel() == "measured \u2212 median (%)"
    assert right.get_xscale() == "log"
    # The run that went wrong by 40 % is said to lie beyond the axis, and the others fill the axis.
    assert points(right) == 23
    assert points(right, "^") == 1
    assert any(t.startswith("1 beyond, to 4") or t.startswith("1 beyond, to 3") for t in texts(figure))
    assert right.get_ylim()[1] < 10


@pytest.mark.filterwarnings("error::UserWarning")
def test_fit_of_several_targets(mixing, tmp_path):
    figure = drawn(figures.fit_figure(mixing), tmp_path)
    visible = [a for a in figure.axes if a.get_visible()]
    assert len(visible) == 4
    assert [a.get_title(loc="left") for a in visible] == ["loss.web", "loss.code"] * 2
    assert visible[2].get_xlabel() == "median of the law"


def test_predictive_band_holds_its_share(chinchilla):
    facts = fitted(chinchilla)
    inside = (facts.residual >= facts.low) & (facts.residual <= facts.high)
    # 24 runs, one of them spoilt on purpose; below 0.75 is three standard errors from 0.9.
    assert inside.mean() > 0.75


@pytest.mark.filterwarnings("error::UserWarning")
def test_scaling(chinchilla, prediction, tmp_path):
    assert figures.has_scale(chinchilla)
    figure = drawn(figures.scaling_figure(chinchilla, prediction), tmp_path)
    axes = figure.axes[0]
    assert axes.get_xlabel() == "C: training compute (FLOP)"
    assert axes.get_xlim()[1] > 5.8e23
    assert sum(len(c.get_offsets()) for c in axes.collections if hasattr(c, "get_sizes")) >= 23
    assert points(axes) == 2
    middle = np.median(prediction.measured[:, 0, 0])
    assert f"70B: {middle:.3g}" in texts(figure)
    assert "range of the fitted runs" in texts(figure)


@pytest.mark.filterwarnings("error::UserWarning")
def test_scaling_of_a_law_of_compute_alone(tmp_path):
    """Runs that state no N have one colour, and planned ones are named by what is known of them."""
    model = Model.read("scalerl_sigmoid")
    (column,) = model.columns.values()
    assert column == "C"
    runs = table(C=np.geomspace(1e18, 1e20, 12), accuracy=np.linspace(0.2, 0.6, 12))
    unknown = {n: np.asarray(q.distribution.mean) for n, q in model.unknowns.items()}
    p = fake(model, runs, unknown)
    planned = Runs.of(pd.DataFrame({"C": [1e21]}), planned=True)
    figure = drawn(figures.scaling_figure(p, predict(p, planned, seed=0)), tmp_path)
    assert len(figure.axes) == 1, "no key of colours"
    assert points(figure.axes[0]) == 1


def test_intervals_of_responses_that_are_not_positive_are_in_the_unit_of_their_errors(tmp_path):
    rows = {"at": 1.0, "run": ["a", "b"], "target": "score.x", "decades": [0.1, 0.5], "truth": [-0.2, 0.3]}
    rows |= {"median": [-0.1, 0.1], "bias": [-0.2, 0.4], "pit": [0.3, 0.7], "crps": 0.1, "log_score": 0.0}
    ends = {f"{side}{level}%": [0.2 * sign, 0.3 * sign] for level in (50, 80, 90, 95) for side, sign in
            (("low", -1), ("high", 1))}  # fmt: skip
    hidden = pd.DataFrame(rows | ends | {"interval_score95%": 1.0})
    figure = drawn(figures.extrapolation_figure(Extrapolation("m", "C", hidden, pd.DataFrame(), ())), tmp_path)
    (intervals,) = figure.axes[0].collections
    # Errors are in multiples of a reference of a half.
    np.testing.assert_allclose(intervals.get_segments()[0][:, 1], [-20, 60])
    np.testing.assert_allclose(intervals.get_segments()[1][:, 1], [-80, 40])


def test_scaling_refuses_a_law_without_scale(mixing):
    assert not figures.has_scale(mixing)
    with pytest.raises(BayesmixError, match=r"law ye_m4 is one of w: there is no compute"):
        figures.scaling_figure(mixing)


@pytest.mark.filterwarnings("error::UserWarning")
def test_mixture(decision, tmp_path):
    figure = drawn(figures.mixture_figure(decision), tmp_path)
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["books", "code", "web"]
    chosen = next(line for line in axes.lines if line.get_label() == "chosen")
    np.testing.assert_allclose(chosen.get_xdata(), [0.2, 0.3, 0.5])
    (intervals,) = [c for c in axes.collections if c.get_label() == "90 % interval of the optimum"]
    low, high = np.quantile(decision.optima[:, 0], [0.05, 0.95])
    np.testing.assert_allclose(intervals.get_segments()[2][:, 0], [low, high])
    (near,) = [c for c in axes.collections if c.get_label() == "nearly as good"]
    np.testing.assert_allclose(near.get_segments()[2][:, 0], [0.45, 0.55])
    bounds = next(line for line in axes.lines if line.get_label() == "bounds")
    assert set(bounds.get_xdata()) == {0.05, 0.6}


@pytest.mark.filterwarnings("error::UserWarning")
def test_gain(decision, tmp_path):
    figure = drawn(figures.gain_figure(decision, "nats/token"), tmp_path)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "gain over the baseline (nats/token)"
    assert probability(decision.p_better, 500) in axes.get_title(loc="left")
    assert sum(p.get_height() for p in axes.patches) == pytest.approx(1.0)
    assert any(np.allclose(line.get_xdata(), 0) for line in axes.lines)


@pytest.mark.filterwarnings("error::UserWarning")
def test_comparison(comparison, tmp_path):
    figure = drawn(figures.comparison_figure(comparison), tmp_path)
    left, right = figure.axes
    assert [t.get_text() for t in left.get_yticklabels()] == ["kaplan_nd", "chinchilla"]
    assert "left out by run: 24" in left.get_xlabel()
    assert [p.get_width() for p in right.patches] == pytest.approx(comparison.table["weight"].tolist()[::-1])


@pytest.mark.filterwarnings("error::UserWarning")
def test_prior_and_posterior(chinchilla, mixing, tmp_path):
    figure = drawn(figures.prior_posterior_figure(chinchilla), tmp_path)
    labels = [a.get_xlabel() for a in figure.axes if a.get_visible()]
    assert labels == ["E (nats/token)", "A (nats/token)", "B (nats/token)", "alpha", "beta"]
    assert "10 % of prior s.d. kept" in texts(figure)
    several = drawn(figures.prior_posterior_figure(mixing), tmp_path)
    assert {"web", "code", "prior"} <= set(texts(several))
    assert "-2.0" in texts(several)


def test_hostile_names_are_text(decision, tmp_path):
    hostile = dataclasses.replace(decision, domains=("$\\frac{", "a" * 200, "<b>"))
    drawn(figures.mixture_figure(hostile), tmp_path)
