r"""From the TeX of a law's equation to MathML, which browsers show without the network.

It knows what the equations of laws need; for anything else `mathml` returns None and the TeX itself is shown.
"""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

import html
import re

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}^_&']|\d+(?:\.\d+)?|[A-Za-z]|\S")
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "ϕ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ",
    "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ",
}  # fmt: skip
_SYMBOLS = {"cdot": "⋅", "times": "×", "le": "≤", "ge": "≥", "leq": "≤", "geq": "≥", "approx": "≈", "infty": "∞",
            "in": "∈", "to": "→", "sim": "∼", "ldots": "…", "pm": "±", "neq": "≠", "Longrightarrow": "⟹"}  # fmt: skip
_LARGE = {"sum": "∑", "prod": "∏", "int": "∫"}
_FUNCTIONS = ("exp", "log", "ln", "min", "max", "tanh", "cosh", "var", "Pr")
_SPACES = {
    r"\,": "0.17em",
    r"\;": "0.28em",
    r"\:": "0.22em",
    r"\ ": "0.25em",
    r"\quad": "1em",
    r"\qquad": "2em",
    r"\!": "0",
}
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "overline": "¯"}
_FONTS = ("mathrm", "text", "operatorname", "mathbf", "mathit")


def equations(document: str) -> list[str]:
    r"""Return the displayed equations of a law's document.

    >>> equations("A law.\n\n$$y = a\nx$$\n")
    ['y = a x']
    """
    return [" ".join(found.split()) for found in re.findall(r"\$\$(.+?)\$\$", document, re.DOTALL)]


def mathml(tex: str) -> str | None:
    r"""Return MathML, or None where the TeX holds something that is not understood.

    >>> mathml(r"x^{-\alpha}")
    '<math display="block"><msup><mi>x</mi><mrow><mo>−</mo><mi>α</mi></mrow></msup></math>'
    >>> mathml(r"\begin{array}") is None
    True
    """
    try:
        tokens = _TOKEN.findall(tex)
        inner = _row(tokens, "")
    except (_UnknownError, IndexError):
        return None
    return None if tokens else f'<math display="block">{inner}</math>'


_OPEN, _STRAY = "{", ("}", "^", "_", "&", "'")


class _UnknownError(Exception):
    pass


def _row(tokens: list[str], end: str) -> str:
    """Return the mathematics up to `end`, which is taken away; `tokens` is used up from the front."""
    parts: list[str] = []
    while tokens and tokens[0] != end:
        parts.append(_scripted(tokens))
    if end:
        tokens.pop(0)
    return "".join(parts)


def _scripted(tokens: list[str]) -> str:
    large = tokens[0][1:] in _LARGE if tokens[0].startswith("\\") else False
    base = _atom(tokens)
    scripts: dict[str, str] = {}
    while tokens and tokens[0] in ("^", "_", "'"):
        sign = tokens.pop(0)
        scripts["^" if sign == "'" else sign] = "<mo>′</mo>" if sign == "'" else _atom(tokens)
    if not scripts:
        return base
    kind = {"_": "munder", "^": "mover", "_^": "munderover"} if large else {"_": "msub", "^": "msup", "_^": "msubsup"}
    name = kind["".join(s for s in "_^" if s in scripts)]
    return f"<{name}>{base}{''.join(scripts[s] for s in '_^' if s in scripts)}</{name}>"


def _atom(tokens: list[str]) -> str:
    token = tokens.pop(0)
    if token == _OPEN:
        return f"<mrow>{_row(tokens, '}')}</mrow>"
    if token.startswith("\\"):
        return _command(token, tokens)
    if token in _STRAY:
        raise _UnknownError(token)
    if token[0].isdigit():
        return f"<mn>{token}</mn>"
    if token.isalpha():
        return f"<mi>{html.escape(token)}</mi>"
    return f"<mo>{html.escape({'-': '−', '*': '∗'}.get(token, token))}</mo>"


def _command(token: str, tokens: list[str]) -> str:
    name = token[1:]
    if token in _SPACES:
        return f'<mspace width="{_SPACES[token]}"/>'
    if name in _GREEK:
        return f"<mi>{_GREEK[name]}</mi>"
    if name in _SYMBOLS | _LARGE:
        return f"<mo>{(_SYMBOLS | _LARGE)[name]}</mo>"
    if name in _FUNCTIONS:
        return f"<mi>{name}</mi>"
    if name in ("frac", "tfrac", "dfrac"):
        return f"<mfrac>{_atom(tokens)}{_atom(tokens)}</mfrac>"
    if name == "sqrt":
        return f"<msqrt>{_atom(tokens)}</msqrt>"
    if name in _ACCENTS:
        return f'<mover accent="true">{_atom(tokens)}<mo>{_ACCENTS[name]}</mo></mover>'
    if name in _FONTS:
        return f'<mi mathvariant="normal">{html.escape(_words(tokens))}</mi>'
    if name in ("left", "right"):
        fence = tokens.pop(0)
        return "" if fence == "." else f"<mo>{html.escape(fence.removeprefix(chr(92)))}</mo>"
    if token in (r"\{", r"\}", r"\%", r"\|"):
        return f"<mo>{token[1:]}</mo>"
    raise _UnknownError(token)


def _words(tokens: list[str]) -> str:
    if tokens.pop(0) != "{":
        raise _UnknownError("{")
    words = []
    while (token := tokens.pop(0)) != "}":
        words.append(token)
    return "".join(words)
