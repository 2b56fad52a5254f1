"""The reader's question, seen: the colours of slots 50, 250, 501 and 2,048 of Orca (Max) in both lenses."""

import io
from collections import Counter

import pytest
from PIL import Image

from vizkv.views.palette import PALETTE

ROOT = "[data-ready='1']"
# slots count from 1, as in the question
EXPECTED = {
    (100, "online"): {50: "used", 250: "reserved", 501: "reserved", 2048: "reserved"},
    (100, "hindsight"): {50: "used", 250: "reserved", 501: "internal", 2048: "internal"},
    (300, "online"): {50: "used", 250: "used", 501: "reserved", 2048: "reserved"},
    (300, "hindsight"): {50: "used", 250: "used", 501: "internal", 2048: "internal"},
    (500, "online"): {50: "used", 250: "used", 501: "internal", 2048: "internal"},
    (500, "hindsight"): {50: "used", 250: "used", 501: "internal", 2048: "internal"},
}


def nearest(image, x, y, palette):
    """The category whose colour most pixels around a point are closest to: a hatch must not decide."""
    votes = Counter()
    for dx in range(-4, 5):
        for dy in range(-1, 2):
            pixel = image.getpixel((round(x) + dx, round(y) + dy))
            distance = {
                name: sum((a - b) ** 2 for a, b in zip(pixel, bytes.fromhex(palette[name][1:])))
                for name in ("used", "reserved", "internal", "external", "free")
            }
            votes[min(distance, key=distance.__getitem__)] += 1
    return votes.most_common(1)[0][0]


def seen(page, system, slots, scheme):
    boxes = page.evaluate(
        """([system, slots]) => {
            const find = (node) => {
                for (const e of node.querySelectorAll('*')) {
                    if (e.__vizkv) return e.__vizkv;
                    const inner = e.shadowRoot && find(e.shadowRoot);
                    if (inner) return inner;
                }
            };
            const player = find(document);
            return slots.map((s) => player.rectOf(system, s - 1));
        }""",
        [system, slots],
    )
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return {
        slot: nearest(image, box["x"] + box["w"] / 2, box["y"] + box["h"] / 2, PALETTE[scheme])
        for slot, box in zip(slots, boxes)
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("preset", ["readers-question", "readers-question-alone"])
def test_the_slots_have_the_colours_that_the_question_is_about(visit, scheme, preset):
    page = visit(f"/?preset={preset}&step=0&lens=online", width=1920, height=1080, scheme=scheme)
    for (written, lens), expected in EXPECTED.items():
        page = visit(f"/?preset={preset}&step={written - 7}&lens={lens}", width=1920, height=1080, scheme=scheme)
        assert page.locator(ROOT).get_attribute("data-step") == str(written - 7)
        assert seen(page, 0, list(expected), scheme) == expected, (written, lens)


def test_one_click_on_the_lens_renames_the_same_slots(visit):
    page = visit("/?preset=readers-question&step=293&lens=online", width=1920, height=1080)
    assert seen(page, 0, [501], "light") == {501: "reserved"}
    page.get_by_role("button", name="With hindsight").click()
    page.locator(f"{ROOT}[data-lens='hindsight']").wait_for()
    assert seen(page, 0, [501], "light") == {501: "internal"}
    assert page.locator(ROOT).get_attribute("data-step") == "293"
