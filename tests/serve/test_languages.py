"""What the server says in sentences, in the language that is asked for: answers, refusals, documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.recordings import recorded as recorded_at
from support.scrapes import INTERVAL_MS, START_MS, scrape
from werkzeug.test import Client

import vistio_core as vistio
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant
from vistio_serve import create_app, routes

ENDS = (("INTERNET", "shop"), ("shop", "cart"), ("cart", "db"))
END_MS = START_MS + HOUR_MS + 40 * MINUTE_MS
BAD_MS = START_MS + HOUR_MS + 20 * MINUTE_MS
LAST_HOUR = {"start": format_instant(START_MS + HOUR_MS), "end": format_instant(END_MS)}
SENTENCES = ("title", "detail", "summary", "evidence", "reason")
RECORDED = "http did not answer"
"""Of the rule that failed; what a source said stays as it was recorded."""
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Three words in a row are a sentence; what stands in backticks is typed.
ENGLISH = re.compile(r"(?<![\w/])[A-Za-z]{2,}(?: [a-z]{2,}){2,}")


def scrapes() -> Iterator[vistio.Scrape]:
    """An hour that is well; then a gap, a rule that fails, and six minutes in which the database does."""
    for at_ms in range(START_MS, END_MS, 3 * INTERVAL_MS):
        since_ms = at_ms - START_MS - HOUR_MS
        if 5 * MINUTE_MS <= since_ms < 7 * MINUTE_MS:
            continue
        if 10 * MINUTE_MS <= since_ms < 11 * MINUTE_MS:
            yield scrape(at_ms, http="failed", interval_ms=3 * INTERVAL_MS)
            continue
        wrong = 40.0 if 0 <= at_ms - BAD_MS < 6 * MINUTE_MS else 0.0
        samples = [vistio.Sample("mesh", "http", *ends, "200", 90.0 - wrong) for ends in ENDS]
        if wrong:
            samples += [vistio.Sample("mesh", "http", *ends, "503", wrong) for ends in ENDS]
        yield scrape(at_ms, samples, interval_ms=3 * INTERVAL_MS)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    found = recorded_at(tmp_path_factory.mktemp("languages") / "recording", list(scrapes()))
    found.annotate(vistio.Annotation(BAD_MS - MINUTE_MS, "v2", kind="deployment", cluster="mesh"))
    return Client(create_app(found, now_ms=lambda: END_MS))


def sentences(told: object, key: str = "") -> Iterator[tuple[str, str]]:
    """The texts of an answer, each with the name of its member."""
    match told:
        case str():
            yield key, told
        case Mapping():
            for name, value in told.items():
                yield from sentences(value, name)
        case list():
            for value in told:
                yield from sentences(value, key)


def check_chinese(told: Any) -> None:
    """Nothing of an answer is an English sentence, and what is a sentence is Chinese."""
    for key, text in sentences(told):
        assert not ENGLISH.search(re.sub(r"`[^`]*`", "", text.replace(RECORDED, ""))), (key, text)
        if key in SENTENCES and text:
            assert CHINESE.search(text), (key, text)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/incidents", "最先偏离正常水平"),
        ("/suspects", "因其自身原因失败"),
        ("/path", "偏离正常水平"),
        ("/timeline", "记录器未运行"),
        ("/instants", "记录器未运行"),
        ("/seen", "记录器未运行"),
    ],
)
def test_an_answer_is_told_in_chinese_with_the_same_facts(client: Client, path: str, said: str) -> None:
    english, chinese = (client.get(path, query_string={**LAST_HOUR, "lang": each}) for each in ("en", "zh"))
    assert said in chinese.text
    check_chinese(chinese.get_json())
    assert client.get(path, query_string=LAST_HOUR).data == english.data, (
        "English is what nobody has to ask for"
    )

    def facts(answer: Any) -> list[tuple[str, str]]:
        return [each for each in sentences(answer) if each[0] not in SENTENCES]

    assert facts(chinese.get_json()) == facts(english.get_json())


def test_incidents_have_their_sentences(client: Client) -> None:
    told = client.get("/incidents", query_string={**LAST_HOUR, "lang": "zh"}).get_json()
    assert [each["summary"] for each in told["incidents"]] == [
        "db (mesh) 最先偏离正常水平，随后是 cart、shop；最严重时，mesh 入口流量失败 44%"
    ]
    suspect = client.get("/suspects", query_string={**LAST_HOUR, "lang": "zh"}).get_json()["suspects"][0]
    assert suspect["evidence"] == (
        "自 2026-11-23T06:20:00Z 起，26.7% 的请求因其自身原因失败，之前为 0.0%（偏差为平时波动的 53 倍）；"
        "附近有标记：deployment 'v2'，早 60 s"
    )


def test_a_cluster_without_traffic_says_so_in_the_picture(client: Client) -> None:
    failed = format_instant(START_MS + HOUR_MS + 10 * MINUTE_MS)
    graph = client.get("/graph", query_string={"at": failed, "lang": "zh"}).get_json()
    nodes = [inner for node in graph["nodes"] for inner in (node, *node.get("nodes", []))]
    titles = [notice["title"] for node in nodes for notice in node.get("notices", [])]
    assert titles
    for title in titles:
        assert title.startswith("数据不完整：规则 ")


REFUSED: list[tuple[str, dict[str, str], str]] = [
    ("/graph", {"at": "yesterday"}, "参数 'at'：时刻 'yesterday'：请使用 RFC 3339"),
    (
        "/graph",
        {"at": "2001-01-01T00:00:00Z"},
        "2001-01-01T00:00:00Z 没有流量图：早于录制开始；最近的录制时刻：",
    ),
    ("/graph", {"at": "now", "offset": "1"}, "参数 'at' 与 'offset' 互斥"),
    ("/graph", {"offset": "soon"}, "参数 'offset' 为 'soon'；请给出距现在的秒数"),
    ("/graph", {"offset": "99999999999"}, "早于 1970 年"),
    ("/graph", {"stable": "-1h"}, "请给出时间窗口"),
    ("/graph", {"stable": "now/-1h"}, "时间窗口的起点不早于终点"),
    ("/graph", {"format": "dots"}, "允许："),
    ("/graph", {"format": "dot", "rankdir": "UP"}, "选项 rankdir='UP'"),
    ("/graph", {"format": "mermaid", "max_edges": "0"}, "选项 max_edges='0'"),
    ("/graph", {"format": "dot", "cluster": "x"}, "此流量图中没有集群 'x'；其中有 mesh"),
    ("/graph", {"colour": "red"}, "参数 'colour'：未知；此处可用："),
    ("/timeline", {"step": "0s"}, "必须长于 0s"),
    ("/timeline", {"step": "a while"}, "时长 'a while'：请使用数字加单位"),
    ("/timeline", {"step": "1ms"}, "会把"),
    ("/timeline", {"node": "dbb"}, "节点 'dbb'：从未录制过此名称的数据；您是否要找 'db'？"),
    ("/timeline", {"cluster": "x", "node": "y"}, "集群 'x'：从未录制过"),
    ("/timeline", {"start": "now", "end": "-1h"}, "不早于终点"),
    ("/incidents", {"start": "-3d"}, "一次最多分析 24 小时"),
    ("/heat", {"step": "15s"}, "热力图每 10s 取一次"),
    ("/top", {"limit": "0"}, "请使用 1 到 100,000 的数字"),
    ("/seen", {"quiet": "1d"}, "仅用于新出现或消失的内容"),
    ("/blast-radius", {}, "缺少参数 'node'"),
    ("/edges", {"start": "-9d"}, "一次应答最多"),
    ("/report", {"start": "-3d"}, "一次最多分析 24 小时"),
    ("/nowhere", {}, "'/nowhere' 处没有内容"),
]


@pytest.mark.parametrize(("path", "query", "said"), REFUSED)
def test_what_is_refused_is_told_in_chinese(
    client: Client, path: str, query: dict[str, str], said: str
) -> None:
    answer = client.get(path, query_string={**query, "lang": "zh"})
    assert answer.status_code >= 400
    told = answer.get_json()
    assert said in told["detail"]
    check_chinese(told)
    english = client.get(path, query_string=query).get_json()
    assert not CHINESE.search(english["detail"] + english["title"])


def test_without_a_recording_it_is_told_too(tmp_path: Path) -> None:
    def none() -> vistio.Recording:
        return vistio.Recording.open(tmp_path / "none")

    told = Client(create_app(none)).get("/graph?lang=zh").get_json()
    assert told["title"] == "没有录制数据"
    check_chinese(told)


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ({}, "text：缺失；请说明发生了什么"),
        ({"text": "x", "end": "1970-01-01T00:00:00Z"}, "end：1970-01-01T00:00:00Z 不晚于开始时刻"),
        ({"text": "x", "kid": "note"}, "kid：未知；您是否要用 kind？"),
        ({"text": "x", "at": "noon"}, "at：时刻 'noon'：请使用 RFC 3339"),
        ({"text": "x", "tags": {"a": 1}}, "tags：'a' 的值：收到的是 int；请使用文本"),
    ],
)
def test_a_mark_that_is_none_is_told_in_chinese(client: Client, mark: dict[str, Any], said: str) -> None:
    answer = client.post("/annotations?lang=zh", json=mark)
    # Nobody may change anything here; what is wrong with a mark is said by the library.
    assert answer.status_code == 403
    check_chinese(answer.get_json())
    from vistio_core.recording.annotation_fields import read_annotation

    with pytest.raises(vistio.errors.InvalidAnnotationError) as refused:
        read_annotation(mark, now_ms=END_MS)
    assert said in refused.value.said.told("zh")  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ["/graph", "/incidents", "/plain", "/report", "/config", "/annotations"])
def test_a_language_that_there_is_not_is_refused(client: Client, path: str) -> None:
    answer = client.get(path, query_string={"lang": "fr"})
    assert answer.status_code == 400
    told = answer.get_json()
    assert (told["parameter"], told["allowed"]) == ("lang", ["en", "zh"])


def test_answers_that_programs_read_do_not_depend_on_a_browsers_language(client: Client) -> None:
    plain, chinese = (
        client.get("/incidents", query_string=LAST_HOUR, headers=headers)
        for headers in ({}, {"Accept-Language": "zh-CN"})
    )
    assert plain.data == chinese.data
    assert "Accept-Language" not in chinese.headers["Vary"]


class _Read(HTMLParser):
    """What people read of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.language: str | None = None
        self.texts: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        if tag == "html":
            self.language = dict(attrs)["lang"]
        self.texts += [value or "" for name, value in attrs if name in ("title", "aria-label", "placeholder")]

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.texts.append(data)


@pytest.mark.parametrize("path", ["/plain", "/report"])
@pytest.mark.parametrize(
    ("asked", "browser", "language", "varies"),
    [
        ({}, None, "en", True),
        ({}, "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", True),
        ({}, "de, zh;q=0.5, en;q=0.1", "zh-CN", True),
        ({}, "en-GB, zh;q=0.5", "en", True),
        ({}, "zh;q=0, *", "en", True),
        ({}, "fr", "en", True),
        ({"lang": "zh"}, "en", "zh-CN", False),
        ({"lang": "en"}, "zh", "en", False),
    ],
)
def test_a_document_is_in_the_language_of_its_address_else_of_the_browser(
    client: Client, path: str, asked: dict[str, str], browser: str | None, language: str, varies: bool
) -> None:
    query = {**asked, **(LAST_HOUR if path == "/report" else {})}
    answer = client.get(path, query_string=query, headers={"Accept-Language": browser} if browser else {})
    assert answer.status_code == 200
    assert ("Accept-Language" in answer.headers["Vary"]) is varies
    assert _Read(answer.text).language == language


@pytest.mark.parametrize("path", ["/plain", "/report"])
def test_a_document_in_chinese_has_no_english_sentence(client: Client, path: str) -> None:
    query = {"lang": "zh", **(LAST_HOUR if path == "/report" else {})}
    read = _Read(client.get(path, query_string=query).text)
    assert any(CHINESE.search(text) for text in read.texts)
    assert [text for text in read.texts if ENGLISH.search(text.replace(RECORDED, ""))] == []


def test_a_document_in_two_languages_has_two_validators(client: Client) -> None:
    english, chinese = (client.get("/plain", query_string={"lang": each}) for each in ("en", "zh"))
    assert english.headers["ETag"] != chinese.headers["ETag"]
    stale = {"If-None-Match": english.headers["ETag"], "Accept-Language": "zh"}
    assert client.get("/plain", headers=stale).status_code == 200
    fresh = {"If-None-Match": chinese.headers["ETag"], "Accept-Language": "zh"}
    again = client.get("/plain", headers=fresh)
    assert again.status_code == 304
    assert "Accept-Language" in again.headers["Vary"]


def test_each_answer_with_words_takes_a_language() -> None:
    files_and_programs = {"assets", "static", "metrics", "healthy", "ready"}
    assert {route.name for route in routes.ROUTES if "lang" not in route.known} == files_and_programs
