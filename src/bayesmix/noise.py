r"""Noises: from the mean response to the distribution of what is measured.

A noise is declared like a law: positional arguments are arrays of shape (observation, target), keyword defaults are
its unknown quantities. Every target has its own unless the model pools them. All of them are distributions of the
response itself, never of its logarithm, so that log likelihoods of different noises can be compared as they are.

The scale of those that have one may be a power of a column x, in a model file as ``noise = "log_student_t by C"``:

$$\sigma_i = \sigma\,(x_i / x_0)^s$$

where $x_0$ (`sigma_at`) is the geometric mean of x over the fitted runs and s (`sigma_slope`) an unknown of every
target: with s = 0 large runs scatter as small ones do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import gammaln
from numpyro.distributions import Distribution, transforms

from bayesmix.errors import BayesmixError, suggest
from bayesmix.law import Quantity, declaration, prior, reference

_TINY = 1e-12
_BY = " by "
_SLOPE, _AT = "sigma_slope", "sigma_at"


@dataclass(frozen=True)
class Noise:
    """A distribution of the response around its mean, with default priors; see `NOISES`.

    Parameters
    ----------
    name : str
        How model files call it.
    function : callable
        Mean, further inputs and quantities to distribution.
    quantities : mapping of str to Quantity
        Its keyword arguments, and what `growing` adds.
    inputs : tuple of str
        Its positional arguments.
    by : str
        Column that its scale is a power of; empty for none.
    """

    name: str
    function: Callable[..., Distribution]
    quantities: Mapping[str, Quantity]
    inputs: tuple[str, ...]
    by: str = ""

    def growing(self, column: str) -> Noise:
        """Return this noise with a scale that is a power of a column.

        Raises
        ------
        BayesmixError
            It has no scale, or the column no name.
        """
        if "sigma" not in self.quantities or not column:
            have = ", ".join(self.quantities) or "none"
            raise BayesmixError(
                f"noise {self.name + _BY + column!r} needs the name of a column, such as C, and a quantity sigma; "
                f"noise {self.name} has: {have}"
            )
        # Over four decades of x one standard deviation is a factor of four.
        slope = prior(dist.Normal(0.0, 0.15), "", f"exponent of {column} in sigma")
        quantities = {**self.quantities, _SLOPE: slope, _AT: reference(column)}
        return replace(self, name=f"{self.name}{_BY}{column}", quantities=quantities, by=column)

    def around(self, mean: Any, numbers: Mapping[str, Any], items: Any, by: Any) -> Distribution:
        """Return the distribution of measured responses, batch shape (observation, target).

        Parameters
        ----------
        mean : array, shape (observation, target)
            Law's response.
        numbers : mapping of str to array, shape (target,) or (observation, target)
            Every quantity.
        items : array, shape (observation, target)
            Numbers of evaluation items, for noises that count.
        by : array, shape (observation,)
            The column that the scale is a power of, if it is.
        """
        numbers = dict(numbers)
        if self.by:
            slope, at = numbers.pop(_SLOPE), numbers.pop(_AT)
            numbers["sigma"] = numbers["sigma"] * jnp.exp(slope * jnp.log(by / at)[:, None])
        extra = {"items": items} if "items" in self.inputs else {}
        return self.function(mean, **extra, **numbers)

    @property
    def smooth(self) -> Noise | None:
        """A noise without a kink to find modes with, if this one's second derivative says nothing at the mean."""
        return replace(self, function=_log_hyperbolic) if self.function is log_laplace else None

    def excludes(self, response: np.ndarray) -> np.ndarray:
        """Say which responses can be measured but have no density."""
        if self.name == "beta":
            return (response <= 0) | (response >= 1)
        if self.name == "binomial":
            return (response < 0) | (response > 1)
        return response <= 0 if self.name.startswith("log_") else np.zeros(np.shape(response), bool)

    def miscounted(self, response: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Say which responses are the fraction of no whole number of items, where those are counted."""
        if "items" not in self.inputs:
            return np.zeros(np.shape(response), bool)
        counts = response * items
        # Rounding moves a fraction by half a unit of its last decimal; a little more is for binary arithmetic.
        return np.abs(counts - np.round(counts)) > 1.001 * items * _rounding(response)

    @property
    def discrete(self) -> bool:
        """Whether it gives probabilities, not densities: the two cannot be compared."""
        return self.name == "binomial"


@np.vectorize
def _rounding(fraction: float) -> float:
    """Return half a unit of the last decimal that a fraction is stated with, of six digits at most."""
    stated = np.format_float_positional(fraction, precision=6, fractional=False, trim="-")
    return 0.5 * 10.0 ** -len(stated.partition(".")[2])


def _sigma(meaning: str, *, relative: bool = False):
    # Zero is excluded: with as many quantities as runs the likelihood would otherwise grow without bound there.
    return prior(dist.LogNormal(-4.6, 1.0), "", meaning, relative=relative)


def _degrees():
    # Juarez and Steel (2010): spread from nearly Cauchy to nearly normal.
    return prior(dist.Gamma(2, 0.1), "", "degrees of freedom: small where outliers are many")


def _of_log(base: type[Distribution], mean, *numbers, **scales) -> Distribution:
    return dist.TransformedDistribution(
        base(*numbers, jnp.log(jnp.maximum(mean, _TINY)), **scales), transforms.ExpTransform()
    )


def log_normal(mean, *, sigma=_sigma("standard deviation of the log response")):
    """Give the log response normal errors."""
    return _of_log(dist.Normal, mean, scale=sigma)


def log_student_t(mean, *, sigma=_sigma("scale of the log response"), nu=_degrees()):
    """Give the log response Student-t errors, the default: runs that went wrong do not drag the law along."""
    return _of_log(_StudentT, mean, nu=nu, scale=sigma)


class _StudentT(dist.StudentT):
    """Student-t errors whose normalising constant, which is most of the cost, is computed once a target."""

    def __init__(self, loc, *, nu, scale):
        self._nu = nu
        super().__init__(jnp.broadcast_to(nu, jnp.shape(loc)), loc, scale)

    def log_prob(self, value):
        nu, scale, loc = self._nu, jnp.asarray(self.scale), jnp.asarray(self.loc)
        constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * jnp.log(jnp.pi * nu)
        squares = ((value - loc) / scale) ** 2
        return constant - jnp.log(scale) - 0.5 * (nu + 1) * jnp.log1p(squares / nu)


def log_laplace(mean, *, sigma=_sigma("mean absolute deviation of the log response")):
    """Give the log response Laplace errors: the likelihood behind Huber losses with a small threshold."""
    return _of_log(dist.Laplace, mean, scale=sigma)


def _log_hyperbolic(mean, *, sigma):
    return _of_log(_Hyperbolic, mean, scale=sigma)


def normal(mean, *, sigma=_sigma("standard deviation of the response", relative=True)):
    """Give the response itself normal errors."""
    return dist.Normal(mean, sigma)


def student_t(mean, *, sigma=_sigma("scale of the response", relative=True), nu=_degrees()):
    """Give the response itself Student-t errors: for scores, which may be negative, with outliers."""
    return _StudentT(mean, nu=nu, scale=sigma)


class _Hyperbolic(Distribution):
    """Laplace errors with the kink rounded off within one scale; the density is not normalised."""

    support = dist.constraints.real  # pyright: ignore

    def __init__(self, loc, scale):
        self.loc, self.scale = jnp.broadcast_arrays(loc, scale)
        super().__init__(jnp.shape(self.loc))

    def log_prob(self, value):
        return -jnp.sqrt(1.0 + ((value - self.loc) / self.scale) ** 2) - jnp.log(self.scale)


def beta(
    mean,
    *,
    precision=prior(dist.LogNormal(6.0, 1.5), "", "pseudo-count: variance is mean (1 - mean) / (1 + it)"),
):
    """Give a fraction in (0, 1) beta errors."""
    mean = jnp.clip(mean, 1e-6, 1 - 1e-6)
    return dist.Beta(mean * precision, (1 - mean) * precision)


def binomial(mean, items):
    """Count successes among `items` evaluation items (columns ``items.<target>``); the response is their fraction."""
    mean = jnp.clip(mean, 1e-6, 1 - 1e-6)
    items = jnp.asarray(items).astype(int)  # the sampler takes no other
    counts = dist.Binomial(items, probs=mean)
    return _Fraction(counts, items)


class _Fraction(Distribution):
    """A count divided by its number of items; a probability mass, so without a Jacobian."""

    support = dist.constraints.unit_interval  # pyright: ignore

    def __init__(self, counts: Distribution, items):
        self.counts, self.items = counts, items
        super().__init__(counts.batch_shape, counts.event_shape)

    def log_prob(self, value):
        # Fractions are stated with few decimals; what is further from a count than that is no run's (see `miscounted`).
        return self.counts.log_prob(jnp.round(value * self.items))

    def sample(self, key, sample_shape=()):
        return self.counts.sample(key, sample_shape) / self.items


def sampled(distribution: Distribution, key: Any, root: Any) -> Any:
    """Return one draw of a noise, shape (observation, target).

    Parameters
    ----------
    distribution : Distribution
        Of a function of this module.
    key : jax.Array
        Source of randomness.
    root : array, shape (target, target)
        Cholesky factor of the correlation of the targets' errors. Errors on the whole line are normal ones of a random
        scale (Andrews and Mallows 1974), and the normal ones are correlated; errors of fractions are drawn apart.
    """
    base = getattr(distribution, "base_dist", distribution)
    first, second = jax.random.split(key)
    if isinstance(base, dist.StudentT):
        spread = jnp.sqrt(base.df / dist.Chi2(base.df).sample(second))
    elif isinstance(base, dist.Laplace):
        spread = jnp.sqrt(2 * jax.random.exponential(second, base.batch_shape))
    elif isinstance(base, dist.Normal):
        spread = 1.0
    else:
        return distribution.sample(key)
    value = base.loc + jnp.asarray(base.scale) * spread * (jax.random.normal(first, base.batch_shape) @ root.T)
    for transform in getattr(distribution, "transforms", ()):
        value = transform(value)
    return value


def _noise(function: Callable[..., Distribution]) -> Noise:
    inputs, quantities = declaration(function)
    return Noise(function.__name__, function, quantities, inputs)


NOISES: Mapping[str, Noise] = {
    f.__name__: _noise(f) for f in (log_student_t, log_normal, log_laplace, normal, student_t, beta, binomial)
}


def get(name: str) -> Noise:
    """Return a noise by name, such as "log_normal", or "log_normal by C" for a scale that is a power of a column.

    Raises
    ------
    BayesmixError
        There is no such noise, and the known ones are listed; or it has no scale.
    """
    kind, by, column = name.partition(_BY)
    if kind not in NOISES:
        raise BayesmixError(f"there is no noise {kind!r}. {suggest(kind, NOISES)}")
    return NOISES[kind].growing(column.strip()) if by else NOISES[kind]
