"""Does a recorder under random faults keep, heal or explain every instant, in flat memory?

    nox -s soak                                       # 5 minutes
    nox -s soak -- --minutes 30 --seed 7

A real Prometheus scrapes 1,000 edges; a real recorder records them each second onto a small tmpfs;
all the while one fault after the other is injected (`_soak_scene.py`), in seeded order, each for a
few seconds. Then everything is mended, healing gets time, and every due instant is judged:

- live: recorded when it was due, and a rule was answered;
- healed: fetched later from Prometheus' own history;
- explained: recorded as not seen, with its reason, or not recorded while no recorder was running;
- unexplained: anything else. There must be none.

Needs the right to mount (root), and `prometheus`. Prints Markdown for docs/reliability.md; the exit
code is 1 when something does not hold. The recorder is killed in the first third only, so that the
memory of one process is seen over the rest; a leak that is slower than these minutes show is looked
for by `recorder_memory.py`.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import attrs
import click
from _soak_scene import FAULTS, INTERVAL_MS, KILLS, QUERY, Fault, Scene
from support.disks import MountNotPermittedError
from support.recorders import committed

from vistio_core import Recording
from vistio_core.times import system_now_ms

# A scrape that began before a fault may meet it, and one that began before it was mended too.
_AROUND_MS = 3_000
# Until the rates of the query are of an undisturbed time again.
_CALM_AFTER_MS = 6_000
# Between two faults; long enough for calm instants.
PAUSE_S = (8, 13)


@attrs.frozen
class Injected:
    """One fault, from breaking to the first scrape that was answered in full again."""

    fault: Fault
    start_ms: int
    end_ms: int

    def covers(self, instant_ms: int) -> bool:
        return self.start_ms - _AROUND_MS <= instant_ms <= self.end_ms


def break_things(scene: Scene, minutes: float, choose: random.Random) -> list[Injected]:
    """Injects faults, in rounds of all of them in random order, until the time is over."""
    began_s, done = time.monotonic(), list[Injected]()
    left: list[Fault] = []
    while (passed_s := time.monotonic() - began_s) < minutes * 60:
        if not left:
            left = list(FAULTS)
            choose.shuffle(left)
        fault = left.pop()
        if fault is KILLS and passed_s > minutes * 20 and any(i.fault is KILLS for i in done):
            continue
        start_ms, lasts_s = system_now_ms(), choose.uniform(2, 8)
        print(f"{passed_s:6.0f} s  {fault.name}, {lasts_s:.1f} s", file=sys.stderr, flush=True)
        fault.break_it(scene)
        time.sleep(lasts_s)
        fault.mend_it(scene)
        scene.wait_until_well()
        done.append(Injected(fault, start_ms, system_now_ms()))
        time.sleep(choose.uniform(*PAUSE_S))
    return done


@attrs.frozen
class Judged:
    """What became of every due instant."""

    by_instant: dict[int, str]
    reasons: dict[int, str]

    def count(self, instants: list[int]) -> Counter[str]:
        return Counter(self.by_instant[instant] for instant in instants)


def judge(recording: Recording, down_ms: list[tuple[int, int]]) -> Judged:
    """Each due instant between the first and the last recorded one as live, healed, explained or unexplained."""
    table = recording.instants()
    instants = table["instant"].cast("int64").to_pylist()
    rows = dict(zip(instants, table.to_pylist(), strict=True))
    judged, reasons = dict[int, str](), dict[int, str]()
    for instant_ms in range(min(rows), max(rows) + 1, INTERVAL_MS):
        row = rows.get(instant_ms)
        if row is None:
            # A killed process takes with it what it had seen and not committed, and what was due until
            # the next one's first scrape.
            not_running = any(start - _AROUND_MS <= instant_ms <= end for start, end in down_ms)
            judged[instant_ms] = "explained" if not_running else "unexplained"
            reasons[instant_ms] = "not running"
        elif row["seen"]:
            judged[instant_ms] = "healed" if row["backfilled"] else "live"
        else:
            judged[instant_ms] = "explained" if row["failure"] else "unexplained"
            reasons[instant_ms] = row["failure"] or ""
    return Judged(judged, reasons)


def wait_for_healing(scene: Scene, limit_s: float) -> None:
    """Until nothing more is healed for a while, or the time is over."""
    deadline_s, quiet_since_s, before = time.monotonic() + limit_s, time.monotonic(), -1
    while time.monotonic() < min(deadline_s, quiet_since_s + 75):
        unseen = [seen for seen in Recording.open(scene.place).instants()["seen"].to_pylist() if not seen]
        if len(unseen) != before:
            before, quiet_since_s = len(unseen), time.monotonic()
        if not unseen:
            return
        time.sleep(2)


def differences(scene: Scene, recording: Recording, instants: list[int]) -> int:
    """How many of ``instants`` do not hold exactly what Prometheus says of them now."""
    wrong = 0
    for instant_ms in instants:
        expected = {
            (series["metric"]["source"], series["metric"]["target"], series["metric"]["code"]): float(
                series["value"][1]
            )
            for series in scene.prometheus.query(QUERY, time_ms=instant_ms)
        }
        rows = recording.sql(
            f"select source, target, status, rate from samples where rule = 'http' and epoch_ms(instant) = {instant_ms}"
        ).fetchall()
        wrong += {(source, target, status): rate for source, target, status, rate in rows} != expected
    return wrong


@attrs.frozen
class Memory:
    """Resident memory of the recorder that lived longest, in MB."""

    seconds: float
    """How long that was."""
    middle_mb: float
    """The least in the middle third of it."""
    late_mb: float
    """The least in the last third."""
    largest_mb: float

    @classmethod
    def of(cls, scene: Scene) -> Memory:
        samples = max(scene.memory.values(), key=len)
        third = max(1, len(samples) // 3)
        used = [mb for _, mb in samples]
        seconds = samples[-1][0] - samples[0][0]
        return cls(seconds, min(used[third : 2 * third] or used), min(used[-third:]), max(used))

    @property
    def flat(self) -> bool:
        """Within a tenth from third to third.

        The first third is warm-up. In the others the least counts: memory goes up and down with the
        head, of which there is more to read every second until a merge, and with the merges.
        """
        return self.late_mb <= self.middle_mb * 1.1


def report(scene: Scene, injected: list[Injected], log: str, minutes: float, seed: int) -> bool:
    """Prints the tables; whether everything holds."""
    recording = Recording.open(scene.place)
    judged = judge(recording, scene.down_ms)
    damaged = [checked.name for checked in recording.verify() if checked.problems]
    lost = set(committed(log)) - judged.by_instant.keys()
    calm = [
        instant
        for instant, what in judged.by_instant.items()
        if what == "live"
        and not any(i.covers(instant) or i.covers(instant - _CALM_AFTER_MS) for i in injected)
    ]
    healed = [instant for instant, what in judged.by_instant.items() if what == "healed"]
    choose = random.Random(seed)
    compared = [choose.sample(those, min(40, len(those))) for those in (calm, healed)]
    wrong = [differences(scene, recording, those) for those in compared]
    memory = Memory.of(scene)

    heals = "with" if scene.heals else "without"
    print(f"{minutes:g} minutes, seed {seed}, {scene.edges:,} edges, a 1 s interval, {heals} healing.\n")
    print("| fault | times | promise | due | live | healed | explained | unexplained |")
    print("|---|---|---|---|---|---|---|---|")
    rest = set(judged.by_instant)
    for fault in FAULTS:
        own = [i for i in injected if i.fault is fault]
        instants = [instant for instant in judged.by_instant if any(i.covers(instant) for i in own)]
        rest -= set(instants)
        print(f"| {fault.name} | {len(own)} | {fault.promise} | {_counts(judged, instants)} |")
    print(f"| none | | | {_counts(judged, sorted(rest))} |")
    print(f"| **all** | {len(injected)} | | {_counts(judged, list(judged.by_instant))} |\n")
    unexplained = sorted(i for i, what in judged.by_instant.items() if what == "unexplained")
    holds = {
        f"every due instant is live, healed or explained (unexplained: {unexplained[:5]})": not unexplained,
        f"of {len(committed(log)):,} acknowledged instants {len(lost)} are lost": not lost,
        f"`verify` names {len(damaged)} damaged files": not damaged,
        f"{wrong[0]} of {len(compared[0])} calm instants differ from what Prometheus says now": bool(calm)
        and not wrong[0],
        f"{wrong[1]} of {len(compared[1])} healed instants differ from it": not wrong[1],
        f"memory over {memory.seconds:.0f} s: at least {memory.middle_mb:.0f} MB in the middle third,"
        f" {memory.late_mb:.0f} MB in the last one; at most {memory.largest_mb:.0f} MB": memory.flat,
        "no traceback in any log": "Traceback" not in log,
    }
    for what, good in holds.items():
        print(f"- {'holds' if good else '**DOES NOT HOLD**'}: {what}")
    print("\nReasons of what is explained:\n")
    for reason, count in Counter(_short(reason) for reason in judged.reasons.values()).most_common():
        print(f"- {count}: {reason}")
    return all(holds.values())


def _counts(judged: Judged, instants: list[int]) -> str:
    counts = judged.count(instants)
    kinds = ("live", "healed", "explained", "unexplained")
    return " | ".join(str(number) for number in (len(instants), *(counts[kind] for kind in kinds)))


def _short(reason: str) -> str:
    """Without the address, which differs from run to run."""
    return " ".join(word for word in reason.split() if "127.0.0.1" not in word)[:150]


@click.command()
@click.option("--minutes", default=5.0, show_default=True, help="How long faults are injected.")
@click.option("--edges", default=1_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--healing", default=180.0, show_default=True, help="Seconds that healing gets at the end.")
def main(minutes: float, edges: int, seed: int, healing: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            scene = Scene.make(Path(folder), edges, disk_bytes=max(64, int(32 * minutes)) * 2**20)
        except MountNotPermittedError as error:
            raise click.ClickException(f"no disk can be mounted here, run as root: {error}") from error
        try:
            scene.start()
            injected = break_things(scene, minutes, random.Random(seed))
            if scene.heals:
                wait_for_healing(scene, healing)
            good = report(scene, injected, scene.stop(), minutes, seed)
        finally:
            scene.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
