"""The constraints of a problem, by the names of its domains: bounds, groups, availability, hull and trust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from bayesmix.decision.allowed import Allowed, Demand, allow, divergence
from bayesmix.decision.optimise import minimise
from bayesmix.decision.problem import Problem, mixture
from bayesmix.errors import BayesmixError, Fault, InputError, suggest


def demands(problem: Problem, domains: tuple[str, ...]) -> list[Demand]:
    r"""Return the linear inequalities that a problem states.

    Availability is $w_j D \le e_j U_j$, with $U_j$ the unique tokens of a domain, $e_j$ how often they may be seen and
    D the tokens of the planned run.

    Raises
    ------
    InputError
        Names of unknown domains, or availability without planned D.
    """
    faults = list(_unknown(problem, domains))
    if problem.available and not isinstance(problem.planned.get("D"), int | float):
        faults.append(Fault("available tokens are stated, but not how many are trained on", "Add planned.D"))
    if problem.epochs and not problem.available:
        faults.append(Fault("epochs are stated, but not of how many tokens", "Add a table [available]"))
    if faults:
        raise InputError("problem", faults)
    unit = dict(zip(domains, np.eye(len(domains)), strict=True))
    found = []
    for domain, (low, high) in zip(domains, bounds(problem, domains), strict=True):
        if low > 0:
            found.append(Demand(f"{domain} at least {low:g}", -unit[domain], -low))
        if high < 1:
            found.append(Demand(f"{domain} at most {high:g}", unit[domain], high))
    for name, group in problem.groups.items():
        stated = group["domains"]
        weights = np.sum([unit[d] * (stated[d] if isinstance(stated, dict) else 1.0) for d in stated], axis=0)
        if "least" in group:
            found.append(Demand(f"group {name} at least {group['least']:g}", -weights, -float(group["least"])))
        if "greatest" in group:
            found.append(Demand(f"group {name} at most {group['greatest']:g}", weights, float(group["greatest"])))
    for domain, most in supply(problem).items():
        if most < 1:
            found.append(Demand(f"{domain} at most {most:.3g}, which is available", unit[domain], most))
    return found


def _unknown(problem: Problem, domains: tuple[str, ...]) -> Iterator[Fault]:
    named: dict[str, Any] = {"bounds": problem.bounds, "available": problem.available, "epochs": problem.epochs}
    for key, table in named.items():
        known = domains if key == "available" else (*domains, "default")
        for domain in table:
            if domain not in known:
                yield Fault(f"{key} for an unknown domain {domain!r}", suggest(domain, domains))
    for name, group in problem.groups.items():
        for domain in group["domains"]:
            if domain not in domains:
                yield Fault(f"group {name} has an unknown domain {domain!r}", suggest(domain, domains))


def bounds(problem: Problem, domains: tuple[str, ...]) -> np.ndarray:
    """Return the least and greatest weight of each domain that its bounds state, shape (domain, 2)."""
    return np.array([problem.bounds.get(d, problem.bounds.get("default", (0.0, 1.0))) for d in domains])


def limits(problem: Problem, domains: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and greatest weight of each domain that bounds and availability leave it."""
    low, high = bounds(problem, domains).T
    most = supply(problem)
    return low, np.minimum(high, [most.get(d, 1.0) for d in domains])


def supply(problem: Problem) -> dict[str, float]:
    """Return the greatest weight for which the available tokens of a domain last."""
    once = problem.epochs.get("default", 1.0)
    return {
        d: problem.epochs.get(d, once) * tokens / float(problem.planned["D"]) for d, tokens in problem.available.items()
    }


def choices(problem: Problem, domains: tuple[str, ...], observed: np.ndarray) -> Allowed:
    """Return the mixtures that a problem allows; observed ones span the hull, where it asks for that.

    Raises
    ------
    InputError
        Constraints about unknown domains, or that no mixture satisfies: those that contradict each other are named.
    """
    hull = observed if problem.within == "fitted mixtures" else None
    stated = demands(problem, domains)
    trusted = mixture(problem.trusted["mixture"], domains, "the trusted mixture") if problem.trusted else None
    if trusted is not None and (trusted == 0).any():
        raise InputError("problem", [Fault("the trusted mixture has a weight of 0", "Give every domain some weight")])
    try:
        linear = allow(stated, len(domains), hull)
    except BayesmixError as error:
        what, _, remedy = str(error).partition(". ")
        raise InputError("problem", [Fault(what, remedy)]) from None
    return linear if trusted is None else _near(linear, trusted, float(problem.trusted["divergence"]))


def _near(linear: Allowed, trusted: np.ndarray, most: float) -> Allowed:
    """Return the mixtures of a set that are near a trusted one, with a centre among them."""
    nearest = minimise(_divergence, np.zeros(1), trusted, linear, linear.centre[None])
    least = float(divergence(nearest.w[0], trusted, np))
    if least >= most:
        what = f"no mixture that the other constraints allow is nearer than {least:.3g} nats to the trusted one"
        raise InputError("problem", [Fault(what, f"Raise its divergence, {most:g}, or loosen another constraint")])
    shares, there = nearest.shares[0], divergence(linear.mixtures(linear.centre), trusted, np)
    # The divergence is convex: less than half the way from the least of it to the limit.
    step = min(1.0, 0.5 * (most - least) / max(there - least, 1e-12))
    return replace(linear, centre=shares + step * (linear.centre - shares), trusted=(trusted, most))


def _divergence(w: Any, mu: Any, lane: Any, trusted: Any) -> Any:
    return divergence(w, trusted, jnp)
