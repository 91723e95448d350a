"""A store at whose every step somebody else may be at work: files go away between listing and reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vistio_core.storage.local_store import LocalStore
from vistio_core.storage.store import Entry

if TYPE_CHECKING:
    import pyarrow as pa


class ShakenStore(LocalStore):
    """A directory. Each look at what is there, or into it, is a step."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.steps_left = -1
        self._work: Callable[[], None] = lambda: None

    def before(self, step: int, work: Callable[[], None]) -> None:
        """Have ``work`` done before a step of those that come now, counted from 0; ``steps_left`` counts down."""
        self.steps_left, self._work = step, work

    def _step(self) -> None:
        if self.steps_left == 0:
            self._work()
        self.steps_left -= 1

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        self._step()
        return super().entries(prefix)

    def names(self, prefix: str = "") -> Iterable[str]:
        self._step()
        return super().names(prefix)

    def folders(self, prefix: str) -> list[str]:
        self._step()
        return super().folders(prefix)

    def version(self, name: str) -> str:
        self._step()
        return super().version(name)

    def open(self, name: str) -> pa.NativeFile:
        self._step()
        return super().open(name)

    def uri(self, name: str) -> str:
        self._step()
        return super().uri(name)
