"""Bytes a token and pool sizes: the golden numbers of SPEC 5, and what holds for every setup."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv.scenario import hardware
from vizkv.scenario.hardware import (
    CARD_TYPES,
    CARDS,
    CLOCKS,
    DEFAULT,
    GB,
    GIB,
    KV_TYPES,
    MODELS,
    PAPER,
    HardwareError,
    KvType,
    ModelShape,
    Setup,
    from_word,
    relabel,
)

ROOT = Path(__file__).parents[2]


def possible() -> list[tuple[str, str, int, str]]:
    """Every model, card, number of cards and type that go together."""
    found = []
    for model in MODELS.values():
        for cards in CARDS:
            for kv in KV_TYPES.values():
                if model.heads % cards == 0 and not (model.latent and kv.scales):
                    found += [(model.id, card, cards, kv.id) for card in CARD_TYPES]
    return found


setups = st.builds(
    lambda what, block, percent: Setup(
        MODELS[what[0]], CARD_TYPES[what[1]], what[2], KV_TYPES[what[3]], percent / 100, block
    ),
    st.sampled_from(possible()),
    st.integers(1, 300),
    st.integers(1, 100),
)


# -- SPEC 5 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "bytes_"),
    [
        ("opt-13b", 819_200),
        ("llama-3-8b", 131_072),
        ("qwen2.5-72b", 327_680),
        ("llama-3.1-405b", 516_096),
        ("deepseek-v3", 70_272),
    ],
)
def test_bytes_a_token_are_those_of_the_specification(model, bytes_):
    assert MODELS[model].bytes_per_token() == bytes_


def test_figure_2_runs_on_983_blocks_of_16_slots_of_800_kib():
    assert DEFAULT.word == "opt-13b:a100-40gb:1:16bit"
    assert DEFAULT.slots == 15_728 == 983 * 16
    assert DEFAULT.bytes_per_token == 800 * 1024


@pytest.mark.parametrize(
    ("word", "printed_kv", "printed_slots"),
    [
        ("opt-13b:a100-40gb:1:16bit", 12, 15.7),
        ("opt-66b:a100-40gb:4:16bit", 21, 9.7),
        ("opt-175b:a100-80gb:8:16bit", 264, 60.1),
    ],
)
def test_the_pools_of_table_1_round_to_what_it_prints_if_its_gb_are_gib(word, printed_kv, printed_slots):
    setup = from_word(word)
    assert setup.paper.printed_kv == f"{printed_kv} GB" and setup.paper.printed_slots == f"{printed_slots}K"
    assert round(setup.kv_bytes / GIB) == printed_kv
    assert round(setup.slots / 1000, 1) == printed_slots
    assert round(setup.kv_bytes / GB) != printed_kv  # in GB of 10^9 bytes the two columns contradict each other


def test_only_those_three_pools_are_given_and_all_others_computed():
    given_by_paper = {(s.model.id, s.card.id, s.cards) for s in map(_setup, possible()) if s.paper}
    assert given_by_paper == set(PAPER) and len(PAPER) == 3


# -- every row --------------------------------------------------------------------------------------------------------

# (vocabulary, hidden size, size of the MLP) as in the configurations that the sources name
LLAMA_LIKE = {
    "llama-2-7b": (32_000, 4096, 11_008),
    "llama-3-8b": (128_256, 4096, 14_336),
    "llama-3.1-70b": (128_256, 8192, 28_672),
    "llama-3.1-405b": (128_256, 16_384, 53_248),
    "mistral-7b-v0.3": (32_768, 4096, 14_336),
    "mixtral-8x7b": (32_000, 4096, 14_336),
    "qwen2.5-7b": (152_064, 3584, 18_944),
    "qwen2.5-72b": (152_064, 8192, 29_568),
    "qwen3-8b": (151_936, 4096, 12_288),
}
EXPERTS = {"mixtral-8x7b": 8}
OPT = {"opt-13b": 5120, "opt-66b": 9216, "opt-175b": 12_288}


@pytest.mark.parametrize("name", LLAMA_LIKE)
def test_a_llama_like_models_parameters_are_those_of_its_configuration(name):
    m, (vocabulary, hidden, mlp), experts = MODELS[name], LLAMA_LIKE[name], EXPERTS.get(name, 0)
    queries, keys = m.heads * m.head_dim, m.kv_heads * m.head_dim
    attention = 2 * hidden * queries + 2 * hidden * keys
    attention += queries + 2 * keys if name.startswith("qwen2.5") else 0  # biases
    attention += 2 * m.head_dim if name.startswith("qwen3") else 0  # norms of q and k
    feed = 3 * hidden * mlp * (experts or 1) + hidden * experts  # the router
    assert m.parameters == 2 * vocabulary * hidden + m.layers * (attention + feed + 2 * hidden) + hidden


@pytest.mark.parametrize("name", OPT)
def test_an_opt_models_parameters_are_those_of_its_configuration(name):
    m, hidden = MODELS[name], OPT[name]
    assert m.heads * m.head_dim == hidden
    assert m.parameters == m.layers * (12 * hidden**2 + 13 * hidden) + (50_272 + 2050) * hidden + 2 * hidden


def test_every_model_is_checked_against_a_configuration_or_says_that_its_size_is_rounded():
    assert set(MODELS) - set(LLAMA_LIKE) - set(OPT) == {"deepseek-v3"}
    assert "rounded" in MODELS["deepseek-v3"].source


@pytest.mark.parametrize("name", MODELS)
def test_bytes_a_token_follow_from_layers_heads_and_bits(name):
    m = MODELS[name]
    numbers = m.layers * (512 + 64) if name == "deepseek-v3" else 2 * m.layers * m.kv_heads * m.head_dim
    assert m.bytes_per_token() == numbers * 2
    assert m.bytes_per_token(KV_TYPES["fp8"]) == numbers
    assert m.bytes_per_token(KV_TYPES["int4"]) * 2 == numbers
    if not m.latent:
        scales = m.bytes_per_token(KV_TYPES["int4-scales"]) - m.bytes_per_token(KV_TYPES["int4"])
        assert scales == 2 * m.layers * m.kv_heads * 4


@pytest.mark.parametrize("thing", [*MODELS.values(), *CARD_TYPES.values(), *CLOCKS.values()], ids=str)
def test_every_row_names_its_source(thing):
    assert thing.source


def test_gb_and_gib_are_told_apart():
    a100, h100 = CARD_TYPES["a100-80gb"], CARD_TYPES["h100-80gb"]
    assert a100.memory == 80 * GIB and round(a100.memory / GB, 1) == 85.9
    assert h100.memory < 80 * GIB and h100.memory > 80 * GB


def test_a_computed_pool_is_what_the_weights_leave_of_nine_tenths():
    setup = from_word("llama-3-8b:a100-80gb:1:16bit")
    assert setup.kv_bytes == round(80 * GIB * 0.9) - 2 * 8_030_261_248
    assert setup.slots == setup.kv_bytes // 131_072 // 16 * 16 == 467_280


def test_the_bound_is_above_what_vllm_reports_of_the_same_card_and_says_why():
    setup = from_word("llama-3-8b:a100-40gb:1:16bit")
    reported = 5691 * 16  # vllm-project/vllm, issue 12330
    activations = 9.37 + 0.10 + (40 - 39.50) * 0.9  # GiB: what that engine kept besides, and did not see of the card
    assert setup.slots > reported
    assert (setup.kv_bytes - activations * GIB) / setup.bytes_per_token == pytest.approx(reported, rel=0.01)
    assert setup.model.weight_bytes / GIB == pytest.approx(14.96, abs=0.01)


def test_weights_that_do_not_fit_leave_no_slots():
    setup = from_word("qwen2.5-72b:a100-80gb:1:16bit")
    assert setup.model.weight_bytes > setup.usable and setup.kv_bytes == setup.slots == 0


# -- several cards ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "copies"),
    [
        ("llama-3.1-70b:h100-80gb:8:16bit", 1),  # 8 KV heads on 8 cards
        ("llama-3.1-70b:h100-80gb:16:16bit", 2),  # ... on 16
        ("qwen2.5-7b:l4:4:16bit", 1),
        ("deepseek-v3:h200:8:16bit", 8),  # one latent for all heads: nothing to split
        ("opt-175b:a100-80gb:8:16bit", 1),
    ],
)
def test_what_cannot_be_split_lies_on_every_card(word, copies):
    assert from_word(word).copies == copies


@given(setups)
def test_whole_blocks_fill_the_memory_and_one_more_would_not_fit(setup):
    slot = setup.bytes_per_token * setup.copies
    assert setup.slots % setup.block_size == 0
    assert setup.slots * slot <= setup.kv_bytes < (setup.slots + setup.block_size) * slot
    assert setup.slots_in(1) >= setup.slots > setup.slots_in(1) - setup.block_size


@given(setups)
def test_each_card_holds_its_share_of_every_slot(setup):
    """No card can hold less than one KV head (or the latent), so that copies times bytes split evenly."""
    assert setup.bytes_per_token * setup.copies % setup.cards == 0
    assert setup.copies <= setup.cards and setup.cards % setup.copies == 0


@given(setups)
def test_a_smaller_type_never_holds_fewer_slots(setup):
    rest = (setup.utilisation, setup.block_size)
    if setup.kv.id == "16bit":
        smaller = Setup(setup.model, setup.card, setup.cards, KV_TYPES["fp8"], *rest)
        assert smaller.slots >= setup.slots and smaller.kv_bytes == setup.kv_bytes


# -- relabelling ------------------------------------------------------------------------------------------------------


def test_figure_2s_pool_as_llama_3_8b_on_an_80_gb_card():
    seen = relabel(15_728, from_word("llama-3-8b:h100-80gb:1:16bit"))
    assert seen.bytes == 15_728 * 131_072
    assert seen.share == pytest.approx(0.0241, abs=1e-4)
    assert seen.fits and seen.fitting == 464_688


@given(setups, st.integers(1, 5_000_000))
def test_relabelling_keeps_the_slots_and_says_truly_whether_they_fit(setup, slots):
    seen = relabel(slots, setup)
    assert seen.slots == slots
    assert seen.bytes == slots * setup.bytes_per_token * setup.copies
    assert seen.fits == (slots <= setup.slots)
    assert seen.share == seen.bytes / setup.memory


# -- words ------------------------------------------------------------------------------------------------------------


def _setup(what):
    return Setup(MODELS[what[0]], CARD_TYPES[what[1]], what[2], KV_TYPES[what[3]])


@given(st.sampled_from(possible()))
def test_a_word_names_its_setup(what):
    setup = _setup(what)
    assert from_word(setup.word) == setup


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("", "model:card:cards:type"),
        ("llama-3-8b", "model:card:cards:type"),
        ("llama-9:l4:1:16bit", "'llama-9'"),
        ("llama-3-8b:voodoo:1:16bit", "'voodoo'"),
        ("llama-3-8b:l4:3:16bit", "'3'"),
        ("llama-3-8b:l4:-1:16bit", "'-1'"),
        ("llama-3-8b:l4:1:fp2", "'fp2'"),
        ("qwen2.5-7b:l4:8:16bit", "28 heads"),
        ("deepseek-v3:h200:8:int4-scales", "latent"),
        ("x" * 5000, "xxx"),
        ("a:b:c:" + "d" * 5000, "'a'"),
    ],
)
def test_nonsense_in_a_link_gets_a_sentence_that_names_it_and_what_is_valid(word, named):
    with pytest.raises(HardwareError) as error:
        from_word(word)
    sentence = str(error.value)
    assert named in sentence and "valid is" in sentence and sentence.endswith(".") and len(sentence) < 400


@given(st.text(max_size=60))
def test_any_word_is_a_setup_or_is_refused(word):
    try:
        setup = from_word(word)
    except HardwareError:
        return
    assert setup.word == word


@pytest.mark.parametrize("bad", [{"utilisation": 0.0}, {"utilisation": 1.5}, {"block_size": 0}, {"cards": 0}])
def test_an_impossible_setup_is_refused_in_a_sentence(bad):
    with pytest.raises(HardwareError, match=r"valid is .*\.$"):
        Setup(MODELS["llama-3-8b"], CARD_TYPES["l4"], **bad)


# -- the rest of the house --------------------------------------------------------------------------------------------


def test_the_real_models_count_their_bytes_as_this_module_does():
    """vizkv.model may not import this one: here is where they are held together. Its pools are float32."""
    from vizkv.model.llama import LlamaConfig

    float32 = KvType("float32", "float32", 32)
    shapes = {"tiny": (4096, 192, 4, 6, 2, 32, 512), "smollm2": (49_152, 576, 30, 9, 3, 64, 1536)}
    for name, sizes in shapes.items():
        config = LlamaConfig(*sizes)
        shape = ModelShape(name, name, config.layers, config.heads, config.kv_heads, config.head_dim, 0, "")
        assert shape.bytes_per_token(float32) == config.bytes_per_token
    assert LlamaConfig(*shapes["tiny"]).bytes_per_token == 2048


def test_only_where_a_source_gives_a_clock_there_is_one():
    assert DEFAULT.clock is not None
    assert (DEFAULT.clock.iteration_ms, DEFAULT.clock.token_ms) == (33.0, 0.1)
    assert from_word("llama-3-8b:a100-40gb:1:16bit").clock is None


def test_the_tables_of_the_document_are_what_its_command_prints():
    command = [sys.executable, "-m", "vizkv.scenario.hardware"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    document = (ROOT / "docs/hardware.md").read_text(encoding="utf-8")
    assert "`python -m vizkv.scenario.hardware`" in document
    assert document.endswith("\n" + printed)
    assert printed == hardware.tables()
    assert f"{from_word('llama-3-8b:a100-40gb:1:16bit').slots:,} slots".split()[0] in document.split("Several cards")[0]
