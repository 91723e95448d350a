"""Shares and rates as people read them: a share is none, or all, only where it is. Pure.

0.0004   as {:.1%}   <0.1%      not 0.0%: some failed
0.9996               >99.9%     not 100.0%: some were well
0.5946               59.5%
"""

from __future__ import annotations

import re

_DIGITS = re.compile(r"\.(\d+)[%f]$")


class Share(float):
    """A part of a whole, from 0 to 1, for `str.format` with ``.1%`` and the like."""

    __slots__ = ()
    whole = 1.0

    def __format__(self, spec: str) -> str:
        text, digits = float(self).__format__(spec), _DIGITS.search(spec)
        if digits is None or not 0 < self < self.whole:
            return text
        unit = self.whole / 100 / 10 ** int(digits[1])
        if text == (0.0).__format__(spec):
            return f"<{unit.__format__(spec)}"
        return f">{(self.whole - unit).__format__(spec)}" if text == self.whole.__format__(spec) else text


class Percent(Share):
    """The same from 0 to 100, with ``.0f``."""

    __slots__ = ()
    whole = 100.0


def percent(part: float, whole: float, digits: int = 3) -> str:
    """A share in percent, as many digits as count: ``0``, ``<0.01``, ``12.3``, ``>99.9``, ``100``."""
    share = part / whole
    if 0 < share < 0.0001:
        return "<0.01"
    most = 1 - 10.0**-digits
    if most < share < 1:
        return f">{100 * most:.{digits}g}"
    return "100" if share == 1 else f"{100 * share:.{digits}g}"


def number(value: float) -> str:
    """Three digits that count; of thousands all before the point: ``0.25``, ``999``, ``1,000``, ``12,346``."""
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
