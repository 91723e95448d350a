"""Who asks, and whether he may: one `Guard` for a port.

    Authorization: Bearer ...  -> hashed, compared with the hash of every token            } an Identity
    Authorization: Basic ...   -> remembered as right, else bcrypt, one after the other    } with its scopes
    nothing                    -> anonymous_scopes

What is wrong is counted for each client's address, and after a few is not even looked at for a while (429): a
guess costs more time than it is worth. What is right is never counted, and right tokens never wait.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import time
from collections.abc import Callable
from pathlib import Path

import attrs

from vistio_core.access.limits import Limit
from vistio_core.access.origins import foreign
from vistio_core.access.passwords import Passwords, PasswordsBusyError
from vistio_core.access.token_file import TokenFile
from vistio_core.access.web_access import InForce, WebAccess, token_hash
from vistio_core.access.web_config import ANNOTATE, METRICS, READ, SCOPES, WebConfig
from vistio_core.errors import UsageError, VistioError
from vistio_core.names import visible
from vistio_core.sentences import Said, say

log = logging.getLogger(__name__)

REALM = "vistio"
WRONG_AT_ONCE, WRONG_PER_S = 10, 0.2
"""Wrong credentials of one address."""
CHANGES_AT_ONCE, CHANGES_PER_S = 120, 2.0
"""Changes by one name: each makes a file, which stays as long as what it is about."""
_MOST_CHARACTERS = 8_192
_LONGEST_USER = 128


@attrs.frozen
class Identity:
    """Who asks."""

    name: str
    """Of a user or token; empty: nobody has said."""
    scopes: frozenset[str]
    user: str = ""
    """For whom a proxy asks, as it says."""

    def may(self, scope: str) -> bool:
        return scope in self.scopes or (scope == METRICS and READ in self.scopes)

    @property
    def facts(self) -> dict[str, str]:
        """For the audit log."""
        return {"by": self.name or "anonymous", **({"for": self.user} if self.user else {})}


@attrs.frozen
class Asking:
    """What a request says about who asks, and from where."""

    client: str
    """Address."""
    header: Callable[[str], str]
    """A header's value; empty where there is none."""


class AccessError(VistioError):
    """A request is not answered because of who asks."""


class NotKnownError(AccessError):
    """Nobody has said who asks, or wrongly (401). ``challenge`` is the value of ``WWW-Authenticate``."""

    def __init__(self, message: Said, challenge: str) -> None:
        self.challenge = challenge
        super().__init__(message)


class NotAllowedError(AccessError):
    """Who asks may not (403); ``scope`` is what it would take."""

    def __init__(self, message: Said, scope: str) -> None:
        self.scope = scope
        super().__init__(message)


class TooOftenError(AccessError):
    """Later (429); ``retry_after_s`` says when."""

    def __init__(self, message: Said, wait_s: float) -> None:
        self.retry_after_s = max(1, round(wait_s + 0.5))
        super().__init__(message)


class LockedError(AccessError):
    """What says who may is wrong at the moment, so nobody may (503)."""


class Guard:
    """Decides for one port; usable from many threads."""

    def __init__(
        self,
        access: WebAccess | None = None,
        *,
        token_file: Path | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without ``access`` everybody may do everything but annotate.

        Args:
            access: the web configuration in force.
            token_file: who shows the token in it may annotate, whatever the configuration says.
            monotonic_s: a clock that is never set.

        Raises:
            UsageError: there is no token in ``token_file``.
        """
        self.access = access
        self._token_file = None if token_file is None else TokenFile(token_file)
        self._passwords = Passwords()
        self._wrong = Limit(WRONG_AT_ONCE, WRONG_PER_S, monotonic_s)
        self._changes = Limit(CHANGES_AT_ONCE, CHANGES_PER_S, monotonic_s)

    @property
    def is_open(self) -> bool:
        """Whether everybody may read."""
        return self.access is None

    def admit(self, asking: Asking, scope: str) -> Identity:
        """Who asks; may do what ``scope`` says.

        Raises:
            NotKnownError: nobody who is known.
            NotAllowedError: somebody who may not.
            TooOftenError: with wrong credentials, again and again.
            LockedError: nobody can be let in now.
        """
        in_force = self._in_force()
        who = self._who(asking, in_force, scope)
        if who.may(scope):
            return who
        if who.name:
            raise NotAllowedError(
                say(
                    "{name} may not: it takes the scope {scope}, and {name} has {scopes}",
                    name=who.name,
                    scope=scope,
                    scopes=", ".join(sorted(who.scopes)) or say("none"),
                ),
                scope,
            )
        if not self._somebody_may(scope, in_force):
            raise NotAllowedError(
                say(
                    "nobody may: it takes the scope {scope}, which nobody has; --web-config FILE gives it, or for a"
                    " recorder's annotations --token-file FILE",
                    scope=scope,
                ),
                scope,
            )
        raise NotKnownError(
            say(
                "show who you are: a user's name and password, or Authorization: Bearer TOKEN, with the scope {scope}",
                scope=scope,
            ),
            _challenge(asking, in_force),
        )

    def admit_change(self, asking: Asking, scope: str) -> Identity:
        """As `admit`, for what changes something: not for pages of others, and not without end.

        Raises:
            AccessError: as `admit` does.
        """
        who = self.admit(asking, scope)
        why = foreign(
            host=asking.header("Host"),
            origin=asking.header("Origin"),
            fetch_site=asking.header("Sec-Fetch-Site"),
            trusted=self._in_force().config.trusted_origins,
            known_by_name=bool(who.name),
        )
        if why is not None:
            log.warning("change.refused", extra={**who.facts, "client": asking.client, "why": str(why)})
            raise NotAllowedError(why, scope)
        key = who.name or asking.client
        wait_s = self._changes.wait_s(key)
        if wait_s:
            raise TooOftenError(
                say("{most} changes at once are enough; send the same again later", most=CHANGES_AT_ONCE),
                wait_s,
            )
        self._changes.spend(key)
        return who

    def told(self, asking: Asking) -> dict[str, object]:
        """Who asks and what he may, and whether somebody else may annotate: for a page. Takes no scope, but a name.

        Raises:
            AccessError: as `admit` does, for wrong credentials, and for none where these are needed to read.
        """
        who = self._who(asking, self._in_force(), ANNOTATE)
        if not who.name:
            # Browsers show their password where they are asked for one.
            self.admit(asking, READ)
        scopes = [scope for scope in SCOPES if who.may(scope)]
        return {
            "name": who.name,
            "user": who.user,
            "scopes": scopes,
            "annotating": self._somebody_may(ANNOTATE, self._in_force()),
        }

    def _in_force(self) -> InForce:
        if self.access is None:
            return InForce(WebConfig())
        try:
            return self.access.in_force
        except VistioError as error:
            raise LockedError(
                say("the web configuration is wrong at the moment; the server's log says why")
            ) from error

    def _who(self, asking: Asking, in_force: InForce, scope: str) -> Identity:
        anonymous = Identity("", in_force.config.anonymous_scopes)
        given = asking.header("Authorization")
        kind, _, value = given.partition(" ")
        if not given:
            return anonymous
        # A proxy's own, perhaps, or meant for somebody else: nothing here depends on them.
        if not self._has_credentials(in_force) or (self.access is None and anonymous.may(scope)):
            return anonymous
        if len(given) <= _MOST_CHARACTERS and kind.lower() == "bearer":
            found = self._of_token(value.strip(), asking, in_force)
        elif len(given) <= _MOST_CHARACTERS and kind.lower() == "basic":
            found = self._of_password(value.strip(), asking, in_force)
        else:
            found = None
        if found is not None:
            return found
        self._refuse_wrong(asking)
        raise NotKnownError(
            say("these credentials are not known here, or no longer; show others"),
            _challenge(asking, in_force),
        )

    def _of_token(self, token: str, asking: Asking, in_force: InForce) -> Identity | None:
        hashed, found = token_hash(token), None
        for known, entry in in_force.tokens:  # all of them: how long it takes tells nothing
            if hmac.compare_digest(hashed, known):
                found = entry
        if found is not None:
            user = visible(asking.header(found.user_header)[:_LONGEST_USER]) if found.user_header else ""
            return Identity(found.name, found.scopes, user)
        if self._token_file is not None:
            try:
                if self._token_file.matches(token):
                    return Identity("token-file", in_force.config.anonymous_scopes | {ANNOTATE})
            except UsageError as error:
                log.error(
                    "token.unreadable",
                    extra={"error": str(error), "next": "annotations are refused until then"},
                )
                raise LockedError(say("the recorder cannot read its token now; its log says why")) from error
        return None

    def _of_password(self, encoded: str, asking: Asking, in_force: InForce) -> Identity | None:
        users = in_force.config.users
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        if not users or not colon:
            return None
        who = Identity(name, in_force.config.user_scopes.get(name, frozenset()))
        if self._passwords.remembered(users, name, password):
            return who
        wait_s = self._wrong.wait_s(asking.client)
        if wait_s:
            raise TooOftenError(say("too many wrong passwords from this address; wait"), wait_s)
        try:
            return who if self._passwords.right(users, name, password) else None
        except PasswordsBusyError:
            raise TooOftenError(say("other passwords are being looked at; ask again"), 1.0) from None

    def _refuse_wrong(self, asking: Asking) -> None:
        wait_s = self._wrong.wait_s(asking.client)
        if wait_s:
            raise TooOftenError(say("too many wrong credentials from this address; wait"), wait_s)
        self._wrong.spend(asking.client)
        log.warning("credentials.refused", extra={"client": asking.client})

    def _has_credentials(self, in_force: InForce) -> bool:
        return bool(in_force.config.users or in_force.tokens or self._token_file)

    def _somebody_may(self, scope: str, in_force: InForce) -> bool:
        config = in_force.config
        given = [config.anonymous_scopes, *config.user_scopes.values(), *(t.scopes for t in config.tokens)]
        if self._token_file is not None:
            given.append(frozenset({ANNOTATE}))
        return any(Identity("", scopes).may(scope) for scopes in given)


def _challenge(asking: Asking, in_force: InForce) -> str:
    """What a client is asked for: its browser asks a person for a password, where there are any."""
    if in_force.config.users and not asking.header("Authorization").lower().startswith("bearer"):
        return f'Basic realm="{REALM}", charset="UTF-8"'
    return f'Bearer realm="{REALM}"'
