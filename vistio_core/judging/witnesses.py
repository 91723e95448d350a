"""Two witnesses: what the caller and the called side each report of an edge, made one. Pure; numpy inside.

Both ends of a call count it. A rule with a `Witness` says whose report its series are; what several such rules, of
any writers, say of the edges of one level at one moment is reconciled here. Rules without a witness have
no part in this. Requests a second, one target B:

    the caller says               B's side says            the edge
    a: 10 x 200                   from a: 9.8 x 200        a 9.8 normal, told by both
    a: 7 x 200, 3 x 503           from a: 7 x 200          a 7 normal, 3 danger; 3 lost: sent, not received
    a: 7 x 200, 2 x 504           from a: 9 x 200          a 7 normal, 2 danger, none lost
    nothing                       from a: 5 x 200          a 5 normal, told by the called
    a: 5 x 200                    from a: 0 (it stands)    a 5 normal, told by the caller
    a: 5, b: 7                    from b: 7, unknown: 5    a 5, b 7; no unknown: it was a
    a: 5                          unknown: 8               a 5, unknown 3

The rule, for each target at each moment (C: what callers say, D: what the called side says, by class):

1. **Unknown callers.** What the called side tells of `UNKNOWN` is the same traffic as what callers say they sent there
   beyond what it knows of them, as far as that goes: each edge is given a part of it in proportion to what it
   lacks, first of the same class, then of any, unless it knows the caller by name. What is left over stays an edge
   of its own.
2. **Failures** are what either end saw: the called side's, and what the caller saw beyond them.
3. **Lost** is what the caller sent beyond what was received, as far as the failures of 2 that only it saw go.
4. **The sum** is what was received and what was lost; or what the caller sent, where that is more.
   What did not fail is normal.

Both ends are scraped at different moments: a difference of up to a tenth (`NOISE`) is none, and makes no failure.
What must not be in here: which rule is whose (`Judge`), and what follows from the result (`levels`, `totals`).
"""

from __future__ import annotations

import attrs
import numpy as np

from vistio_core.configuration.mapping import StatusClass
from vistio_core.judging.codes import Booleans, Integers
from vistio_core.samples import Floats

UNKNOWN = "unknown"
"""What a called side that does not know its caller names it, in reports of `Witness.CALLED`."""
NOISE = 0.1
"""Up to which share two reports of the same may differ."""

_NORMAL, _WARNING, _DANGER = (each.column for each in StatusClass)


@attrs.frozen(eq=False)
class Reports:
    """What both witnesses report of some edges at some moments."""

    caller: Floats
    """Moments by edges by class: what callers say, in requests per second; 0 where they say nothing."""
    called: Floats
    """Likewise, of the called side."""
    by_caller: Booleans
    """Moments by edges: whether a caller says something, if only that there was nothing."""
    by_called: Booleans
    targets: Integers
    """By edge, a number of its target: 0, 1, ... without holes."""
    unknown: Booleans
    """By edge, whether its source is `UNKNOWN`."""


@attrs.frozen(eq=False)
class Reconciled:
    """What is known of edges: moments by edges, by class where it says so."""

    rps: Floats
    """Requests per second, by class."""
    by_caller: Booleans
    by_called: Booleans
    """Both False: there is no such edge, as of an unknown caller who turned out to be a known one."""
    lost_rps: Floats
    """Sent and not received; NaN where no caller says what it sent, or nothing at the target what it received."""


def reconciled(reports: Reports) -> Reconciled:
    """What both witnesses say, made one."""
    caller, called = np.maximum(reports.caller, 0.0), np.maximum(reports.called, 0.0)
    called, gone = _with_unknown(attrs.evolve(reports, caller=caller, called=called))
    sent, received = _total(caller), _total(called)
    # Failures that the caller saw beyond those that the called side knows of.
    beyond = np.where(caller > called * (1 + NOISE), caller - called, 0.0)
    beyond[..., _NORMAL] = 0.0
    failed = _total(beyond)
    lost = np.clip(sent - received, 0.0, failed)
    total = received + lost
    total = np.where(sent > total * (1 + NOISE), sent, total)
    danger = np.minimum(called[..., _DANGER] + beyond[..., _DANGER], total)
    warning = np.minimum(called[..., _WARNING] + beyond[..., _WARNING], total - danger)
    both = np.stack([total - danger - warning, warning, danger], axis=-1)
    # Where one says all there is to say, it is left as it is said.
    alone = (failed == 0) & (total == received)
    rps = np.where(alone[..., None], called, np.where((received == 0)[..., None], caller, both))
    reporting = _by_target(reports.by_called.astype(np.float64), reports.targets) > 0
    return Reconciled(
        rps,
        by_caller=reports.by_caller & ((sent > 0) | (received == 0)),
        by_called=(reports.by_called | (received > 0)) & ((received > 0) | (sent == 0)) & ~gone,
        lost_rps=np.where(reports.by_caller & reporting[:, reports.targets], lost, np.nan),
    )


def _with_unknown(reports: Reports) -> tuple[Floats, Booleans]:
    """What the called side says once unknown callers are known as far as that goes; and which are gone by that."""
    if not reports.unknown.any():
        return reports.called, np.zeros(reports.by_called.shape, bool)
    targets = reports.targets
    sent, received = _total(reports.caller), _total(reports.called)
    lacks = reports.by_caller & ~reports.unknown & (sent - received > NOISE * sent)
    lacking = np.where(lacks, sent - received, 0.0)
    nameless = _by_target(np.where(reports.unknown[:, None], reports.called, 0.0), targets)
    # a: 4 x 200, b: 4 x 503; unknown: 4 x 200. It was a, and nothing of b arrived.
    of_class = np.maximum(reports.caller - reports.called, 0.0)
    of_class *= np.minimum(_ratio(lacking, _total(of_class)), 1.0)[..., None]
    alike = np.minimum(nameless, _by_target(of_class, targets))
    called = reports.called + of_class * _ratio(alike, _by_target(of_class, targets))[:, targets]
    # a: 7 x 200, 2 x 504; unknown: 9 x 200. What is left goes to whom something is missing, whatever it says; but not
    # a: 7 x 200, 2 x 503; from a: 7 x 200, unknown: 1 x 200. Whom the called side knows by name is not unknown to it.
    left = nameless - alike
    still = np.where(received == 0, np.maximum(lacking - _total(called), 0.0), 0.0)
    share = np.minimum(_ratio(_by_target(still, targets), _total(left)), 1.0)
    called += _given(still, left * share[..., None], targets)
    left *= 1 - share[..., None]
    noise = _total(left) <= NOISE * _total(nameless)
    called += _given(lacking, np.where(noise[..., None], left, 0.0), targets)
    left[noise] = 0.0
    # A counter of nobody's that stands still is no caller beside those that there are.
    others = _by_target((reports.by_caller & ~reports.unknown).astype(np.float64), targets) > 0
    gone = reports.unknown & (others & (_total(left) == 0))[:, targets]
    return np.where(reports.unknown[:, None], left[:, targets], called), gone


def _given(lacking: Floats, nameless: Floats, targets: Integers) -> Floats:
    """What each edge gets of ``nameless``, moments by targets by class: in proportion to what it lacks."""
    part = _ratio(lacking, _by_target(lacking, targets)[:, targets])
    given: Floats = part[..., None] * nameless[:, targets]
    return given


def _ratio(values: Floats, of: Floats) -> Floats:
    """``values / of``; 0 where that is of nothing."""
    return np.divide(values, of, out=np.zeros_like(values), where=of > 0)


def _total(rates: Floats) -> Floats:
    """Of all classes."""
    total: Floats = rates[..., 0] + rates[..., 1] + rates[..., 2]
    return total


def _by_target(values: Floats, targets: Integers) -> Floats:
    """The sums over the edges of each target: moments by targets, and by class where ``values`` are."""
    order = np.argsort(targets, kind="stable")
    starts = np.searchsorted(targets[order], np.arange(int(targets.max()) + 1))
    sums: Floats = np.add.reduceat(values[:, order], starts, axis=1)
    return sums
