"""Uploads in a real browser: what Streamlit does with a file before any of our code sees it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from scripts import lab

OWN = "A trace of your own …"


@pytest.fixture(scope="module")
def app() -> Iterator[lab.App]:
    """In this file: a page with the form and nothing else, instead of the app."""
    with lab.running_page("tests/browser/workload_app.py") as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_file_of_200_mb_is_refused_in_words_before_it_is_sent_and_a_smaller_one_then_opens(visit, tmp_path, scheme):
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(200_000_000)  # a hole: takes no room on the disk
    page = visit(player=False, scheme=scheme)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    page.get_by_label("Lengths of prompts and outputs").click()
    page.get_by_role("option", name=OWN).click()
    page.locator("input[type=file]").set_input_files(tmp_path / "huge.csv")
    said = page.get_by_text("File must be 50.0MB or smaller.")
    expect(said).to_be_visible()
    box = said.bounding_box()
    assert box["width"] > 200 and box["height"] > 15  # to be read by everybody, not by screen readers only
    assert not sent
    page.locator("[data-testid=stFileChipDeleteBtn] button").click()
    content = b"TIMESTAMP,ContextTokens,GeneratedTokens\n0,10,3\n2,20,4\n"
    page.locator("input[type=file]").set_input_files({"name": "small.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.get_by_text("small.csv: 2 recorded requests.")).to_be_visible()
    assert len(sent) == 1
