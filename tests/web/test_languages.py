"""The page in Chinese: in a Chinese browser, and chosen by hand; and back."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from web.conftest import OpenUi
from web.ui import Ui

# What is read on the page, and what a screen reader says or the mouse shows of it; of hidden parts, too.
_READ = """() => {
  const read = [document.title];
  for (const each of document.querySelectorAll("body *")) {
    if (each.closest("script, style, noscript, svg, .formats, [data-zone] option")) continue;
    for (const name of ["title", "aria-label", "placeholder"]) read.push(each.getAttribute(name) ?? "");
    for (const node of each.childNodes) if (node.nodeType === Node.TEXT_NODE) read.push(node.data);
  }
  return [...new Set(read.map((text) => text.trim()).filter(Boolean))];
}"""
# What came from the server or stands in the address: names, titles of notices, marks; not what the page says itself.
_DATA = """() => {
  const found = [];
  const gather = (value, key) => {
    if (typeof value === "string") found.push(["summary", "reason", "detail"].includes(key) ? "" : value);
    else if (value instanceof Map) for (const each of value) gather(each);
    else if (typeof value === "object" && value !== null) for (const [name, each] of Object.entries(value)) {
      if (key === "measurements") found.push(name);
      gather(each, name);
    }
  };
  gather(vistio.snapshot().data);
  gather(decodeURIComponent(location.hash));
  return found;
}"""
_WORD = re.compile(r"[A-Za-z][\w./-]*")
# Keys, units, names of programs and formats, and the words of expressions: the same in all languages.
_SAME = re.compile(
    r"vistio(-record|-serve)?|annotate|docs/security\.md|Prometheus|WebGL|PNG|JSON|HTML|English|UTC"
    r"|Shift|Ctrl|Ctrl-[CK]|Esc|Enter|ms|min|[kMGT]?B|T\d.*|a-z|[A-Za-z]"
    r"|name|ns|cluster|class|rps|errors|warnings|latency|lost|notice|info|warning|error|unhealthy|and|or|not|kafka|shop"
)


def test_a_chinese_browser_reads_no_english_on_the_page(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/eu-west", viewport={"width": 1400, "height": 900}, locale="zh-CN")
    assert ui.get("document.documentElement.lang") == "zh-CN"
    ui.page.locator(".incident", has_text="mongodb (eu-west)").filter(
        has_text="偏离正常水平"
    ).first.wait_for()
    _reads_no_english(ui, "the page")
    for key in ("f", "g", "?", "Escape", "x", "Escape", "a", "Escape", "c", "ArrowLeft", "v"):
        ui.page.keyboard.press(key)
        ui.page.wait_for_timeout(300)
        _reads_no_english(ui, f"after {key}")
    ui.page.keyboard.press("v")
    ui.page.keyboard.press("m")
    ui.page.locator(".heat-names button").first.wait_for()
    _reads_no_english(ui, "heat map")
    ui.page.keyboard.press("Escape")
    ui.page.keyboard.press("Control+k")
    ui.page.locator(".search-list li").first.wait_for()
    _reads_no_english(ui, "search everywhere")
    ui.page.keyboard.type("对比")
    ui.page.get_by_role("option", name="与 1小时前 对比").wait_for()


def test_what_is_selected_and_what_must_be_said_is_chinese_too(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(f"{demo}?lang=zh", "#/eu-west?node=mongodb")
    ui.page.locator(".panel-details h3", has_text="趋势").wait_for()
    _reads_no_english(ui, "a node")
    ui.open("#/eu-west?source=ratings&target=mongodb&text=latency&rps=1&find=errors%20%3E")
    ui.page.locator(".refused", has_text="之后应为").first.wait_for()
    _reads_no_english(ui, "a connection, filters, and an expression that is none")
    ui.load("#/?at=25:00")
    ui.page.locator(".state", has_text="没有时刻").wait_for()
    _reads_no_english(ui, "no moment")
    ui.load("#/nowhere")
    ui.page.locator(".state", has_text="没有集群").wait_for()
    _reads_no_english(ui, "no cluster")


def test_what_the_server_says_is_chinese_too(open_ui: OpenUi, demo: str) -> None:
    """Why there is nothing, what is refused, the report and the plain page."""
    at = "#/?at=2001-01-01T00:00:00Z"
    ui = open_ui(f"{demo}?lang=zh", at, drawn=False, expected=("status of 404",))
    ui.page.locator(".state", has_text="早于录制开始").wait_for()
    _reads_no_english(ui, "nothing recorded")
    ui.load("#/eu-west")
    ui.page.locator(".incident", has_text="入口流量失败").first.wait_for()
    ui.page.keyboard.press("x")
    link = ui.page.get_by_role("link", name="报告 (HTML)")
    link.wait_for()
    address = ui.page.evaluate("(link) => link.href", link.element_handle())
    assert "lang=zh" in address
    assert "最先偏离正常水平" in ui.page.request.get(address).text()


def test_the_plain_page_is_chinese(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/", locale="zh-CN", expected=("status of 404",))
    ui.page.goto(demo.removesuffix("/") + "/plain")
    ui.page.locator("#clusters h2", has_text="集群 ").first.wait_for()
    assert ui.get("document.documentElement.lang") == "zh-CN"
    ui.page.locator("#state", has_text="实时，").wait_for()
    read = ui.page.evaluate(_READ)
    assert [text for text in read if re.search(r"[A-Za-z]{2,}(?: [a-z]{2,}){2,}", text)] == []
    ui.page.fill("#at", "2001-01-01T00:00:00Z")
    ui.page.keyboard.press("Enter")
    ui.page.locator("#problem-detail", has_text="没有流量图：早于录制开始").wait_for()
    ui.page.get_by_role("button", name="显示此后最早").wait_for()


def test_a_language_is_chosen_by_hand_remembered_and_left_again(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/eu-west?node=mongodb")
    assert ui.get("document.documentElement.lang") == "en"
    fragment = ui.page.url.partition("#")[2]
    _choose(ui.page, "简体中文", "zh-CN")
    assert ui.page.url.partition("#")[2] == fragment, "what is shown stays"
    assert ui.page.get_by_role("button", name="筛选", exact=True).is_visible()
    ui.screenshot("chinese")
    ui.open("#/us-east")
    assert ui.get("document.documentElement.lang") == "zh-CN", "the browser remembers it"
    # An address asks for one whatever is remembered, until somebody chooses again.
    ui.url = f"{demo}?lang=en"
    ui.open()
    assert ui.get("document.documentElement.lang") == "en"
    _choose(ui.page, "English", "en")
    assert "lang=" not in ui.page.url
    ui.url = demo
    ui.open()
    assert ui.get("document.documentElement.lang") == "en"
    assert ui.page.get_by_role("button", name="Filters", exact=True).is_visible()


def _choose(page: Page, language: str, tag: str) -> None:
    page.keyboard.press("g")
    with page.expect_navigation():
        page.locator("select.language").select_option(label=language)
    page.wait_for_function("(tag) => document.documentElement.lang === tag && 'vistio' in window", arg=tag)
    page.wait_for_function("() => vistio.snapshot().data.graph && vistio.inspect()?.nodes.length")


def _reads_no_english(ui: Ui, where: str) -> None:
    """Nothing that is read has an English word in it that is neither data nor the same in every language."""
    # At once: news may come in between.
    read, data = ui.page.evaluate(f"() => [({_READ})(), ({_DATA})()]")
    known = {word for text in data for word in _WORD.findall(text)}
    found: dict[str, list[str]] = {}
    for text in read:
        words = [word for word in _WORD.findall(text) if word not in known and not _SAME.fullmatch(word)]
        if words:
            found[text] = words
    assert found == {}, where


def test_the_help_leads_to_the_licences_of_what_the_page_is_built_of(open_ui: OpenUi, demo: str) -> None:
    for locale, name in (
        ("en-GB", "Licences of what this page is built of"),
        ("zh-CN", "本页面所含软件的许可证"),
    ):
        ui = open_ui(demo + "vistio/", locale=locale)
        ui.page.keyboard.press("?")
        with ui.page.expect_popup() as opened:
            ui.page.get_by_role("link", name=name).click()
        assert "## vizceral " in opened.value.inner_text("body")
        opened.value.close()
