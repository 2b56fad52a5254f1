"""The page "Sharing": every input gets a run that a link reproduces, or a sentence; what is counted below it."""

from dataclasses import replace

import pytest

from tests.app.visitor import link_of, opened, player, rested, warnings
from vizkv.messages.catalogue import messages
from vizkv.model import load_model
from vizkv.scenario.code import from_code, to_code
from vizkv.scenario.presets import list_presets, preset
from vizkv.scenario.schema import ScenarioError, from_dict, to_dict
from vizkv.ui.sharing.form import (
    BLOCK_SIZES,
    KINDS,
    MOST,
    MOST_SLOTS,
    MOST_TOKENS,
    Wish,
    preset_of,
    scenario_of,
    wish_of,
)

PRESETS = [p.id for p in list_presets() if p.page == "sharing"]
PROMPTS = {
    "Chinese": "内存去了哪里？",
    "Arabic": "أين تذهب الذاكرة؟",
    "emoji": "🙂🙂👩‍👩‍👧‍👦",
    "control characters": "a\x00b\x07\x1b[31m",
    "markdown": "**bold** $a_b$ `c` <b>html</b> &amp; :smile:",
    "two spaces": "two  spaces  between ",
}


@pytest.fixture(scope="module")
def tokenizer():
    return load_model("tiny").tokenizer


@pytest.fixture
def page():
    return opened("sharing")


def of(kind):
    return opened("sharing", preset=preset_of(kind))


def widget(app, kind, name):
    return next(w for w in getattr(app, kind) if (w.key or "").startswith(f"sharing-{name}"))


def typed(app, text):
    widget(app, "text_input", "prompt").set_value(text)
    return rested(next(b for b in app.button if b.label == "Run").click())


def button(app, label):
    return next(b for b in app.button if b.label == label)


def scenario(app):
    link = link_of(app)
    return from_code(link["s"]) if "s" in link else preset(link["preset"]).scenario


def markup(app):
    return "".join(h.value for h in app.get("html"))


def texts(app):
    return ["".join(r["tokens"]) for r in player(app)[1]["requests"]]


# ---- each kind ----


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_opens_with_its_example_and_its_panels(kind):
    app = of(kind)
    view, header, _ = player(app)
    assert not warnings(app)
    assert 0 < view["step"] < header["steps"]
    assert {"text", "table", "queue"} <= set(header["panels"])
    assert widget(app, "selectbox", "kind").value == kind


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_is_what_the_controls_would_make(tokenizer, kind):
    found = preset(preset_of(kind)).scenario
    assert scenario_of(wish_of(found), tokenizer, messages()) == found
    assert wish_of(found).kind == kind


def test_the_kinds_are_the_pages_examples():
    assert PRESETS == [preset_of(kind) for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_chosen_in_the_box(page, kind):
    app = rested(widget(page, "selectbox", "kind").set_value(kind))
    assert link_of(app)["preset"] == preset_of(kind)
    assert not warnings(app)


def test_samples_differ_and_another_draw_gives_others(page):
    before = texts(page)
    assert len(set(before)) == 4
    app = rested(button(page, "Draw again").click())
    after = texts(app)
    assert len(set(after)) == 4 and not set(after) & set(before)
    assert scenario(app).seed == 1
    assert texts(opened("sharing", **link_of(app))) == after


def test_at_temperature_0_there_is_nothing_to_draw(page):
    app = rested(widget(page, "slider", "temperature").set_value(0.0))
    assert len(set(texts(app))) == 1
    assert button(app, "Draw again").disabled
    assert "the same as another" in markup(app)


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_is_the_model_s_without_any_cache(kind):
    app = rested(of(kind).button(key="prove").click())
    assert len(app.success) == 1 and "Proved" in app.success[0].value


# ---- what is typed and set ----


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", PROMPTS.values(), ids=list(PROMPTS))
def test_any_text_is_answered_and_a_link_reproduces_it(kind, text):
    app = typed(of(kind), text)
    assert not warnings(app)
    view, header, _ = player(app)
    assert (view["step"], view["play"]) == (0, True)
    again = opened("sharing", **link_of(app))
    assert not warnings(again)
    assert widget(again, "text_input", "prompt").value == text
    assert player(again)[1]["requests"] == header["requests"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (" \t ", "empty"),
        ("a " * 990, "Shorten it"),
        ("x" * 2001, "2,001 characters"),
        ("😀" * 100_000, "100,000 characters"),
    ],
    ids=["empty", "spaces", "long", "too many characters", "far too many"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_shown_gets_one_sentence_and_the_picture_stays(kind, text, says):
    page = of(kind)
    before = player(page)[0]["trace"]
    app = typed(page, text)
    assert len(warnings(app)) == 1 and says in warnings(app)[0]
    assert player(app)[0]["trace"] == before
    assert not warnings(typed(app, "Now it is short enough"))


@pytest.mark.parametrize(
    ("lines", "says"),
    [("", "at least one line"), (" \n\n ", "at least one line"), ("a\n" * 9, "9 lines"), ("word " * 401, "characters")],
    ids=["empty", "blank", "too many", "too long"],
)
@pytest.mark.parametrize("kind", ["branches", "prefix"])
def test_lines_that_cannot_be_run_get_one_sentence(kind, lines, says):
    page = of(kind)
    before = player(page)[0]["trace"]
    app = rested(widget(page, "text_area", "tails").set_value(lines))
    assert len(warnings(app)) == 1 and says in warnings(app)[0]
    assert player(app)[0]["trace"] == before
    assert widget(app, "text_area", "tails").value.startswith("worst of times")  # it goes back to what is shown


@pytest.mark.parametrize("kind", ["branches", "prefix"])
def test_one_line_is_one_request(kind):
    app = rested(widget(of(kind), "text_area", "tails").set_value("worst of times"))
    assert not warnings(app)
    assert [r["id"] for r in player(app)[1]["requests"]] == ["A"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_are_followed_and_the_reader_stays(kind):
    app = rested(widget(of(kind), "slider", "tokens").set_value(5))
    app = rested(widget(app, "segmented_control", "block_size").set_value(2))
    view, header, _ = player(app)
    assert header["systems"][0]["block_size"] == 2
    assert all(r["final_slots"] == r["prompt_tokens"] + 4 for r in header["requests"])
    assert view["keep"] and not view["play"]


@pytest.mark.parametrize("kind", ["samples", "beams"])
@pytest.mark.parametrize("n", [1, MOST])
def test_one_text_or_eight(kind, n):
    app = rested(widget(of(kind), "slider", "n").set_value(n))
    assert not warnings(app)
    assert len(player(app)[1]["requests"]) == n


def test_the_students_text_goes_along_from_samples_to_beams(page):
    app = typed(page, "We must remember that")
    app = rested(widget(app, "selectbox", "kind").set_value("beams"))
    assert (scenario(app).requests[0].prompt, scenario(app).requests[0].beam_width) == ("We must remember that", 4)


def test_without_much_memory_cached_blocks_are_handed_out_again_and_with_more_they_are_not():
    page = of("prefix")
    assert any("handed out again, from the head" in m.value for m in page.markdown)
    app = rested(widget(page, "toggle", "tight").set_value(False))
    assert any("No cached block was handed out again" in m.value for m in app.markdown)


# ---- the pool ----


@pytest.mark.parametrize("size", BLOCK_SIZES)
@pytest.mark.parametrize("n", [1, 4, MOST])
@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_gives_a_pool_in_which_nobody_is_preempted(tokenizer, kind, n, size):
    tails = tuple(f"tail {i} of some length" for i in range(n))
    wish = Wish(kind, "The people of this country", n=n, tokens=12, block_size=size, tails=tails)
    found = scenario_of(wish, tokenizer, messages())
    assert found.slots <= MOST_SLOTS and found.slots % size == 0
    assert scenario_of(wish_of(found), tokenizer, messages()) == found
    app = opened("sharing", preset=preset_of(kind), s=to_code(found))
    kinds = {e["kind"] for e in player(app)[1]["events"]}
    assert not kinds & {"preemption", "never"}
    assert {e["request"] for e in player(app)[1]["events"] if e["kind"] == "finish"} == set(range(n))


@pytest.mark.parametrize("kind", ["samples", "beams"])
def test_the_sentence_says_how_many_tokens_fit(tokenizer, kind):
    ids = tokenizer.encode(" a" * 990)
    wish = Wish(kind, tokenizer.decode(ids), n=MOST, tokens=MOST_TOKENS, block_size=16)
    with pytest.raises(ScenarioError, match=r"(\d+) fit into") as refused:
        scenario_of(wish, tokenizer, messages())
    fit = int(str(refused.value).split("more each, ")[1].split(" fit")[0])
    assert scenario_of(replace(wish, prompt=tokenizer.decode(ids[:fit])), tokenizer, messages())


# ---- what stands below the player ----


def test_the_saving_of_the_step_is_said_and_told_in_bytes(page):
    assert any("**step 1** the texts fill **8 blocks**" in m.value and "**5**" in m.value for m in page.markdown)
    table = page.dataframe[0].value
    assert list(table["Step 1"]) == ["8", "5", "38%", "12", "24,576", "9,830,400"]
    assert any("37.6 to 55.2 %" in i.value for i in page.info)


def test_a_button_opens_the_step_of_a_copy_in_the_player():
    page = of("beams")
    before = player(page)[0]
    app = rested(button(page, "Step 7: 1 copy").click())
    view = player(app)[0]
    assert (view["step"], view["command"]) == (7, before["command"] + 1)
    assert view["trace"] == before["trace"]
    assert link_of(app)["step"] == "7"
    app = rested(button(app, "Step 1: 3 copies").click())
    assert (player(app)[0]["step"], player(app)[0]["command"]) == (1, before["command"] + 2)


def test_the_copy_is_shown_before_and_after(page):
    html = markup(page)
    assert html.count("<section>") == 3
    assert "4 references" in html and "3 references" in html
    app = rested(page.segmented_control(key="copy-of-1-3").set_value(2))
    assert any("only A4 reads block 1" in m.value for m in app.markdown)


def test_only_beams_have_a_tree():
    assert "class='vzs-tree'" in markup(of("beams"))
    assert "class='vzs-tree'" not in markup(of("samples"))


def test_the_cache_says_what_it_found():
    page = of("prefix")
    assert any("**32** of 66 prompt tokens" in m.value for m in page.markdown)
    rows = page.dataframe[1].value
    assert list(rows["Found"]) == [0, 8, 8, 8, 8]
    assert list(rows["Off the queue"]) == [0, 0, 2, 0, 2]


def test_full_blocks_need_no_copy():
    page = of("branches")
    app = rested(widget(page, "segmented_control", "block_size").set_value(2))
    assert any("No block was copied" in i.value for i in app.info)


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_alone_can_be_shown_too(kind):
    data = to_dict(preset(preset_of(kind)).scenario) | {"model": "none"}
    app = opened("sharing", preset=preset_of(kind), s=to_code(from_dict(data)))
    assert not warnings(app)


def test_a_run_without_blocks_or_without_requests_is_a_sentence_and_no_error():
    contiguous = from_dict({"slots": 64, "systems": [{"kind": "contiguous", "unit": 1}], "model": "none",
                            "max_model_len": 32, "requests": [{"prompt_tokens": 5, "output_tokens": 4}]})  # fmt: skip
    app = opened("sharing", s=to_code(contiguous))
    assert any("no system with blocks" in i.value for i in app.info)
    workload = from_dict({"slots": 8192, "systems": [{"kind": "paged"}], "model": "none",
                          "workload": {"rate": 1.0, "duration": 9.0, "warmup": 0.0}})  # fmt: skip
    assert not warnings(opened("sharing", s=to_code(workload)))
