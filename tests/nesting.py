"""What the tests of limits share: ranges of quantities, and laws with the constants that papers publish."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from bayesmix.model import Model
from bayesmix.precision import double

K = 3  # domains, where nothing else is said
properties = settings(max_examples=40)

loss = st.floats(0.5, 5.0)
excess = st.floats(0.05, 3.0)
exponent = st.floats(0.1, 0.6)
slope = st.floats(-0.3, 0.3)
share = st.floats(0.1, 0.9)
size = st.floats(6.0, 12.0).map(lambda x: 10**x)
count = st.floats(2.0, 6.0).map(lambda x: 10**x)


@st.composite
def anchored(draw):
    """Quantities of Chinchilla."""
    return {"E": draw(loss), "A": draw(excess), "B": draw(excess), "alpha": draw(exponent), "beta": draw(exponent),
            "N0": draw(size), "D0": draw(size)}  # fmt: skip


def several(of, number=K):
    """Arrays of so many."""
    return st.lists(of, min_size=number, max_size=number).map(np.array)


def mixtures(domains=K):
    """Weights of so many domains, none of them 0."""
    return several(st.floats(0.01, 1.0), domains).map(lambda x: x / x.sum())


def derived(law, **quantities):
    """Return the paper's coefficients."""
    with double():
        return {n: float(v) for n, v in law.derived(**quantities).items()}


def published(model, fit):
    """Return the law of a model as a function of covariates alone, with published constants."""
    model = Model.read(model)
    constants = {n: v for n, v in model.published[fit].items() if n != "source"}
    return lambda **covariates: model.law(**covariates, **constants)
