"""Each browser test stands alone."""

import pytest


@pytest.mark.parametrize("again", range(2))
def test_a_test_finds_nothing_that_another_one_has_stored(visit, again):
    page = visit(player=False)
    stored = "[localStorage.left, document.cookie.includes('left=1'), indexedDB.databases().then((all) => all.length)]"
    assert page.evaluate(f"Promise.all({stored})") == [None, False, 0]
    page.evaluate("""() => {
      localStorage.left = document.cookie = "left=1";
      return new Promise((done) => { indexedDB.open("left").onsuccess = done; });
    }""")
    other = visit(player=False)  # but what a test's own pages store stays
    assert other.evaluate(f"Promise.all({stored})") == ["left=1", True, 1]
