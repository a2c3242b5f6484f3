import dataclasses
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from bayesmix import laws, ready
from bayesmix.card import Card
from bayesmix.errors import BayesmixError, NotConvergedError, WouldOverwriteError
from bayesmix.model import Model
from bayesmix.prediction import predict
from bayesmix.report import numbers, report, write_report
from bayesmix.report.facts import published
from bayesmix.report.tex import equations, mathml
from bayesmix.runs import Runs

NOTICE = "Simulated data: nothing here was measured."


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data.replace("\u00a0", " "))

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="session")
def written(tmp_path_factory, chinchilla, kaplan, mixing, comparison, decision, prediction, optimum):
    return write_report(
        tmp_path_factory.mktemp("reports") / "launch",
        {"chinchilla": chinchilla, "kaplan_nd": kaplan, "ye_m4": mixing},
        comparison,
        decision,
        predictions={"chinchilla": prediction},
        optima={"chinchilla": optimum},
        title="A launch",
    )


@pytest.fixture(scope="session")
def page(written):
    return Page((written / "report.html").read_text())


def test_answer_comes_first(page, prediction, decision):
    median, low, high = np.quantile(prediction.measured[:, 0, 0], [0.5, 0.1, 0.9])
    middle, span = numbers.interval(median, low, high)
    assert float(middle) == pytest.approx(median, abs=0.06)
    assert f"At N = 70B, D = 1.4T: loss {middle} (80 %: {span})" in page.text
    assert "Best mixture: web 50.0 %, code 30.0 %, books 20.0 %." in page.text
    assert f"probability of beating it: {100 * decision.p_better:.0f} %" in page.text
    assert "Mixtures that keep 95.0 % of the gain reach, with all other weights at their best: web 45.0 %" in page.text
    assert "Believing only no discrepancy would move 10.0 % of the weight" in page.text
    assert "Compute-optimal at C = 10²⁴ FLOP" in page.text
    order = [
        page.text.index(t)
        for t in (
            NOTICE,
            "At N = 70B",
            "worst R-hat",
            "SHA-256",
            "elpd",
            "probability of being the best",
            "fingerprint",
        )
    ]
    assert order == sorted(order)


def test_warnings_are_repeated_once_at_the_top(page):
    section = page.text.split("Diagnostics", 2)[1]
    assert section.count("N lies up to 1.2 decades above the fitted runs") <= 2
    assert "The mixture lies outside the convex hull" in page.text


def test_published_constants_stand_beside_comparable_ones_only(chinchilla, mixing):
    found = published(chinchilla)
    assert found["hoffmann2022"]["A_raw"] == pytest.approx(406.4)
    assert found["besiroglu2024"]["alpha"] == 0.34781
    assert "A" not in found["hoffmann2022"]
    assert published(mixing) == {}


def test_data_are_kept_apart(page):
    assert "Data 1: chinchilla, kaplan_nd" in page.text
    assert "Data 2: ye_m4" in page.text
    assert "ladder.csv" in page.text
    assert "30 of 3 domains: web, code, books" in page.text


def test_html_is_self_contained(written, page):
    text = (written / "report.html").read_text()
    assert len(text) < 2_000_000
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name in ("src", "href", "srcset", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    images = [a for t, a in page.tags if t == "img"]
    assert len(images) == 3 + 3 + 1 + 1 + 2
    assert all(a["alt"] for a in images)
    anchors = {a["id"] for _, a in page.tags if "id" in a}
    assert {a["href"][1:] for t, a in page.tags if t == "a"} <= anchors


def test_json_is_strict_and_holds_the_numbers(written, chinchilla, decision, comparison):
    def refuse(name):
        raise AssertionError(name)

    found = json.loads((written / "report.json").read_text(), parse_constant=refuse)
    assert found["converged"] is True
    E = found["posteriors"]["chinchilla"]["quantities"]["E"]
    np.testing.assert_allclose(E["mean"], chinchilla.values()["E"].mean(axis=0))
    assert found["decision"]["facts"]["gain"] == pytest.approx(decision.gain.mean())
    assert found["comparisons"][0]["table"][0]["elpd"] == pytest.approx(comparison.table["elpd"].iloc[0])
    assert found["posteriors"]["ye_m4"]["data"]["mixtures"] == 30
    assert found["predictions"]["chinchilla"]["measured"][0]["run"] == "large"


def test_markdown_has_its_figures_and_tables(written):
    text = (written / "report.md").read_text()
    named = re.findall(r"!\[[^]]*\]\((figures/[^)]+)\)", text)
    assert len(named) == 10
    assert sorted(named) == sorted(f"figures/{p.name}" for p in (written / "figures").iterdir())
    assert "```math\nL(N, D) = E" in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1
        assert set(block.splitlines()[1]) <= set("|:- ")


def test_hostile_names_do_not_execute(tmp_path, ladder, chinchilla):
    evil = "<script>alert(1)</script>"
    card = Card(notice=f"{evil} notice", about={"origin": f'"><img src=x onerror=alert(1)> | {evil}'})
    runs = dataclasses.replace(ladder, card=card, source=f"{evil}.csv")
    planned = Runs.of(ladder.table[["N", "D"]].head(1).assign(run=evil), planned=True)
    hostile = dataclasses.replace(chinchilla, runs=runs)
    folder = write_report(
        tmp_path / "out",
        {evil: hostile},
        predictions={evil: predict(hostile, planned, seed=0)},
        title=f"{evil} | `title`",
    )
    text = (folder / "report.html").read_text()
    page = Page(text)
    assert "<script" not in text.lower()
    assert all(not name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert evil in page.text
    assert "<script" not in (folder / "report.md").read_text().replace("```", "").lower()
    assert all(re.fullmatch(r"[\w.-]+", p.name) for p in (folder / "figures").iterdir())


def test_refuses_to_overwrite(written, chinchilla):
    before = (written / "report.html").read_bytes()
    with pytest.raises(WouldOverwriteError, match="exists"):
        write_report(written, {"chinchilla": chinchilla})
    assert (written / "report.html").read_bytes() == before


def test_nothing_is_left_when_it_fails_half_way(tmp_path, chinchilla, monkeypatch):
    def fails():
        raise RuntimeError("half-way")

    monkeypatch.setattr(report, "_markdown", fails)
    with pytest.raises(RuntimeError, match="half-way"):
        write_report(tmp_path / "out", {"chinchilla": chinchilla})
    assert list(tmp_path.iterdir()) == []


def test_unconverged_is_refused_or_loud(tmp_path, unconverged):
    with pytest.raises(NotConvergedError, match="50 of 1600 draws diverged"):
        write_report(tmp_path / "out", {"chinchilla": unconverged})
    folder = write_report(tmp_path / "out", {"chinchilla": unconverged.accept()})
    body = (folder / "report.html").read_text().partition("<body>")[2]
    first = Page(body).text
    assert first.startswith("NOT CONVERGED")
    assert first.index("50 of 1600 draws diverged") < first.index("Answer")
    assert 'class="points alarm"' in body
    assert (folder / "report.md").read_text().startswith("> **NOT CONVERGED")
    assert json.loads((folder / "report.json").read_text())["converged"] is False


def test_what_does_not_belong_is_refused(tmp_path, chinchilla, mixing, comparison, prediction):
    with pytest.raises(BayesmixError, match="there is nothing to report"):
        write_report(tmp_path / "out", {})
    with pytest.raises(BayesmixError, match="a comparison names kaplan_nd"):
        write_report(tmp_path / "out", {"chinchilla": chinchilla}, comparison)
    with pytest.raises(BayesmixError, match="results of chinchilla, but the posteriors are ye_m4"):
        write_report(tmp_path / "out", {"ye_m4": mixing}, predictions={"chinchilla": prediction})
    assert not (tmp_path / "out").exists()


def test_every_law_of_the_catalogue_has_an_equation_that_shows():
    for name in ready.models():
        law = Model.read(name).law
        assert laws.get(law.name)
        found = equations(law.document)
        assert found, law.name
        assert all(mathml(tex) for tex in found), law.name


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_overflows_in_a_browser(written, tmp_path, width):
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("there is no chromium on the PATH")
    copy = tmp_path / "copy.html"
    # A frame of the width asked for: the window of a headless browser has a least width of its own.
    content = json.dumps((written / "report.html").read_text()).replace("</", "<\\/")
    frame = (
        f'<iframe id="f" style="width:{width}px;height:900px;border:0"></iframe><script>'
        "f.onload = () => { const d = f.contentDocument.documentElement;"
        "document.title = [d.scrollWidth, d.clientWidth, d.querySelectorAll('table').length].join(' '); };"
        f"f.srcdoc = {content};</script>"
    )
    copy.write_text(f"<!doctype html><title>waiting</title><body>{frame}</body>")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--virtual-time-budget=10000", "--dump-dom", copy.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    title = re.search(r"<title>(\d+) (\d+) (\d+)</title>", done.stdout)
    assert title, done.stdout[:200]
    scroll, client, tables = map(int, title.groups())
    assert width - 20 <= client <= width  # less the scroll bar
    assert scroll <= client
    assert tables > 10
