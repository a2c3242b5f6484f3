"""The objective of a mixture, draw by draw."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from bayesmix.beyond import edge
from bayesmix.covariates import is_bending, is_better_higher
from bayesmix.decision.problem import Problem
from bayesmix.discrepancy import fall
from bayesmix.errors import BayesmixError, Fault, InputError, suggest
from bayesmix.inputs import Inputs
from bayesmix.model import Model
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs


@dataclass(frozen=True)
class Part:
    """Draws of one posterior, the planned run as its model sees it, and where the fitted runs end on the way to it.

    Among the values, ``bend`` is how far off the law is from there on; see `bayesmix.discrepancy`.
    """

    model: Model
    values: Mapping[str, Any]
    inputs: tuple[Inputs, Inputs]
    weights: np.ndarray

    def one(self, w: Any, values: Mapping[str, Any], inputs: tuple[Inputs, Inputs]) -> Any:
        """Return the objective of a mixture in one draw."""
        mixture = [c for c, column in self.model.columns.items() if column == "w"]

        def mean(at):
            covariates = {**at.covariates, **dict.fromkeys(mixture, w[None, :])}
            return self.model.mean(values, dataclasses.replace(at, covariates=covariates))[0]

        planned, edge = map(mean, inputs)
        return (planned * jnp.exp(-values["bend"] * fall(planned, edge, jnp))) @ self.weights


@dataclass(frozen=True)
class Objective:
    """The objective as a smooth function of the mixture, over fixed draws; smaller is better."""

    parts: tuple[Part, ...]

    @cached_property
    def draws(self) -> Any:
        """Objective of a mixture in every draw: w -> (draw,)."""
        functions = [_jitted(part.one) for part in self.parts]

        def every(w):
            return np.concatenate(
                [np.asarray(f(w, p.values, p.inputs)) for f, p in zip(functions, self.parts, strict=True)]
            )

        return every

    @cached_property
    def expected(self) -> Any:
        """Mean over draws and its gradient: w -> (number, (domain,))."""
        functions = [_jitted(part.one, mean=True) for part in self.parts]
        sizes = np.array([_count(p.values) for p in self.parts], dtype=float)
        shares = sizes / sizes.sum()

        def both(w):
            results = [f(w, p.values, p.inputs) for f, p in zip(functions, self.parts, strict=True)]
            value = sum(s * float(v) for s, (v, _) in zip(shares, results, strict=True))
            gradient = sum(s * np.asarray(g) for s, (_, g) in zip(shares, results, strict=True))
            return value, gradient

        return both

    def single(self, limit: int) -> list[Any]:
        """Return the objective and gradient of up to `limit` evenly spaced draws, each a function of w."""
        total = sum(_count(p.values) for p in self.parts)
        limit = min(limit, total)
        functions = []
        for part in self.parts:
            count = _count(part.values)
            gradient = jax.jit(jax.value_and_grad(part.one))
            for i in np.linspace(0, count - 1, max(1, round(limit * count / total))).astype(int):
                values = {n: v[i] for n, v in part.values.items()}
                functions.append(_bound(gradient, values, part.inputs))
        return functions


def _bound(gradient: Any, values: Mapping[str, Any], inputs: tuple[Inputs, Inputs]) -> Any:
    def both(w):
        value, slope = gradient(w, values, inputs)
        return float(value), np.asarray(slope)

    return both


def _jitted(one: Any, *, mean: bool = False) -> Any:
    every = jax.vmap(one, in_axes=(None, 0, None))
    return jax.jit(jax.value_and_grad(lambda w, v, i: jnp.mean(every(w, v, i)))) if mean else jax.jit(every)


def _count(values: Mapping[str, Any]) -> int:
    return len(next(iter(values.values())))


def build(
    posteriors: Mapping[str, Posterior], weights: Mapping[str, float], problem: Problem, draws: int, key: Any
) -> Objective:
    """Take draws from each posterior by its weight and state the objective on them.

    Raises
    ------
    InputError
        The problem names targets that the posteriors do not predict, or lacks what a law needs.
    """
    first = next(iter(posteriors.values()))
    # Fewer draws rather than other shares, where a posterior has not as many as its share asks for.
    available = {name: _count(p.values()) for name, p in posteriors.items()}
    draws = min([draws, *(int(available[n] / weights[n]) for n in posteriors if weights[n] > 0)])
    parts = []
    for name, posterior in posteriors.items():
        count = round(draws * weights[name])
        if not count:
            continue
        key, here = jax.random.split(key)
        values, total = posterior.values(), available[name]
        discrepancy, weighted = posterior.model.discrepancy, target_weights(posterior.targets, problem)
        rng = np.random.default_rng(np.asarray(jax.random.key_data(here)))
        known = all(map(is_bending, posterior.targets))
        bend = discrepancy.draws(rng, total) if discrepancy and known else np.zeros(total)
        chosen = np.asarray(jax.random.choice(here, total, (min(count, total),), replace=False))
        inputs, _ = posterior.model.inputs(planned_run(posterior, problem, first.runs.domains), posterior.coordinates)
        sampled = {n: v[chosen] for n, v in values.items()}
        places = (inputs, edge(posterior, inputs)[0])
        parts.append(Part(posterior.model, sampled | {"bend": bend[chosen]}, places, weighted))
    return Objective(tuple(parts))


def planned_run(posterior: Posterior, problem: Problem, domains: tuple[str, ...]) -> Runs:
    """Return the planned run with a uniform mixture, as a table of one row."""
    row = {"run": "planned", **problem.planned, **{f"w.{d}": 1 / len(domains) for d in domains}}
    runs = Runs.of(pd.DataFrame([row]), planned=True, source="the problem's planned run")
    known = {"N", "D", "C", "U", *posterior.runs.labels}
    faults = [Fault(f"planned has an unknown {k!r}", suggest(k, known)) for k in problem.planned if k not in known]
    faults += [
        Fault(f"law {posterior.model.law.name} needs {c} of the planned run", f"Add planned.{c}")
        for c in posterior.model.columns.values()
        if c not in ("w", *runs.symbols, *runs.labels)
    ]
    if faults:
        raise InputError("problem", faults)
    return runs


def target_weights(targets: tuple[str, ...], problem: Problem) -> np.ndarray:
    """Return each target's signed share of the objective, so that smaller is better."""
    stated = problem.objective or dict.fromkeys(targets, 1.0)
    faults = [Fault(f"objective has an unknown target {t!r}", suggest(t, targets)) for t in stated if t not in targets]
    if faults:
        raise InputError("problem", faults)
    signs = np.array([-1.0 if is_better_higher(t) else 1.0 for t in targets])
    shares = np.array([float(stated.get(t, 0.0)) for t in targets])
    kinds = {t.split(".")[0] for t in stated if stated[t] > 0}
    if len(kinds) > 1:
        raise BayesmixError(f"the objective adds {' and '.join(sorted(kinds))}: give weights to targets of one kind")
    return signs * shares / shares.sum()
