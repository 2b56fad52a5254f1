"""A machine without a Chinese face gets ours, from the app itself."""


def test_the_app_serves_a_chinese_face_that_only_a_chinese_text_fetches(visit):
    page = visit("/")
    page.evaluate("document.fonts.ready")
    status = "() => [...document.fonts].filter(f => f.family.includes('vizkv Sans SC')).map(f => f.status)"
    assert page.evaluate(status) == ["unloaded", "unloaded"]
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
