import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from bayesmix import figures
from bayesmix.figures import style
from bayesmix.report.drawing import COLOURS, svg


def scattered(points):
    figure = style.canvas(3.0)
    (axes,) = style.panels(figure, 1, 1)
    x = np.random.default_rng(0).random((2, points))
    axes.plot(*x, "o", color=style.BLUE, ms=3, mew=0)
    return figure


def parsed(text):
    assert not text.startswith("<?xml")
    return ElementTree.fromstring(text)


def test_text_is_text_and_colours_follow_the_page(decision):
    text = svg(figures.gain_figure(decision, "nats/token"), "figure-1")
    root = parsed(text)
    words = ["".join(t.itertext()) for t in root.iter("text")]
    assert "gain over the baseline (nats/token)" in words
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "figure-1-drawn"
    used = set(re.findall(r"var\(--([\w-]+),(#[0-9a-f]{6})\)", text))
    assert ("ink", style.INK) in used
    assert {name for name, _ in used} <= set(COLOURS.values())
    # What is left as a colour of its own is none of those that the page may set.
    assert not {c.lower() for c in COLOURS} & set(re.findall(r"[^,](#[0-9a-f]{6})", text))
    assert "DejaVu" not in text


def test_nothing_in_it_reaches_beyond_it(chinchilla):
    text = svg(figures.fit_figure(chinchilla), "figure-7")
    root = parsed(text)
    assert not {"style", "metadata", "script"} & {e.tag for e in root.iter()}
    identifiers = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
    assert identifiers
    assert len(identifiers) == len(set(identifiers))
    assert all(i.startswith("figure-7-") for i in identifiers)
    linked = set(re.findall(r'href="#(.+?)"', text)) | set(re.findall(r"url\(#(.+?)\)", text))
    assert linked == set(identifiers)
    assert "http" not in text


def test_it_is_the_same_every_time(decision):
    assert svg(figures.mixture_figure(decision), "f") == svg(figures.mixture_figure(decision), "f")


@pytest.mark.parametrize(("points", "image"), [(400, False), (20_000, True)])
def test_many_marks_become_an_image(points, image):
    figure = scattered(points)
    text = svg(figure, "f")
    assert ("<image" in text) == image
    assert text.count("<use") >= points or image
    # Drawn marks cost about 50 bytes each, an image of many less than half of that.
    assert len(text) < (20 if image else 60) * points + 20_000
    assert not figure.axes[0].lines[0].get_rasterized()


def test_words_in_coloured_cells_keep_their_colour(mixing):
    root = parsed(svg(figures.prior_posterior_figure(mixing), "f"))
    looks = {"".join(t.itertext()): t.attrib["style"] for t in root.iter("text")}
    assert style.ON_DARK in looks["-2.0"]
    assert "var(--ink" in looks["books"]


def test_hostile_names_stay_text(decision):
    evil = '</text><script>alert(1)</script>"><a href="x">'
    hostile = dataclasses.replace(decision, domains=("web", evil[:25], "<b> & 'c'"))
    text = svg(figures.mixture_figure(hostile), "f")
    assert "<script" not in text
    root = parsed(text)
    assert "<b> & 'c'" in ["".join(t.itertext()) for t in root.iter("text")]
