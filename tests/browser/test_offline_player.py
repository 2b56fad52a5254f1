"""The one-file player in a real browser: from a disk, with the network off."""

from playwright.sync_api import Browser, expect

from vizkv.engine import engine
from vizkv.export.make import make
from vizkv.export.request import Wish
from vizkv.messages.catalogue import messages
from vizkv.scenario.presets import preset


def test_the_offline_player_opens_from_a_file_steps_and_changes_its_theme(browser: Browser, tmp_path):
    trace = engine.run(preset("external-fragmentation").scenario.model_copy(update={"model": "none"}))
    file = tmp_path / "player.html"
    file.write_bytes(make(Wish("html", "html", step=4, caption=True), trace, messages("zh")).data)
    context = browser.new_context(offline=True)
    page, complaints, asked = context.new_page(), [], []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    player = page.locator(".vizkv[data-ready='1']")
    expect(player).to_have_attribute("data-step", "4")
    page.keyboard.press("PageDown")
    expect(player).to_have_attribute("data-step", "5")
    expect(player).to_have_attribute("data-theme", "light")
    page.locator("#theme").click()
    expect(player).to_have_attribute("data-theme", "dark")
    assert complaints == [] and asked == [file.as_uri()]
    context.close()
