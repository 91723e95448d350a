"""The image that `Dockerfile` builds, for all tests of this folder; only `nox -s images` runs them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import containers as real_containers
from support.containers import Containers, Image

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
WHEELHOUSE = "VISTIO_TEST_WHEELHOUSE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first of them waits for the build, and the base for a minute of packages."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def containers() -> Iterator[Containers]:
    if why := real_containers.missing():
        pytest.skip(why)
    with Containers() as found:
        yield found


@pytest.fixture(scope="session")
def image(containers: Containers, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Built as in an air-gapped place: from a base and a wheelhouse."""
    wheels = os.environ.get(WHEELHOUSE)
    if wheels is None:
        pytest.skip(f"no {WHEELHOUSE}: only `nox -s images` makes one")
    context = tmp_path_factory.mktemp("context")
    shutil.copy(ROOT / "Dockerfile", context)
    shutil.copytree(wheels, context / "wheelhouse")
    base = containers.import_base()
    tag = "localhost/vistio:test"
    containers.build(context, tag, BASE=base, REVISION="1234567")
    return Image(containers, base, tag)
