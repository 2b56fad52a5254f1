"""The pictures of the README, taken of the app itself: docs/images/*.png.

Run it as: python scripts/screenshot.py
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from scripts import lab

IMAGES = lab.ROOT / "docs/images"
WIDTH, HEIGHT = 1920, 1080
# name: the link that opens what is to be seen
SHOTS = {"first-screen": "/?step=293&lens=hindsight"}


def take(browser: Browser, url: str, scheme: str, target: Path) -> None:
    """One picture of one moment."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
    page = context.new_page()
    page.goto(url)
    lab.settle(page)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(500)  # the last fade of the page around the player
    page.screenshot(path=target)
    context.close()


def main() -> None:
    """Light and dark of every shot."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with lab.running_app() as app, lab.chromium() as browser:
        for name, link in SHOTS.items():
            for scheme in ("light", "dark"):
                target = IMAGES / f"{name}-{scheme}.png"
                take(browser, app.url + link, scheme, target)
                print(f"{target.relative_to(lab.ROOT)}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
