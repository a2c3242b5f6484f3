"""What the answer rests on: the comparison of models, the fit, diagnostics, data, and where everything came from."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmix import modelfile, outliers
from bayesmix.comparison import LEAST_DIFFERENCE, Comparison
from bayesmix.covariates import COVARIATES
from bayesmix.figures import comparison_figure, fit_figure
from bayesmix.figures.fitted import Fitted, fitted
from bayesmix.provenance import versions
from bayesmix.report import facts, numbers
from bayesmix.report.blocks import Block, Heading, Picture, Points, Section, Table, Text, Verbatim
from bayesmix.report.groups import Group, Results

_COLUMNS = (
    "elpd: expected log predictive density of what is left out, in nats, by the method above; higher is better.",
    f"difference: elpd less that of the best, with its standard error; below {LEAST_DIFFERENCE:g} nats, or within the "
    "95 % interval of paired differences, models are not told apart.",
    "weight: share of the model in the mixture of models that predicts best (stacking); near-copies share one weight.",
    "p: effective number of quantities; far above the number in the law means a poor fit.",
    "max k: largest Pareto k; above 0.7 the estimate for that run is unreliable. k > 0.7 counts them.",
    "WAIC: the same by another route, as a log density; it should agree with elpd.",
)


def diagnostics(results: Results) -> Section:
    """Return the table of diagnostics, and every problem as a sentence."""
    header = ("posterior", "verdict", "worst R-hat", "least bulk ESS", "least tail ESS", "divergences", "draws")
    rows, problems = [], []
    for name, posterior in results.posteriors.items():
        found = facts.diagnostics(posterior)
        verdict = "converged" if posterior.converged else "NOT CONVERGED"
        cautions = sum(not p.fatal for p in posterior.problems())
        if posterior.converged and cautions:
            verdict += f", {cautions} caution{'s' if cautions > 1 else ''}"
        rows.append((
            name, verdict, f"{found['r_hat']:.3f} ({found['r_hat_of']})", *(
                f"{found[k]:,.0f} ({found[k + '_of']})" if np.isfinite(found[k]) else "–"
                for k in ("ess_bulk", "ess_tail")
            ), f"{found['divergences']}", f"{found['chains']} × {found['draws']:,}",
        ))  # fmt: skip
        problems += [f"{name}: {p}" for p in posterior.problems() if p.fatal]
    blocks: list[Block] = [Table.of(header, rows, words=2)]
    if problems:
        blocks.append(Points(tuple(problems), "alarm"))
    blocks.append(
        Text("Wanted: R-hat of at most 1.01 and effective sample sizes (ESS) of at least 400, for every quantity.")
    )
    return Section("Diagnostics", tuple(blocks))


def data(results: Results) -> Section:
    """Return what the runs are and what they span."""
    blocks: list[Block] = []
    for group in results.groups:
        found = facts.data(group.runs)
        if len(results.groups) > 1:
            blocks.append(Heading(f"{group.name}: {', '.join(group.posteriors)}"))
        used = next(iter(group.posteriors.values())).targets
        rows = [
            ("source", found["source"]),
            ("rows", f"{found['rows']:,} of {found['runs']:,} runs"),
            *([("mixtures", f"{found['mixtures']:,} of {len(found['domains'])} domains: {', '.join(found['domains'])}")]
              if found["domains"] else []),
            ("targets", ", ".join(used)),
            *((f"{s} ({COVARIATES[s].unit})", " to ".join(dict.fromkeys(map(numbers.amount, ends))))
              for s, ends in found["ranges"].items()),
            *((k, v) for k, v in found["about"].items()),
            ("SHA-256", found["hash"]),
        ]  # fmt: skip
        blocks.append(Table.of(("", ""), rows, words=2))
        blocks += [Points(found["hints"], "caution")] if found["hints"] else []
    return Section("Data", tuple(blocks))


def comparison(results: Results) -> Section | None:
    """Return the tables that say which model would predict another run like these best."""
    blocks: list[Block] = []
    for group in results.groups:
        for k, one in enumerate(group.comparisons):
            if len(results.groups) > 1:
                blocks.append(Heading(f"{group.name}: {', '.join(map(str, one.table.index))}"))
            blocks += _comparison(group, one, k)
    if not blocks:
        return None
    says = "It says who predicts another run like these, not who predicts a larger one."
    return Section("Law comparison", (*blocks, Points(_COLUMNS, "plain", "Columns"), Text(says)))


def _comparison(group: Group, one: Comparison, k: int) -> list[Block]:
    rows = []
    for name, r in one.table.to_dict("index").items():
        elpd, error = numbers.together([r["elpd"], r["se"]], r["se"])
        gap, gap_error = numbers.together([r["diff"], r["diff_se"]], r["diff_se"]) if r["diff_se"] > 0 else ("0", "0")
        rows.append((
            str(name), f"{elpd} ± {error}", f"{gap} ± {gap_error}" if gap != "0" else "best",
            f"{r['weight']:.2f}", f"{r['pseudo_bma']:.2f}", f"{r['p']:.1f}", f"{r['max_k']:.2f}",
            f"{int(r['bad_k_before'])} → {int(r['bad_k'])}" if r["bad_k_before"] else "0",
            " ± ".join(numbers.together([r["waic"], r["waic_se"]], r["waic_se"])),
        ))  # fmt: skip
    header = ("model", "elpd", "difference", "stacking", "pseudo-BMA", "p", "max k", "k > 0.7", "WAIC")
    blocks: list[Block] = [
        Table.of(header, rows, title=f"{one.method}: {one.units} units, left out by {one.left_out}"),
        Picture(
            comparison_figure(one),
            f"comparison-{group.name}-{k + 1}",
            _ahead(one),
            "Differences of elpd with one and two standard errors, and stacking weights.",
        ),
    ]
    return blocks + ([Points(one.warnings, "caution")] if one.warnings else [])


def _ahead(one: Comparison) -> str:
    """Return the claim of the figure: by how much the best model predicts better than the next."""
    best, *others = one.table.index
    if not others:
        return f"{best} stands alone: there is nothing to compare it with."
    row = one.table.loc[others[0]]
    gap, error = numbers.together([-row["diff"], row["diff_se"]], row["diff_se"])
    apart = "Not told apart" if others[0] in one.undecided else "Told apart"
    return (
        f"{apart}: {best} predicts what is left out better than {others[0]} by {gap} ± {error} nats, and "
        f"has {numbers.percent(one.table.loc[best, 'weight'], 0)} of the stacking weight."
    )


def fit(results: Results) -> Section:
    """Return measured against fitted, and residuals, of every posterior."""
    blocks: list[Block] = []
    for group in results.groups:
        for name, posterior in group.posteriors.items():
            found = fitted(posterior)
            blocks += [
                Heading(name),
                Picture(
                    fit_figure(posterior, found),
                    f"fit-{name}",
                    _within(name, found),
                    "Measured against the law's median, and residuals with their 90 % predictive band, which should "
                    "hold nine points of ten; triangles are runs beyond the axis.",
                ),
            ]
            if said := outliers.sentence(posterior):
                blocks.append(Text(said))
    return Section("Fit and residuals", tuple(blocks))


def _within(name: str, found: Fitted) -> str:
    """Return the claim of the figure: how many runs the predictive band holds."""
    seen = np.isfinite(found.residual)
    held = ((found.residual >= found.low) & (found.residual <= found.high))[seen]
    return (
        f"{name}: {held.sum():,} of {held.size:,} responses ({numbers.percent(held.mean(), 0)}) lie in their 90 % band."
    )


def provenance(results: Results) -> Section:
    """Return what is needed to do it again."""
    rows = [
        (
            n,
            str(p.seed),
            p.model.law.fingerprint,
            p.runs.hash[:16],
            str(p.tree["posterior"].attrs.get("created_at", ""))[:19],
        )
        for n, p in results.posteriors.items()
    ]
    sampled: dict[str, list[str]] = {}
    for name, posterior in results.posteriors.items():
        sampled.setdefault(_listed(posterior.versions), []).append(name)
    return Section(
        "Provenance",
        (
            Table.of(("posterior", "seed", "law fingerprint", "runs hash", "sampled (UTC)"), rows, words=5),
            *(Text(f"{', '.join(names)} sampled with {packages}.") for packages, names in sampled.items()),
            Text(f"Written with {_listed(versions())}."),
            *(Verbatim(f"Model {n} as TOML", modelfile.dumps(p.model)) for n, p in results.posteriors.items()),
        ),
    )


def _listed(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in packages.items())
