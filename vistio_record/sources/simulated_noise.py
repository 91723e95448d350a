"""Noise without state: each value is a hash of seed, name and time.

Nothing is drawn in sequence, so any instant can be asked for in any order. Results come from
exact integer hashes and plain float arithmetic, and so are the same bits on every machine.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from vistio_core.times import DAY_MS, HOUR_MS

# Traffic by hour of the day, as a share of the day's peak.
_HOURS = (
    *(0.46, 0.40, 0.36, 0.34, 0.34, 0.37, 0.44, 0.55, 0.68, 0.79, 0.86, 0.90),
    *(0.93, 0.91, 0.88, 0.87, 0.88, 0.91, 0.96, 1.00, 0.98, 0.89, 0.73, 0.58),
)


def fraction(seed: int, name: str, number: int) -> float:
    """A uniformly distributed number in [0, 1) that belongs to these three values for ever."""
    digest = blake2b(f"{seed}\0{name}\0{number}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def jitter(seed: int, name: str, t_ms: int) -> float:
    """A number in [-1, 1) that has nothing to do with the one a millisecond later."""
    return 2.0 * fraction(seed, name, t_ms) - 1.0


def smooth(seed: int, name: str, t_ms: int, period_ms: int) -> float:
    """A number in [-1, 1] that wanders: every ``period_ms`` it has another target."""
    step, rest = divmod(t_ms, period_ms)
    lattice = f"{name}/{period_ms}"
    here, there = _lattice(seed, lattice, step), _lattice(seed, lattice, step + 1)
    return here + (there - here) * ease(rest / period_ms)


def between(seed: int, name: str, number: int, low: float, high: float) -> float:
    """A number in [low, high), as `fraction`."""
    return low + (high - low) * fraction(seed, name, number)


def ease(x: float) -> float:
    """From 0 at ``x <= 0`` to 1 at ``x >= 1``, level at both ends."""
    x = min(1.0, max(0.0, x))
    return x * x * (3.0 - 2.0 * x)


def day_curve(t_ms: int, behind_utc_h: int) -> float:
    """Traffic at this time of the day as a share of the day's peak, 0.34 to 1."""
    hour, rest = divmod((t_ms - behind_utc_h * HOUR_MS) % DAY_MS, HOUR_MS)
    here, there = _HOURS[hour], _HOURS[(hour + 1) % 24]
    return here + (there - here) * ease(rest / HOUR_MS)


@lru_cache(maxsize=1 << 14)  # neighbouring instants share their lattice points
def _lattice(seed: int, name: str, step: int) -> float:
    return 2.0 * fraction(seed, name, step) - 1.0
