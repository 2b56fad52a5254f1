"""A page in Chinese: a sentence about a bad link, and back to English."""

from playwright.sync_api import expect

from scripts import lab


def test_a_complaint_is_in_the_pages_language_and_goes_when_it_changes(visit):
    page = visit("/sweep?lang=zh&xs=8..4", player=False)
    expect(page.get_by_text("轴 block_size 的区间为 '8..4'；应写成 from..to:step")).to_be_visible()
    page.get_by_role("button", name="English").first.click()
    lab.settle(page, player=False)
    expect(page.get_by_role("button", name="中文").first).to_be_visible()
    expect(page.get_by_text("轴 block_size 的区间为")).to_have_count(0)
