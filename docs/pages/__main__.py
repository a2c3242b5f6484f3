"""A page for every law, made from the code: equation, priors, what they say before any run, published curves.

    python docs/pages --out docs/gallery --force          # all of them, and index.html
    python docs/pages --out look --only chinchilla --only ye_m4

The pages need no network and follow the reader's light or dark theme.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import jax
from curves import catalogue, curves, using
from pages import environment, index, law_entry, law_page

from bayesmix import laws
from bayesmix.errors import BayesmixError
from bayesmix.files import refuse_overwrite, write_whole
from bayesmix.law import Law

SEED = 0


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="made whole or not at all")
    parser.add_argument("--only", action="append", metavar="LAW", help="a law; all of them by default")
    parser.add_argument("--force", action="store_true", help="replace an existing folder")
    return parser.parse_args()


def build(folder: Path, chosen: list[Law]) -> None:
    """Write the pages of laws, and their index, into a new folder."""
    folder.mkdir()
    templates, models, entries = environment(), using(), []
    names = [law.name for law in chosen]
    for law in chosen:
        drawn = curves(law, models[law.name], SEED)
        page = templates.get_template("law.html.j2").render(law_page(law, models[law.name], drawn, names))
        (folder / f"{law.name}.html").write_text(page, encoding="utf-8")
        entries.append(law_entry(law, drawn))
        jax.clear_caches()  # kept for all laws, what was compiled takes gigabytes
    page = templates.get_template("index.html.j2").render(index(entries))
    (folder / "index.html").write_text(page, encoding="utf-8")


def main() -> None:
    """Build what was asked for."""
    asked = arguments()
    try:
        refuse_overwrite(asked.out, overwrite=asked.force)
        wanted = {laws.get(name).name for name in asked.only or laws.names()}
        chosen = [law for law in catalogue() if law.name in wanted]
        write_whole(asked.out, lambda folder: build(folder, chosen), overwrite=asked.force)
    except BayesmixError as error:
        sys.exit(f"error: {error}")
    print(f"wrote {len(chosen)} laws: {asked.out / 'index.html'}")


if __name__ == "__main__":
    main()
