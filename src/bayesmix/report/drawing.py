"""Figures for the page: SVG that follows the reader's theme, and PNG for Markdown."""

from __future__ import annotations

import io
import re

# What is parsed is what matplotlib has just written, in which all names are escaped.
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from bayesmix.figures import style

# Colours of figures by the variable that the page may set for them, where its ground is dark.
COLOURS = {
    "#ffffff": "paper",
    "#000000": "ink",
    style.INK: "ink",
    style.MUTED: "muted",
    style.LINE: "line",
    style.SHADE: "shade",
    **{colour: f"mark-{k}" for k, colour in enumerate(style.CYCLE, start=1)},
}
_VARIABLES = {colour.lower(): f"var(--{name},{colour.lower()})" for colour, name in COLOURS.items()}
_PNG_DPI, _RASTER_DPI = 160, 150
# A figure of more points than this would be heavier as drawn marks than as an image; groups of few stay sharp.
_MANY, _FEW = 3000, 100
_LENGTHS = ("x", "y", "d", "width", "height", "transform")
_TITLES = ("Date", "Creator", "Format", "Type")


def svg(figure: Figure, name: str) -> str:
    """Return a figure as an SVG element that stands inside a page.

    Text stays text, in the page's type. Colours are CSS variables that fall back to the figure's own. Marks of dense
    figures are an image within the drawing.

    Parameters
    ----------
    figure : Figure
        As the functions of `bayesmix.figures` return them.
    name : str
        Unique on the page: all identifiers of the drawing begin with it. The element with the identifier
        ``<name>-drawn`` says what is drawn, for those who do not see it.
    """
    raw, dense = io.BytesIO(), {artist: artist.get_rasterized() for artist in _dense(figure)}
    for artist in dense:
        artist.set_rasterized(True)
    try:
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": "bayesmix"}):
            figure.savefig(raw, format="svg", dpi=_RASTER_DPI, facecolor="none", metadata=dict.fromkeys(_TITLES))
    finally:
        for artist, before in dense.items():
            artist.set_rasterized(before)
    root = ElementTree.fromstring(raw.getvalue())  # noqa: S314
    for element in root.iter():
        _plain(element)
    _lift(root)
    _rename(root, name)
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    root.attrib |= {"role": "img", "aria-labelledby": f"{name}-drawn"}
    return ElementTree.tostring(root, encoding="unicode")


def _dense(figure: Figure) -> list[Artist]:
    """Return groups of many marks, if there are too many in all."""
    marks: dict[Artist, int] = {}
    for line in figure.findobj(Line2D):
        if isinstance(line, Line2D) and line.get_marker() not in (None, "", " ", "None", "none"):
            marks[line] = len(line.get_xdata())  # pyright: ignore
    for group in figure.findobj(Collection):
        if isinstance(group, Collection):
            marks[group] = max(len(group.get_offsets()), len(group.get_paths()))  # pyright: ignore
    many = sum(marks.values()) > _MANY
    return [artist for artist, count in marks.items() if many and count > _FEW]


def _plain(element: ElementTree.Element) -> None:
    """Take away what a page has no use for, and leave colours and type to it."""
    element.tag = element.tag.partition("}")[2]
    element.tail = None
    if element.tag != "tspan" and not (element.text or "").strip():
        element.text = None
    for child in list(element):
        # A page has one style sheet, and a style inside a drawing would apply to all of it.
        if child.tag.endswith(("}style", "}metadata")):
            element.remove(child)
    for name in list(element.attrib):
        value = element.attrib.pop(name)
        short = name.rpartition("}")[2]
        if short == "style":
            value = re.sub(r"#[0-9a-f]{6}", lambda found: _VARIABLES.get(found[0], found[0]), value)
            value = re.sub(r"(font(?:-family)?: [^';]*)'[^;]*", r"\1var(--type,sans-serif)", value).replace(": ", ":")
        elif short in _LENGTHS:
            value = re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", " ".join(value.split()))
        if not value.startswith("rotate(-0 "):
            element.set(short, value)


def _lift(root: ElementTree.Element) -> None:
    """Say once, at their group, how marks look that look the same."""
    for group in root.iter("g"):
        looks = {child.get("style") for child in group}
        if len(group) > 1 and len(looks) == 1 and None not in looks and all(child.tag == "use" for child in group):
            group.set("style", looks.pop() or "")
            for child in group:
                del child.attrib["style"]


def _rename(root: ElementTree.Element, name: str) -> None:
    """Keep the identifiers that something refers to, as names of this drawing alone."""
    every = [(element, attribute) for element in root.iter() for attribute in element.attrib]
    links = {}
    for element, attribute in every:
        value = element.attrib[attribute]
        if attribute == "href" and value.startswith("#"):
            links[element, attribute] = value[1:], "#{}"
        elif found := re.fullmatch(r"url\(#(.+)\)", value):
            links[element, attribute] = found[1], "url(#{})"
    short = {target: f"{name}-{k}" for k, target in enumerate(dict.fromkeys(target for target, _ in links.values()))}
    for (element, attribute), (target, form) in links.items():
        element.set(attribute, form.format(short[target]))
    for element in root.iter():
        if "id" in element.attrib:
            own = element.attrib.pop("id")
            if own in short:
                element.set("id", short[own])


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG of 256 colours: a third of the size, and no difference to the eye."""
    raw, image = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=_PNG_DPI, facecolor="white")
    colours = Image.open(raw).convert("RGB")
    # Other methods lose the colours of thin lines, which cover few pixels.
    colours.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        image, format="png", optimize=True
    )
    return image.getvalue()
