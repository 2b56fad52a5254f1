"""A machine without a Chinese face gets ours, from the app itself."""

import pytest
from playwright.sync_api import expect

from scripts import lab
from vizkv import fonts
from vizkv.engine import engine
from vizkv.lecture import worksheet
from vizkv.lecture.script import Lecture
from vizkv.messages.catalogue import messages

FACES = f"() => [...document.fonts].filter((face) => face.family.includes('{fonts.FAMILY}')).map((face) => face.status)"
CHINESE = r"""() => {
  const found = [];
  const look = (root) => {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walk.currentNode; node; node = walk.nextNode()) {
      if (node.shadowRoot) look(node.shadowRoot);
      if (node.nodeType !== Node.TEXT_NODE || !node.parentElement?.checkVisibility()) continue;
      const letters = node.data.match(/[\u2e80-\u9fff]/g)?.length;
      if (letters) found.push({element: node.parentElement, letters, text: node.data});
    }
  };
  look(document.body);
  window.chineseTexts = found;
  return found.length;
}"""


def boxed(page):
    """The texts of a page whose Chinese is not drawn with our face: (how many, those that are not)."""
    page.evaluate("document.fonts.ready")
    client = page.context.new_cdp_session(page)
    for domain in ("DOM", "CSS"):
        client.send(f"{domain}.enable")
    client.send("DOM.getDocument", {"depth": -1, "pierce": True})
    missing, count = [], page.evaluate(CHINESE)
    for index in range(count):
        element = client.send("Runtime.evaluate", {"expression": f"chineseTexts[{index}].element"})["result"]
        node = client.send("DOM.requestNode", {"objectId": element["objectId"]})["nodeId"]
        used = client.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        ours = sum(f["glyphCount"] for f in used if f["familyName"].startswith(fonts.FAMILY) and f["isCustomFont"])
        given = page.evaluate("(index) => chineseTexts[index]", index)
        if ours < given["letters"]:
            missing.append((given["text"], used))
    return count, missing


@pytest.fixture
def plain(app, plain_browser):
    """plain(path): a page of the app in a browser whose machine has no Chinese face."""
    context = plain_browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()

    def go(path):
        page.goto(app.url + path)
        lab.settle(page, player=False)
        return page

    yield go
    context.close()


def test_an_english_page_fetches_the_small_face_alone(plain):
    page = plain("/")
    page.locator(".st-key-bar-language button").first.hover()
    page.get_by_role("tooltip").get_by_text("用中文显示").wait_for()
    count, missing = boxed(page)
    assert count >= 2, "the button and what it says when pointed at"
    assert not missing
    assert page.evaluate(FACES) == ["unloaded", "unloaded", "loaded"]


@pytest.mark.parametrize("path", ["/?lang=zh", "/paper?lang=zh", "/cost?lang=zh", "/lecture?lang=zh"])
def test_a_chinese_page_has_no_boxes_on_a_machine_without_a_chinese_face(plain, path):
    count, missing = boxed(plain(path))
    assert count > 20
    assert not missing


def test_the_window_of_a_lectures_notes_has_the_pages_faces(plain):
    page = plain("/?lang=zh&lecture=lecture&beat=3&preset=readers-question&step=293")
    with page.expect_popup() as opened:
        page.locator(".st-key-lecture-bar .window").click()
    desk = opened.value
    expect(desk.locator("#notes")).to_contain_text("事后")
    count, missing = boxed(desk)
    assert count >= 3
    assert not missing


def test_a_chinese_worksheet_has_no_boxes_on_a_machine_without_a_chinese_face(plain_browser, tmp_path):
    ask = {"kind": "colour", "slot": 501}
    beat = {"title": "读者的问题", "page": "memory", "preset": "readers-question-alone", "step": 200, "ask": [ask]}
    script = Lecture.model_validate({"title": "显存去哪儿了？", "beats": [beat]})
    file = tmp_path / "worksheet.html"
    file.write_text(worksheet.page(script, engine.run, messages("zh")), encoding="utf-8")
    page = plain_browser.new_page()
    page.goto(file.as_uri())
    count, missing = boxed(page)
    page.close()
    assert count > 5
    assert not missing


def test_the_app_serves_a_whole_chinese_face(visit):
    page = visit("/")
    loaded = page.evaluate(
        """async () => {
          const load = (weight) => document.fonts.load(`${weight} 16px "vizkv Sans SC"`, "\u7f13\u5b58");
          return [...(await load(400)), ...(await load(700))].map((face) => [face.weight, face.status]);
        }"""
    )
    assert loaded == [["100 599", "loaded"], ["600 900", "loaded"]]
    assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith('"Source Sans"')


def test_a_drawing_in_the_page_is_set_in_its_face_and_fits_it(visit):
    page = visit("/cost", player=False)
    drawing = page.locator("svg[role=img]")
    drawing.wait_for()
    assert "vizkv Sans SC" in drawing.evaluate("s => getComputedStyle(s.querySelector('text')).fontFamily")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    frame = page.locator("[data-testid=stMainBlockContainer]").bounding_box()
    box = drawing.bounding_box()
    assert box["x"] + box["width"] <= frame["x"] + frame["width"]
