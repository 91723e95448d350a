"""Who may make a large answer now: what is being made and sent counts against the memory, too.

Each answer that has to be made says first what that may take, from cheap facts (`costs`). Small ones never wait.
The others take turns, for as long as what is being made and sent fits; who waits too long, or finds too many waiting,
is told to come again later, and nothing was done for it. A large answer counts on until it is sent, however slowly it
is fetched, and a thread goes with it; so only so many are sent at a time.

    400 MB    | process | files known | what may be made, sent and kept: `limit_bytes`            | a fifth of it |
                                        /frames: its turn          /graph: no need to wait for that one

What must not be in here: how answers are made, and what their costs follow from.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs

from vistio_core.errors import UsageError, VistioError
from vistio_core.sentences import Said, Sentence, say

_MB = 2**20
SMALL_BYTES = 8 * _MB
"""What costs no more never waits: hundreds of graphs of an ordinary mesh fit into what is never handed out."""
MOST_WAITING = 16
MOST_SENDING = 32
MOST_SHARING = 32
"""Each of those that wait (graphs, and all else, apart), send and share has a thread of the server (`server.THREADS`);
some must be left for what is small."""
WAIT_S = 10.0
# The page's graph must not wait for a long run of frames: it goes first and may overdraw by this share, as may whatever
# costs no more than that; and, alone, one that is hardly larger than everything: estimates are not so exact.
_OVERDRAFT_SHARE = 5


class BusyError(VistioError):
    """Too much is being made or sent: the same question will be answered later."""


class TooLargeError(UsageError):
    """What was asked for would never fit."""


@attrs.frozen(eq=False)
class _Waiting:
    cost_bytes: int
    urgent: bool


class Admission:
    """A budget of bytes for answers in work; usable from many threads."""

    def __init__(
        self,
        limit_bytes: int,
        *,
        wait_s: float = WAIT_S,
        make_room: Callable[[int], None] = lambda left_bytes: None,
        give_back: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is in work yet.

        Args:
            limit_bytes: what large answers may take in all.
            wait_s: how long one waits for its turn.
            make_room: called before a large one begins, with what is left for whatever is kept ready.
            give_back: called when a large one has ended.
        """
        self.limit_bytes = limit_bytes
        self._overdraft_bytes = limit_bytes // _OVERDRAFT_SHARE
        self._wait_s = wait_s
        self._make_room = make_room
        self._give_back = give_back
        self._changed = threading.Condition()
        self._queue: list[_Waiting] = []
        self._used_bytes = 0
        self._sending = 0
        self._sharing = 0
        self._refused = 0

    @property
    def used_bytes(self) -> int:
        """What is in work, as estimated."""
        return self._used_bytes

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    @property
    def sending(self) -> int:
        """How many large answers are being sent."""
        return self._sending

    @property
    def refused(self) -> int:
        """How many were told to come again, in all."""
        return self._refused

    @contextmanager
    def work(self, cost_bytes: int, advice: Said = "", *, urgent: bool = False) -> Iterator[None]:
        """While an answer is made that may take so much.

        Args:
            cost_bytes: an estimate.
            advice: how to ask for less; without it, what is larger than everything is made alone.
            urgent: it goes in front of all that is not, as what a page draws each second.

        Raises:
            TooLargeError: it would take more than there is for all.
            BusyError: it was not its turn for long, or too many wait already.
        """
        if advice and cost_bytes > self.limit_bytes + self._overdraft_bytes:
            raise TooLargeError(
                say(
                    "this would take about {cost:,} MB to make, and this server may use {limit:,} MB for that"
                    " (its --memory); {advice}",
                    cost=cost_bytes // _MB,
                    limit=self.limit_bytes // _MB,
                    advice=advice,
                )
            )
        cost_bytes = min(cost_bytes, self.limit_bytes)
        large = cost_bytes > SMALL_BYTES
        if large:
            self._check_sending()
            self._take_turn(_Waiting(cost_bytes, urgent))
            self._make_room(max(0, self.limit_bytes - self._used_bytes))
        else:
            self._add(cost_bytes)
        try:
            yield
        finally:
            self._add(-cost_bytes)
            if large:
                self._give_back()

    def send(self, size_bytes: int) -> Callable[[], None]:
        """Count a large answer from now on, until what is returned is called; a second call does nothing.

        It has been made: rather than for nothing, it may overdraw, and waits as what is urgent does.

        Raises:
            BusyError: too many are being sent, or they are too large together for long.
        """
        size_bytes = min(size_bytes, self.limit_bytes)
        with self._changed:
            self._check_sending()
            self._sending += 1
            fits = self._used_bytes + size_bytes <= self.limit_bytes + self._overdraft_bytes
            if fits:
                self._used_bytes += size_bytes
        if not fits:
            try:
                self._take_turn(_Waiting(size_bytes, urgent=True))
            except BusyError:
                with self._changed:
                    self._sending -= 1
                raise
        left = [size_bytes]

        def sent() -> None:
            with self._changed:
                if not left:
                    return
                self._used_bytes -= left.pop()
                self._sending -= 1
                self._changed.notify_all()
            if size_bytes > SMALL_BYTES:
                self._give_back()

        return sent

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """While somebody waits for a large answer that is made for another one.

        Raises:
            BusyError: too many do.
        """
        with self._changed:
            if self._sharing >= MOST_SHARING:
                raise self._busy(say("so many wait for large answers that this one must wait; ask again"))
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1

    def _check_sending(self) -> None:
        """Nothing is made that could not be sent then."""
        with self._changed:
            if self._sending >= MOST_SENDING:
                raise self._busy(
                    say("so many large answers are being fetched that this one must wait; ask again")
                )

    def _take_turn(self, own: _Waiting) -> None:
        with self._changed:
            if sum(each.urgent == own.urgent for each in self._queue) >= MOST_WAITING:
                raise self._busy(
                    say("so many large answers are waited for that this one must wait; ask again")
                )
            self._queue.append(own)
            deadline_s = time.monotonic() + self._wait_s
            try:
                while not self._may_begin(own):
                    left_s = deadline_s - time.monotonic()
                    if left_s <= 0:
                        raise self._busy(
                            say(
                                "large answers are made one after the other that this one must wait; ask again"
                            )
                        )
                    self._changed.wait(left_s)
                self._used_bytes += own.cost_bytes
            finally:
                self._queue.remove(own)
                self._changed.notify_all()

    def _may_begin(self, own: _Waiting) -> bool:
        """Whether it is the first of its kind, and fits."""
        first = next((each for each in self._queue if each.urgent), self._queue[0])
        may_overdraw = own.urgent or own.cost_bytes <= self._overdraft_bytes
        most_bytes = self.limit_bytes + (self._overdraft_bytes if may_overdraw else 0)
        return first is own and self._used_bytes + own.cost_bytes <= most_bytes

    def _add(self, cost_bytes: int) -> None:
        with self._changed:
            self._used_bytes += cost_bytes
            self._changed.notify_all()

    def _busy(self, why: Sentence) -> BusyError:
        self._refused += 1
        return BusyError(why)
