"""Whatever is asked, and at whichever step somebody merges, seals or prunes: the answer is a right one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, mesh, outcomes, scrape
from support.shaken import ShakenStore

from vistio_core import Recording, Writer
from vistio_core.errors import FilesChangedError, NothingRecordedError
from vistio_core.frontends import get
from vistio_core.replay.frames.frames import Frames
from vistio_core.storage.local_store import LocalStore
from vistio_core.times import HOUR_MS, format_instant

NOW_MS = START_MS + 4 * HOUR_MS
WRITERS = "eu", "us"
INSTANTS = 4
LAST_MS = START_MS + HOUR_MS + (INSTANTS - 1) * INTERVAL_MS
WINDOW = START_MS, START_MS + 2 * HOUR_MS
IN_WORDS = "/".join(map(format_instant, WINDOW))
VIZCERAL = get("vizceral")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One recording as it is committed, merged, sealed and pruned.

    Two writers and two hours; failures, and what was learned of them later.
    """
    folder = tmp_path_factory.mktemp("stages")
    recording = Recording.open(folder / "commits", create=True, clock=lambda: NOW_MS)
    for name in WRITERS:
        with recording.writer(name) as writer:
            writer.put_configuration(mesh())
            for hour_ms in (START_MS, START_MS + HOUR_MS):
                for index in range(INSTANTS):
                    failing = {1: {"http": "failed"}, 2: all_failed(), 3: all_failed()}.get(index, {})
                    rates = {} if "http" in failing else {"a>b 200": 1.0 + index, "b>c 503": 0.5}
                    writer.commit(scrape(hour_ms + index * INTERVAL_MS, rates, **failing))
                told = tuple(each for each in outcomes() if each.rule == "http")
                later = scrape(hour_ms + INTERVAL_MS, {"a>b 200": 9.0}, backfilled=True)
                writer.supplement(attrs.evolve(later, outcomes=told))
    work: dict[str, Callable[[Writer], object]] = {
        "merged": lambda writer: writer.merge(NOW_MS),
        "sealed": lambda writer: writer.seal(NOW_MS),
        "pruned": lambda writer: writer.prune(START_MS + HOUR_MS),
    }
    for (before, after), do in zip(pairwise(["commits", *work]), work.values(), strict=True):
        shutil.copytree(folder / before, folder / after)
        for name in WRITERS:
            with Recording.open(folder / after, clock=lambda: NOW_MS).writer(name) as writer:
                do(writer)
    return {path.name: path for path in folder.iterdir()}


def become(place: Path, before: Path, after: Path) -> None:
    """What a writer does: first the new files, then away with the old ones."""
    old, new = ({path.relative_to(of) for path in of.rglob("*") if path.is_file()} for of in (before, after))
    for name in sorted(new - old):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(after / name, place / name)
    for name in old - new:
        (place / name).unlink()


def _graph(recording: Recording, *args: Any, **options: Any) -> object:
    graph = recording.graph(*args, **options)
    return VIZCERAL.render(graph, {})


def _frames(frames: Frames) -> object:
    not_seen = -1.0  # NaN is unlike itself
    levels = [
        (level.cluster, level.edges, np.nan_to_num(level.rates, nan=not_seen).tolist(), level.notices)
        for level in frames.levels
    ]
    return frames.frames, levels, _topology(frames.topology)


def _topology(topology: Any) -> object:
    return {name: (level.classes, level.pairs, level.peak_rps) for name, level in topology.items()}


def _table(table: pa.Table) -> object:
    return table.to_pylist()


def _absence(recording: Recording) -> object:
    with pytest.raises(NothingRecordedError) as raised:
        recording.graph(LAST_MS, staleness="5s")
    return str(raised.value)


QUESTIONS: dict[str, Callable[[Recording], object]] = {
    "graph": lambda r: _graph(r, LAST_MS),
    "newest graph": lambda r: _graph(r),
    "today's rules": lambda r: _graph(r, LAST_MS, judge="current"),
    "stable graph": lambda r: _graph(r, LAST_MS, stable=IN_WORDS),
    "why there is none": _absence,
    "configuration": lambda r: r.configuration(LAST_MS).hash,
    "frames": lambda r: _frames(r.frames(START_MS + HOUR_MS, LAST_MS, "10s")),
    "presence": lambda r: _table(r.presence(*WINDOW)),
    "instants": lambda r: _table(r.instants(*WINDOW)),
    "gaps": lambda r: _table(r.gaps(*WINDOW)),
    "unanswered": lambda r: r.unanswered(*WINDOW, "us"),
    "timeline": lambda r: _table(r.timeline(*WINDOW, "1m")),
    "timeline of an edge": lambda r: _table(
        r.timeline(*WINDOW, "1m", source="a", target="b", cluster="mesh")
    ),
    "timeline by instant": lambda r: _table(r.timeline(*WINDOW, "90s", node="b")),
    "topology": lambda r: _topology(r.topology(*WINDOW)),
    "differences": lambda r: _table(r.diff(IN_WORDS, LAST_MS)),
    "span": lambda r: r.span(),
    "sql": lambda r: sorted(r.sql("select instant, writer, rate from samples").fetchall()),
}


def answers_at_the_steps(
    ask: Callable[[Recording], object], before: Path, after: Path, place: Path
) -> Iterator[tuple[int, object]]:
    """What is answered where a recording becomes another one before one of the steps of reading it."""
    step, more = 0, True
    while more:
        shutil.copytree(before, place, copy_function=os.link)
        store = ShakenStore(place)
        recording = Recording(store, clock=lambda: NOW_MS)
        store.before(step, lambda: become(place, before, after))
        answer = ask(recording)
        shutil.rmtree(place)
        more = store.steps_left < 0
        if more:
            yield step, answer
        # Each of the first ones, where listing becomes reading; then some, of any remainder.
        step += 1 if step < 10 else 11


@pytest.mark.parametrize(
    ("question", "done"),
    [*((question, "sealed") for question in QUESTIONS), ("graph", "merged"), ("frames", "merged")],
)
@pytest.mark.slow
def test_an_answer_is_the_same_whatever_is_merged_and_sealed_meanwhile(
    stages: dict[str, Path], tmp_path: Path, question: str, done: str
) -> None:
    ask = QUESTIONS[question]
    wanted = ask(Recording.open(stages["commits"], clock=lambda: NOW_MS))
    steps = answers_at_the_steps(ask, stages["commits"], stages[done], tmp_path / "r")
    assert [step for step, answer in steps if answer != wanted] == []


@pytest.mark.parametrize("question", sorted(QUESTIONS.keys() - {"stable graph", "differences"}))
@pytest.mark.slow
def test_an_answer_is_of_before_a_prune_or_of_after_it_never_of_both(
    stages: dict[str, Path], tmp_path: Path, question: str
) -> None:
    """Two are left out: they are made of two answers each."""
    ask = QUESTIONS[question]
    wanted = [ask(Recording.open(stages[done], clock=lambda: NOW_MS)) for done in ("sealed", "pruned")]
    steps = answers_at_the_steps(ask, stages["sealed"], stages["pruned"], tmp_path / "r")
    assert [step for step, answer in steps if answer not in wanted] == []


def test_a_supplement_finds_its_scrape_wherever_it_went(stages: dict[str, Path], tmp_path: Path) -> None:
    def supplement(recording: Recording) -> object:
        told = tuple(each for each in outcomes() if each.rule == "saturation")
        later = attrs.evolve(scrape(START_MS + 2 * INTERVAL_MS, backfilled=True), outcomes=told)
        with recording.writer("eu") as writer:
            writer.put_configuration(mesh())
            writer.supplement(later)
        [instant] = recording.unanswered(later.instant_ms, later.instant_ms + 1, "eu")
        return [rule.rule for rule in instant.rules]

    steps = answers_at_the_steps(supplement, stages["commits"], stages["merged"], tmp_path / "r")
    assert [step for step, answer in steps if answer != ["ingress", "http"]] == []


def test_files_that_go_away_at_every_step_end_in_an_error_that_says_so(
    stages: dict[str, Path], tmp_path: Path
) -> None:
    class Fleeing(LocalStore):
        """What it lists is gone when it is opened."""

        def version(self, name: str) -> str:
            raise FileNotFoundError(name)

    shutil.copytree(stages["commits"], tmp_path / "r")
    recording = Recording(Fleeing(tmp_path / "r"), clock=lambda: NOW_MS)
    with pytest.raises(FilesChangedError, match=r"_eu\.parquet: was merged, sealed or pruned away"):
        recording.graph(LAST_MS)
