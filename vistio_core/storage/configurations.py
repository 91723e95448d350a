"""The configurations that a recording keeps, by the hash of their text."""

from __future__ import annotations

import hashlib

from vistio_core.configuration import Configuration, loads
from vistio_core.errors import DamagedFileError
from vistio_core.storage.layout import CONFIGURATIONS, configuration_name, parse_configuration_name
from vistio_core.storage.store import Store

_MEND = "a recorder that starts with this configuration puts it back"


def configuration_hashes(store: Store) -> list[str]:
    """Of all that were ever in force, sorted."""
    return sorted(filter(None, map(parse_configuration_name, store.names(CONFIGURATIONS))))


def load_configuration(store: Store, configuration_hash: str) -> Configuration:
    """The configuration of this hash.

    Raises:
        DamagedFileError: it is missing, or has another content.
    """
    name = configuration_name(configuration_hash)
    try:
        with store.open(name) as source:
            content: bytes = source.read()
    except FileNotFoundError as error:
        raise DamagedFileError(name, f"is missing, though scrapes name it; {_MEND}") from error
    except OSError as error:
        raise DamagedFileError(name, f"{error}; {_MEND}") from error
    if hashlib.sha256(content).hexdigest() != configuration_hash:
        # Whatever it says now, it is not what was in force.
        raise DamagedFileError(name, f"its content is not what its name says; {_MEND}")
    return loads(content.decode(), name)
