r"""The objective of a mixture, draw by draw, and its risk.

$$x_s(w) = \max_k\; c_k\,(y_{sk}(w) - b_k)$$

with y the responses of draw s, signed so that smaller is better. The weighted mean of targets is a single term. "worst"
has a term for each target that the objective weighs, with c its weight over the largest one: the worst target in each
draw. "worst excess" subtracts from each target the least expected response, b, that any allowed mixture reaches for it
alone: the aim of DoReMi (Xie et al. 2023, eq. 1), with the target's own best in place of a reference model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np

from bayesmix.beyond import drawn_bends, edges, fractions
from bayesmix.covariates import signs
from bayesmix.decision.form import Combined, Form, LinkForm, form_of
from bayesmix.decision.planned import planned_run
from bayesmix.decision.problem import Problem
from bayesmix.decision.risk import Risk, terms
from bayesmix.errors import BayesmixError, Fault, InputError, suggest
from bayesmix.linking import Link
from bayesmix.posterior import Posterior

_FEW, _MANY = 4, 64  # mixtures whose objective is computed at once


@dataclass(frozen=True)
class Objective:
    """The objective of mixtures over fixed draws, and its risk; smaller is better.

    Attributes
    ----------
    form : Form
        What was compiled.
    parts : tuple of mapping
        For each law what was ``drawn`` of it and, under ``links``, of these; the ``places``: the planned run, where the
        fitted runs end on the way to it, and of which targets; and the ``links``: inputs and limits of each.
    counts : mapping of str to int
        Draws of each law, in this order.
    weights : tuple of two arrays, shape (target,)
        Signed weight of each target, and what is subtracted from it.
    stated : Risk
        What of the draws counts.
    """

    form: Form
    parts: tuple[Mapping[str, Any], ...]
    counts: Mapping[str, int]
    weights: tuple[np.ndarray, np.ndarray]
    stated: Risk

    @property
    def shared(self) -> dict[str, Any]:
        """Arguments of the form's functions."""
        return {
            "parts": list(self.parts),
            "weights": self.weights,
            "risk": self.stated.weights(list(self.counts.values())),
        }

    @property
    def uses_mixture(self) -> bool:
        """Whether the mixture matters in any of the laws."""
        return any("w" in model.columns.values() for model in self.form.models)

    @property
    def kinks(self) -> float:
        """How far smoothing by mu may raise the risk, in units of mu."""
        targets, laws = len(self.weights[0]), len(self.counts)
        several = not callable(self.form.combine) and self.form.combine != "mean"
        return float(several * np.log(targets) + (self.stated.kind == "worst law") * np.log(laws))

    def draws(self, w: np.ndarray) -> np.ndarray:
        """Return the objective of mixtures, shape (mixture, domain), in every draw, shape (mixture, draw)."""
        pieces, shared = [], jax.device_put(self.shared)
        # Few or many at a time, whatever their number, so that two programs do for all.
        size = _FEW if len(w) <= _FEW else _MANY
        for begin in range(0, len(w), size):
            index = np.minimum(np.arange(begin, begin + size), len(w) - 1)
            pieces.append(np.asarray(_each(self.form, w[index], shared))[: len(w) - begin])
        return np.concatenate(pieces)

    def risk(self, draws: np.ndarray) -> np.ndarray:
        """Return the risk of the draws of mixtures, shape (mixture, draw)."""
        weights = self.stated.weights(list(self.counts.values()))
        return np.array([terms(each, weights, self.form.sorts, np).max() for each in draws])

    def of(self, chosen: Mapping[str, np.ndarray]) -> Objective:
        """Return the objective over some of the draws only, by their positions among those of each law."""
        parts = [
            {**part, "drawn": jax.tree.map(lambda v, kept=chosen[name]: v[kept], part["drawn"])}
            for name, part in zip(self.counts, self.parts, strict=True)
        ]
        return replace(self, parts=tuple(parts), counts={n: len(chosen[n]) for n in self.counts})

    def thinned(self, most: int) -> Objective:
        """Return the objective over fewer draws, evenly spaced, of each law as many as its share asks for."""
        share = min(1.0, most / sum(self.counts.values()))
        return self.of({n: np.linspace(0, c - 1, max(1, round(share * c))).astype(int) for n, c in self.counts.items()})

    def laws(self) -> dict[str, Objective]:
        """Return the objective under each law alone, over its own draws."""
        return {
            name: replace(
                self,
                form=form_of((model,), self.form.links, self.form.combine, self.form.sorts),
                parts=(part,),
                counts={name: count},
            )
            for (name, count), model, part in zip(self.counts.items(), self.form.models, self.parts, strict=True)
        }

    def straight(self) -> Objective | None:
        """Return the objective with all laws taken for true; None where they are."""
        if not any(each["bend"].any() for part in self.parts for each in (part["drawn"], *part["drawn"]["links"])):
            return None

        def unbent(drawn: Mapping[str, Any]) -> dict[str, Any]:
            return {**drawn, "bend": np.zeros_like(drawn["bend"])}

        parts = [
            {**p, "drawn": {**unbent(p["drawn"]), "links": tuple(map(unbent, p["drawn"]["links"]))}} for p in self.parts
        ]
        return replace(self, parts=tuple(parts))


@partial(jax.jit, static_argnames=("form",))
def _each(form: Form, w: Any, shared: Any) -> Any:
    return jax.lax.map(lambda one: form.draws(one, shared), w, batch_size=8)


def build(
    posteriors: Mapping[str, Posterior],
    weights: Mapping[str, float],
    problem: Problem,
    draws: int,
    seed: int,
    combine: Combined | None = None,
    links: Sequence[Link] = (),
) -> Objective:
    """Take draws from each posterior by its weight, and of the links, and state the objective on them.

    Raises
    ------
    InputError
        The problem names targets that the posteriors do not predict, or lacks what a law needs.
    """
    first = next(iter(posteriors.values()))
    # Fewer draws rather than other shares, where a posterior has not as many as its share asks for.
    available = {name: len(next(iter(p.values().values()))) for name, p in posteriors.items()}
    draws = min([draws, *(int(available[n] / weights[n]) for n in posteriors if weights[n] > 0)])
    parts, counts = [], {}
    for name, posterior in posteriors.items():
        if not (count := round(draws * weights[name])):
            continue
        stream = len(counts)
        counts[name] = min(count, available[name])
        parts.append(_part(posterior, problem, first.runs.domains, counts[name], (seed, 0, stream), seed, links))
    risk = Risk.of(problem.risk)
    models = tuple(posteriors[n].model for n in counts)
    form = form_of(models, _reading(links, first.targets), combine or problem.combine, risk.sorts)
    share = target_weights(every_target(first, links), problem, combine)
    return Objective(form, tuple(parts), counts, (share, np.zeros(len(share))), risk)


def every_target(posterior: Posterior, links: Sequence[Link]) -> tuple[str, ...]:
    """Return what laws and links predict."""
    return (*posterior.targets, *(target for link in links for target in link.targets))


def _reading(links: Sequence[Link], targets: tuple[str, ...]) -> tuple[LinkForm, ...]:
    known, found = list(targets), []
    for link in links:
        found.append(LinkForm(link.model, tuple((c, known.index(t)) for c, t in link.model.columns.items())))
        known += link.targets
    return tuple(found)


def _part(
    posterior: Posterior,
    problem: Problem,
    domains: tuple[str, ...],
    count: int,
    stream: tuple[int, ...],
    seed: int,
    links: Sequence[Link],
) -> dict[str, Any]:
    posterior = posterior.paired
    positions, bend = taken(posterior, count, stream)
    inputs, _ = posterior.model.inputs(planned_run(posterior, problem, domains), posterior.coordinates)
    found, which, beyond = edges(posterior, inputs), np.zeros(len(posterior.targets), int), bend[positions]
    for k, edge in enumerate(found):
        which[edge.targets] = k
        # Within the fitted runs there is nothing to bend.
        beyond[:, edge.targets] *= edge.decades[0] > 0
    drawn = {n: v[positions] for n, v in posterior.values().items()} | {"bend": beyond}
    drawn |= {"links": tuple(link.draws(np.random.default_rng((seed, k)), count) for k, link in enumerate(links, 1))}
    at = tuple((link.inputs(1), link.limits, fractions(link.targets)) for link in links)
    places = (inputs, tuple(edge.inputs for edge in found), which, fractions(posterior.targets))
    return {"drawn": drawn, "places": places, "links": at}


def taken(posterior: Posterior, count: int, stream: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of so many draws of a posterior, and the bends of all of them, shape (draw, target).

    Each posterior of an objective has a stream of random numbers of its own.
    """
    total = len(next(iter(posterior.values().values())))
    rng = np.random.default_rng(stream)
    bend = drawn_bends(posterior, rng, total)
    return rng.permutation(total)[:count], bend


def target_weights(targets: tuple[str, ...], problem: Problem, combine: Combined | None = None) -> np.ndarray:
    """Return each target's signed weight in the objective, so that smaller is better.

    Raises
    ------
    InputError
        The problem names targets that the posteriors do not predict.
    BayesmixError
        Its targets are of several kinds.
    """
    stated = problem.objective or dict.fromkeys(targets, 1.0)
    faults = [Fault(f"objective has an unknown target {t!r}", suggest(t, targets)) for t in stated if t not in targets]
    if faults:
        raise InputError("problem", faults)
    shares = np.array([float(stated.get(t, 0.0)) for t in targets])
    kinds = {t.split(".")[0] for t in stated if stated[t] > 0}
    if len(kinds) > 1 and combine is None:
        raise BayesmixError(f"the objective adds {' and '.join(sorted(kinds))}: give weights to targets of one kind")
    return signs(targets) * shares / (shares.sum() if problem.combine == "mean" else shares.max())
