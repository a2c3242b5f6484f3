"""Build the corpora: fetch, clean, remove duplicates, split by document, tokenise, count.

python case_studies/tiny_lm/corpora.py

Writes `text/` (not committed: the tokeniser and the tokens of every domain and target) and `corpora.csv`
(committed: what was built). The same packages give the same tokens.
"""

import csv
import hashlib
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from model import Size
from sources import DOMAINS, OUTSIDE, Documents
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).parent
TEXT = HERE / "text"
VOCABULARY = Size.vocabulary
END = 0  # the token between documents
VALIDATION = 0.08  # share of documents, chosen by the hash of their content
SMALLEST, LARGEST = 400, 300_000  # bytes: shorter documents teach little, longer ones are generated tables
LINE = 24  # characters: shorter lines, such as "return None", are not evidence of copying
COPIED = 0.5  # a document is a near duplicate if this share of its long lines stood in earlier ones
LIMITS = {"spanish": 300_000}  # bytes of training text: this domain is scarce, so that it is read many times


@dataclass
class Corpus:
    """The documents of one domain or target."""

    training: list[str] = field(default_factory=list)
    validation: list[str] = field(default_factory=list)
    read: int = 0
    duplicates: int = 0
    odd_size: int = 0


def clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\ufffd", "").replace("\x00", "")
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip() + "\n"


def long_lines(text: str) -> dict[bytes, int]:
    """Return hash and length of each different long line, spaces and letter case aside."""
    lines = {" ".join(line.lower().split()) for line in text.split("\n")}
    return {hashlib.blake2b(k.encode(), digest_size=8).digest(): len(k) for k in lines if len(k) >= LINE}


def collect(documents: Documents, seen: set[bytes], limit: int | None) -> Corpus:
    """Clean, drop duplicates of anything `seen` (which grows) and split."""
    corpus, kept = Corpus(), []
    for _, raw in documents:
        text = clean(raw)
        corpus.read += 1
        if not SMALLEST <= len(text.encode()) <= LARGEST:
            corpus.odd_size += 1
            continue
        lines = long_lines(text)
        copied = sum(length for line, length in lines.items() if line in seen)
        whole = hashlib.blake2b(" ".join(text.split()).encode(), digest_size=8).digest()
        if whole in seen or copied > COPIED * sum(lines.values()):
            corpus.duplicates += 1
            continue
        seen.update(lines, [whole])
        kept.append((hashlib.sha256(text.encode()).hexdigest(), text))
    used = 0
    for key, text in sorted(kept):  # by hash: a random order that depends on nothing but the texts
        if int(key[-8:], 16) < VALIDATION * 2**32:
            corpus.validation.append(text)
        elif limit is None or used + len(text.encode()) <= limit:
            corpus.training.append(text)
            used += len(text.encode())
    return corpus


def train_tokeniser(corpora: dict[str, Corpus], sample: int = 1_000_000) -> Tokenizer:
    """Return byte-level BPE learnt from an equal number of characters of each domain's training text."""
    texts = []
    for domain in DOMAINS:
        documents, size = corpora[domain].training, 0
        for text in random.Random(0).sample(documents, len(documents)):
            if size >= sample:
                break
            texts.append(text[: sample - size])
            size += len(text)
    tokeniser = Tokenizer(models.BPE())
    tokeniser.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokeniser.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<end>"], initial_alphabet=alphabet, show_progress=False
    )
    tokeniser.train_from_iterator(texts, trainer)
    return tokeniser


def tokens(tokeniser: Tokenizer, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens of all documents, each led by END, and where each begins."""
    encoded = [[END, *encoding.ids] for encoding in tokeniser.encode_batch(texts)]
    begins = np.cumsum([0, *map(len, encoded)])[:-1]
    return np.concatenate([np.array(ids, np.uint16) for ids in encoded]), begins


def shared(corpus: Corpus, training_lines: set[bytes]) -> float:
    """Return the share of the long lines of validation text, by characters, that also stand in training text."""
    lines = [item for text in corpus.validation for item in long_lines(text).items()]
    return sum(length for line, length in lines if line in training_lines) / sum(length for _, length in lines)


def main() -> None:
    TEXT.mkdir(exist_ok=True)
    seen: set[bytes] = set()
    corpora = {}
    for name, read in (DOMAINS | OUTSIDE).items():
        corpora[name] = collect(read(HERE / "packages"), seen, LIMITS.get(name))
        print(f"{name}: {corpora[name].read} documents, {corpora[name].duplicates} duplicates", flush=True)
    tokeniser = train_tokeniser(corpora)
    tokeniser.save(str(TEXT / "tokeniser.json"))
    training_lines = {line for name in DOMAINS for text in corpora[name].training for line in long_lines(text)}
    rows = []
    for name, corpus in corpora.items():
        row = {"name": name, "role": "domain" if name in DOMAINS else "outside target", "read": corpus.read}
        row |= {"odd_size": corpus.odd_size, "duplicates": corpus.duplicates}
        if name in OUTSIDE:
            corpus.validation += corpus.training
        for part in ("training", "validation"):
            texts = getattr(corpus, part) if part == "validation" or name in DOMAINS else []
            ids, begins = tokens(tokeniser, texts) if texts else (np.zeros(0, np.uint16), np.zeros(0, int))
            if texts:
                np.savez(TEXT / f"{name}.{part}.npz", tokens=ids, begins=begins)
            size = sum(len(text.encode()) for text in texts)
            row |= {f"{part}_documents": len(texts), f"{part}_bytes": size, f"{part}_tokens": len(ids)}
        row["bytes_per_token"] = round(row["validation_bytes"] / row["validation_tokens"], 3)
        row["shared_lines"] = round(shared(corpus, training_lines), 4)
        row["sha256"] = digest(name)
        rows.append(row)
    with (HERE / "corpora.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def digest(name: str) -> str:
    """Return the start of the hash of a domain's tokens, by which a rebuilt corpus can be compared with ours."""
    content = b"".join(np.load(path)["tokens"].tobytes() for path in sorted(TEXT.glob(f"{name}.*.npz")))
    return hashlib.sha256(content).hexdigest()[:16]


if __name__ == "__main__":
    main()
