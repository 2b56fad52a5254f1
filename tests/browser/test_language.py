"""A page in Chinese: complaints, and what Streamlit's own widgets say; and back to English."""

from scripts import lab


def test_a_complaint_and_streamlits_own_words_are_in_the_pages_language_and_change_with_it(visit):
    page = visit("/sweep?lang=zh&xs=8..4", player=False)
    assert page.get_by_text("轴 block_size 的区间为 '8..4'；应写成 from..to:step").is_visible()
    page.locator("[data-testid=stToolbar] [aria-label='回到首页']").wait_for()
    assert page.locator("[aria-label^='Help for'], [aria-label='Open']").count() == 0
    page.get_by_role("button", name="English").first.click()
    page.locator("[data-testid=stToolbar] [aria-label='Navigate to home page']").wait_for()
    lab.settle(page, player=False)
    assert page.locator("[aria-label='打开'], [aria-label^='说明：']").count() == 0
    assert page.locator("[aria-label^='Help for']").count() > 0
