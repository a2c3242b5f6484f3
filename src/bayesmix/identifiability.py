r"""What a design can show: how much of each prior would be left after runs like these, before any is trained.

A linear-Gaussian look ahead: with prior standard deviations s of the unconstrained quantities and the Jacobian J of the
log response at draws from the prior, runs with relative errors of 1 % would leave the covariance
$(\mathrm{diag}(s)^{-2} + J^\top J / 0.01^2)^{-1}$. It needs no rule per law: a single D, a single D/N, or domains
that never vary show as directions in which J vanishes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from bayesmix import ready
from bayesmix.covariates import head, is_target
from bayesmix.diagnostics import PRIOR_SD_KEPT
from bayesmix.errors import BayesmixError
from bayesmix.inference.program import Program, program
from bayesmix.inputs import Inputs, padded
from bayesmix.law import OWN
from bayesmix.model import Model
from bayesmix.precision import in_double
from bayesmix.runs import Runs
from bayesmix.scores import half_width

# Asked first of any table that can feed them: each law costs a compilation.
COMMON = (
    "chinchilla",
    "alab_m2",
    "muennighoff",
    "ye_m4",
    "effective_tokens",
    "effective_data",
    "gadre_error",
    "ladder_two_step",
)
RELATIVE_ERROR = 0.01
_PRIOR_DRAWS = 64
_SEED = 0  # the look ahead averages over the prior; another seed gives the same answer within a few per cent


@in_double
def prior_left(model: Model, runs: Runs) -> dict[str, float]:
    """Return, per quantity of the law, the share of its prior standard deviation that such runs would leave.

    The largest over its elements, the median over draws from the prior, for the first target that the law is about: the
    others have the same design.

    Raises
    ------
    InputError
        What the model needs and the runs do not have.
    """
    model = dataclasses.replace(model, targets=(_first_target(model, runs),))
    inputs = padded(model.inputs(runs)[0])
    compiled = program(model, inputs)
    drawn = compiled.drawn(np.random.default_rng(_SEED), 1000, inputs)
    prior = np.concatenate([v.reshape(len(v), -1) for v in drawn.values()], axis=1)
    spread = half_width(prior)  # which a prior with heavy tails has too
    responses, quantities = _jacobians(compiled, prior[:_PRIOR_DRAWS], inputs)
    responses = np.nan_to_num(np.asarray(responses)) * spread / RELATIVE_ERROR
    after = np.linalg.inv(np.eye(len(spread)) + responses.swapaxes(1, 2) @ responses)
    return {n: float(np.median(_share(np.asarray(j) * spread, after), axis=0).max()) for n, j in quantities.items()}


def _first_target(model: Model, runs: Runs) -> str:
    """Return the first target, or where the law is about a target's own weight the first with a domain of its own."""
    coordinates = model.inputs(runs)[1]
    own = [coordinates.references[name] for name, column in model.references.items() if column == OWN]
    return coordinates.targets[int(np.any(own[0], axis=1).argmax()) if own else 0]


def _share(jacobian: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return each element's standard deviation over its prior one: coordinates may be rotated, elements are not."""
    return np.sqrt(np.einsum("dei,dij,dej->de", jacobian, after, jacobian) / (jacobian**2).sum(axis=2))


def _jacobians(compiled: Program, sites: np.ndarray, inputs: Inputs):
    """Return Jacobians at each draw of the sites of the log response, and of each quantity of the law."""
    model = compiled.model

    def constrained(sites, inputs: Inputs):
        values = compiled.values(compiled.ravel(compiled.pieces(sites)), inputs)
        logs = jnp.log(jnp.maximum(model.mean(values, inputs), 1e-12))
        unknown = {n: values[n].ravel() for n in model.unknowns if n in model.law.quantities}
        return jnp.where(inputs.observed, logs, 0.0).ravel(), unknown

    function = jax.vmap(jax.jacfwd(constrained), in_axes=(0, None))
    return compiled.compiled("jacobians", function, sites, inputs)(sites, inputs)


def feedable(runs: Runs, names: Iterable[str] | None = None) -> list[Model]:
    """Return the ready models, or those named, whose covariates and response the runs have, and of which all vary."""
    known = ready.models()
    wanted = known.keys() if names is None else known.keys() & set(names)
    models = [_linked(Model.read(known[name]), runs) for name in sorted(wanted)]
    return [model for model in models if not lacking(runs, model)]


def _linked(model: Model, runs: Runs) -> Model:
    """Return a link whose loss is called otherwise here as one of the first loss that there is."""
    losses = [target for target in runs.targets if head(target) in ("loss", "bpb")]
    absent = [c for c, column in model.columns.items() if is_target(column) and column not in runs.targets]
    if not absent or not losses:
        return model
    return dataclasses.replace(model, covariates={**model.covariates, **dict.fromkeys(absent, losses[0])})


def lacking(runs: Runs, model: Model) -> str:
    """Return in words what runs lack to show anything of a model; nothing if they have it all."""
    if not model.law.covariates:
        return "nothing of it depends on the run"
    try:
        model.inputs(runs)
        # How often tokens are repeated varies with the mixture, even where there are as many of them in every run.
        columns = {c: runs.column(c) for c in model.columns.values() if c != "unique"}
    except BayesmixError as error:
        return " ".join(str(error).split())
    constant = [column for column, values in columns.items() if not (values != values[0]).any()]
    return f"{' and '.join(constant)} must vary" if constant else ""


def assess(runs: Runs, models: Sequence[str] = COMMON) -> dict[str, dict[str, float]]:
    """Return `prior_left` of each ready model named that the runs can feed.

    Raises
    ------
    BayesmixError
        No ready model has one of the names.
    """
    for name in models:
        ready.model(name)
    return {model.name: prior_left(model, runs) for model in feedable(runs, models)}


def weak(shares: dict[str, float]) -> dict[str, float]:
    """Return the quantities of which the prior would decide more than the runs."""
    return {n: s for n, s in shares.items() if s > PRIOR_SD_KEPT}


def design_facts(runs: Runs) -> Iterator[str]:
    """Yield what the design cannot show whatever the law, in sentences."""
    yield from scale_facts(runs)
    if runs.domains:
        w = runs.column("w")
        directions = int(np.linalg.matrix_rank(w - w.mean(axis=0), tol=1e-2 * np.sqrt(len(w))))
        if directions < len(runs.domains) - 1:
            yield (
                f"The mixtures vary in {directions} of {len(runs.domains) - 1} directions: those of domains along the "
                "others cannot be known."
            )
    if "U" in runs.symbols and (epochs := (runs.column("D") / runs.column("U")).max()) < 4:
        yield f"No run sees its data more than {epochs:.1f} times: what repetition costs needs about 4 epochs or more."


def scale_facts(runs: Runs) -> Iterator[str]:
    """Yield what the sizes of the runs cannot show whatever the law, in sentences."""
    for symbol, what in (("N", "parameters"), ("D", "tokens")):
        if symbol in runs.symbols and np.ptp(np.log(runs.column(symbol))) < 0.05:
            yield f"All runs have the same {symbol}: the effect of {what} is not separate from the floor."
    if {"N", "D"} <= set(runs.symbols):
        n, d = np.log(runs.column("N")), np.log(runs.column("D"))
        if min(np.ptp(n), np.ptp(d)) >= 0.05 and np.ptp(d - n) < 0.05:
            yield "All runs have the same D/N: the effects of parameters and tokens cannot be told apart."
