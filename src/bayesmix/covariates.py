"""The standard names of a table of runs: symbol, meaning, unit and admissible range."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmix import toml
from bayesmix.errors import Fault

POSITIVE = "a finite number above 0"


@dataclass(frozen=True)
class Covariate:
    """Something chosen before a run is trained.

    Parameters
    ----------
    symbol : str
        Its name in equations and tables.
    meaning, unit : str
        What it is, and what it is counted in.
    plausible : tuple of float
        Smallest and largest believable value; outside it the unit is probably wrong.
    """

    symbol: str
    meaning: str
    unit: str
    plausible: tuple[float, float]


@dataclass(frozen=True)
class Response:
    """Something measured on a trained run.

    Parameters
    ----------
    kind : str
        Its name; a column is `kind` or `kind.target`.
    meaning, unit : str
        What it is, and what it is counted in.
    admissible : tuple of float
        Smallest and largest possible value: without its ends if the largest is infinite, else with them.
    """

    kind: str
    meaning: str
    unit: str
    admissible: tuple[float, float]

    def admits(self, value: float) -> bool:
        """Say whether `value` can be such a response."""
        low, high = self.admissible
        return low < value < high if math.isinf(high) else low <= value <= high

    @property
    def expected(self) -> str:
        """The admissible range in words."""
        low, high = self.admissible
        if math.isinf(low):
            return "a finite number"
        return POSITIVE if math.isinf(high) else f"a fraction from {low:g} to {high:g}"


COVARIATES = {
    covariate.symbol: covariate
    for covariate in (
        Covariate("N", "model parameters", "parameters", (1e4, 1e14)),
        Covariate("D", "training tokens", "tokens", (1e6, 1e16)),
        Covariate("C", "training compute", "FLOP", (1e10, 1e30)),
        Covariate("U", "unique training tokens available", "tokens", (1e4, 1e16)),
        Covariate("M", "tokens per parameter, always derived as D/N", "tokens/parameter", (1e-4, 1e8)),
        Covariate("w", "mixture: weights over domains that sum to 1", "", (0.0, 1.0)),
        Covariate("unique", "unique training tokens available in each domain", "tokens", (1e4, 1e16)),
    )
}

RESPONSES = {
    response.kind: response
    for response in (
        Response("loss", "cross entropy", "nats/token", (0.0, math.inf)),
        Response("bpb", "bits per byte", "bits/byte", (0.0, math.inf)),
        Response("error", "fraction of items answered wrongly", "", (0.0, 1.0)),
        Response("accuracy", "fraction of items answered rightly", "", (0.0, 1.0)),
        Response("score", "score on an open scale, such as a reward", "", (-math.inf, math.inf)),
        Response("optimum", "setting that was found best, such as a learning rate", "", (0.0, math.inf)),
    )
}

SCALARS = ("N", "D", "C", "U")  # the covariates that are columns of their own and given, not derived
MISSING = ("", "na", "n/a", "nan", "null", "none")  # how an empty cell is written, in any case
BY_DOMAIN = ("w", "unique")  # the covariates with a column for every domain
VECTORS = (*BY_DOMAIN, "tokens", *RESPONSES, "items")  # tokens of a domain: read as weights and D

_OF_A_MIXTURE = {"w": "a weight", "tokens": "a number of tokens"}

# Names that a slip of the pen may have been meant for; trackers have labels such as optim.lr.
_RESEMBLED = [name for name in VECTORS if name not in ("unique", "tokens", "score", "optimum")]

# How other people's tables name these things. A match is only ever suggested, never acted upon.
_FOREIGN_NAMES = (
    ("N", r"n|(n|num|model)?_?(params?|parameters)(_.*)?|model_?size(_.*)?"),
    ("D", r"d|((n|num|train|training)_)?tokens(_.*)?"),
    ("C", r"c|((train|training)_)?(flops?|compute)"),
    ("U", r"u|unique_tokens(_.*)?"),
    ("run", r"(run|exp|experiment|model)?_?name|run_?id|runs"),
    (r"w.\2", r"(w|wt|weights?|mix|mixture|ratio)_(.+)"),
    ("loss", r"((final|val|valid|validation|train|test|eval)_)*loss"),
    (r"loss.\1", r"loss_(.+)"),
    (r"loss.\1", r"(.+)_loss"),
    ("accuracy", r"acc"),
    (r"accuracy.\2", r"acc(uracy)?_(.+)"),
    (r"accuracy.\1", r"(.+)_acc(uracy)?"),
)
_FOREIGN_VECTORS = {"weight": "w", "weights": "w", "mix": "w", "mixture": "w", "acc": "accuracy"}


def head(name: str) -> str:
    """Return the part of a column's name before the first dot."""
    return name.partition(".")[0]


def is_fraction(target: str) -> bool:
    """Say whether a response is a fraction, whose errors are percentage points rather than per cent of it."""
    return head(target) in ("accuracy", "error")


def signs(targets: Sequence[str]) -> np.ndarray:
    """Return 1 for each target of which less is better, else -1; shape (target,)."""
    return np.array([-1.0 if is_better_higher(target) else 1.0 for target in targets])


def is_better_higher(target: str) -> bool:
    """Say whether larger responses are better."""
    return head(target) in ("accuracy", "score")


def is_bending(target: str) -> bool:
    """Say whether past studies tell what laws of such a response miss: they do of losses and fractions."""
    return head(target) in ("loss", "bpb") or is_fraction(target)


def is_target(name: str) -> bool:
    """Say whether a column holds a response: `loss`, `loss.web`, `accuracy.arc`, ..."""
    return head(name) in RESPONSES


def is_numeric(name: str) -> bool:
    """Say whether every cell of a column must be a number; other columns are labels."""
    return name in SCALARS or is_target(name) or name.startswith(("w.", "unique.", "tokens.", "items."))


def admits(name: str, value: float) -> bool:
    """Say whether a cell of the numeric column `name` may hold `value`."""
    if is_target(name):
        return RESPONSES[head(name)].admits(value)
    if head(name) == "items":
        return value >= 1 and value.is_integer()
    if head(name) == "unique":
        return value > 0
    return 0 < value < math.inf or (head(name) in _OF_A_MIXTURE and value == 0)


def expected(name: str) -> str:
    """Say in words what a cell of the numeric column `name` may hold."""
    if is_target(name):
        return RESPONSES[head(name)].expected
    if head(name) == "items":
        return "a whole number of items above 0"
    if head(name) in _OF_A_MIXTURE:
        return f"{_OF_A_MIXTURE[head(name)]} of 0 or more"
    return f"{POSITIVE} ({COVARIATES[head(name)].unit})"


def read_number(name: str, cell: str, standard: Callable[[float], float]) -> tuple[float, Fault | None]:
    """Read a cell of the numeric column `name`, of numbers that `standard` takes to standard units.

    Returns
    -------
    value : float
        In standard units; NaN if missing or faulty, infinite for unique tokens that nobody counted.
    fault : Fault or None
        What is wrong with the cell; an unmeasured response is not.
    """
    if cell.casefold() in MISSING:
        if head(name) == "unique":
            return math.inf, None
        if name not in SCALARS and head(name) not in _OF_A_MIXTURE:
            return math.nan, None
        remedy = "Write 0 for an unused domain" if head(name) in _OF_A_MIXTURE else "Fill it in, or remove the row"
        return math.nan, Fault(f"{name} is missing, expected {expected(name)}", remedy)
    try:
        stated = float(cell)
    except ValueError:
        remedy = "Write a plain number such as 160e6, without suffix or separators"
        return math.nan, Fault(f"{name} is {cell!r}, expected {expected(name)}", remedy)
    value = standard(stated)
    if admits(name, value):
        return value, None
    shown = cell if value == stated or math.isnan(value) else f"{cell} ({value:g} in standard units)"
    remedy = "Correct it, or leave the cell empty if it was not measured"
    if not is_target(name):
        remedy = "Correct it, or remove the row"
    elif math.isfinite(RESPONSES[head(name)].admissible[1]) and 1 < value <= 100:
        remedy = in_percent(name)
    return math.nan, Fault(f"{name} is {shown}, expected {expected(name)}", remedy)


def stating(name: str, unit: str) -> str:
    """Say how the unit of a column is stated."""
    return f'Say so: --unit {name}={unit}, or {toml.key(name)} = "{unit}" under [units] of a card'


def in_percent(name: str) -> str:
    """Say what to do about a column that looks like percent."""
    return f"Is {name} in percent? {stating(name, 'percent')}"


def meant_by(name: str) -> str | None:
    """Return the standard name that a foreign column name resembles, if any.

    >>> meant_by("weight_web"), meant_by("Training FLOP"), meant_by("learning rate")
    ('w.web', 'C', None)
    """
    folded = re.sub(r"[^0-9a-z]+", "_", name.casefold()).strip("_")
    for standard, pattern in _FOREIGN_NAMES:
        if match := re.fullmatch(pattern, folded):
            return match.expand(standard)
    return None


def name_fault(name: str, beside: Iterable[str] = ()) -> Fault | None:
    """Return what is wrong with `name` as a column of runs, if anything; `beside` are the other columns.

    A dotted name that resembles no vector is a label: trackers export names such as `optim.lr`.
    """
    first, dot, rest = name.partition(".")
    as_label = f'if it is a label, map it to a name without a dot: "{name}" = "{name.replace(".", "_")}"'
    if name == "M":
        remedy = 'Remove it, or map it to a label: "M" = "tokens_per_parameter"'
        return Fault("column 'M' is given, but M = D/N is always derived", remedy)
    if name in (*BY_DOMAIN, "items") or (dot and first in VECTORS and not rest):
        example = "items.accuracy.arc" if first == "items" else f"{first}.web"
        return Fault(f"column {name!r} does not say of what", f"Name it in full, such as {example!r}")
    if first == "items" and not is_target(rest):
        counted = [target for target in beside if is_target(target) and target.endswith(f".{rest}")]
        meant = f"Did you mean 'items.{counted[0]}'? Or," if len(counted) == 1 else "Expected items.<target>;"
        return Fault(f"column {name!r} belongs to no response", f"{meant} {as_label}")
    if not dot or first in VECTORS:
        return None
    folded = first.casefold()
    close = [_FOREIGN_VECTORS.get(folded), *difflib.get_close_matches(folded, _RESEMBLED, n=1, cutoff=0.6)]
    meaning = next(filter(None, close), None)
    if meaning is None:
        return None
    what = f"column {name!r} is none of the known vectors ({', '.join(VECTORS)})"
    return Fault(what, f"Did you mean {meaning + '.' + rest!r}? Or, {as_label}")


def name_hint(label: str, present: Container[str]) -> str | None:
    """Ask about a label that looks like a standard name, unless the table has something of that kind."""
    meaning = meant_by(label)
    if meaning is None or head(meaning) in present:
        return None
    return f'column {label!r} is read as a label; if it is {meaning}, map it: "{label}" = "{meaning}"'
