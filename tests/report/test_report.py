import dataclasses
import itertools
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
from bayesmix.report import report, write_report
from bayesmix.report.drawing import COLOURS
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


def test_what_is_read_first_comes_first(page):
    parts = ("Verdict", "Train web", "Caveats", "probability of being the best",
             "Medians and predictive intervals", "C (FLOP)", "elpd: expected", "Measured against", "Prior s.d. kept",
             "worst R-hat", "SHA-256", "fingerprint")  # fmt: skip
    order = [page.text.index(t) for t in (NOTICE, *parts)]
    assert order == sorted(order)
    headings = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))


def test_warnings_of_the_answer_are_repeated_once_at_the_top(page):
    top = page.text.split("On the mixture", 1)[1].split("Mixtures that keep", 1)[0]
    assert top.count("N lies up to 1.2 decades above the fitted runs") == 1
    assert "The mixture lies outside the convex hull" in top
    # What bears on leaving runs out stands with the comparison.
    assert "standard errors are rough below 100" not in top
    assert "standard errors are rough below 100" in page.text


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
    assert set(re.findall(r"url\((.)", text)) == {"#"}
    assert "@import" not in text
    assert len(re.findall("<style", text)) == 1
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    linked = {a["href"][1:] for _, a in page.tags if a.get("href", "").startswith("#")}
    assert linked | set(re.findall(r"url\(#(.+?)\)", text)) <= set(identifiers)


def test_every_figure_says_what_it_shows(written, page):
    drawings = [a for t, a in page.tags if t == "svg"]
    assert len(drawings) == 3 + 3 + 1 + 1 + 2
    assert all(a["role"] == "img" for a in drawings)
    assert {a["aria-labelledby"] for a in drawings} <= {a.get("id") for _, a in page.tags}
    # Text of figures is text, in the page and for a search in it.
    assert "C: training compute (FLOP)" in page.text
    captions = re.findall("<figcaption><strong>(.+?)</strong>", (written / "report.html").read_text())
    assert len(captions) == len(drawings)
    assert all(re.search(r"\d", caption) for caption in captions), captions


def test_tables_can_be_read_aloud_and_copied(page):
    cells = [a for t, a in page.tags if t == "th"]
    assert cells
    assert {a.get("scope") for a in cells} == {"col", "row"}
    regions = [a for _, a in page.tags if "scroll" in a.get("class", "").split()]
    assert all(a.get("aria-label") and a["tabindex"] == "0" for a in regions)


def luminance(colour):
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_words_and_marks_stand_out_in_both_themes(written):
    text = (written / "report.html").read_text()
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text[: text.index("prefers-color-scheme")]))
    dark = light | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text[text.index("prefers-color-scheme") :]))
    # By WCAG 2.2, 1.4.3 and 1.4.11; dark is for screens alone, so that it is never printed.
    assert "@media screen and (prefers-color-scheme: dark)" in text
    marks = {name: colour for colour, name in COLOURS.items() if name.startswith("mark-")}
    for theme in (light, dark):
        for ground in ("paper", "shade", "card"):
            assert contrast(theme["ink"], theme[ground]) > 4.5
            assert contrast(theme["muted"], theme[ground]) > 4.5
        for ground in ("paper", "card"):
            assert contrast(theme["accent"], theme[ground]) > 4.5
        for tone in ("caution", "alarm"):
            assert contrast(theme[tone], theme[f"{tone}-paper"]) > 4.5
            assert contrast(theme["ink"], theme[f"{tone}-paper"]) > 4.5
    assert contrast(light["alarm"], light["card"]) > 4.5
    assert contrast(dark["alarm"], dark["card"]) > 4.5
    assert all(contrast(dark[name], dark["paper"]) > 3 for name in marks)
    assert dark["mark-1"] != light.get("mark-1")


def test_json_is_strict_and_holds_the_numbers(written, chinchilla, decision, comparison):
    def refuse(name):
        raise AssertionError(name)

    found = json.loads((written / "report.json").read_text(), parse_constant=refuse)
    assert found["converged"] is True
    E = found["posteriors"]["chinchilla"]["quantities"]["E"]
    np.testing.assert_allclose(E["mean"], chinchilla.values()["E"].mean(axis=0))
    assert found["decision"]["facts"]["gain"] == pytest.approx(decision.gain.mean())
    assert found["decision"]["facts"]["expected_regret_of_N_and_D"] == 0.004
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
    def fails(names):
        raise RuntimeError("half-way")

    monkeypatch.setattr(report, "_markdown", fails)
    with pytest.raises(RuntimeError, match="half-way"):
        write_report(tmp_path / "out", {"chinchilla": chinchilla})
    assert list(tmp_path.iterdir()) == []


def test_unconverged_is_refused_or_loud(tmp_path, unconverged):
    with pytest.raises(NotConvergedError, match="50 of 1600 draws diverged"):
        write_report(tmp_path / "out", {"chinchilla": unconverged})
    folder = write_report(tmp_path / "out", {"chinchilla": unconverged.accept()})
    body = (folder / "report.html").read_text().partition('<body class="failed">')[2]
    first = Page(body).text
    assert first.startswith("NOT CONVERGED")
    assert first.index("50 of 1600 draws diverged") < first.index("Verdict")
    assert "Verdict NO VERDICT, since not converged: chinchilla. If those draws were right:" in first
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
@pytest.mark.parametrize("width", [390, 1280])
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
