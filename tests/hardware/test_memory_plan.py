"""What a config.json says, and where a card's memory goes: worked numbers, and what holds for every configuration."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv.scenario.hardware import CARD_TYPES, GIB, MIB, HardwareError
from vizkv.scenario.memory_examples import EXAMPLES, FOLDER, OWN, plan_of, read_word, write_word
from vizkv.scenario.memory_plan import Hardware, hardware, to_json
from vizkv.scenario.model_config import parse_config

FOLDERS = (FOLDER, Path(__file__).parents[1] / "data" / "configs")
FILES = {path.stem: path for folder in FOLDERS for path in folder.glob("*.json")}
NAMES = sorted(FILES)
RTX_3090 = {"card": "rtx-3090", "memory": 23.58, "weights": 14.9888, "activations": 2.07, "graphs": 0.35}


def config(name: str) -> dict:
    return json.loads(FILES[name].read_text(encoding="utf-8"))


def planned(name: str, **more) -> Hardware:
    return hardware(FILES[name], **more)


def kinds(plan: Hardware) -> list[tuple]:
    return [(kind.kind, kind.layers, kind.window) for kind in plan.model.attention]


# -- bytes of a token --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bytes_"),
    [
        ("llama-3.1-8b", 131_072),
        ("mistral-nemo", 163_840),  # a head_dim of 128, where hidden / heads is 160
        ("qwen2.5-7b", 57_344),
        ("qwen3-32b", 262_144),  # and not the 163,840 of hidden / heads
        ("qwen3-30b-a3b", 98_304),
        ("gemma-3-27b", 81_920),
        ("gpt-oss-120b", 36_864),
        ("llama-4-scout", 49_152),
        ("deepseek-v2-lite", 31_104),
        ("deepseek-v3", 70_272),
        ("kimi-k2", 70_272),
        ("phi-2", 327_680),
        ("phi-4-mini", 131_072),
        ("mistral-7b-v0.1", 0),  # every layer has a window: only the fixed part is left
    ],
)
def test_bytes_a_token_are_those_of_the_layers_that_keep_everything(name, bytes_):
    assert planned(name).bytes_per_token == bytes_


def test_gemma_3_27b_has_a_fixed_part_and_a_slope():
    plan = planned("gemma-3-27b")
    assert kinds(plan) == [("sliding", 52, 1024), ("full", 10, None)]
    assert (plan.fixed_bytes, plan.fixed_after) == (416 * MIB, 1024)
    assert plan.request_bytes(131_072) == 416 * MIB + 131_072 * 81_920
    assert round(plan.request_bytes(131_072) / GIB, 1) == 10.4
    assert plan.request_bytes_if_full(131_072) == 62 * GIB


@pytest.mark.parametrize("name", NAMES)
def test_beyond_every_window_a_request_grows_by_the_bytes_of_a_token(name):
    plan = planned(name)
    for tokens in (plan.fixed_after, plan.fixed_after + 1, plan.fixed_after + 5000):
        assert plan.request_bytes(tokens) == plan.fixed_bytes + plan.bytes_per_token * tokens
    assert plan.request_bytes(0) == 0


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gemma-2-27b", [("sliding", 23, 4096), ("full", 23, None)]),
        ("gemma-3-4b", [("sliding", 29, 1024), ("full", 5, None)]),
        ("gpt-oss-120b", [("sliding", 18, 128), ("full", 18, None)]),
        ("llama-4-scout", [("chunked", 36, 8192), ("full", 12, None)]),
        ("mistral-7b-v0.1", [("sliding", 32, 4096)]),
        ("phi-3-mini-4k", [("sliding", 32, 2047)]),
        ("phi-4-mini", [("full", 32, None)]),  # its window is longer than its positions
        ("qwen2.5-7b", [("full", 28, None)]),  # use_sliding_window is false
    ],
)
def test_windows_and_chunks_are_where_the_configuration_puts_them(name, found):
    assert kinds(planned(name)) == found


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"layer_types": ["full_attention", "sliding_attention"] * 2, "sliding_window": 8}, [2, 2]),
        ({"sliding_window_pattern": 4, "sliding_window": 8}, [3, 1]),
        ({"sliding_window_pattern": "LLLG", "sliding_window": 8}, [3, 1]),
        ({"sliding_window": 8, "use_sliding_window": True, "max_window_layers": 1}, [1, 3]),
        ({"sliding_window": 8}, [4]),
        ({"sliding_window": None}, [4]),
        ({"no_rope_layers": [1, 0, 1, 1], "attention_chunk_size": 8}, [3, 1]),
    ],
)
def test_each_way_to_write_a_pattern_is_read(fields, found):
    base = {"model_type": "qwen3", "num_hidden_layers": 4, "num_attention_heads": 2, "head_dim": 4, "hidden_size": 8}
    plan = hardware(base | {"vocab_size": 10, "intermediate_size": 8} | fields)
    assert [kind.layers for kind in plan.model.attention] == found


# -- groups ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "layers", "padding", "block_bytes"),
    [
        ("gemma-3-27b", [9, 9, 9, 9, 8, 8, 10], 8, 1_310_720),
        ("gpt-oss-120b", [18, 18], 0, 589_824),
        ("llama-4-scout", [12, 12, 12, 12], 0, 786_432),
        ("llama-3.1-8b", [32], 0, 2 * MIB),
    ],
)
def test_layers_fall_into_the_groups_that_vllm_forms(name, layers, padding, block_bytes):
    plan = planned(name)
    assert [group.layers for group in plan.groups] == layers
    assert (plan.padding, plan.block_bytes) == (padding, block_bytes)


def test_blocks_of_a_request_are_those_that_vllm_charges():
    """Sliding groups: window - 1 and one step, and a block more; chunked ones: the chunk and one step."""
    assert planned("gemma-3-27b").blocks_of(131_072) == 6 * (-(-(1023 + 8192) // 16) + 1) + 8192
    assert planned("llama-4-scout").blocks_of(131_072) == 3 * 1024 + 8192
    assert planned("gemma-3-27b").blocks_of(100) == 6 * (7 + 1) + 7


# -- the card ----------------------------------------------------------------------------------------------------------


def test_llama_3_1_8b_on_an_rtx_3090_holds_29_000_tokens_and_not_35_000():
    plan = planned("llama-3.1-8b", **RTX_3090)
    assert (plan.blocks, plan.slots) == (1952, 31_232)
    assert round(plan.kv_bytes / GIB, 2) == 3.81
    assert plan.fits(29_000) and not plan.fits(35_000)
    assert plan.largest_max_model_len == 31_232 and plan.limited_by == "memory"
    assert planned("llama-3.1-8b", **RTX_3090, max_model_len=20_000).concurrency == pytest.approx(1.56, abs=0.01)


def test_a_higher_activation_peak_is_why_that_server_refused_29_000():
    plan = planned("llama-3.1-8b", **RTX_3090 | {"activations": 2.99})
    assert round(plan.kv_bytes / GIB, 2) == 2.89 and not plan.fits(29_000)
    assert plan.slots == pytest.approx(23_648, rel=0.003)  # its log rounds GiB to two places


def test_k_and_v_that_are_given_decide_on_the_share():
    plan = planned("llama-3.1-8b", memory=24.0, weights=15.0, activations=1.0, graphs=0.5, kv=3.8125)
    assert plan.blocks == 1952 and plan.utilisation == pytest.approx(20.3125 / 24)
    assert plan.usable == plan.weights + plan.activations + plan.graphs + plan.kv_bytes


@pytest.mark.parametrize("card", CARD_TYPES)
@pytest.mark.parametrize("name", NAMES)
def test_the_bar_is_the_card(name, card):
    plan = planned(name, card=card)
    if plan.kv_bytes is not None and plan.kv_bytes >= 0:
        assert sum(plan.parts().values()) == plan.memory == CARD_TYPES[card].memory
    else:
        assert plan.slots in (0, None)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "qwen3-next-80b-a3b"])
def test_the_largest_max_model_len_fits_and_one_more_does_not(name):
    plan = planned(name, card="h200", cards=8 if "deepseek-v3" in name else 1)
    if plan.limited_by == "memory" and plan.largest_max_model_len:
        assert plan.fits(plan.largest_max_model_len)
    assert not plan.fits(plan.largest_max_model_len + 1)


def test_no_card_asked_about_is_missing_and_each_names_its_source():
    wanted = {"rtx-3090", "rtx-4090", "rtx-5090", "rtx-pro-6000", "h20", "gb10", "h100-80gb", "h200", "b200"}
    assert wanted | {"a100-40gb", "a100-80gb", "l4", "l40s"} <= set(CARD_TYPES)
    assert all(card.source for card in CARD_TYPES.values())


@pytest.mark.parametrize(
    ("name", "cards", "copies"), [("deepseek-v3", 8, 8), ("llama-3.1-8b", 8, 1), ("qwen3-30b-a3b", 16, 4)]
)
def test_what_cannot_be_split_lies_on_every_card(name, cards, copies):
    plan = planned(name, card="h200", cards=cards)
    assert plan.copies == copies
    assert plan.blocks * plan.block_bytes * copies <= plan.kv_bytes * cards


# -- examples and links ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_leaves_room_for_k_and_v(name):
    assert plan_of(name, {}).slots > 0
    assert read_word(name) == (name, {})


def test_the_first_example_is_the_rtx_3090():
    plan = plan_of("rtx-3090", {})
    assert plan.slots == 31_232 and [plan.fits(n) for n in EXAMPLES["rtx-3090"].lengths] == [True, False]


def test_a_word_carries_what_was_changed():
    settings = {"card": "h20", "cards": 2, "utilisation": 0.85, "max_model_len": 40_000, "kv_type": "fp8"}
    name, found = read_word(write_word("qwen3-32b", settings))
    assert (name, found) == ("qwen3-32b", settings)
    plan = plan_of(name, found)
    assert (plan.card.id, plan.cards, plan.utilisation, plan.max_model_len) == ("h20", 2, 0.85, 40_000)
    assert plan.memory == CARD_TYPES["h20"].memory


def test_another_card_has_its_own_memory_and_k_and_v_their_own_share():
    assert plan_of("rtx-3090", {"card": "l4"}).memory == CARD_TYPES["l4"].memory
    assert plan_of("rtx-3090", {"kv": 2.0}).blocks == 1024


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("", "''"), ("voodoo", "'voodoo'"), ("rtx-3090,colour=red", "'colour'"), ("rtx-3090,memory=big", "'big'"),
        ("rtx-3090,memory=nan", "memory is nan"), ("rtx-3090,cards=1e3", "'1e3'"), ("rtx-3090,cards=3", "32 heads"),
        ("rtx-3090,max_model_len=" + "9" * 900, "max_model_len"), ("rtx-3090,card", "''"), (OWN, "config.json"),
    ],
)  # fmt: skip
def test_nonsense_in_a_link_gets_one_sentence(word, named):
    with pytest.raises(HardwareError) as error:
        plan_of(*read_word(word))
    assert named in str(error.value) and "valid" in str(error.value) and len(str(error.value)) < 400


# -- weights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "billions"),  # as the models' cards say
    [
        ("llama-3.1-8b", 8.03), ("mistral-7b-v0.1", 7.24), ("mistral-nemo", 12.2), ("qwen2.5-7b", 7.62),
        ("qwen3-32b", 32.8), ("qwen3-30b-a3b", 30.5), ("gemma-2-27b", 27.2), ("gemma-3-27b", 27.0),
        ("gpt-oss-120b", 117.0), ("llama-4-scout", 108.0), ("deepseek-v2-lite", 15.7), ("deepseek-v3", 671.0),
        ("kimi-k2", 1026.0), ("phi-3-mini-4k", 3.82), ("phi-4-mini", 3.84), ("phi-2", 2.78),
    ],
)  # fmt: skip
def test_estimated_parameters_are_those_that_a_models_card_says(name, billions):
    assert planned(name).model.parameters / 1e9 == pytest.approx(billions, rel=0.01)


def test_quantised_weights_have_the_bits_that_the_configuration_says():
    assert planned("deepseek-v3").model.weight_bits == 8
    assert planned("gpt-oss-120b").model.weight_bits == 4.25
    awq = config("qwen3-32b") | {"quantization_config": {"quant_method": "awq", "bits": 4}}
    assert hardware(awq).weights * 4 == pytest.approx(hardware(config("qwen3-32b")).weights)
    unknown = hardware(config("qwen3-32b") | {"quantization_config": {"quant_method": "odd"}})
    assert unknown.weights is unknown.slots is None and "how large the weights are" in str(unknown.notes[-1])
    assert hardware(config("qwen3-32b") | {"quantization_config": {"quant_method": "odd"}}, weights=20.0).slots


# -- what it cannot say ------------------------------------------------------------------------------------------------


def test_layers_with_linear_attention_are_named_and_the_rest_is_counted():
    plan = planned("qwen3-next-80b-a3b")
    assert plan.bytes_per_token == 12 * 2 * 2 * 256 * 2
    (note,) = plan.notes
    assert "36 of 48 layers are linear_attention (field full_attention_interval)" in str(note)
    assert plan.groups == () and plan.slots is None and to_json(plan)["slots"] is None


BASE = {"model_type": "llama", "num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 16, "vocab_size": 9}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"layer_types": ["mamba", "attention"]}, "1 of 2 layers are mamba (field layer_types)"),
        ({"hybrid_override_pattern": "M*"}, "1 of 2 layers are mamba (field hybrid_override_pattern)"),
        ({"attn_layer_period": 2, "attn_layer_offset": 1}, "1 of 2 layers are mamba (field attn_layer_period)"),
        ({"attn_type_list": [0, 1]}, "1 of 2 layers are linear_attention (field attn_type_list)"),
        ({"linear_attn_config": {"full_attn_layers": [2]}}, "1 of 2 layers are linear_attention"),
        ({"mamba_d_state": 16}, "mamba_d_state is of Mamba or linear attention"),
        ({"index_head_dim": 128}, "index_head_dim is of an index"),
        ({"model_type": "brand_new"}, "'brand_new' is not among those that were checked"),
    ],
)
def test_what_a_configuration_cannot_say_is_named(fields, named):
    assert any(named in str(note) for note in hardware(BASE | fields).notes)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"model_type": "mamba2"}, "'mamba2'"),
        ({"model_type": ["llama"]}, "model_type is ['llama']"),
        ({"layer_types": ["mamba", "mamba"]}, "layer_types names no layer with attention"),
        ({"num_hidden_layers": "many"}, "num_hidden_layers is 'many'"),
        ({"num_hidden_layers": -3}, "num_hidden_layers is -3"),
        ({"num_hidden_layers": 1e30}, "num_hidden_layers is 1e+30"),
        ({"num_hidden_layers": 2.5}, "num_hidden_layers is 2.5"),
        ({"num_hidden_layers": [[[2]]]}, "num_hidden_layers is [[[2]]]"),
        ({"num_hidden_layers": True}, "num_hidden_layers is true"),
        ({"num_hidden_layers": None}, "num_hidden_layers is missing"),
        ({"num_hidden_layers": 10**60}, "more than 40 digits"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0"),
        ({"num_attention_heads": 3}, "hidden_size is 16"),
        ({"num_key_value_heads": 3}, "num_key_value_heads is 3"),
        ({"head_dim": "128"}, "head_dim is '128'"),
        ({"sliding_window": -1}, "sliding_window is -1"),
        ({"sliding_window": 4, "use_sliding_window": "no"}, "use_sliding_window is 'no'"),
        ({"layer_types": "full"}, "layer_types is 'full'"),
        ({"layer_types": ["full_attention"]}, "layer_types has 1 items"),
        ({"layer_types": ["full_attention", "fancy"]}, "layer_types[1] is 'fancy'"),
        ({"layer_types": ["full_attention", {}]}, "layer_types[1] is {}"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "sliding_window is missing"),
        ({"layer_types": ["full_attention", "chunked_attention"]}, "attention_chunk_size is missing"),
        ({"no_rope_layers": [1, 7], "attention_chunk_size": 4}, "no_rope_layers[1] is 7"),
        ({"kv_lora_rank": 512}, "qk_rope_head_dim is missing"),
        ({"kv_lora_rank": "512", "qk_rope_head_dim": 64}, "kv_lora_rank is '512'"),
        ({"text_config": 7, "num_hidden_layers": None}, "text_config is 7"),
        ({"text_config": {"num_hidden_layers": "x"}}, "text_config.num_hidden_layers is 'x'"),
        ({"quantization_config": "fp8"}, "quantization_config is 'fp8'"),
        ({"block_configs": [1]}, "block_configs (value [1])"),
        ({"is_encoder_decoder": True}, "is_encoder_decoder is true"),
        ({"hybrid_override_pattern": "M?"}, "hybrid_override_pattern is 'M?'"),
    ],
)
def test_nonsense_gets_one_sentence_with_field_value_and_what_is_valid(fields, named):
    with pytest.raises(HardwareError) as error:
        hardware(BASE | fields)
    sentence = str(error.value)
    assert named in sentence and "valid is" in sentence.replace("valid are", "valid is")
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 400


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "7", "null", "\x00", "[" * 100_000, '{"num_hidden_layers": NaN}',
                                  '{"num_hidden_layers": ' + "9" * 9000 + "}"])  # fmt: skip
def test_a_text_that_is_no_configuration_gets_one_sentence(text):
    with pytest.raises(HardwareError) as error:
        hardware(parse_config(text.encode()))
    assert str(error.value).endswith(".") and len(str(error.value)) < 400


def test_a_file_of_100_mb_is_refused_before_it_is_read_whole(tmp_path):
    path = tmp_path / "config.json"
    with path.open("wb") as file:
        file.truncate(100 * 10**6)
    with pytest.raises(HardwareError, match=r"is larger than 2,097,152 bytes; valid is a model's config\.json"):
        hardware(path)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"card": "voodoo"}, "card is 'voodoo'"),
        ({"cards": 3}, "32 heads, which 3 cards cannot share"),
        ({"cards": 0}, "cards is 0"),
        ({"memory": 0}, "memory is 0"),
        ({"memory": float("nan")}, "memory is nan"),
        ({"memory": float("inf")}, "memory is inf"),
        ({"weights": -1}, "weights is -1"),
        ({"utilisation": 1.5}, "utilisation is 1.5"),
        ({"utilisation": "all"}, "utilisation is 'all'"),
        ({"kv": 90}, "are 106.57 GiB together"),
        ({"kv_type": "fp2"}, "kv_type is 'fp2'"),
        ({"block_size": 0}, "block_size is 0"),
        ({"max_model_len": 0}, "max_model_len is 0"),
        ({"max_num_batched_tokens": 2.5}, "max_num_batched_tokens is 2.5"),
    ],
)
def test_settings_that_cannot_be_get_one_sentence(settings, named):
    with pytest.raises(HardwareError) as error:
        planned("llama-3.1-8b", **settings)
    assert named in str(error.value) and "valid" in str(error.value) and str(error.value).endswith(".")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6,
)  # fmt: skip
FIELDS = sorted({field for name in NAMES for field in (config(name).get("text_config") or config(name))}
                | {"text_config", "mamba_d_state", "attn_type_list", "n_layer", "multi_query"})  # fmt: skip


@given(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=4))
def test_any_field_may_hold_anything(name, changes):
    """A number, or one sentence; and then blocks never take more than there is."""
    whole = config(name)
    inner = whole.get("text_config") or whole
    changed = {**whole, "text_config": {**inner, **changes}} if inner is not whole else {**inner, **changes}
    try:
        plan = hardware(changed)
    except HardwareError as error:
        sentence = str(error)
    else:
        sentence = "."
        json.dumps(to_json(plan), allow_nan=False)
        if plan.blocks:
            assert plan.blocks * plan.block_bytes <= plan.kv_bytes
    assert sentence.endswith(".") and "\n" not in sentence


def test_reading_a_configuration_needs_neither_torch_nor_streamlit():
    code = "import sys; from vizkv.scenario import memory_plan; print({'torch', 'streamlit'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
