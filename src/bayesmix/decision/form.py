"""What the compiled functions of an objective are: responses of a mixture, and of them the objective and its risk."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import logsumexp

from bayesmix.decision.risk import terms
from bayesmix.discrepancy import fall, fallen
from bayesmix.inference.program import structure
from bayesmix.linking import respond
from bayesmix.model import Model

Combined = Callable[[Any], Any]  # responses (draw, target) -> (draw,), in JAX
_NEVER = -1e30  # a term that is never the largest


class LinkForm(NamedTuple):
    """A link: its model, and from which target each of its covariates is read."""

    model: Model
    reads: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Form:
    """What the compiled functions of an objective depend on; draws, weights and planned runs are their arguments."""

    key: tuple
    combine: str | Combined
    sorts: bool
    models: tuple[Model, ...] = field(compare=False)
    links: tuple[LinkForm, ...] = field(compare=False)

    def responses(self, w: Any, parts: Any) -> Any:
        """Return the responses of a mixture in every draw, one law after the other, shape (draw, target)."""
        found = []
        for model, part in zip(self.models, parts, strict=True):
            each = jax.vmap(partial(_response, model, self.links), in_axes=(None, 0, None, None))
            found.append(each(w, part["drawn"], part["places"], part["links"]))
        return jnp.concatenate(found)

    def terms(self, responses: Any, weights: Any) -> Any:
        """Return the terms of which the largest is the objective, shape (draw, term)."""
        share, best = weights
        if callable(self.combine):
            return self.combine(responses)[:, None]
        if self.combine == "mean":
            return (responses @ share)[:, None]
        return jnp.where(share != 0, (responses - best) * share, _NEVER)

    def draws(self, w: Any, shared: Any) -> Any:
        """Return the objective in every draw."""
        return self.terms(self.responses(w, shared["parts"]), shared["weights"]).max(axis=1)

    def risk(self, w: Any, mu: Any, lane: Any, shared: Any) -> Any:
        """Return the risk with its kinks smoothed by mu; see `bayesmix.decision.optimise`."""
        each = self.terms(self.responses(w, shared["parts"]), shared["weights"])
        draws = each[:, 0] if each.shape[1] == 1 else mu * logsumexp(each / mu, axis=1)
        found = terms(draws, shared["risk"], self.sorts, jnp)
        return found[0] if len(found) == 1 else mu * logsumexp(found / mu)

    def single(self, w: Any, mu: Any, lane: Any, shared: Any) -> Any:
        """Return the objective in the one draw of a lane, its kinks smoothed by mu; the form is of one law."""
        parts = [{**shared["parts"][0], "drawn": jax.tree.map(lambda a: a[None], lane)}]
        each = self.terms(self.responses(w, parts), shared["weights"])[0]
        return each[0] if len(each) == 1 else mu * logsumexp(each / mu)

    def target(self, w: Any, mu: Any, lane: Any, shared: Any) -> Any:
        """Return the signed mean response of the target that the lane weighs."""
        return (self.responses(w, shared["parts"]) @ lane).mean()


@lru_cache(maxsize=64)
def _kept(form: Form) -> Form:
    """Return the form that was made first of all that are equal: compiled functions are kept by it."""
    return form


def _response(model: Model, links: tuple[LinkForm, ...], w: Any, drawn: Mapping[str, Any], places: Any, at: Any) -> Any:
    """Return the response of the planned run in one draw, and what links read off it, shape (target,).

    Among what was drawn, ``bend`` is how far off the law is from the edge of the fitted runs on, target by target; see
    `bayesmix.discrepancy`. `places` are the planned run, the edges, which of these is that of each target, and which
    targets are fractions; `at` are inputs, limits and fractions of every link.
    """
    mixture = [c for c, column in model.columns.items() if column == "w"]

    def mean(at):
        covariates = {**at.covariates, **dict.fromkeys(mixture, w[None, :])}
        return model.mean(drawn, dataclasses.replace(at, covariates=covariates))[0]

    run, edges, which, fraction = places
    planned = mean(run)
    edge = jnp.stack([mean(at) for at in edges])[which, jnp.arange(len(planned))]
    found = fallen(planned, fall(planned, edge, jnp), drawn["bend"], fraction, jnp)
    for link, read, (inputs, limits, fraction) in zip(links, drawn["links"], at, strict=True):
        given = {covariate: found[k][None] for covariate, k in link.reads}
        found = jnp.concatenate([found, respond(link.model, read, inputs, limits, fraction, given)[0]])
    return found


def form_of(models: tuple[Model, ...], links: tuple[LinkForm, ...], combine: str | Combined, sorts: bool) -> Form:
    """Return the form of an objective, the same one for all that compiled functions cannot tell apart."""
    columns = [tuple(model.columns.items()) for model in models]
    read = [(structure(link.model), link.reads, len(link.model.targets)) for link in links]
    return _kept(Form((*zip(map(structure, models), columns, strict=True), *read), combine, sorts, models, links))
