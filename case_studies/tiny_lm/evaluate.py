"""What a model is measured by: loss on every target's validation set, and two tests with candidates.

Everything here is cut from validation documents once, the same for every run.
"""

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import scipy.special
from model import logits, losses
from sources import DOMAINS, OUTSIDE
from tokenizers import Tokenizer

TEXT = Path(__file__).parent / "text"
TARGETS = (*DOMAINS, *OUTSIDE)
WINDOWS = 192  # per target
PER_DOCUMENT = 8  # at most: many documents say more than many places of one
ITEMS = 600  # per test
SHORT = 64  # context of the tests, in tokens
BEFORE = 400  # characters read before a candidate, enough to fill the context
BATCH = 96  # sequences evaluated at once
OPENED = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Windows:
    """Validation tokens of one target, shape (window, context + 1), and the document of each window."""

    tokens: np.ndarray
    document: np.ndarray


@dataclass(frozen=True)
class Brackets:
    """Code up to a closing bracket, and which kind it is.

    Parameters
    ----------
    tokens : array, shape (item, SHORT)
    right : array of int, shape (item,)
        Index of the kind.
    begins : array of bool, shape (kind, vocabulary)
        Which tokens begin with a bracket of each kind: one token may hold several characters.
    """

    tokens: np.ndarray
    right: np.ndarray
    begins: np.ndarray


@dataclass(frozen=True)
class Cloze:
    """Sentences, each with four last words of which the first is right.

    Parameters
    ----------
    tokens : array, shape (item, word, SHORT + 1)
        A common beginning and a word, flush right.
    scored : array of bool, shape (item, word, SHORT)
        Which predictions belong to the word.
    """

    tokens: np.ndarray
    scored: np.ndarray


def validation(target: str, context: int) -> Windows:
    """Cut the windows of a target, from as many documents as it takes."""
    with np.load(TEXT / f"{target}.validation.npz") as saved:
        tokens, begins = saved["tokens"], saved["begins"]
    ends = [*begins[1:], len(tokens)]
    windows, document = [], []
    for k, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        starts = range(begin, end - context, context)[:PER_DOCUMENT]
        windows += [tokens[s : s + context + 1] for s in starts]
        document += [k] * len(starts)
    return Windows(np.array(windows[:WINDOWS]), np.array(document[:WINDOWS]))


def mean_and_error(loss: np.ndarray, document: np.ndarray) -> tuple[float, float]:
    """Return mean loss per token and its standard error, where tokens of one document go together."""
    per_window = loss.mean(axis=1, dtype=np.float64)
    mean = per_window.mean()
    sums = np.bincount(document, weights=per_window - mean)
    clusters = len(np.unique(document))
    return float(mean), float(math.sqrt((sums**2).sum() * clusters / (clusters - 1)) / len(per_window))


def documents(target: str, tokeniser: Tokenizer) -> list[str]:
    """Return the validation documents of a target as text."""
    with np.load(TEXT / f"{target}.validation.npz") as saved:
        parts = np.split(saved["tokens"], saved["begins"][1:])
    return [tokeniser.decode(part[1:].tolist()) for part in parts]


def brackets(texts: list[str], tokeniser: Tokenizer) -> Brackets:
    """Find closing brackets whose partner was opened 8 to 80 characters before, as many of each kind."""
    found = {closing: [] for closing in OPENED}
    for text in texts:
        stack = []
        for place, character in enumerate(text):
            if character in OPENED.values():
                stack.append((character, place))
            elif character in OPENED:
                opened, since = stack.pop() if stack else ("", 0)
                if opened != OPENED[character]:
                    stack.clear()  # a bracket within a string or comment: nothing before it is sure
                elif 8 <= place - since <= 80 and place >= BEFORE:
                    found[character].append(text[place - BEFORE : place])
    draw = random.Random(0)
    chosen = [begin for begins in found.values() for begin in draw.sample(begins, ITEMS // len(OPENED))]
    tokens = np.array([tokeniser.encode(begin).ids[-SHORT:] for begin in chosen])
    vocabulary = [tokeniser.decode([k]) for k in range(tokeniser.get_vocab_size())]
    begins = np.array([[token.startswith(closing) for token in vocabulary] for closing in OPENED])
    return Brackets(tokens, np.repeat(np.arange(len(OPENED)), ITEMS // len(OPENED)), begins)


def cloze(texts: list[str], tokeniser: Tokenizer) -> Cloze:
    """Take last words of sentences, and beside each three that end other sentences, as long give or take a letter."""
    pattern = re.compile(r"[^.?!]{40,}? ([a-z]{3,12})[.?!](?=\s)")
    ends = [(text, match) for text in texts for match in pattern.finditer(text) if match.start(1) >= BEFORE]
    words = sorted({match[1] for _, match in ends})
    draw = random.Random(0)
    tokens, scored = [], []
    for text, match in draw.sample(ends, ITEMS):
        alike = [word for word in words if abs(len(word) - len(match[1])) <= 1 and word != match[1]]
        begin = tokeniser.encode(text[match.start(1) - BEFORE : match.start(1) - 1]).ids
        for word in (match[1], *draw.sample(alike, 3)):
            end = tokeniser.encode(f" {word}.").ids
            tokens.append((begin + end)[-SHORT - 1 :])
            scored.append(np.arange(SHORT) >= SHORT - len(end))
    return Cloze(np.array(tokens).reshape(ITEMS, 4, SHORT + 1), np.array(scored).reshape(ITEMS, 4, SHORT))


def build_tests() -> tuple[Brackets, Cloze]:
    """Return the two tests: brackets in code, last words of sentences in English prose."""
    tokeniser = Tokenizer.from_file(str(TEXT / "tokeniser.json"))
    code = [text for target in ("python", "c") for text in documents(target, tokeniser)]
    return brackets(code, tokeniser), cloze(documents("prose", tokeniser), tokeniser)


def _last(parameters: dict, tokens: jax.Array) -> jax.Array:
    return logits(parameters, tokens)[:, -1]


_losses, _last_logits = jax.jit(losses), jax.jit(_last)


def batched(function: Callable[[dict, np.ndarray], jax.Array], parameters: dict, tokens: np.ndarray) -> np.ndarray:
    """Return what a function gives for many sequences, some at a time."""
    padding = -len(tokens) % BATCH
    padded = np.concatenate([tokens, np.repeat(tokens[:1], padding, axis=0)]).astype(np.int32)
    return np.concatenate([function(parameters, part) for part in np.split(padded, len(padded) // BATCH)])[
        : len(tokens)
    ]


def measure_losses(parameters: dict, sets: dict[str, Windows]) -> dict[str, float]:
    """Return loss and standard error on every target, as columns of a table of runs."""
    row = {}
    for target, windows in sets.items():
        mean, error = mean_and_error(batched(_losses, parameters, windows.tokens), windows.document)
        row |= {f"loss.{target}": mean, f"se_loss_{target}": error}
    return row


def measure_accuracies(parameters: dict, tests: tuple[Brackets, Cloze]) -> dict[str, float]:
    """Return the share of items whose right candidate is the likeliest, with binomial standard errors."""
    code, sentences = tests
    likelihood = np.exp(scipy.special.log_softmax(batched(_last_logits, parameters, code.tokens), axis=-1))
    right = {"brackets": (likelihood @ code.begins.T).argmax(axis=1) == code.right}
    loss = batched(_losses, parameters, sentences.tokens.reshape(-1, SHORT + 1)).reshape(sentences.scored.shape)
    right["cloze"] = np.where(sentences.scored, loss, 0).sum(axis=-1).argmin(axis=1) == 0
    row = {}
    for name, answers in right.items():
        accuracy, items = float(answers.mean()), len(answers)
        error = math.sqrt(accuracy * (1 - accuracy) / items)
        row |= {f"accuracy.{name}": accuracy, f"items.accuracy.{name}": items, f"se_accuracy_{name}": error}
    return row
