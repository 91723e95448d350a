"""What was found, as Markdown for `docs/benchmarks.md`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import isinf

from incidents.asking import DATASETS, Case
from incidents.methods import Method
from incidents.scores import SHOWN, Scores

Found = Sequence[Sequence[float]]
"""Of each case, the places of its cause."""


def head() -> None:
    """The head of the table of methods."""
    print(f"| share of causes, %, among the first | | {' | '.join(map(str, SHOWN))} | Avg@5 | MRR |")
    print(f"|---|---|{'---|' * (len(SHOWN) + 2)}")


def rows(what: str, cases: Sequence[Case], found: Found) -> None:
    """A row for each data set."""
    for dataset in DATASETS:
        own = [of for case, of in zip(cases, found, strict=True) if case.dataset == dataset]
        _row(dataset, what, own)


def rows_of_kinds(cases: Sequence[Case], found: Found) -> None:
    """A row for each kind of fault."""
    by_kind = defaultdict(list)
    for case, of in zip(cases, found, strict=True):
        by_kind[case.dataset, case.question.kind].append(of)
    for (dataset, kind), own in sorted(by_kind.items()):
        _row(dataset, f"{kind} ({len(own)})", own)


def rows_of_halves(cases: Sequence[Case], found: Found) -> None:
    """Every other incident, and the rest: how much chance there is."""
    rows("every other one", cases[::2], found[::2])
    rows("the others", cases[1::2], found[1::2])


def _row(dataset: str, what: str, found: Found) -> None:
    if found:
        print(
            f"| {dataset} | {what} | {Scores.of([each for of in found for each in of]).row()} |", flush=True
        )


def normal_windows(cases: Sequence[Case], method: Method) -> None:
    """In how many normal times nobody is named."""
    nobody = defaultdict(list)
    for case in cases:
        nobody[case.dataset, case.question.kind].append(case.ranked(method) == [[]])
    print("\n| normal times | | nobody suspected |")
    print("|---|---|---|")
    for (dataset, kind), own in sorted(nobody.items()):
        print(
            f"| {dataset} | {kind} | {sum(own)} of {len(own)}, {100 * sum(own) / len(own):.0f} % |",
            flush=True,
        )


def one_by_one(cases: Sequence[Case], found: Found, method: Method) -> None:
    """A line for each incident: the cause's place, and who stands first."""
    print()
    for case, (place,) in zip(cases, found, strict=True):
        first = ", ".join(case.ranked(method)[0][:3]) or "nobody"
        told = "not named" if isinf(place) else f"at {place:.0f}"
        print(
            f"{case.dataset} {case.place.name} {case.question.kind}: {case.question.cause} {told}; first {first}"
        )
