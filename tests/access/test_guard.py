"""Who may do what, by a real file and real hashes; clocks are in the test's hand."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.clocks import Seconds
from support.web_config import ALICE, BOB, CI_TOKEN, SCRAPER_TOKEN, basic, bearer, hashed, write

from vistio_core.access.guard import (
    CHANGES_AT_ONCE,
    WRONG_AT_ONCE,
    Asking,
    Guard,
    LockedError,
    NotAllowedError,
    NotKnownError,
    TooOftenError,
)
from vistio_core.access.web_access import WebAccess
from vistio_core.access.web_config import ANNOTATE, METRICS, READ, RELOAD


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path)


@pytest.fixture
def access(file: Path) -> WebAccess:
    return WebAccess(file)


@pytest.fixture
def guard(access: WebAccess, seconds: Seconds) -> Guard:
    return Guard(access, monotonic_s=seconds)


def asking(headers: dict[str, str] | None = None, client: str = "192.0.2.1", **more: str) -> Asking:
    given = {name.lower(): value for name, value in {**(headers or {}), **more}.items()}
    return Asking(client, lambda name: given.get(name.lower(), ""))


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        (basic(*ALICE), {READ, METRICS, ANNOTATE, RELOAD}),
        (basic(*BOB), {READ, METRICS}),
        (bearer(CI_TOKEN), {ANNOTATE}),
        (bearer(SCRAPER_TOKEN), {METRICS}),
    ],
)
def test_each_may_what_its_scopes_say_and_is_told_what_it_would_take(
    guard: Guard, headers: dict[str, str], may: set[str]
) -> None:
    for scope in (READ, METRICS, ANNOTATE, RELOAD):
        if scope in may:
            assert guard.admit(asking(headers), scope).name
        else:
            with pytest.raises(NotAllowedError, match=f"takes the scope {scope}") as refused:
                guard.admit(asking(headers), scope)
            assert refused.value.scope == scope


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("alice", "wrong"),
        basic("nobody", ALICE[1]),
        basic("alice", BOB[1]),
        basic("", ""),
        basic("alice", ALICE[1] + "x"),
        basic("alice", ALICE[1] + "\0"),
        bearer(CI_TOKEN[:-1]),
        bearer(CI_TOKEN.upper()),
        bearer(""),
        bearer("\udcff"),
        {"Authorization": "Basic " + CI_TOKEN},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Digest x"},
        {"Authorization": CI_TOKEN},
        {"Authorization": "Bearer " + "x" * 100_000},
    ],
)
def test_who_is_not_known_is_asked_who_he_is(guard: Guard, headers: dict[str, str]) -> None:
    with pytest.raises(NotKnownError) as refused:
        guard.admit(asking(headers), READ)
    assert refused.value.challenge.startswith("Bearer" if "Bearer" in str(headers) else "Basic")


def test_a_password_that_bcrypt_would_cut_is_not_as_good_as_its_beginning(tmp_path: Path) -> None:
    long = "x" * 72
    (tmp_path / "web.yaml").write_text(f"basic_auth_users: {{alice: {hashed(long)}}}")
    guard = Guard(WebAccess(tmp_path / "web.yaml"))
    assert guard.admit(asking(basic("alice", long)), READ).name == "alice"
    with pytest.raises(NotKnownError):
        guard.admit(asking(basic("alice", long + "y")), READ)


def test_without_a_configuration_everybody_reads_and_nobody_annotates() -> None:
    guard = Guard()
    for headers in ({}, basic("any", "body"), bearer("anything")):
        assert guard.admit(asking(headers), READ).name == ""
        assert guard.admit_change(asking(headers, host="127.0.0.1"), RELOAD).name == ""
        with pytest.raises(NotAllowedError, match="--web-config FILE"):
            guard.admit_change(asking(headers), ANNOTATE)


def test_anonymous_scopes_are_for_who_says_nothing_and_wrong_credentials_stay_wrong(tmp_path: Path) -> None:
    guard = Guard(WebAccess(write(tmp_path, more="anonymous_scopes: [read]\n")))
    assert guard.admit(asking(), READ).name == ""
    with pytest.raises(NotKnownError):
        guard.admit(asking(), ANNOTATE)
    with pytest.raises(NotKnownError):
        guard.admit(asking(bearer("wrong" * 8)), READ)


# -- guessing


def test_after_some_wrong_credentials_an_address_waits_and_others_do_not(
    guard: Guard, seconds: Seconds
) -> None:
    for _ in range(WRONG_AT_ONCE):
        with pytest.raises(NotKnownError):
            guard.admit(asking(basic("alice", "wrong")), READ)
    with pytest.raises(TooOftenError) as later:
        guard.admit(asking(basic(*ALICE)), READ)  # not even looked at: it might be a lucky guess
    with pytest.raises(NotKnownError):
        guard.admit(asking(basic("alice", "wrong"), client="192.0.2.2"), READ)
    assert guard.admit(asking(bearer(SCRAPER_TOKEN)), METRICS).name == "scraper"
    seconds.now_s += later.value.retry_after_s
    assert guard.admit(asking(basic(*ALICE)), READ).name == "alice"


def test_who_was_known_before_is_not_kept_out_by_somebody_who_guesses_from_the_same_address(
    guard: Guard,
) -> None:
    guard.admit(asking(basic(*ALICE)), READ)
    for _ in range(WRONG_AT_ONCE + 1):
        with pytest.raises((NotKnownError, TooOftenError)):
            guard.admit(asking(basic("alice", "wrong")), READ)
    assert guard.admit(asking(basic(*ALICE)), READ).name == "alice"


def test_changes_have_a_limit_for_each_name(guard: Guard, seconds: Seconds) -> None:
    for _ in range(CHANGES_AT_ONCE):
        guard.admit_change(asking(bearer(CI_TOKEN)), ANNOTATE)
    with pytest.raises(TooOftenError):
        guard.admit_change(asking(bearer(CI_TOKEN), client="192.0.2.2"), ANNOTATE)
    assert guard.admit_change(asking(basic(*ALICE)), ANNOTATE).name == "alice"
    seconds.now_s += 1
    assert guard.admit_change(asking(bearer(CI_TOKEN)), ANNOTATE).name == "ci"


# -- rotation


def rewrite(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)


def test_a_rotated_token_counts_from_the_second_look_on(
    guard: Guard, access: WebAccess, tmp_path: Path
) -> None:
    new = "77aa" * 16
    rewrite(tmp_path / "ci.token", new)
    access.look()
    assert guard.admit(asking(bearer(CI_TOKEN)), ANNOTATE).name == "ci"
    access.look()
    assert guard.admit(asking(bearer(new)), ANNOTATE).name == "ci"
    with pytest.raises(NotKnownError):
        guard.admit(asking(bearer(CI_TOKEN)), ANNOTATE)


def test_a_changed_password_is_not_remembered(guard: Guard, access: WebAccess, file: Path) -> None:
    guard.admit(asking(basic(*ALICE)), READ)
    rewrite(file, file.read_text().replace(file.read_text().split("alice: ")[1].split(",")[0], hashed("new")))
    access.look()
    access.look()
    assert guard.admit(asking(basic("alice", "new")), READ).name == "alice"
    with pytest.raises(NotKnownError):
        guard.admit(asking(basic(*ALICE)), READ)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_text(""),
        lambda file: file.write_text("anonymous_scopes: [read]\nbasic_auth_users: {a: b}"),
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b"\xff\xfe"),
        lambda file: (file.parent / "ci.token").write_text("short"),
        lambda file: (file.parent / "ci.token").unlink(),
    ],
)
def test_what_becomes_wrong_lets_nobody_in_until_it_is_mended(
    guard: Guard,
    access: WebAccess,
    file: Path,
    spoil: Callable[[Path], object],
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, token = file.read_bytes(), (file.parent / "ci.token").read_bytes()
    spoil(file)
    access.look()
    assert guard.admit(asking(basic(*ALICE)), READ).name == "alice"  # it may be half of what is being written
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            access.look()
    assert [record.message for record in caplog.records] == ["web_config.refused"]
    for headers in ({}, basic(*ALICE), bearer(CI_TOKEN)):
        with pytest.raises(LockedError):
            guard.admit(asking(headers), READ)
    file.write_bytes(good)
    (file.parent / "ci.token").write_bytes(token)
    access.look()
    access.look()
    assert guard.admit(asking(basic(*ALICE)), READ).name == "alice"


def test_no_secret_is_in_what_is_logged_or_shown(
    guard: Guard, access: WebAccess, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for headers in (basic("alice", "a wrong one"), basic(*ALICE), bearer(CI_TOKEN), bearer("9e" * 20)):
            for scope in (READ, RELOAD):
                try:
                    guard.admit(asking(headers), scope)
                except (NotKnownError, NotAllowedError) as error:
                    said.append(str(error))
    told = (
        said
        + [repr(vars(record)) for record in caplog.records]
        + [
            repr(access.in_force),
            repr(access.in_force.config),
        ]
    )
    assert len(said) > 3
    for secret in (CI_TOKEN, ALICE[1], "a wrong one", "9e" * 20, hashed("x")[:7]):
        assert not any(secret in text for text in told), secret


# -- pages of others

OURS = {"host": "vistio.example.com", "origin": "https://vistio.example.com"}


@pytest.mark.parametrize(
    ("headers", "credentials", "taken"),
    [
        ({"host": "vistio.example.com"}, bearer(CI_TOKEN), True),  # curl
        (OURS, basic(*ALICE), True),
        ({**OURS, "sec-fetch-site": "same-origin"}, basic(*ALICE), True),
        ({**OURS, "sec-fetch-site": "none"}, basic(*ALICE), True),
        ({**OURS, "origin": "https://evil.example"}, basic(*ALICE), False),
        ({**OURS, "origin": "null"}, basic(*ALICE), False),
        ({**OURS, "origin": "https://vistio.example.com:8443"}, basic(*ALICE), False),
        ({**OURS, "sec-fetch-site": "cross-site"}, basic(*ALICE), False),
        ({**OURS, "sec-fetch-site": "same-site"}, basic(*ALICE), False),
        ({"host": "x", "sec-fetch-site": "cross-site"}, basic(*ALICE), False),
        (
            {"host": "api", "origin": "https://portal.example", "sec-fetch-site": "cross-site"},
            basic(*ALICE),
            True,
        ),
    ],
)
def test_a_change_is_taken_from_our_own_pages_only(
    tmp_path: Path, headers: dict[str, str], credentials: dict[str, str], taken: bool
) -> None:
    guard = Guard(WebAccess(write(tmp_path, more="trusted_origins: ['https://portal.example']\n")))
    if taken:
        assert guard.admit_change(asking(credentials, **headers), ANNOTATE).name
    else:
        with pytest.raises(NotAllowedError, match="page of another origin"):
            guard.admit_change(asking(credentials, **headers), ANNOTATE)


@pytest.mark.parametrize(
    ("host", "taken"),
    [
        ("127.0.0.1:9092", True),
        ("localhost:9092", True),
        ("[::1]:9092", True),
        ("rebound.example:9092", False),
        ("", False),
        ("[", False),
    ],
)
def test_a_name_that_was_turned_to_our_address_changes_nothing_without_credentials(
    host: str, taken: bool
) -> None:
    """DNS rebinding: the browser takes us for the page's own server, so that its origin fits."""
    rebound = asking(host=host, origin=f"http://{host}", **{"sec-fetch-site": "same-origin"})
    if taken:
        Guard().admit_change(rebound, RELOAD)
    else:
        with pytest.raises(NotAllowedError, match="a name that may be anybody's"):
            Guard().admit_change(rebound, RELOAD)
