"""The small runs to do next, and what they are worth."""

from __future__ import annotations

from bayesmix.report import numbers
from bayesmix.report.blocks import Block, Points, Section, Table, Text
from bayesmix.report.groups import Results
from bayesmix.report.mixture import objective_unit


def section(results: Results) -> Section | None:
    """Return the runs proposed, in their order, with what all up to each are worth."""
    proposal = results.proposal
    if proposal is None:
        return None
    blocks: list[Block] = [Text(proposal.sentence())]
    if len(table := proposal.table):
        domains = [name for name in proposal.table if str(name).startswith("w.")]
        scales = [name for name in ("N", "D") if name in proposal.table]
        unit = objective_unit(results)
        rows = [
            (
                str(row["run"]),
                *(numbers.amount(row[name]) for name in scales),
                *(numbers.percent(row[name]) for name in domains),
                *([numbers.amount(row["spent"])] if proposal.in_flop else []),
                numbers.plain(row["value"], 2),
                numbers.plain(row["se"], 1),
            )
            for row in proposal.table.to_dict("records")
        ]
        spent = ["FLOP up to here"] if proposal.in_flop else []
        worth = f"worth up to here{f' ({unit})' if unit else ''}"
        header = ("run", *scales, *(str(d).removeprefix("w.") for d in domains), *spent, worth, "standard error")
        title = f"{len(table)} of {proposal.candidates} candidates, in the order in which to do them"
        blocks.append(Table.of(header, rows, title=title))
    known = results.decision.warnings if results.decision else ()
    if own := tuple(w for w in proposal.warnings if w not in known):
        blocks.append(Points(own, "caution"))
    return Section("Runs to do next", tuple(blocks))
