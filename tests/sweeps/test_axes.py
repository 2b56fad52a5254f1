"""What can be varied, and how it is written."""

import pytest

from vizkv.scenario.schema import ScenarioError
from vizkv.sweeps import parameters, parse_axis, parse_values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("block_size=8,16,32", (8, 16, 32)),
        ("block_size=8..256*2", (8, 16, 32, 64, 128, 256)),
        ("block_size=1..4", (1, 2, 3, 4)),
        ("slots=4096..16384:4096", (4096, 8192, 12288, 16384)),
        ("rate=0.1..0.3:0.1", (0.1, 0.2, 0.3)),
        ("rate=1, 1.5 ,8..9", (1.0, 1.5, 8.0, 9.0)),
        ("block_size=16,8,16", (16, 8)),
        ("placement=buddy,ideal", ("buddy", "ideal")),
        ("prefix_caching=true,false", (True, False)),
        ("watermark=0,0.01", (0.0, 0.01)),
    ],
)
def test_values_are_a_list_a_range_or_both(text, values):
    axis = parse_axis(text)
    assert axis.values == values and list(map(type, axis.values)) == list(map(type, values))
    assert parse_values(axis.name, axis.text) == axis  # what is written is read back


@pytest.mark.parametrize(
    ("text", "named", "valid"),
    [
        ("blocksize=3", "'blocksize'", "did you mean block_size? Valid are page, reclaim, ids, block_size,"),
        ("block_size", "'block_size'", "valid is a name and values"),
        ("block_size=", "block_size", "valid is a whole number"),
        ("block_size=x", "'x'", "valid is a whole number"),
        ("block_size=1.5", "'1.5'", "valid is a whole number"),
        ("block_size=0", "block_size is 0", "valid is a whole number from 1 to"),
        ("block_size=8..4", "'8..4'", "from at most to"),
        ("block_size=8..16*1", "'8..16*1'", "a factor above one"),
        ("block_size=8..16:0", "'8..16:0'", "a step above zero"),
        ("slots=1..100000", "'1..100000'", "at most 64"),
        ("slots=" + ",".join(map(str, range(1, 70))), "69 values", "1 to 64"),
        ("rate=nan", "rate is nan", "valid is a number above 0"),
        ("rate=1..inf:1", "'1..inf:1'", "valid is"),
        ("rate=-1", "rate is -1.0", "valid is a number above 0 and at most 10000"),
        ("placement=best", "placement is 'best'", "valid is 'buddy', 'first-fit', 'best-fit' or 'ideal'"),
        ("prefix_caching=yes", "'yes'", "valid is true or false"),
        ("block_size=" + "9" * 5000, "5000 characters", "at most 2000"),
        ("name=x", "'name'", "valid are"),
    ],
)
def test_nonsense_is_one_sentence_with_the_field_the_value_and_what_is_valid(text, named, valid):
    with pytest.raises(ScenarioError) as refused:
        parse_axis(text)
    sentence = str(refused.value)
    assert named in sentence and valid in sentence and "\n" not in sentence and sentence.endswith(".")


def test_every_number_word_and_switch_of_the_tables_can_be_varied():
    known = parameters()
    assert {"block_size", "rate", "slots", "max_model_len", "multiple", "unit", "placement", "reserve", "lengths",
            "prefix_caching", "watermark", "max_num_seqs", "max_num_batched_tokens", "iteration_ms", "token_ms",
            "seed"} <= set(known)  # fmt: skip
    assert not {"name", "kind", "model", "free_order", "systems", "requests"} & set(known)
    assert known["block_size"].table == "system" and known["rate"].table == "workload"
