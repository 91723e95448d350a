"""Wherever a proxy puts the page, it works; and when the proxy answers in the server's place, it says so."""

from __future__ import annotations

from support.reverse_proxy import in_front_of

from web.conftest import GONE, PREFIX, OpenUi


def test_it_works_under_the_server_s_own_path_prefix(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo.rstrip("/") + PREFIX + "/", "#/us-east")
    ui.wait_for_level("us-east")
    ui.wait_for_particles()
    addresses = ui.get("performance.getEntriesByType('resource').map((each) => each.name)")
    assert addresses
    outside = [each for each in addresses if not each.startswith((ui.url, "data:", "blob:"))]
    assert outside == []


def test_it_works_where_a_proxy_takes_the_path_off_and_says_when_the_proxy_fails(
    open_ui: OpenUi, demo: str
) -> None:
    with in_front_of(demo, path="/tools/mesh%20traffic/") as proxy:
        ui = open_ui(proxy.url, "#/us-east", expected=("status of 502", *GONE))
        ui.wait_for_level("us-east")
        ui.wait_for_particles()
        ui.click_timeline(0.5)
        ui.wait("location.hash.includes('at=')")
        assert proxy.outside == []

        ui.page.keyboard.press("l")
        proxy.failing = True
        gone = ui.page.locator(".state[data-kind='unreachable']")
        gone.wait_for()
        assert "something else answers in its place, with status 502" in gone.inner_text()
        assert "gateway" in ui.get("vistio.inspect().nodes")
        proxy.failing = False
        gone.wait_for(state="detached")
        assert ui.state["travel"]["mode"] == "live"
