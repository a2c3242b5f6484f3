"""Numbers as people read them: as many digits as the uncertainty warrants, and no more."""
# ruff: noqa: RUF001 - typographic signs are meant

from __future__ import annotations

import math
from collections.abc import Sequence

from bayesmix.figures.style import short

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def together(values: Sequence[float], spread: float) -> list[str]:
    """Return numbers that share an uncertainty with the digits that it leaves meaningful.

    >>> together([1.9658, 1.9512, 1.9921], 0.0409)
    ['1.97', '1.95', '1.99']
    >>> together([1823.4, 979.2], 850)
    ['1,820', '980']
    >>> together([5.2e12], 1e12)
    ['5.2 × 10¹²']
    """
    if not (math.isfinite(spread) and spread > 0):
        return [plain(v) for v in values]
    lead = math.floor(math.log10(spread))
    # A leading 1 or 2 loses too much when it is rounded to itself.
    decimals = -lead + (1 if spread / 10**lead < 3 else 0)
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    if largest >= 1e6 or (0 < largest < 1e-3):
        return _powers(values, decimals, largest)
    return [_fixed(v, max(decimals, -1)) for v in values]


def _fixed(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return "–"
    rounded = round(value, decimals) + 0.0
    return _minus(f"{rounded:,.{max(decimals, 0)}f}")


def _powers(values: Sequence[float], decimals: int, largest: float) -> list[str]:
    exponent = math.floor(math.log10(largest))
    digits = max(0, decimals + exponent)
    power = f" × 10{str(exponent).translate(_SUPERSCRIPT)}"
    return [_fixed(v / 10**exponent, digits) + (power if math.isfinite(v) else "") for v in values]


def plain(value: float, digits: int = 3) -> str:
    """Return a number whose uncertainty is not stated.

    >>> plain(0.00002), plain(1234567.0), plain(-0.125), plain(4000), plain(9.998e6), plain(999.7)
    ('2 × 10⁻⁵', '1.23 × 10⁶', '−0.125', '4,000', '10⁷', '1,000')
    """
    if not math.isfinite(value):
        return "–"
    rounded = float(f"{value:.{digits}g}")
    if value and not 1e-3 <= abs(rounded) < 1e6:
        exponent = math.floor(math.log10(abs(rounded)))
        mantissa = _minus(f"{rounded / 10**exponent:.{digits}g}")
        return ("" if mantissa == "1" else f"{mantissa} × ") + f"10{str(exponent).translate(_SUPERSCRIPT)}"
    if abs(rounded) >= 10**digits or float(value).is_integer():
        return _minus(f"{value:,.0f}")
    return _minus(f"{rounded:.{digits}g}")


def amount(value: float) -> str:
    """Return a number of parameters, tokens or FLOP.

    >>> amount(7e10), amount(1.4e12), amount(5.88e23), amount(122e6), amount(999.7e9)
    ('70B', '1.4T', '5.88 × 10²³', '122M', '1T')
    """
    return short(value) if 1e3 <= abs(float(f"{value:.3g}")) < 1e15 else plain(value)


def interval(middle: float, low: float, high: float) -> tuple[str, str]:
    """Return a number and its interval as text.

    >>> interval(1.9658, 1.9512, 1.9921)
    ('1.966', '1.951 to 1.992')
    """
    m, a, b = _ends(middle, low, high)
    return m, f"{a} to {b}"


def bracketed(middle: float, low: float, high: float) -> str:
    """Return a number with its interval in brackets.

    >>> bracketed(2.312, 2.268, 2.361)
    '2.31 [2.27, 2.36]'
    """
    m, a, b = _ends(middle, low, high)
    return f"{m} [{a}, {b}]"


def _ends(middle: float, low: float, high: float) -> list[str]:
    # Half the interval is what the middle is uncertain by.
    return together([middle, low, high], abs(high - low) / 2)


def amounts(middle: float, low: float, high: float) -> tuple[str, str]:
    """Return an amount and its interval as text."""
    return amount(middle), f"{amount(low)} to {amount(high)}"


def percent(share: float, decimals: int = 1) -> str:
    """Return a share in per cent.

    >>> percent(0.381), percent(0.004), percent(0.95, 0)
    ('38.1 %', '0.4 %', '95 %')
    """
    return f"{_minus(f'{100 * share:.{decimals}f}')} %"


def united(text: str, unit: str) -> str:
    """Return a number as text with its unit, if it has one.

    >>> united("0.5", "nats/token"), united("0.5", "")
    ('0.5 nats/token', '0.5')
    """
    return f"{text} {unit}" if unit else text


def _minus(text: str) -> str:
    return text.replace("-", "−")
