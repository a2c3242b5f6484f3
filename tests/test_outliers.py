"""Responses that robust noise takes for outliers."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from bayesmix.model import Model
from bayesmix.outliers import outliers, sentence
from bayesmix.runs import Runs
from fakes import chinchilla_values, fake, scale_runs


def posterior(off, nu=4.0, noise="chinchilla"):
    """Return a posterior of runs whose last is off by so many sigma, all quantities known."""
    runs, sigma = scale_runs(), 0.01
    values = chinchilla_values(runs, sigma=sigma) | {"nu": nu}
    law = 1.8 + 400 * runs.column("N") ** -0.34 + 410 * runs.column("D") ** -0.28
    loss = law * np.exp(sigma * np.array([0.0] * (len(runs) - 1) + [off]))
    return fake(Model.read(noise), Runs.of(runs.table.assign(loss=loss)), values)


@pytest.mark.parametrize(("off", "nu"), [(0.0, 4.0), (3.0, 4.0), (-6.0, 4.0), (6.0, 2.5)])
def test_the_probability_is_that_of_the_scale_mixture(off, nu):
    """Found by integrating over the precision of that response."""

    def joint(precision):
        normal = stats.norm(0, precision**-0.5).pdf(off)
        return normal * stats.gamma(nu / 2, scale=2 / nu).pdf(precision)

    below, total = (integrate.quad(joint, 0, end, limit=200)[0] for end in (1 / 9, 60))
    found = outliers(posterior(off, nu), least=0.0).set_index("row")
    assert found.loc[len(scale_runs()), "probability"] == pytest.approx(below / total, rel=1e-4)
    assert found.loc[len(scale_runs()), "deviation"] == pytest.approx(off, abs=1e-5)


def test_only_probable_ones_are_named_and_the_worst_comes_first():
    found = outliers(posterior(-12.0))
    assert found["run"].tolist() == [scale_runs().names[-1]]
    said = sentence(posterior(-12.0))
    assert f"{scale_runs().names[-1]} (loss, -12 sigma)" in said
    assert sentence(posterior(0.0)) == ""


def test_other_noise_knows_no_outliers():
    assert outliers(posterior(12.0, noise="chinchilla_normal"), least=0.0).empty


def test_what_was_not_measured_is_no_outlier():
    p = posterior(12.0)
    table = p.runs.table.assign(bpb=1.0)
    table.loc[len(table) - 1, "loss"] = np.nan
    runs = Runs.of(pd.DataFrame(table))
    again = fake(Model(p.model.law, targets=("loss",)), runs, chinchilla_values(runs))
    assert len(table) not in outliers(again, least=0.0)["row"].tolist()
