import numpy as np
import pandas as pd
import pytest

from bayesmix import laws
from bayesmix.describe import catalogue, described, law_card
from bayesmix.errors import BayesmixError
from bayesmix.runs import Runs
from fakes import mixture_runs, scale_runs


def test_a_table_is_described_by_its_ranges_and_by_what_its_design_shows():
    runs = Runs.of(scale_runs().table.assign(family="dense"), source="runs.csv")
    text = "\n".join(described(runs))
    assert text.startswith("runs.csv: 24 rows, 24 runs, nothing wrong")
    for symbol, unit in {"N": "parameters", "D": "tokens", "C": "FLOP", "M": "tokens/parameter"}.items():
        values = runs.column(symbol)
        line = next(line for line in text.splitlines() if line.startswith(f"{symbol} "))
        assert f"{values.min():.4g} to {values.max():.4g} {unit}" in line
    assert "labels" in text
    assert "family" in text
    assert "chinchilla" in text
    assert "cannot identify" not in text
    ladder = runs.table.drop(columns="C").assign(D=20 * runs.column("N"))
    assert "cannot identify" in "\n".join(described(Runs.of(ladder)))


def test_missing_measurements_are_counted():
    frame = mixture_runs().table.drop(columns="C")
    frame.loc[:4, "loss.web"] = np.nan
    text = "\n".join(described(Runs.of(frame)))
    assert ", 5 missing" in text
    assert "3 domains (web, code, books), 20 distinct mixtures" in text
    assert "design: All runs have the same N" in text


def test_a_table_that_feeds_no_law_says_so():
    runs = Runs.of(pd.DataFrame({"lr": [0.1, 0.2], "accuracy": [0.3, 0.4]}))
    assert "no columns here that feed the common laws and vary" in "\n".join(described(runs))
    said = "\n".join(described(runs, ["chinchilla", "constant"]))
    assert "chinchilla           not shown by such runs: " in said
    assert "N" in said.partition("such runs: ")[2].splitlines()[0]
    assert "constant             not shown by such runs: nothing of it depends on the run" in said


def test_the_catalogue_has_a_line_for_every_law():
    lines = list(catalogue(laws.names()))
    shown = [line.split()[0] for line in lines[1:-2]]
    assert sorted(shown) == sorted(laws.names())
    assert lines[-1].startswith(f"{len(shown)} laws.")
    families = [laws.get(name).family for name in shown]
    assert families == sorted(families)


@pytest.mark.parametrize("name", laws.names())
def test_a_law_is_shown_with_its_equation_and_every_quantity(name):
    text = "\n".join(law_card(name))
    law = laws.get(name)
    assert law.document in text
    for quantity in (*law.covariates, *law.quantities):
        assert any(line.split()[:1] == [quantity] for line in text.splitlines())


def test_an_unknown_law_is_refused_with_the_nearest_name():
    with pytest.raises(BayesmixError, match="Did you mean 'chinchilla'"):
        list(law_card("chinchila"))
