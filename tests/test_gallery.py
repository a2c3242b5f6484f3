"""The gallery of laws: built from the code, whole, with working links and published numbers."""

import importlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp

from bayesmix import laws
from bayesmix.model import Model
from bayesmix.precision import double
from bayesmix.simulation import prior_predictive

PAGES = Path(__file__).parents[1] / "docs" / "pages"
# A family each: published fits of scalars, of vectors, in a link and of an optimum; no covariate; none published.
FEW = ("chinchilla", "ye_m4", "gadre_error", "deepseek_hp", "constant", "kumar_precision")


def build(folder, *options):
    command = [sys.executable, PAGES, "--out", folder, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """A gallery of a few laws."""
    folder = tmp_path_factory.mktemp("few") / "gallery"
    done = build(folder, *(f"--only={name}" for name in FEW))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def curves():
    """The module that evaluates laws."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(PAGES))
        yield importlib.import_module("curves")


class Page(HTMLParser):
    """What a page refers to, what it can be referred to by, and its words."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.tags, self.words = [], [], [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.links += [found[a] for a in ("href", "src") if a in found]
        self.anchors += [found["id"]] if "id" in found else []

    def handle_data(self, data):
        self.words += data


def check_links(folder):
    pages = {path.name: Page(path) for path in folder.iterdir()}
    for name, page in pages.items():
        assert len(set(page.anchors)) == len(page.anchors), name
        for link in page.links:
            if re.match(r"https://", link):
                continue
            target, _, anchor = link.partition("#")
            assert (target or name) in pages, (name, link)
            assert not anchor or anchor in pages[target or name].anchors, (name, link)
    return pages


def test_the_pages_asked_for_are_there_and_their_links_resolve(gallery):
    pages = check_links(gallery)
    assert set(pages) == {"index.html", *(f"{name}.html" for name in FEW)}
    assert {f"{name}.html" for name in FEW} <= set(pages["index.html"].links)
    for page in pages.values():
        assert not {"script", "link", "img", "iframe"} & set(page.tags), "the pages need no network"


def test_a_page_shows_equation_priors_pictures_and_published_numbers(gallery):
    page, text = Page(gallery / "chinchilla.html"), (gallery / "chinchilla.html").read_text()
    assert '<math display="block"><mi>L</mi>' in text
    assert text.count('role="img"') == len(laws.get("chinchilla").covariates)
    for shown in ("406.4", "482.006", "0.2849083", "LogNormal(−0.58, 0.31) × response reference",  # noqa: RUF001
                  "1.9366", "10M to 100B",
                  "Besiroglu et al. (2024), arXiv:2404.10102", "average_parameters", "exponent of N"):  # fmt: skip
        assert shown in page.words, shown
    assert "2.768928, 3.648574" in Page(gallery / "ye_m4.html").words


def test_a_law_without_covariates_says_why_it_has_no_picture(gallery):
    page = Page(gallery / "constant.html")
    assert "svg" not in page.tags
    assert "There is no picture: the law has no covariate" in page.words


def test_what_bounds_a_prior_does_not_keep_is_said(gallery):
    assert re.search(r"Of the draws, \d+ % leave 0 to 1 somewhere", Page(gallery / "gadre_error.html").words)
    assert re.search(r"Along deployed_bits the 90 % band reaches \d+", Page(gallery / "kumar_precision.html").words)


def test_a_gallery_is_not_overwritten_unasked(gallery):
    before = (gallery / "index.html").read_bytes()
    done = build(gallery, "--only=constant")
    assert done.returncode != 0
    assert f"{gallery} exists" in done.stderr
    assert (gallery / "index.html").read_bytes() == before


def test_an_unknown_law_is_answered_with_the_likeliest(tmp_path):
    done = build(tmp_path / "gallery", "--only=chinchila")
    assert done.returncode != 0
    assert "there is no law 'chinchila'. Did you mean 'chinchilla'" in done.stderr
    assert not (tmp_path / "gallery").exists()


def test_every_law_of_the_catalogue_has_its_turn_and_its_models(curves):
    assert sorted(law.name for law in curves.catalogue()) == sorted(laws.names())
    for name, models in curves.using().items():
        assert models[0].name == name


def test_draws_are_those_of_the_model(curves, synthetic):
    """Relative, zero-sum and scaled by another quantity: as NumPyro samples them, by Kolmogorov and Smirnov."""
    model = Model.read("effective_tokens")
    runs = synthetic(model=model)
    expected = prior_predictive(model, runs, seed=0, draws=2000)
    inputs, _ = model.inputs(runs)
    with double():
        drawn = curves.draws(model, inputs, np.random.default_rng(1), 2000)
    assert set(drawn) == {n for n in model.unknowns if n in model.law.quantities}
    for name, values in drawn.items():
        assert values.shape == expected[name].shape
        first = (slice(None), *(0,) * (values.ndim - 1))
        assert ks_2samp(values[first], expected[name][first]).pvalue > 1e-3, name
    np.testing.assert_allclose(drawn["t"].sum(axis=-1), 0, atol=1e-12)


def test_a_published_curve_is_the_law_with_its_constants(curves):
    law = laws.get("chinchilla")
    found = curves.curves(law, curves.using()["chinchilla"], 0)
    panel = found.panels[1]
    constants = found.fits[0].constants
    assert (panel.covariate, found.fits[0].name) == ("D", "hoffmann2022")
    assert panel.published[0][0, 7] == pytest.approx(law(N=1e9, D=panel.x[7], **constants), rel=1e-9)


def test_every_target_is_drawn_against_its_own_domain(curves):
    law = laws.get("ye_m4")
    found = curves.curves(law, curves.using()["ye_m4"], 0)
    panel, w = found.panels[0], np.full(5, (1 - 0.99) / 4)
    for k in range(5):
        w_own = np.where(np.arange(5) == k, 0.99, w)
        expected = law(w=w_own, **found.fits[0].constants)[k]
        assert panel.published[0][k, -1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
def test_the_whole_gallery(tmp_path):
    done = build(tmp_path / "gallery")
    assert done.returncode == 0, done.stderr
    pages = check_links(tmp_path / "gallery")
    assert set(pages) == {"index.html", *(f"{name}.html" for name in laws.names())}
    for name in laws.names():
        page, text = pages[f"{name}.html"], (tmp_path / "gallery" / f"{name}.html").read_text()
        assert '<div class="scroll equation" role="group" tabindex="0" aria-label="Equation"><math' in text, name
        assert text.count('role="img"') == len(laws.get(name).covariates), name
        assert 'aria-label="Equation"><code>' not in text, f"an equation of {name} holds TeX that is not understood"
        assert "NaN" not in text, name
        for fit in Model.read(name).published:
            assert fit in page.words
