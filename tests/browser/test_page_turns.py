"""What a page's player tells while another page is being opened does not empty that page."""

from playwright.sync_api import expect

TELL_WHILE_THE_PAGE_TURNS = """() => {
  const player = window.vizkvPlayer;
  [...document.querySelectorAll("[data-testid=stTopNavLink]")].find((link) => link.href.includes("lecture")).click();
  window.told = new Promise((done) => {
    let step = 0;
    const tell = () => {
      player.setStateValue("view", {...player.tell(), step});
      if (++step < 40) setTimeout(tell, 10);
      else done();
    };
    tell();
  });
}"""


def test_a_step_told_while_the_page_turns_leaves_the_next_page_whole(visit, settle):
    page = visit("/?preset=readers-question&step=100")
    page.evaluate(TELL_WHILE_THE_PAGE_TURNS)
    page.wait_for_function("location.pathname === '/lecture'")
    begin = page.locator(".st-key-lecture-start")
    expect(begin).to_be_visible()
    page.evaluate("window.told")
    settle(page, player=False)
    expect(begin).to_be_visible()
