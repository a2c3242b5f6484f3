r"""Links: from predicted losses to benchmark scores, by posteriors of laws whose covariates are responses.

$$p(s) = \int p(s \mid y, \vartheta)\; p(\vartheta \mid \text{runs of the link})\; p(y \mid \text{runs})\;
d\vartheta\, dy$$

The two posteriors are cut: what is known of the losses is not changed by the scores. So scores may come from other
runs than those of the mixtures, checkpoints of public models for example. Draws of both are paired at random.

Sources: Plummer (2015), Cuts in Bayesian graphical models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from bayesmix.beyond import drawn_bends, fractions
from bayesmix.covariates import is_target
from bayesmix.discrepancy import fall, fallen
from bayesmix.errors import BayesmixError, listed
from bayesmix.evaluation import over_draws, root_of
from bayesmix.inputs import Inputs, padded
from bayesmix.model import Model
from bayesmix.noise import sampled
from bayesmix.posterior import Posterior
from bayesmix.prediction import Prediction, spanned
from bayesmix.runs import Runs


@dataclass(frozen=True)
class Link:
    """A posterior whose covariates are responses of others.

    Parameters
    ----------
    posterior : Posterior
        Of a law such as gadre_error or ladder_two_step.

    Raises
    ------
    BayesmixError
        A covariate of the law is no response.
    """

    posterior: Posterior

    def __post_init__(self) -> None:
        name, columns = self.posterior.model.name, self.posterior.model.columns
        if not columns or (other := [c for c in columns.values() if not is_target(c)]):
            takes = listed(other) if columns else "nothing"
            raise BayesmixError(
                f"{name} is no link: its law takes {takes}, which is no response. A link reads a response off others, "
                "as gadre_error reads an error off a loss"
            )

    @property
    def model(self) -> Model:
        """Its model, which names its targets."""
        return replace(self.posterior.model, targets=self.targets)

    @property
    def targets(self) -> tuple[str, ...]:
        """What it predicts."""
        return self.posterior.targets

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """Least and greatest response, by covariate, of the runs that measured any of its targets."""
        rows = np.asarray(self.posterior.inputs.observed).any(axis=1)
        fitted = {c: np.asarray(self.posterior.inputs.covariates[c])[rows] for c in self.posterior.model.columns}
        return {c: (float(values.min()), float(values.max())) for c, values in fitted.items()}

    def inputs(self, rows: int) -> Inputs:
        """Return arrays for so many planned runs, whose covariates are to be put in."""
        # All different, since the same row twice is refused.
        columns = {
            column: np.linspace(*self.limits[c], rows + 1)[1:] for c, column in self.posterior.model.columns.items()
        }
        planned = Runs.of(pd.DataFrame(columns), planned=True, source="predicted responses")
        return self.posterior.model.inputs(planned, self.posterior.coordinates)[0]

    def draws(self, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
        """Return so many draws of its quantities, with the ``bend`` of each."""
        values = self.posterior.paired.values()
        total = len(next(iter(values.values())))
        which = np.resize(rng.permutation(total), count)
        return {**{n: v[which] for n, v in values.items()}, "bend": drawn_bends(self.posterior, rng, count)}


def respond(
    model: Model, drawn: Mapping[str, Any], inputs: Inputs, limits: Mapping[str, Any], fraction: Any,
    given: Mapping[str, Any],
) -> Any:  # fmt: skip
    """Return the response of a link in one draw, shape (observation, target), in JAX.

    `given` are its covariates, shape (observation,). Beyond the limits of the fitted ones the law may bend; see
    `bayesmix.discrepancy`. `fraction` says which targets are fractions: an argument, since compiled functions are
    kept for all targets of a law.
    """
    near = {c: jnp.clip(v, *limits[c]) for c, v in given.items()}
    here, there = (model.mean(drawn, replace(inputs, covariates={**inputs.covariates, **at})) for at in (given, near))
    return fallen(here, fall(here, there, jnp), drawn["bend"], fraction, jnp)


def arranged(links: Sequence[Posterior], targets: Sequence[str]) -> list[Link]:
    """Return links that read responses off these targets, or off links before them.

    Raises
    ------
    BayesmixError
        One is no link, reads off something that nobody predicts, or predicts what is predicted already.
    NotConvergedError
        One has not converged.
    """
    known, found = list(targets), []
    for posterior in links:
        posterior.require_converged()
        link = Link(posterior)
        if missing := [c for c in posterior.model.columns.values() if c not in known]:
            raise BayesmixError(
                f"link {posterior.model.name} reads off {listed(missing)}, but predicted are {listed(known)}. Name the "
                "column in its model: [covariates]"
            )
        if twice := [t for t in link.targets if t in known]:
            raise BayesmixError(f"{listed(twice)} is predicted twice: by link {posterior.model.name}, and before it")
        known += link.targets
        found.append(link)
    return found


def linked(prediction: Prediction, links: Sequence[Posterior], *, seed: int) -> Prediction:
    """Add to a prediction what links read off it.

    Expected scores are read off expected losses; what one run would score off what it would measure, with the noise of
    the link.

    Parameters
    ----------
    prediction : Prediction
        Of the losses.
    links : sequence of Posterior
        Each reads off targets of the prediction, or of the links before it.
    seed : int
        Pairs draws, and is the source of noise.

    Raises
    ------
    BayesmixError, NotConvergedError
        As `arranged`.
    """
    for k, link in enumerate(arranged(links, prediction.targets)):
        rng = np.random.default_rng((seed, k + 1))  # with a 0 it would be that of the bare seed
        count, rows = prediction.expected.shape[:2]
        inputs, drawn = link.inputs(rows), link.draws(rng, count)
        # Those of the prediction itself begin with the bare seed: noises would be one and the same.
        key = jax.random.fold_in(jax.random.key(seed), k + 1)
        keys = np.asarray(jax.random.key_data(jax.random.split(key, count)))
        root = root_of(link.posterior.paired.together, len(link.targets))
        expected, measured = (
            over_draws(
                function, link.model,
                {**drawn, "key": keys, **_given(link, prediction, values, len(padded(inputs).response))}, inputs,
                root, fractions(link.targets), *np.array([link.limits[c] for c in link.posterior.model.columns]),
            )[:, :rows]
            for function, values in ((_expected, prediction.expected), (_measured, prediction.measured))
        )  # fmt: skip
        prediction = Prediction(
            np.concatenate([prediction.expected, expected], axis=2),
            np.concatenate([prediction.measured, measured], axis=2),
            prediction.planned,
            (*prediction.targets, *link.targets),
            (*prediction.warnings, *(str(p) for p in link.posterior.problems()), *_outside(link, prediction)),
        )
    return prediction


def _given(link: Link, prediction: Prediction, values: np.ndarray, rows: int) -> dict[str, np.ndarray]:
    """Return the responses that a link reads off, by covariate, as long as padded inputs."""
    columns = {c: values[:, :, prediction.targets.index(t)] for c, t in link.posterior.model.columns.items()}
    return {f"given {c}": np.pad(v, ((0, 0), (0, rows - v.shape[1])), mode="edge") for c, v in columns.items()}


def _expected(model: Model, drawn: Mapping[str, Any], inputs: Inputs, _: Any, fraction: Any, *limits: Any) -> Any:
    given = {c: drawn[f"given {c}"] for c in model.columns}
    return respond(model, drawn, inputs, dict(zip(model.columns, limits, strict=True)), fraction, given)


def _measured(model: Model, drawn: Mapping[str, Any], inputs: Inputs, root: Any, fraction: Any, *limits: Any) -> Any:
    expected = _expected(model, drawn, inputs, root, fraction, *limits)
    for covariate, column in model.columns.items():
        if column == model.noise.by:  # the inputs hold numbers in its place
            inputs = replace(inputs, noise_by=drawn[f"given {covariate}"])
    return sampled(model.measured(drawn, expected, inputs), jax.random.wrap_key_data(drawn["key"]), root)


def _outside(link: Link, prediction: Prediction) -> list[str]:
    """Return a sentence for each response that lies outside those that the link was fitted to."""
    found = []
    for covariate, column in link.posterior.model.columns.items():
        values = np.median(prediction.expected[:, :, prediction.targets.index(column)], axis=0)
        if (said := outside(link, covariate, values)) is not None:
            found.append(said)
    return found


def outside(link: Link, covariate: str, values: np.ndarray) -> str | None:
    """Return a sentence if values lie outside those that a link was fitted to."""
    (low, high), column = link.limits[covariate], link.posterior.model.columns[covariate]
    if low <= values.min() and values.max() <= high:
        return None
    return (
        f"{listed(link.targets)} is read off a {column} of {spanned(values.min(), values.max())}, but the link was "
        f"fitted from {low:.4g} to {high:.4g}: beyond them it rests on the link's law."
    )
