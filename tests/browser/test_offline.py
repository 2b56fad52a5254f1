"""A lecture hall without a network: everything a page needs is on this machine."""

import re
from urllib.parse import urlsplit

from scripts import lab
from vizkv.ui.pages import PAGES

LOOPBACK = ("localhost", "127.0.0.1", "::1")
WITHOUT_PLAYER = ("cost", "sweep", "cache", "lecture")
# what goes over the web socket takes a quarter of a second each way
FAR_AWAY = """
const {send, addEventListener: listen} = WebSocket.prototype;
const later = (call) => setTimeout(call, 250);
WebSocket.prototype.send = function (data) {
    later(() => this.readyState === WebSocket.OPEN && send.call(this, data));
};
WebSocket.prototype.addEventListener = function (kind, hear, how) {
    listen.call(this, kind, kind === "message" ? (event) => later(() => hear.call(this, event)) : hear, how);
};
"""


def test_over_a_slow_network_scripts_and_what_a_page_is_told_come_compressed(app, browser):
    context = browser.new_context()
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    scripts: list[str] = []
    sockets: list[str] = []
    page.on("response", lambda r: r.url.endswith(".js") and scripts.append(r.headers.get("content-encoding", r.url)))
    wire.on(
        "Network.webSocketHandshakeResponseReceived",
        lambda told: sockets.append(str(told["response"]["headers"]).lower()),
    )
    page.goto(app.url)
    lab.settle(page)
    context.close()
    assert set(scripts) == {"gzip"}
    assert sockets and all("permessage-deflate" in headers for headers in sockets)


def test_clicks_that_overtake_each_other_on_a_slow_network_break_no_page(app, browser):
    context = browser.new_context()
    context.add_init_script(FAR_AWAY)
    for _ in range(2):  # what breaks it needs an answer to come just then
        page = context.new_page()
        errors: list[str] = []
        page.on("console", lambda told, errors=errors: "MISS" in told.text and errors.append(told.text))
        page.goto(f"{app.url}/sharing?preset=sharing-samples")
        lab.settle(page)
        page.get_by_role("combobox", name="What is shared").click()
        page.get_by_role("option", name="Beam search").click()
        page.wait_for_url(re.compile("preset=sharing-beams"))
        lab.settle(page)
        for step in (7, 2):
            page.get_by_role("button", name=f"Step {step}:").click()
            page.locator(f"[data-ready='1'][data-step='{step}']").wait_for()
        lab.settle(page)
        assert not errors and page.get_by_role("dialog").count() == 0
        page.close()
    context.close()


def test_with_all_but_loopback_blocked_every_page_works_and_asks_for_nothing(app, browser):
    context = browser.new_context(reduced_motion="reduce")
    asked: list[str] = []

    def route(route):
        url = urlsplit(route.request.url)
        if url.hostname in LOOPBACK or url.scheme in ("data", "blob"):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    context.route("**/*", route)
    for name in PAGES:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
        page.goto(f"{app.url}/{name}")
        lab.settle(page, player=name not in WITHOUT_PLAYER)
        assert page.locator('[data-testid="stException"]').count() == 0, name
        # no letter is missing because a face came from elsewhere
        assert page.evaluate(
            "document.fonts.ready.then(() => [...document.fonts].every((f) => f.status != 'error'))"
        ), name
        assert not errors, (name, errors)
        page.close()
    context.close()
    assert not asked
