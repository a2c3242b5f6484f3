"""What speaks against the answer: what did not converge, and every caution once."""

from __future__ import annotations

from collections.abc import Iterator

from bayesmix.optimum import Optimum
from bayesmix.prediction import Prediction
from bayesmix.report.blocks import Block, Points, Section, Text
from bayesmix.report.groups import Results

_FITS = "On the fits"


def alarm(results: Results) -> Points | None:
    """Return the sentences of every posterior that did not converge."""
    found = [
        f"{n}: {p.sentence}" for n, posterior in results.posteriors.items() for p in posterior.problems() if p.fatal
    ]
    return Points(tuple(found), "alarm", "NOT CONVERGED: the numbers below are no answer") if found else None


def caveats(results: Results) -> dict[str, tuple[str, ...]]:
    """Return every caveat once, with the models that it is about, by what it bears on; what decides most first.

    Those of comparisons bear on what is left out, not on the answer, and stand beside the comparison.
    """
    found: dict[tuple[str, str], dict[str, None]] = {}
    for part, about, stated in _stated(results):
        # The same problem comes back with everything made from the posterior, under its name or under none.
        owners = sorted((n for n in results.posteriors if stated.startswith(f"{n}: ")), key=len, reverse=True)
        about, sentence = (owners[0], stated.removeprefix(f"{owners[0]}: ")) if owners else (about, stated)
        if not sentence.startswith("NOT CONVERGED: "):
            sentence = sentence.removeprefix("caution: ")
            known = next((key for key in found if key[1] == sentence), (part, sentence))
            found.setdefault(known, {}).setdefault(about)
    parts: dict[str, list[str]] = {"On the mixture": [], "On the forecast": [], _FITS: []}
    for (part, sentence), about in found.items():
        named = ", ".join(name for name in about if name)
        parts[part].append(f"{named}: {sentence}" if named else sentence)
    return {part: tuple(lines) for part, lines in parts.items() if lines}


def _stated(results: Results) -> Iterator[tuple[str, str, str]]:
    """Return part, name of the posterior, and sentence of every problem and warning."""
    for name, posterior in results.posteriors.items():
        for problem in posterior.problems():
            yield _FITS, name, str(problem)
    for sentence in results.decision.warnings if results.decision else ():
        yield "On the mixture", "", sentence
    for results_of in (results.predictions, results.optima):
        for name, result in results_of.items():
            for sentence in outside(results, result, name):
                yield "On the forecast", name, sentence
    for backtest in results.extrapolations:
        for sentence in backtest.warnings:
            yield "On the forecast", f"backtest of {backtest.model}", sentence


def section(results: Results) -> Section:
    """Return the caveats as a part of the page."""
    found = caveats(results)
    blocks: tuple[Block, ...] = tuple(Points(lines, "caution", part) for part, lines in found.items())
    return Section("Caveats", blocks or (Text("None."),))


def outside(results: Results, result: Prediction | Optimum, name: str) -> list[str]:
    """Return the caveats of a result that are its own, not those of its posterior."""
    posterior = results.posteriors[name]
    inherited = {str(p) for p in posterior.problems()}
    own = [w for w in result.warnings if w not in inherited]
    if isinstance(result, Prediction):
        own += filter(None, (b.untested(posterior.runs, result.planned) for b in results.backtests(name)))
    return own
