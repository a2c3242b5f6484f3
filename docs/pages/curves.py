"""What a law says before any run: responses under its priors, and under published constants, along each covariate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from bayesmix import laws, ready
from bayesmix.covariates import BY_DOMAIN
from bayesmix.inputs import Inputs
from bayesmix.law import OWN, Law, Prior, Reference
from bayesmix.model import Model
from bayesmix.precision import in_double
from bayesmix.priors import arguments, draw

DRAWS, POINTS, DOMAINS = 400, 41, 3
# Where small runs are made and large ones are asked about. The plausible ranges of the standard covariates are wider:
# they are there to find wrong units. In the middle of these D = 30 N and C = 6 N D.
USUAL = {
    "N": (1e7, 1e11),
    "D": (1e9, 1e12),
    "C": (1e18, 4e22),
    "U": (1e9, 1e11),
    "M": (1.0, 1e3),
    "w": (0.01, 0.99),
    "unique": (1e8, 1e11),
}
# The response reference where no paper says what the response is. Other scales have no size of their own.
_REFERENCE = {"loss": 3.0, "error": 0.5, "accuracy": 0.5}
_DECADES = 10  # a range is thought of in decades if it spans as many times its lower end


@dataclass(frozen=True)
class Fit:
    """Constants of a paper: their name, their source, the ready model that has them, and the numbers."""

    name: str
    source: str
    model: Model
    constants: dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """Responses along one covariate, the others held where they usually are.

    Attributes
    ----------
    covariate : str
        Its name; empty for a law that has none.
    decades : bool
        Whether its axis is logarithmic.
    x : array, shape (point,)
        Its values; of a mixture, the weight of the target's own domain, or of one domain.
    prior : array, shape (draw, point)
        Responses in draws of the prior.
    published : tuple of array, shape (target, point)
        Responses by the constants of each published fit.
    """

    covariate: str
    decades: bool
    x: np.ndarray
    prior: np.ndarray
    published: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Curves:
    """What is drawn of a law.

    Attributes
    ----------
    panels : tuple of Panel
        One for each covariate; a single point for a law that has none.
    fits : tuple of Fit
        The published ones.
    domains : int
        How many a mixture has.
    scale : float
        The response reference.
    is_ratio : bool
        Whether responses are multiples of that reference: those of published fits of their own in the middle.
    """

    panels: tuple[Panel, ...]
    fits: tuple[Fit, ...]
    domains: int
    scale: float
    is_ratio: bool


def using() -> dict[str, list[Model]]:
    """Return the ready models of every law by its name, its namesake first."""
    found: dict[str, list[Model]] = {name: [] for name in laws.names()}
    for model in sorted(map(Model.read, ready.models()), key=lambda model: model.name != model.law.name):
        found[model.law.name].append(model)
    return found


def fits(using: list[Model]) -> tuple[Fit, ...]:
    """Return all published constants of a law, of every ready model."""
    return tuple(
        Fit(name, constants["source"], model, {n: v for n, v in constants.items() if n != "source"})
        for model in using
        for name, constants in model.published.items()
    )


def span(law: Law, covariate: str) -> tuple[float, float]:
    """Return the usual range of a covariate of a law."""
    return USUAL.get(covariate, law.takes[covariate].plausible)


def is_decades(law: Law, covariate: str) -> bool:
    """Say whether a covariate is thought of in decades; weights are not."""
    low, high = span(law, covariate)
    return covariate != "w" and low > 0 and high / low >= _DECADES


def middle(law: Law, covariate: str) -> float:
    """Return where a covariate is held while another varies, and where its reference is."""
    low, high = span(law, covariate)
    return float(np.sqrt(low * high)) if low > 0 else (low + high) / 2


@in_double
def curves(law: Law, using: list[Model], seed: int) -> Curves:
    """Evaluate a law along each of its covariates.

    Parameters
    ----------
    law : Law
        A law of the catalogue.
    using : list of Model
        Its ready models, its namesake first: that one's priors are drawn from.
    seed : int
        Source of the draws.
    """
    found, model = fits(using), Model(using[0].law)
    domains = _domains(law, found)
    axes = {c: _axis(law, c) for c in law.covariates} or {"": np.zeros(1)}
    at = [_along(law, c, x, domains) for c, x in axes.items()]
    held = _along(law, "", np.zeros(1), domains)
    published = [_published(law, fit, [*at, held]) for fit in found]
    is_ratio = law.response == "optimum" or (law.response == "score" and not found)
    if is_ratio:
        published = [[curve / curves[-1] for curve in curves] for curves in published]
        scale = 1.0
    else:
        said = [np.log(np.abs(curves[-1])).mean() for curves in published]
        scale = float(np.exp(np.mean(said))) if said else _REFERENCE[law.response]
    rows = {c: np.concatenate([a[c] for a in at]) for c in law.covariates}
    inputs = _inputs(model, rows, sum(map(len, axes.values())), domains, scale)
    drawn = draws(model, inputs, np.random.default_rng(seed), DRAWS)
    mean = np.asarray(jax.jit(jax.vmap(lambda values: model.mean(values, inputs)))(drawn))[..., 0]
    pieces = np.split(mean, np.cumsum([len(x) for x in axes.values()])[:-1], axis=1)
    panels = tuple(
        Panel(c, bool(c) and is_decades(law, c), x, piece, tuple(curves[k] for curves in published))
        for k, ((c, x), piece) in enumerate(zip(axes.items(), pieces, strict=True))
    )
    return Curves(panels, found, domains, scale, is_ratio)


def draws(model: Model, inputs: Inputs, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Draw the unknowns of a model's law from their priors, shape (draw, ...), without compiling samplers."""
    drawn: dict[str, np.ndarray] = {}
    for name in (n for n in model.order if n in model.law.quantities):
        unknown = model.unknowns[name]
        values = draw(unknown.distribution, rng, (count, *inputs.shape(model.dims(name))))
        if unknown.zero_sum:
            values = values - values.mean(axis=-1, keepdims=True)
        if by := unknown.scaled_by:
            factor = np.asarray(drawn.get(by, model.quantities[by]))
            values = values * factor.reshape(*factor.shape, *(1,) * (values.ndim - factor.ndim))
        drawn[name] = values * np.asarray(model.unit(name, inputs))
    return drawn


def _domains(law: Law, found: tuple[Fit, ...]) -> int:
    """Return how many domains the published constants have, or the number that is drawn otherwise."""
    by_domain = [n for n, q in law.quantities.items() if isinstance(q, Prior) and "domain" in q.dims]
    shapes = [np.shape(fit.constants[n]) for fit in found for n in by_domain]
    return max((shape[-1] for shape in shapes if shape), default=DOMAINS)


def _axis(law: Law, covariate: str) -> np.ndarray:
    spaced = np.geomspace if is_decades(law, covariate) else np.linspace
    return spaced(*span(law, covariate), POINTS)


def _along(law: Law, covariate: str, x: np.ndarray, domains: int) -> dict[str, np.ndarray]:
    """Return all covariates of a law where one of them is `x` and the others are in their middle."""
    at = {}
    for c in law.covariates:
        values = x if c == covariate else np.full(len(x), 1 / domains if c == "w" else middle(law, c))
        if c in BY_DOMAIN:
            values = np.repeat(values[:, None], domains, axis=1)
        if c == covariate == "w":
            values = (1 - values) / (domains - 1)
            values[:, 0] = x
        at[c] = values
    return at


def _inputs(model: Model, rows: dict[str, np.ndarray], count: int, domains: int, scale: float) -> Inputs:
    """Return the arrays that a model evaluates; its references are in the middle, as if the runs were there."""
    sizes = {"target": 1, "domain": domains}
    references = {n: _reference(model.law, q.covariate, domains) for n, q in model.law.quantities.items()
                  if isinstance(q, Reference)}  # fmt: skip
    return Inputs(
        covariates=rows,
        groups={},
        references=references,
        priors={n: arguments(q.distribution) for n, q in model.unknowns.items()},
        centring={},
        shrinkage={},
        scale=np.array([scale]),
        response=np.full((count, 1), scale),
        observed=np.zeros((count, 1), bool),
        items=np.ones((count, 1)),
        run=np.arange(count),
        noise_by=np.ones(count),
        sizes=tuple(sizes.items()),
    )


def _reference(law: Law, covariate: str, domains: int) -> np.ndarray:
    if covariate == OWN:
        return np.eye(1, domains)
    return np.full(domains, 1 / domains) if covariate == "w" else np.asarray(middle(law, covariate))


def _published(law: Law, fit: Fit, at: list[dict[str, np.ndarray]]) -> list[np.ndarray]:
    """Return a fit's responses at several sets of covariates, each of shape (target, point)."""
    constants = {n: np.asarray(v, dtype=float) for n, v in fit.constants.items()}
    evaluate = jax.jit(jax.vmap(lambda covariates: law.function(**covariates, **constants)))

    def responses(rows):
        every = np.asarray(evaluate(rows))
        if not law.vector:
            return every[None]
        # A target's own domain is the one whose weight varies.
        swapped = min(every.shape[1], rows["w"].shape[1]) if "w" in rows else 0
        own = [np.asarray(evaluate(_swapped(rows, k)))[:, k] for k in range(swapped)]
        return np.stack([*own, *every.T[swapped:]])

    return [responses(rows) for rows in at]


def _swapped(rows: dict[str, np.ndarray], own: int) -> dict[str, np.ndarray]:
    """Return rows in which another domain has the first one's weights."""
    w = rows["w"].copy()
    w[:, [0, own]] = w[:, [own, 0]]
    return {**rows, "w": w}


def catalogue() -> Iterator[Law]:
    """Yield the laws of the catalogue, family by family."""
    yield from sorted(map(laws.get, laws.names()), key=lambda law: (law.family, law.name))
