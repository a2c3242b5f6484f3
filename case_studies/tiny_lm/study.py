"""Fit small language models, predict larger ones, choose a mixture for them, and see what training them shows.

python case_studies/tiny_lm/study.py

What is fitted and what is forecast depend on the part `fit` of runs.csv alone. The forecast is written once, to
predicted.csv and chosen.csv, and never again: the checks are trained after it. Once runs.csv has them, they are set
beside it.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[1]))
from common import decided, markdown, record
from design import natural, rounded
from sources import DOMAINS, OUTSIDE

from bayesmix import Model, Posterior, Problem, Runs, compare, decide, extrapolate, fit, predict, write_report
from bayesmix.averaging import average, scale_weights
from bayesmix.decision import Decision
from bayesmix.extrapolation import Extrapolation, informed
from bayesmix.prediction import Prediction
from bayesmix.results import load_extrapolation, save

HERE = Path(__file__).parent
KEPT = HERE / "posteriors"
MOST_EPOCHS = 40  # of any domain: runs that read one more often overfit it, which no law here describes
HIDDEN_ABOVE = 3.2e12  # FLOP: the checks are as far above the runs fitted as these are above this
SEED = 0
LAWS = ("effective_tokens_repeated", "effective_tokens_nd", "chinchilla")
TARGETS = tuple(f"loss.{target}" for target in (*DOMAINS, *OUTSIDE))
LEVELS = ("50%", "80%", "95%")


def model(law: str) -> Model:
    """Return a ready model for all ten losses, with parameters counted without embeddings."""
    found = dataclasses.replace(Model.read(law), targets=TARGETS, covariates={"N": "N_without_embeddings"})
    # The offset of weights was no unknown yet when the forecast was written, and the loss of what was never seen had no
    # ceiling: both came from what these runs showed.
    return found.given(epsilon=0.001, rise=1e9) if "epsilon" in found.unknowns else found


def posterior(law: str, runs: Runs) -> Posterior:
    """Return the posterior of a law, kept from an earlier start with the same runs."""
    kept = KEPT / f"{law}-{runs.hash[:8]}.nc"
    if kept.exists():
        return Posterior.load(kept)
    found = fit(model(law), runs, seed=SEED, progress=True)
    found.save(kept)
    found.require_converged()
    return found


def backtest(law: str, runs: Runs) -> Extrapolation:
    """Return how well a law forecasts the largest runs, hidden, from the smaller ones."""
    kept = KEPT / f"{law}-{runs.hash[:8]}.json"
    if kept.exists():
        return load_extrapolation(kept)
    found = extrapolate(model(law), runs, by="C", at=HIDDEN_ABOVE, seed=SEED, progress=True)
    save(found, kept)
    return found


def noise_of_seeds(runs: Runs) -> pd.DataFrame:
    """Return the scatter of the log loss between seeds of one design, per cent, pooled over designs."""
    planned = [f"w.{d}" for d in DOMAINS] + ["N", "D", "lr", *(f"unique.{d}" for d in DOMAINS)]
    groups = runs.table.groupby(planned)
    seeds = groups[list(TARGETS)].agg(lambda losses: np.log(losses).var(ddof=1))
    degrees = groups.size() - 1
    several = degrees > 0
    pooled = np.sqrt((seeds[several].mul(degrees[several], axis=0)).sum() / degrees[several].sum())
    return (100 * pooled).round(2).rename("scatter, %").rename_axis("target").reset_index()


def planned_checks(chosen: np.ndarray, problem: Problem) -> Runs:
    """Return the runs of the check as planned runs: the uniform, the natural and the chosen mixture."""
    mixtures = {"uniform": np.full(len(DOMAINS), 1 / len(DOMAINS)), "natural": natural(), "chosen": chosen}
    rows = [
        {"run": name, **problem.planned, **{f"w.{d}": x for d, x in zip(DOMAINS, w, strict=True)}}
        for name, w in mixtures.items()
    ]
    unique = {f"unique.{d}": problem.available[d] for d in DOMAINS}
    return Runs.of(pd.DataFrame(rows).assign(**unique), planned=True, source="the checks")


def commit(forecast: Prediction, decision: Decision) -> None:
    """Write the chosen mixture and the forecast of the checks, unless they are written already."""
    if (HERE / "chosen.csv").exists():
        return
    forecast.table("measured").round(5).to_csv(HERE / "predicted.csv", index=False, lineterminator="\n")
    gains(forecast, decision.problem).to_csv(HERE / "predicted_gains.csv", index=False, lineterminator="\n")
    mixture = pd.DataFrame({"domain": decision.domains, "weight": rounded(decision.mixture)})
    mixture.to_csv(HERE / "chosen.csv", index=False, lineterminator="\n")


def gains(forecast: Prediction, problem: Problem) -> pd.DataFrame:
    """Return what each mixture is expected to gain in the objective over the natural one."""
    wanted = [forecast.targets.index(target) for target in problem.objective]
    objective = forecast.expected[:, :, wanted].mean(axis=2)
    gain = objective[:, [forecast.planned.names.index("natural")]] - objective
    ends = {"median": 0.5, "low95%": 0.025, "high95%": 0.975, "low50%": 0.25, "high50%": 0.75}
    table = pd.DataFrame({name: np.quantile(gain, q, axis=0) for name, q in ends.items()}).round(5)
    table.insert(0, "mixture", forecast.planned.names)
    return table[table["mixture"] != "natural"]


def measured(checks: Runs) -> pd.DataFrame:
    """Return every measured loss of the checks beside its forecast."""
    table = checks.table.melt(["mixture", "seed"], list(TARGETS), "target", "measured")
    forecast = pd.read_csv(HERE / "predicted.csv").rename(columns={"run": "mixture"})
    return table.merge(forecast, on=["mixture", "target"])


def held(table: pd.DataFrame) -> pd.DataFrame:
    """Return the share of measured losses inside the intervals, and the error of the median, by target."""
    inside = {
        f"in {level}": (table[f"low{level}"] <= table["measured"]) & (table["measured"] <= table[f"high{level}"])
        for level in LEVELS
    }
    error = 100 * (table["median"] / table["measured"] - 1)
    scored = table.assign(**inside, **{"error of the median, %": error})
    columns = [*inside, "error of the median, %"]
    rows = scored.groupby("target", sort=False)[columns].mean()
    rows.loc["all"] = scored[columns].mean()
    return rows.round(2).rename_axis("target").reset_index()


def gained(checks: Runs, problem: Problem) -> pd.DataFrame:
    """Return the measured gains over the natural mixture, with standard errors between seeds, beside their forecast."""
    objective = checks.table.assign(objective=checks.table[list(problem.objective)].mean(axis=1))
    seeds = objective.groupby("mixture")["objective"].agg(["mean", "var", "size"])
    error = np.sqrt(seeds["var"] / seeds["size"])
    forecast = pd.read_csv(HERE / "predicted_gains.csv").set_index("mixture")
    rows = []
    for name, row in forecast.iterrows():
        gain = seeds["mean"]["natural"] - seeds["mean"][name]
        rows.append(
            {
                "mixture": name,
                "forecast": f"{row['median']:.3f} ({row['low95%']:.3f} to {row['high95%']:.3f})",
                "measured": f"{gain:.3f} +- {np.hypot(error['natural'], error[name]):.3f}",
            }
        )
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame) -> Figure:
    """Draw what was forecast and what was measured, all losses over the forecast's median."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    names = list(dict.fromkeys(table["mixture"]))
    for panel, name in zip(figure.subplots(1, len(names), sharey=True), names, strict=True):
        part = table[table["mixture"] == name]
        for k, target in enumerate(TARGETS):
            here = part[part["target"] == target]
            middle = here["median"].iloc[0]
            for level, width in zip(LEVELS, (7, 4.5, 2), strict=True):
                ends = [100 * (here[f"{end}{level}"].iloc[0] / middle - 1) for end in ("low", "high")]
                panel.plot(ends, [k, k], lw=width, color="#9db8d2", solid_capstyle="butt")
            panel.plot(100 * (here["measured"] / middle - 1), [k] * len(here), "o", ms=3.5, color="#a02c2c")
        panel.set(title=name, yticks=range(len(TARGETS)), yticklabels=[t.removeprefix("loss.") for t in TARGETS])
        panel.axvline(0, lw=0.6, color="0.5")
        panel.set_xlabel("loss over its forecast, %")
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def checked(runs: Runs, problem: Problem) -> list[str]:
    """Return the results of the checks, if they are trained."""
    if "check" not in set(runs.table["part"]):
        return ["The checks are not trained yet."]
    checks = runs.where("part=check", "checkpoint=end")
    table = measured(checks)
    draw(table).savefig(HERE / "predicted.png", dpi=150)
    return [
        f"{len(checks)} runs of the checks, predicted before they were trained:",
        "![Forecast and measured losses of the largest size](predicted.png)",
        "Intervals of 50, 80 and 95 % of a single run; each dot is a seed.",
        markdown(held(table)),
        "Gain in the objective over the natural mixture, forecast (median and 95 %) and measured (standard error "
        "between seeds):",
        markdown(gained(checks, problem)),
    ]


def main() -> None:
    KEPT.mkdir(exist_ok=True)
    runs = Runs.read(HERE / "runs.csv", HERE / "runs.toml")
    fitted = runs.where("part=fit", "checkpoint=end", *(f"epochs_{d}<={MOST_EPOCHS}" for d in DOMAINS))
    problem = Problem.read(HERE / "problem.toml")
    hidden = [backtest(law, fitted) for law in LAWS]
    posteriors = informed({law: posterior(law, fitted) for law in LAWS}, hidden)
    comparison, weights = compare(posteriors), scale_weights(hidden)
    decision = decide(posteriors, problem, seed=SEED, weights=weights)
    if decision.domains != tuple(DOMAINS):
        raise SystemExit("the table has its domains in another order than the corpora")
    checks = planned_checks(rounded(decision.mixture), problem)
    forecasts = {name: predict(p, checks, seed=SEED) for name, p in posteriors.items()}
    forecast = average(forecasts, weights, seed=SEED)
    commit(forecast, decision)
    write_report(
        HERE / "report", posteriors, comparison, decision, predictions=forecasts, extrapolations=hidden,
        title="Tiny language models", overwrite=True,
    )  # fmt: skip
    shares = pd.DataFrame({"law": list(weights), "weight": [f"{w:.2f}" for w in weights.values()]})
    columns = ["elpd", "se", "diff", "diff_se", "weight", "max_k", "bad_k"]
    results = [
        f"{len(fitted)} runs fitted, none of which reads a domain more than {MOST_EPOCHS} times.",
        "Scatter between seeds:",
        markdown(noise_of_seeds(fitted)),
        "PSIS-LOO, leaving out whole runs:",
        markdown(comparison.table[columns].round(2).reset_index(names="law")),
        f"Runs above {HIDDEN_ABOVE:.1e} FLOP hidden, and forecast from smaller ones:",
        "\n".join(f"- {e.sentence()}" for e in hidden),
        "Weights of the average forecast, by these:",
        markdown(shares),
        "The chosen mixture:",
        *decided(decision),
        *checked(runs, problem),
    ]
    record(HERE / "README.md", "\n\n".join(results))


if __name__ == "__main__":
    main()
