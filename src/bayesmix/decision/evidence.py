"""The evidence for a chosen mixture: optima of single draws, nearly as good mixtures, other laws, unseen draws."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bayesmix.decision.allowed import Allowed
from bayesmix.decision.decision import Under
from bayesmix.decision.form import Form
from bayesmix.decision.objective import Objective
from bayesmix.decision.optimise import Minimum, minimise
from bayesmix.decision.risk import softened, terms
from bayesmix.linking import Link, outside

# Draws that second derivatives of a risk are taken over: they steer the steps, not where these end.
_ROUGH = 64
_SMOOTH, _KINKED = 1e-8, 1e-7  # last barrier, of the range of the gradient
_COARSER = 10  # for single draws
_BISECTIONS = 5
_ROUNDING = 1e-9  # of the risk, below which a loss is none


def best(objective: Objective, allowed: Allowed, starts: np.ndarray) -> Minimum:
    """Return the mixture of least risk, from several starts, shape (start, corner)."""
    steering = objective if objective.kinks else objective.thinned(_ROUGH)
    found = minimise(
        objective.form.risk,
        np.zeros(len(starts)),
        objective.shared,
        allowed,
        allowed.inside(starts),
        rough=steering.shared,
        hidden=objective.kinks,
        precision=_KINKED if objective.kinks else _SMOOTH,
    )
    k = int(objective.risk(objective.draws(found.w)).argmin())
    residual = min(found.residual[k], _promise(objective, found.w[k], allowed))
    return Minimum(found.shares[[k]], found.w[[k]], np.array([residual]))


def _promise(objective: Objective, w: np.ndarray, allowed: Allowed) -> float:
    """Return what another mixture could still gain to first order, by the best multipliers that there are.

    At a kink many slopes are right: the kinks of a maximum are smoothed, and the ranks of sorted draws blurred, more
    and more; what either takes from the risk or adds to it is counted.
    """
    draws, counts = objective.draws(w[None])[0], sum(objective.counts.values())
    shared = objective.shared
    widths = [round(counts * share) for share in (0, 0.01, 0.03, 0.1)] if objective.stated.kind == "cvar" else [0]
    smoothings = np.ptp(draws) * 10.0 ** np.arange(-6, -1) if objective.kinks else [0.0]
    found = []
    for width in widths:
        blurred = softened(shared["risk"], width)
        lost = objective.risk(draws[None])[0] - terms(draws, blurred, objective.form.sorts, np).max()
        for mu in smoothings:
            slope = np.asarray(_slope(objective.form, w, mu, {**shared, "risk": blurred}))
            found.append(allowed.promise(w, slope) + lost + mu * objective.kinks)
    return min(found)


def least_responses(objective: Objective, allowed: Allowed) -> np.ndarray:
    """Return the best expected response of each target that any allowed mixture reaches for it, shape (target,)."""
    signs = np.sign(objective.weights[0])
    lanes = np.diag(signs)
    starts = np.tile(allowed.centre, (len(lanes), 1))
    rough = objective.thinned(_ROUGH).shared
    w = minimise(objective.form.target, lanes, objective.shared, allowed, starts, rough=rough).w
    return np.array([np.asarray(_expected(objective.form, each, objective.shared))[j] for j, each in enumerate(w)])


@partial(jax.jit, static_argnames=("form",))
def _expected(form: Form, w: Any, shared: Any) -> Any:
    return form.responses(w, shared["parts"]).mean(axis=0)


def outside_links(objective: Objective, chosen: Minimum, links: Sequence[Link]) -> list[str]:
    """Return a sentence for each expected response of the chosen mixture that a link was not fitted to."""
    if not links:
        return []
    expected = np.asarray(_expected(objective.form, chosen.w[0], objective.shared))
    said = (
        outside(link, covariate, expected[[k]])
        for link, form in zip(links, objective.form.links, strict=True)
        for covariate, k in form.reads
    )
    return [sentence for sentence in said if sentence]


def own_optima(
    objective: Objective, chosen: Minimum, allowed: Allowed, most: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return each draw's own best mixture, what it saves on the chosen one, and how many are not certified.

    The chosen mixture itself stands in where nothing better was found.
    """
    optima, regret, uncertain = [], [], 0
    start = allowed.inside(chosen.shares)[0]
    for law in objective.thinned(most).laws().values():
        count = sum(law.counts.values())
        drawn = law.parts[0]["drawn"]
        here = law.draws(chosen.w)[0]
        if not law.uses_mixture:
            optima.append(np.repeat(chosen.w, count, axis=0))
            regret.append(np.zeros(count))
            continue
        known = {name: value for name, value in law.parts[0].items() if name != "drawn"}
        shared = {"parts": [known], "weights": law.weights}
        found = minimise(
            law.form.single, drawn, shared, allowed, np.tile(start, (count, 1)), hidden=law.kinks,
            precision=_COARSER * (_KINKED if law.kinks else _SMOOTH),
        )  # fmt: skip
        there = np.asarray(_singly(law.form, found.w, drawn, shared))
        better = there < here
        uncertain += int((found.residual > 0.05 * (here - there) + 1e-4 * np.abs(here)).sum())
        optima.append(np.where(better[:, None], found.w, chosen.w))
        regret.append(np.where(better, here - there, 0.0))
    return np.concatenate(optima), np.concatenate(regret), uncertain


@partial(jax.jit, static_argnames=("form",))
def _singly(form: Form, w: Any, drawn: Any, shared: Any) -> Any:
    return jax.vmap(lambda w, drawn: form.single(w, 1e-12, drawn, shared))(w, drawn)


def near_range(objective: Objective, chosen: Minimum, allowed: Allowed, loss: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and greatest weight of each domain among mixtures whose risk is at most `loss` more.

    For each end, the mixture is sought that moves the weight farthest while the risk's quadratic model stays within the
    loss, all other weights at their best for it; then it is drawn back towards the chosen one until the risk itself
    does. Single exchanges between domains would show a much narrower range, and random candidates hardly any.
    """
    w, (least, domains) = chosen.w[0], (objective.risk(objective.draws(chosen.w))[0], chosen.w.shape[1])
    if loss <= _ROUNDING * abs(least):
        return w, w
    slope, curvature = _model(objective, w, loss)
    shared = {"at": w, "slope": slope, "curvature": curvature, "loss": loss}
    start = next(
        s
        for s in (allowed.inside(chosen.shares, 0.5**k)[0] for k in range(1, 60))
        if _beyond(s @ allowed.corners, shared) < 0.25 * loss
    )
    lanes = np.concatenate([np.eye(domains), -np.eye(domains)])
    found = minimise(_end, lanes, shared, allowed, np.tile(start, (len(lanes), 1)), precision=1e-6).w
    inner, outer = np.zeros(len(lanes)), np.ones(len(lanes))
    trial = outer
    for _ in range(_BISECTIONS):
        within = objective.risk(objective.draws(w + trial[:, None] * (found - w))) <= least + loss
        inner, outer = np.where(within, trial, inner), np.where(within, outer, trial)
        trial = (inner + outer) / 2
    ends = w + inner[:, None] * (found - w)
    return np.minimum(np.diag(ends[:domains]), w), np.maximum(np.diag(ends[domains:]), w)


def _model(objective: Objective, w: np.ndarray, smooth: float) -> tuple[np.ndarray, np.ndarray]:
    """Return gradient and curvature of the risk; where it has kinks, as they look from as far as `smooth`."""
    steering = objective if objective.kinks else objective.thinned(_ROUGH)
    slope = np.asarray(_slope(objective.form, w, smooth, objective.shared))
    curvature = np.asarray(_curvature(objective.form, w, smooth, steering.shared))
    values, vectors = np.linalg.eigh(curvature)
    return slope, (vectors * np.maximum(values, 0.0)) @ vectors.T


@partial(jax.jit, static_argnames=("form",))
def _slope(form: Form, w: Any, mu: Any, shared: Any) -> Any:
    return jax.grad(form.risk)(w, mu, None, shared)


@partial(jax.jit, static_argnames=("form",))
def _curvature(form: Form, w: Any, mu: Any, shared: Any) -> Any:
    return jax.hessian(form.risk)(w, mu, None, shared)


def _beyond(w: Any, shared: Any) -> Any:
    step = w - shared["at"]
    return shared["slope"] @ step + 0.5 * step @ shared["curvature"] @ step


def _end(w: Any, mu: Any, lane: Any, shared: Any) -> Any:
    return lane @ w - mu * jnp.log(1 - _beyond(w, shared) / shared["loss"])


def under(
    objective: Objective, laws: dict[str, Objective], chosen: Minimum, baseline: np.ndarray, allowed: Allowed
) -> dict[str, Under]:
    """Return what each law alone would choose, and what would be chosen without the discrepancy."""
    each = dict(laws)
    if (straight := objective.straight()) is not None:
        each["no discrepancy"] = straight
    found = {}
    for name, believed in each.items():
        own = best(believed, allowed, chosen.shares) if believed.uses_mixture else chosen
        there, here, before = believed.risk(believed.draws(np.stack([own.w[0], chosen.w[0], baseline])))
        found[name] = Under(own.w[0], float(before - there), float(before - here))
    return found


def corrected_gain(objective: Objective, chosen: Minimum, baseline: np.ndarray, allowed: Allowed) -> float:
    """Return the mean gain on halves of the draws that the mixture was not chosen by; see `Decision`."""
    halves = []
    for k in (0, 1):
        # Every draw of a half counts twice, so that the same compiled programs do.
        halves.append(objective.of({n: np.resize(np.arange(k % c, c, 2), c) for n, c in objective.counts.items()}))
    gains = []
    for half, other in (halves, halves[::-1]):
        w = best(half, allowed, chosen.shares).w[0]
        draws = other.draws(np.stack([w, baseline]))
        gains.append((draws[1] - draws[0]).mean())
    return float(np.mean(gains))
