r"""Discrepancy: what a law misses beyond the runs it was fitted to.

$$\log y(x) = \log m(x) - (b + \omega z_x)\,[\log m(e_x) - \log m(x)],\qquad
b \sim \mathrm{StudentT}_{|b| < 5}(\nu, \mu, \varsigma),\quad z_x \sim N(0, 1)$$

with m the law's response and e_x the nearest point to x of the convex hull of the fitted runs, on the logarithms of
all covariates but the mixture. The bracket is the fall that the law promises beyond the runs; the bend b is how far
off the promise is: 0 if the law is right, 0.5 if the response falls half as much again, -1 if it does not fall at
all. All runs and targets of one forecast share b; each target of each run has its own z. Inside the hull the
discrepancy is zero, so the posterior is the same with and without it.

How promises were kept in past studies is in ``past.toml``: the default, which a model file or the user's own studies
replace. What the law got wrong on the user's own larger runs, once they were hidden, narrows it down: see `given`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from bayesmix.errors import BayesmixError
from bayesmix.toml import is_number

# Bends beyond these are left out: the expected response would be infinite with them.
MOST = 5.0
# A fraction that grows beyond the runs stays below this.
WHOLE = 0.999
_PAST = Path(__file__).parent / "past.toml"


@dataclass(frozen=True)
class Discrepancy:
    """Distribution of the bend; see the module for the equation.

    Parameters
    ----------
    location, scale, df : float
        Of Student's t distribution of the bend b.
    run : float
        Standard deviation of a single run's own departure from it.
    before, before_scale : float
        Location and standard deviation of the bend that the largest runs at hand show, once they are hidden.
    intercept, slope, spread : float
        Given that one: the location is then intercept + slope times it, the scale is the spread.

    Raises
    ------
    BayesmixError
        A number is not finite, or a scale is not positive.
    """

    location: float
    scale: float
    df: float
    run: float
    before: float
    before_scale: float
    intercept: float
    slope: float
    spread: float

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not is_number(value):
                raise BayesmixError(f"{name} of the discrepancy is {value!r}. Give a finite number")
        for name in ("scale", "df", "before_scale", "spread"):
            if not getattr(self, name) > 0:
                raise BayesmixError(f"{name} of the discrepancy is {getattr(self, name)}. Give a number above 0")
        if self.run < 0:
            raise BayesmixError(f"run of the discrepancy is {self.run}. Give a number of at least 0")

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Discrepancy:
        """Build it from a table of its numbers, e.g. of a TOML file.

        Raises
        ------
        BayesmixError
            Names or numbers are not those of a discrepancy.
        """
        names = [f.name for f in fields(cls)]
        if set(table) != set(names):
            raise BayesmixError(f"a discrepancy has {', '.join(table) or 'nothing'}. Give {', '.join(names)}")
        return cls(**table)

    def table(self, title: str = "discrepancy") -> str:
        """Return it as a table of a TOML file, such as a model's."""
        return f"[{title}]\n" + "".join(f"{n} = {value:.3g}\n" for n, value in asdict(self).items())

    def given(self, bend: float, error: float) -> Discrepancy:
        """Return what is believed once the user's own largest runs were hidden, and showed a bend.

        Parameters
        ----------
        bend, error : float
            The bend that they showed, and its standard error.
        """
        # What is measured badly says little, and leaves what past studies showed.
        share = self.before_scale**2 / (self.before_scale**2 + error**2)
        location = self.intercept + self.slope * (self.before + share * (bend - self.before))
        scale = float(np.hypot(self.spread, self.slope * self.before_scale * np.sqrt(1 - share)))
        return replace(self, location=location, scale=scale)

    def draws(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return draws of the bend, shape (draw,); beyond what it was ever seen to be there are none."""
        low, high = special.stdtr(self.df, (np.array([-MOST, MOST]) - self.location) / self.scale)
        return self.location + self.scale * special.stdtrit(self.df, rng.uniform(low, high, count))


def fall(here: Any, there: Any, library: Any = np) -> Any:
    """Return how far the log response falls from there to here; none where a response is not positive.

    By NumPy, or by another library of the same names, such as `jax.numpy`.
    """
    positive = (here > 0) & (there > 0)
    return library.log(library.where(positive, there, 1.0) / library.where(positive, here, 1.0))


def fallen(law: Any, falls: Any, bend: Any, fractions: Any, library: Any = np) -> Any:
    """Return responses that fall by 1 + b times what the law promises; see the module for the equation.

    Fractions are no more than a whole, nor than the law itself says.
    """
    bent = law * library.exp(-bend * falls)
    return library.where(fractions, library.minimum(bent, library.maximum(law, WHOLE)), bent)


@cache
def past() -> Discrepancy:
    """Return the discrepancy that past studies showed."""
    return Discrepancy.of(tomllib.loads(_PAST.read_text(encoding="utf-8"))["discrepancy"])
