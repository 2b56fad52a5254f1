"""A scenario that is too long for a link: its link names it by its content, and the server keeps it for a while."""

import os
import re

import pytest

from tests.app.visitor import link_of, opened, rested, warnings
from vizkv.limits import file_store
from vizkv.messages.catalogue import messages
from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.digest import digest_of
from vizkv.scenario.schema import ScenarioError, from_dict, from_toml, to_dict, to_toml
from vizkv.ui import codes

SHORT = from_dict({
    "slots": 64, "max_model_len": 32, "model": "none", "systems": [{"kind": "paged", "block_size": 4}],
    "requests": [{"id": "A", "prompt_tokens": 5, "output_tokens": 3}],
})  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty folder for what is kept."""
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path))
    codes._read.cache_clear()
    codes._code.cache_clear()
    return tmp_path / "scenarios"


def long(count=6000, **more):
    """A scenario whose code is longer than a link may be: its lengths follow no rule that zlib finds."""
    requests, state = [], 1
    for index in range(count):
        state = state * 48271 % (2**31 - 1)
        lengths = {"prompt_tokens": 1 + state % 29, "output_tokens": 1 + state // 64 % 3}
        requests.append({"id": f"r{state}", **lengths, "arrival_step": index // 20})
    return from_dict(to_dict(SHORT) | {"slots": 8192, "requests": requests} | more)


LONG = long()


def test_a_short_scenario_is_whole_in_its_link_and_nothing_is_kept(cache):
    assert codes.word_of(SHORT, "a.toml") == to_code(SHORT)
    assert codes.scenario_of(to_code(SHORT)) == SHORT and not cache.exists()


def test_a_long_scenario_is_named_by_its_content_and_opens_again(cache):
    word = codes.word_of(LONG, "My file (1).toml")
    assert re.fullmatch(r"upload:[0-9a-f]{32}\.My-file-1-.toml", word)
    assert codes.scenario_of(word) == LONG and len(list(cache.iterdir())) == 1
    codes._read.cache_clear()
    assert codes.scenario_of(word) == LONG


def test_equal_scenarios_have_one_word_and_others_another():
    again = from_toml(to_toml(LONG))
    assert again is not LONG and digest_of(again) == digest_of(LONG)
    assert codes.word_of(again, "other.toml") == codes.word_of(LONG, "one.toml")
    assert digest_of(long(seed=1)) != digest_of(LONG)


@pytest.mark.parametrize(
    "word",
    [
        "upload:", "upload:0123", f"upload:{'0' * 32}", f"upload:{'0' * 32}.", "upload:../x.y",
        f"upload:{'*' * 32}.a", f"upload:{'0' * 31}G.a", f"upload:{'0' * 32}.a/b",
    ],
)  # fmt: skip
def test_a_word_that_is_none_reaches_no_file(word):
    with pytest.raises(ScenarioError, match="damaged or incomplete"):
        codes.scenario_of(word)


def test_a_link_whose_file_is_not_here_says_which_file_to_open(cache):
    word = codes.word_of(LONG, "mine.toml")
    (file,) = cache.iterdir()
    file.unlink()
    codes._read.cache_clear()
    with pytest.raises(ScenarioError) as caught:
        codes.scenario_of(word)
    assert "'mine.toml'" in str(caught.value) and "mine.toml" in messages("zh").error(caught.value)
    assert codes.word_of(LONG, "mine.toml") == word and codes.scenario_of(word) == LONG  # who has it open keeps it anew


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"slots": 64}', b"\xff", b"[" * 100_000])
def test_a_kept_file_that_was_damaged_is_as_good_as_gone(cache, content):
    word = codes.word_of(LONG, "mine.toml")
    (file,) = cache.iterdir()
    file.write_bytes(content)
    with pytest.raises(ScenarioError, match=r"mine\.toml"):
        codes.scenario_of(word)


def test_a_file_of_another_scenario_under_this_name_is_not_opened(cache):
    word = codes.word_of(LONG, "mine.toml")
    (file,) = cache.iterdir()
    file.write_bytes(b'{"systems": [{"kind": "paged"}], "requests": [{"prompt_tokens": 3, "output_tokens": 2}]}')
    with pytest.raises(ScenarioError, match=r"mine\.toml"):
        codes.scenario_of(word)


def test_the_least_recently_used_files_go_first(tmp_path):
    place = tmp_path / "files"
    for number in range(3):
        file_store.put(place, f"{number}" * 4, "a", b"x" * 10, 3, 100)
        os.utime(place / f"{number * 1111:04}.a", (1000 + number, 1000 + number))
    file_store.used(file_store.find(place, "0000"))
    file_store.put(place, "4444", "a", b"x" * 10, 3, 100)
    assert sorted(file.name for file in place.iterdir()) == ["0000.a", "2222.a", "4444.a"]
    file_store.put(place, "5555", "a", b"x" * 95, 9, 100)
    assert [file.name for file in place.iterdir()] == ["5555.a"]


def test_a_disk_that_takes_nothing_costs_the_link_and_not_the_page(cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file_store, "put", full)
    word = codes.word_of(LONG, "mine.toml")
    with pytest.raises(ScenarioError, match=r"mine\.toml"):
        codes.scenario_of(word)


def test_a_word_may_have_to_be_shorter_than_a_link():
    code = to_code(SHORT)
    assert codes.word_of(SHORT, "g.toml", len(code)) == code
    assert codes.word_of(SHORT, "g.toml", len(code) - 1).startswith("upload:")


def test_a_file_of_the_server_is_in_no_word():
    with pytest.raises(ScenarioError, match="a file of the machine"):
        codes.word_of(from_dict({"systems": [{"kind": "paged"}], "workload": {"lengths": "/etc/passwd"}}), "x.toml")


# ---- on the page ----


def test_a_long_scenario_is_opened_and_its_link_opens_it_again():
    app = opened("memory", s=codes.word_of(LONG, "mine.toml"))
    assert not warnings(app)
    link = link_of(app)
    assert link["s"] == codes.word_of(LONG, "mine.toml")
    again = opened("memory", **link)
    assert again.session_state["vizkv"]["memory"].scenario == LONG


def test_a_long_scenario_changed_in_the_drawer_has_a_link_of_its_own():
    app = opened("memory", s=codes.word_of(LONG, "mine.toml"))
    rested(next(w for w in app.sidebar.number_input if w.key.startswith("drawer-slots")).set_value(16384))
    changed = from_dict(to_dict(LONG) | {"slots": 16384})
    assert codes.scenario_of(link_of(app)["s"]) == changed and not warnings(app)


def test_a_page_whose_link_has_lost_its_file_says_so_and_shows_its_example():
    app = opened("memory", s=f"upload:{'0' * 32}.mine.toml", step="3")
    (said,) = warnings(app)
    assert "'mine.toml'" in said and "s" not in link_of(app)


def test_a_short_link_is_as_it_was():
    assert from_code(link_of(opened("memory", s=to_code(SHORT)))["s"]) == SHORT
