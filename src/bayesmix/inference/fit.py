"""fit(): condition a model on runs."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from numpyro.distributions import biject_to

from bayesmix.errors import BayesmixError
from bayesmix.inference.mode import Mode, find_modes
from bayesmix.inference.program import CHUNK, Program, program
from bayesmix.inference.progress import progress as show
from bayesmix.inputs import Inputs
from bayesmix.model import Model
from bayesmix.posterior import Posterior, assemble
from bayesmix.precision import in_double
from bayesmix.runs import Runs

CHAINS = 4


@in_double
def fit(
    model: Model,
    runs: Runs,
    *,
    seed: int,
    draws: int = 1000,
    warmup: int = 500,
    progress: bool = False,
) -> Posterior:
    """Sample the posterior of a model given runs.

    Modes are found first, by optimisation from draws of the prior; NUTS then samples in coordinates that the Laplace
    approximation of the best mode has whitened, its chains started around all modes that matter.

    Parameters
    ----------
    model : Model
        What is believed before.
    runs : Runs
        What was measured.
    seed : int
        Source of all randomness: the same seed gives the same draws.
    draws, warmup : int
        Draws kept and discarded in each of four chains; rounded up to multiples of 50.
    progress : bool
        Show how far it is.

    Returns
    -------
    Posterior
        Ask it for `problems()` before anything else.

    Raises
    ------
    InputError
        Everything that the model needs and the runs do not have.
    """
    if draws < 1 or warmup < 1:
        raise BayesmixError(f"draws and warmup must be at least 1, not {draws} and {warmup}")
    inputs, coordinates = model.inputs(runs)
    compiled = program(model, inputs)
    key_modes, key_starts, key_chains = jax.random.split(jax.random.key(seed), 3)
    modes = find_modes(compiled, inputs, key_modes)
    centred = _starts(modes, compiled.size, key_starts)
    with show(model.name, _chunks(warmup + draws) * CHUNK, progress) as report:
        stats = _sample(compiled, inputs, modes[0], centred, key_chains, _chunks(warmup), _chunks(draws), report)
    u = stats.pop("u")
    values = compiled.constrain(u.reshape(-1, u.shape[-1]), inputs)
    quantities = {n: np.asarray(v).reshape(*u.shape[:2], *v.shape[1:]) for n, v in values.items()}
    kept = _prior_sd_kept(compiled, inputs, quantities, key_modes)
    return assemble(model, runs, coordinates, quantities, u, stats, seed, modes=len(modes), prior_kept=kept)


def _chunks(draws: int) -> int:
    return -(-draws // CHUNK)


def _starts(modes: list[Mode], size: int, key: Any) -> np.ndarray:
    """Return a start for each chain, around the modes in turn, in coordinates whitened by the best."""
    normal = np.asarray(jax.random.normal(key, (CHAINS, size)))
    u = np.stack([(m := modes[i % len(modes)]).centre + m.scale @ normal[i] for i in range(CHAINS)])
    return np.linalg.solve(modes[0].scale, (u - modes[0].centre).T).T


def _sample(
    compiled: Program,
    inputs: Inputs,
    mode: Mode,
    z: np.ndarray,
    key: Any,
    warmup: int,
    draws: int,
    report: Any,
) -> dict[str, np.ndarray]:
    start, advance = compiled.sampler(warmup * CHUNK)
    whitening = (mode.centre, mode.scale)
    state = start(jax.random.split(key, CHAINS), z, inputs, *whitening)
    kept, divergences = [], 0
    for chunk in range(warmup + draws):
        state, values = advance(state, inputs, *whitening)
        if chunk >= warmup:
            kept.append(jax.device_get(values))
            divergences += int(kept[-1]["diverging"].sum())
        report((chunk + 1) * CHUNK, divergences)
    return {n: np.concatenate([k[n] for k in kept]).swapaxes(0, 1) for n in kept[0]}


def _prior_sd_kept(compiled: Program, inputs: Inputs, quantities: dict[str, np.ndarray], key: Any) -> dict[str, float]:
    """Return, per quantity, the largest share of an element's prior standard deviation that the runs left.

    On the unconstrained scale of each element, e.g. the logarithm of a positive one.
    """
    prior = compiled.constrain(compiled.prior_draws(jax.random.split(key, 1000), inputs), inputs)
    kept = {}
    for name, quantity in compiled.model.unknowns.items():
        free = biject_to(quantity.distribution.support).inv
        before, after = np.asarray(free(prior[name])), np.asarray(free(quantities[name]))
        kept[name] = float((after.std(axis=(0, 1)) / before.std(axis=0)).max())
    return kept
