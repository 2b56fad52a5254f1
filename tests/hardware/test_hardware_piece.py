"""The piece of a page that says what the pool is: relabelling it, taking a real one, its sentences."""

import pytest
from streamlit.testing.v1 import AppTest

from vizkv.messages.catalogue import messages
from vizkv.scenario.hardware import HardwareError, from_word
from vizkv.scenario.schema import from_dict
from vizkv.ui import hardware

LLAMA = "llama-3-8b:h100-80gb:1:16bit"


def script(start=None, slots=15_728, most=4_194_304):
    """A page with nothing but the piece, on a pool of Figure 2's size."""
    import streamlit as st

    from vizkv.scenario.schema import from_dict
    from vizkv.ui import hardware, link
    from vizkv.ui.memory import lesson

    state = link.enter("memory")
    if "begun" not in st.session_state:
        st.session_state["begun"] = True
        systems = [{"kind": "contiguous"}, {"kind": "paged", "block_size": 16}]
        requests = [{"id": "A", "prompt_tokens": 7, "output_tokens": 5}]
        link.change(from_dict({"slots": slots, "model": "none", "systems": systems, "requests": requests}))
        if start:
            state.more["as"] = start
    hardware.current()
    lesson.problem(state)
    hardware.show("piece", most)
    st.session_state["named"] = hardware.named()
    st.session_state["slots"] = state.scenario.slots
    st.session_state["as"] = state.more.get("as", "")


def page(**begin):
    app = AppTest.from_function(script, default_timeout=30, kwargs=begin).run()
    assert not app.exception, app.exception
    return app


def pick(app, **boxes):
    for name, value in boxes.items():
        next(b for b in app.selectbox if b.key == f"piece-{name}").set_value(value)
    app.run()
    assert not app.exception, app.exception
    return app


def press(app, name):
    next(b for b in app.button if b.key == f"piece-{name}").click().run()
    assert not app.exception, app.exception
    return app


def first(app):
    return app.markdown[0].value


def test_without_a_word_the_pool_of_figure_2_is_opt_13bs():
    app = page()
    assert "15,728 slots: OPT-13B on 1 × A100 40GB" in first(app)
    assert "800 KiB" in first(app) and "12 GiB = 12.88 GB" in first(app)
    assert app.session_state["named"] == {"OPT-13B": 819_200}


def test_one_click_reads_the_same_slots_as_llama_3_8b_on_an_80_gb_card():
    app = press(page(), "relabel")
    assert app.session_state["as"] == LLAMA and app.session_state["slots"] == 15_728
    assert app.session_state["named"] == {"Llama-3-8B": 131_072}
    assert "The same 15,728 slots, read as Llama-3-8B" in first(app)
    assert "128 KiB" in first(app) and "1.92 GiB = 2.06 GB" in first(app) and "464,688" in first(app)
    app = press(app, "back")
    assert app.session_state["as"] == "" and "OPT-13B" in first(app)
    assert not [b for b in app.button if b.key == "piece-back"]


def test_one_click_takes_the_pool_that_the_card_really_has():
    app = press(page(), "use")
    assert app.session_state["slots"] == 464_688 == from_word(LLAMA).slots
    assert "464,688 slots: Llama-3-8B on 1 × H100 80GB" in first(app)


def test_the_boxes_show_what_is_computed_from_them():
    app = pick(page(), model="deepseek-v3", card="h200", cards=8, kv="fp8")
    assert [m.value for m in app.metric] == ["35,136 bytes", "385.97 GiB = 414.43 GB", "1,474,384"]
    said = " ".join(m.value for m in app.markdown)
    assert "61 layers × (512 of the latent + 64 of the rotary key)" in said and "Copies" in said
    press(app, "relabel")
    assert app.session_state["named"] == {"DeepSeek-V3 (FP8)": 35_136}


def test_the_papers_rows_are_said_to_be_the_papers():
    app = pick(page(), model="opt-66b", card="a100-40gb", cards=4)
    said = " ".join(m.value for m in app.markdown)
    assert "it prints 21 GB and 9.7K slots in 16 bits" in said and "upper bound" not in said
    assert "upper bound" in " ".join(m.value for m in pick(app, cards=8).markdown)


def test_int4_names_its_scales():
    app = pick(page(), kv="int4-scales")
    assert "34,816 bytes" in app.metric[0].value
    assert "4 bytes for a scale and a zero point" in " ".join(m.value for m in app.markdown)


def test_weights_that_do_not_fit_are_a_sentence_and_there_is_no_pool_to_use():
    app = pick(page(), model="qwen2.5-72b")
    assert "The weights of Qwen2.5-72B (135.43 GiB) do not fit" in app.info[0].value
    assert [b.key for b in app.button if b.disabled] == ["piece-use"]
    assert "The weights alone do not fit" in first(press(app, "relabel"))


def test_a_box_can_be_changed_again_and_again():
    app = page()
    for model in ("qwen3-8b", "opt-175b", "llama-2-7b"):
        assert pick(app, model=model).selectbox[0].value == model
    assert press(app, "relabel").session_state["as"] == "llama-2-7b:h100-80gb:1:16bit"


def test_what_lies_on_every_card_is_counted_that_often():
    said = first(page(start="deepseek-v3:h200:8:fp8"))
    assert "8 × 34.3 KiB a token" in said and f"{15_728 * 35_136 * 8 / 1e9:.2f} GB" in said


def test_a_pool_that_the_page_cannot_run_is_a_sentence_and_the_pool_stays():
    app = press(page(most=65_536), "use")
    assert "464,688 slots; valid on this page is at most 65,536" in app.warning[0].value
    assert app.session_state["slots"] == 15_728 and app.session_state["as"] == ""


def test_what_does_not_go_together_is_a_sentence_and_no_button():
    app = pick(page(), model="qwen2.5-7b", cards=8)
    assert "28 heads" in app.info[0].value and not app.button
    assert "latent" in pick(app, model="deepseek-v3", kv="int4-scales").info[0].value


def test_a_word_in_the_link_is_what_the_pool_and_the_boxes_begin_with():
    app = page(start="mistral-7b-v0.3:l4:1:fp8")
    assert "read as Mistral-7B v0.3" in first(app)
    assert [b.value for b in app.selectbox] == ["mistral-7b-v0.3", "l4", 1, "fp8"]


@pytest.mark.parametrize("word", ["nonsense", "llama-3-8b:l4:3:16bit", "::::", "deepseek-v3:h200:8:int4-scales"])
def test_nonsense_in_the_link_is_a_sentence_and_figure_2s_pool(word):
    app = page(start=word)
    assert "valid is" in app.warning[0].value
    assert app.session_state["as"] == "" and "OPT-13B" in first(app)


def scenario(slots, *blocks):
    systems = [{"kind": "paged", "block_size": block} for block in blocks] or [{"kind": "contiguous"}]
    requests = [{"id": "A", "prompt_tokens": 7, "output_tokens": 5}]
    return from_dict({"slots": slots, "model": "none", "systems": systems, "requests": requests})


def test_a_pool_is_whole_blocks_of_every_paged_system():
    assert [hardware.block_of(scenario(4096, *b)) for b in ((), (16,), (16, 24), (256, 8), (4095, 4096))] == [
        16, 16, 48, 256, 4096,
    ]  # fmt: skip


def test_other_pages_can_say_what_a_pool_is():
    assert "As K and V of OPT-13B" in hardware.caption(scenario(4096, 16))
    assert "That is more than fits" in hardware.caption(scenario(60_000, 16), "llama-3-8b:l4:1:16bit")
    with pytest.raises(HardwareError):
        hardware.caption(scenario(4096, 16), "nonsense")


def test_only_16_bit_pools_are_called_the_papers():
    assert "as in the paper" in hardware.caption(scenario(9_696, 16), "opt-66b:a100-40gb:4:16bit")
    assert "all that fit there" in hardware.caption(scenario(19_392, 16), "opt-66b:a100-40gb:4:fp8")


def test_every_type_of_k_and_v_has_a_name():
    assert all(f"hardware.kv.{kind}" in messages() for kind in hardware.KV_TYPES)
