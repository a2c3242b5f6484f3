"""Launch: a decided mixture with exact weights and what is known of the data, ready to be written in any format."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayesmix import toml
from bayesmix.errors import Fault, InputError, suggest
from bayesmix.provenance import versions

if TYPE_CHECKING:
    import pandas as pd

    from bayesmix.decision import Decision

DIGITS = 6
_SEEN = 1e-9  # an optimum is no nearer to a bound of zero than that
_TEXTS, _NUMBERS = ("local", "split"), ("tokens", "tokens_per_example")


@dataclass(frozen=True)
class Data:
    """What a domain's data are.

    Parameters
    ----------
    paths : tuple of str
        Where they are, as the target system names it.
    tokens : float or None
        Unique tokens; by default what the problem of the decision says is available.
    tokens_per_example : float or None
        Mean length, for systems that draw examples.
    local, split : str
        Cache folder and split, where the target system has them.
    """

    paths: tuple[str, ...] = ()
    tokens: float | None = None
    tokens_per_example: float | None = None
    local: str = ""
    split: str = ""


@dataclass(frozen=True)
class Share:
    """A domain's part of the planned run.

    Parameters
    ----------
    domain : str
        Its name.
    weight : float
        Share of the training tokens, with six digits.
    data : Data
        What is known of the data, its unique tokens too if the problem says them.
    tokens, epochs : float or None
        Training tokens, and passes over the data, where the planned D (and the unique tokens) are known.
    """

    domain: str
    weight: float
    data: Data
    tokens: float | None
    epochs: float | None

    @property
    def repetition(self) -> float | None:
        """Passes over the data that must be allowed, at least one, rounded up to two digits."""
        return None if self.epochs is None else max(1.0, math.ceil(self.epochs * 100) / 100)


@dataclass(frozen=True)
class Launch:
    """A mixture to write, with the decision that it is from."""

    decision: Decision
    shares: tuple[Share, ...]
    caveats: tuple[str, ...] = ()
    source: str = ""
    about: Mapping[str, str] = field(default_factory=versions)

    @property
    def positive(self) -> tuple[Share, ...]:
        """The domains with any weight."""
        return tuple(share for share in self.shares if share.weight > 0)

    @property
    def origin(self) -> str:
        """One sentence about where the mixture is from."""
        return f"Mixture decided by bayesmix {self.about['bayesmix']}{self.source and f' ({self.source})'}."

    def table(self) -> pd.DataFrame:
        """Return weight, 90 % credible interval, baseline, tokens and epochs, one row a domain."""
        import pandas as pd

        known = self.decision.table()[["domain", "weight", "low90%", "high90%", "baseline"]].round(DIGITS)
        unknown = pd.DataFrame(
            {
                "training_tokens": [share.tokens for share in self.shares],
                "unique_tokens": [share.data.tokens for share in self.shares],
                "epochs": [share.epochs for share in self.shares],
            },
            dtype=float,
        )
        return pd.concat([known.assign(weight=[share.weight for share in self.shares]), unknown], axis=1)

    def paths(self, system: str, *, single: bool = False, blanks: bool = True) -> dict[str, tuple[str, ...]]:
        """Return the paths of every domain with weight.

        Parameters
        ----------
        system : str
            Who needs them, for the error.
        single : bool
            A domain must have exactly one.
        blanks : bool
            Paths may hold spaces.

        Raises
        ------
        InputError
            With every domain that lacks paths, or has others than the system takes.
        """
        faults = []
        for share in self.positive:
            paths, key = share.data.paths, toml.key(share.domain)
            if not paths:
                what = f"{system} needs paths of {share.domain!r}, which has weight {share.weight:g}"
                faults.append(Fault(what, f'Write them in the TOML of --paths: {key}.paths = ["..."]'))
            elif single and len(paths) > 1:
                what = f"{share.domain!r} has {len(paths)} paths, and {system} takes one a weight"
                faults.append(Fault(what, "Merge them, or link them into one"))
            if not blanks and any(path != "".join(path.split()) for path in paths):
                faults.append(Fault(f"a path of {share.domain!r} holds a space: {system} splits there", "Rename it"))
        if faults:
            raise InputError("--paths", faults)
        return {share.domain: share.data.paths for share in self.positive}


def apportion(weights: Sequence[float], digits: int = DIGITS) -> list[float]:
    """Round weights so that their decimals sum to one exactly; a zero stays zero.

    Largest remainder (Hamilton's method): every weight is rounded down, and the units that are missing go to those
    that lost most.

    >>> apportion([1 / 3, 1 / 3, 1 / 3, 0], digits=2)
    [0.34, 0.33, 0.33, 0.0]
    """
    exact = [Fraction(max(0.0, float(weight))) for weight in weights]
    total, units = sum(exact), 10**digits
    quotas = [weight * units / total for weight in exact]
    counts = [math.floor(quota) for quota in quotas]
    order = sorted(range(len(quotas)), key=lambda at: (counts[at] - quotas[at], at))
    for at in order[: units - sum(counts)]:
        counts[at] += 1
    return [count / units for count in counts]


def launch_of(decision: Decision, data: Mapping[str, Data], *, source: str, notice: str) -> Launch:
    """Return a decision's mixture, rounded, with the tokens and epochs that it implies."""
    planned = decision.problem.planned.get("D")
    D = float(planned) if planned is not None else None
    shares, lost = [], []
    for domain, exact, weight in zip(
        decision.domains, decision.mixture, apportion(decision.mixture.tolist()), strict=True
    ):
        known = data.get(domain, Data())
        if known.tokens is None:
            known = replace(known, tokens=decision.problem.available.get(domain))
        tokens = None if D is None else weight * D
        epochs = tokens / known.tokens if tokens is not None and known.tokens else None
        shares.append(Share(domain, weight, known, tokens, epochs))
        lost += [domain] if exact > _SEEN and weight == 0 else []
    caveats = [text for text in (notice, *decision.warnings) if text]
    if lost:
        caveats.append(f"Weights below 0.0000005 are written as 0: {', '.join(lost)}.")
    return Launch(decision, tuple(shares), tuple(caveats), source)


def as_yaml(content: Mapping[str, Any], launch: Launch) -> str:
    """Return YAML under a comment that says where the mixture is from and what to know of it."""
    import yaml

    lines = [launch.origin, *launch.caveats]
    comment = "".join(f"# {' '.join(line.split())}\n" for line in lines)
    return comment + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=120)


def read_data(path: Path, domains: Sequence[str]) -> dict[str, Data]:
    """Read what the data of each domain are from TOML with one table a domain.

    ```toml
    [web]
    paths = ["s3://bucket/web/*.npy"]   # or one string
    tokens = 3.2e12                     # unique tokens, if not as the problem says: epochs are reported
    tokens_per_example = 811            # where examples are drawn
    local = "/tmp/web"                  # cache folder
    split = "train"
    ```

    Raises
    ------
    InputError
        The file is not there, or everything that is wrong with it.
    """
    faults, data = [], {}
    for domain, table in toml.read(path).items():
        if domain not in domains:
            remedy = suggest(domain, domains)
            faults.append(Fault(f"{domain!r} is no domain of the decision", remedy))
        elif not isinstance(table, dict):
            faults.append(Fault(f"{domain!r} is not a table", f"Write [{toml.key(domain)}] and its lines below"))
        else:
            faults += [fault for key, value in table.items() if (fault := _fault(domain, key, value))]
            paths = table.get("paths", ())
            data[domain] = {**table, "paths": (paths,) if isinstance(paths, str) else paths}
    if faults:
        raise InputError(str(path), faults)
    return {domain: Data(**{**table, "paths": tuple(table["paths"])}) for domain, table in data.items()}


def _fault(domain: str, key: str, value: Any) -> Fault | None:
    what = f"{key} of {domain!r} is {value!r}"
    if key == "paths":
        paths = [value] if isinstance(value, str) else value
        fine = isinstance(paths, list) and bool(paths) and all(isinstance(p, str) and p.strip() for p in paths)
        return None if fine else Fault(what, 'Write one path, or a list of them: ["..."]')
    if key in _TEXTS:
        return None if isinstance(value, str) and value else Fault(what, "Write a text")
    if key in _NUMBERS:
        fine = toml.is_number(value) and value > 0
        return None if fine else Fault(what, "Write a number above 0")
    return Fault(f"unknown key {key!r} of {domain!r}", suggest(key, ("paths", *_NUMBERS, *_TEXTS)))
