"""What repeated tokens are worth in fresh ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayesmix.covariates import signs
from bayesmix.errors import BayesmixError
from bayesmix.grids import grid
from bayesmix.planning.answer import Answer, inherited
from bayesmix.planning.curves import GRID, SPAN, crossing, responses
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs


def worth_of_repeats(posterior: Posterior, planned: Runs) -> Answer:
    r"""Find how many fresh tokens would do what the tokens of planned runs do, some of which are repeated.

    $$L(N, D', U = D') = L(N, D, U)$$

    solved for D' in each draw.

    Parameters
    ----------
    posterior : Posterior
        Of a law of N, D and U, such as muennighoff.
    planned : Runs
        N, D and U (unique tokens) of each run.

    Returns
    -------
    Answer
        One case a run: ``fresh``, the number D', and ``worth``, the ratio D'/D: what an average token is worth.

    Raises
    ------
    BayesmixError
        The law does not take U.
    NotConvergedError
        The posterior has not converged.

    Sources: Muennighoff et al. (2023), Scaling Data-Constrained Language Models, whose effective data it is where N is
    no larger than U unique tokens are worth training.
    """
    posterior.require_converged()
    needs = set(posterior.model.columns.values())
    if not {"D", "U"} <= needs:
        raise BayesmixError(f"law {posterior.model.law.name} does not take D and U. Use muennighoff")
    sign, fresh = signs(posterior.targets), []
    asked = responses(posterior, planned)
    for k, (size, tokens) in enumerate(zip(planned.column("N"), planned.column("D"), strict=True)):
        D = np.geomspace(tokens / SPAN, tokens * 1.01, GRID)  # beyond D: rounding shall not hide a crossing there
        labels = {by: planned.table[by].iloc[k] for by in posterior.coordinates.levels}
        tried = grid(posterior, {"N": size, "D": D, "U": D}, labels, "fresh tokens")
        fresh.append(np.exp(crossing(np.log(D), sign * responses(posterior, tried), sign * asked[:, k])))
    total = planned.column("D")[:, None]
    draws = np.minimum(np.stack(fresh, axis=1), total)
    worth = draws / total
    warnings = [*inherited(posterior, planned), *_floored(posterior, planned, draws)]
    return Answer({"fresh": draws, "worth": worth}, tuple(planned.names), posterior.targets, tuple(warnings))


def _floored(posterior: Posterior, planned: Runs, fresh: np.ndarray) -> Iterator[str]:
    """Yield in what share of the draws the least number of fresh tokens tried does what a run does, or more."""
    least = planned.column("D") / SPAN
    shares = (fresh <= least[:, None] * (1 + 1e-9)).mean(axis=0)
    for name, tokens, each in zip(planned.names, least, shares, strict=True):
        for target, share in zip(posterior.targets, each, strict=True):
            if share > 0:
                yield (
                    f"{target}: in {share:.1%} of the draws {tokens:.4g} fresh tokens, the fewest tried, do what "
                    f"{name} does: they are that in the table, and fewer may do."
                )
