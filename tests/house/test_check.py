"""Which failed tests `make test` runs a second time."""

from scripts.check import MOST, again, failed_tests

BROWSER = "tests/browser/test_page.py::test_{}[a@b]@browser"


def test_failed_browser_tests_run_again_by_the_name_that_they_have_without_a_group():
    assert again(failed_tests('{"tests/browser/test_page.py::test_it[a@b]@browser": true}')) == [
        "tests/browser/test_page.py::test_it[a@b]"
    ]


def test_nothing_runs_again_if_a_test_without_a_browser_failed():
    assert again([BROWSER.format(1), "tests/house/test_rooms.py::test_it"]) == []


def test_nothing_runs_again_if_many_browser_tests_failed():
    names = [BROWSER.format(n) for n in range(MOST + 1)]
    assert len(again(names[:-1])) == MOST
    assert again(names) == []
