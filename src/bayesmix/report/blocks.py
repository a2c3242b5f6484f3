"""What a report is made of; how a block looks is the templates' business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Text:
    """A paragraph; `tone` is "plain", or "lead" for what is to be read first."""

    text: str
    tone: str = "plain"
    kind: str = "text"


@dataclass(frozen=True)
class Points:
    """Sentences, one a line; `tone` is "plain", "caution" or "alarm"."""

    items: tuple[str, ...]
    tone: str = "plain"
    title: str = ""
    kind: str = "points"


@dataclass(frozen=True)
class Table:
    """A table; the first `words` columns hold words, the others numbers."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    title: str = ""
    kind: str = "table"

    @classmethod
    def of(cls, header: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1, title: str = "") -> Table:
        """Return a table of any sequences."""
        return cls(tuple(header), tuple(tuple(r) for r in rows), words, title)


@dataclass(frozen=True)
class Picture:
    """A figure with its file name, the `claim` that it shows, with numbers, and what is `drawn` and how to read it."""

    figure: Figure
    name: str
    claim: str
    drawn: str
    kind: str = "picture"


@dataclass(frozen=True)
class Equation:
    """Displayed mathematics, as TeX."""

    tex: str
    kind: str = "equation"


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: str = "heading"


@dataclass(frozen=True)
class Verbatim:
    """Text to be kept as it is, folded away under its title."""

    title: str
    text: str
    kind: str = "verbatim"


Block = Text | Points | Table | Picture | Equation | Heading | Verbatim


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Name by which a link reaches it."""
        return "".join(c if c.isalnum() else "-" for c in self.title.lower())
