"""Real, not drawn: tokens are the same in every memory, and logits are those of a model that has no cache (SPEC 6)."""

import pytest

from vizkv.engine import engine, proof
from vizkv.model import load_model
from vizkv.scenario import schema as scenario
from vizkv.scenario.schema import ScenarioError
from vizkv.trace.events import Kind

PAGED = {"kind": "paged", "block_size": 4}
CONTIGUOUS = {"kind": "contiguous", "reserve": "oracle", "unit": 1}
PROMPTS = ["Four score and seven years ago our", "The people of this country", "We the People", "The war has"]


@pytest.fixture(scope="module")
def model():
    return load_model("tiny")


def made(systems, slots=256, outputs=(30, 20, 12, 25), **fields):
    requests = [
        {"prompt": p, "output_tokens": n, "arrival_step": 2 * i} for i, (p, n) in enumerate(zip(PROMPTS, outputs))
    ]
    return scenario.from_dict({"slots": slots, "max_model_len": 64, "systems": systems, "requests": requests} | fields)


def proved(run, model):
    trace = engine.run(run, model)
    evidence = proof.prove(run, trace, model)
    for system in evidence.systems:
        assert system.same_tokens
        assert system.difference < proof.TOLERANCE
        assert system.tokens > 0
    assert evidence.holds
    return trace


def kinds(trace, system=0):
    return {Kind(k) for k in trace.systems[system].kinds.tolist()}


def test_paged_logits_equal_the_cacheless_model(model):
    proved(made([PAGED, PAGED | {"name": "one", "block_size": 1}, PAGED | {"name": "big", "block_size": 64}]), model)


@pytest.mark.parametrize("placement", ["buddy", "first-fit", "best-fit", "ideal"])
def test_contiguous_logits_equal_the_cacheless_model(model, placement):
    proved(made([CONTIGUOUS | {"placement": placement}, PAGED]), model)


def test_a_preempted_request_is_computed_again_and_writes_the_same_tokens(model):
    trace = proved(made([PAGED, CONTIGUOUS], slots=60), model)
    assert Kind.PREEMPTED in kinds(trace)


def test_ideal_placement_moves_what_lies_in_memory_and_nothing_is_lost(model):
    system = CONTIGUOUS | {"placement": "ideal"}
    trace = proved(made([system, PAGED], slots=66, outputs=(4, 20, 30, 12)), model)
    assert Kind.MOVED in kinds(trace)


def test_a_cached_prefix_is_read_and_not_computed_again(model):
    prompt = "Four score and seven years ago our fathers brought forth on this continent"
    requests = [{"prompt": prompt, "output_tokens": 5, "arrival_step": 6 * i} for i in range(3)]
    run = scenario.from_dict({
        "slots": 128, "max_model_len": 64, "systems": [PAGED | {"prefix_caching": True}, CONTIGUOUS],
        "requests": requests,
    })  # fmt: skip
    assert Kind.HIT in kinds(proved(run, model))


def test_a_prompt_split_by_the_token_budget_gives_the_same_logits(model):
    proved(made([PAGED, CONTIGUOUS], max_num_batched_tokens=3), model)


def test_a_static_batch_gives_the_same_logits(model):
    proved(made([CONTIGUOUS | {"batching": "static"}, PAGED]), model)


def test_it_writes_the_address_that_the_paper_quotes(model):
    run = made([PAGED], outputs=(40, 1, 1, 1))
    text = "".join(engine.run(run, model).requests[0].pieces)
    assert text.startswith("Four score and seven years ago our fathers brought forth on this continent, a new nation")


def test_a_lamp_that_cannot_turn_red_proves_nothing(model, monkeypatch):
    """Let the block tables name a wrong block from the middle of the run on: the lamp must see it.

    (Swapping two entries would change nothing: attention does not care in which order full blocks are read.)
    """
    from vizkv.model import runner

    honest = runner.PagedChunk

    def wrong(pool, ids, position, table, size):
        table = [table[1], *table[1:]] if position > 12 else table
        return honest(pool, ids, position, table, size)

    run = made([PAGED, CONTIGUOUS])
    trace = engine.run(run, model)
    monkeypatch.setattr(runner, "PagedChunk", wrong)
    evidence = proof.prove(run, trace, model)
    assert not evidence.holds
    assert not evidence.systems[0].holds and evidence.systems[1].difference < proof.TOLERANCE


def test_scripted_output_is_written_as_scripted(model):
    ids = model.tokenizer.encode(" fathers brought forth")
    run = scenario.from_dict({
        "slots": 64, "max_model_len": 64, "systems": [PAGED],
        "requests": [{"prompt": PROMPTS[0], "output_token_ids": [*ids, 0]}],
    })  # fmt: skip
    trace = engine.run(run, model)
    assert trace.systems[0].tokens == ((*ids, 0),)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"slots": 4_000_000}, "GiB of K/V"),
        ({"requests": [{"prompt_token_ids": [9_999_999], "output_tokens": 2}]}, "token id 9999999"),
        ({"max_model_len": 100_000, "requests": [{"prompt": "x", "final_slots": 90_000}]}, "reads at most"),
    ],
)
def test_what_the_model_cannot_do_is_one_sentence(model, fields, says):
    data = scenario.to_dict(made([PAGED])) | fields
    with pytest.raises(ScenarioError, match=says):
        engine.run(scenario.from_dict(data), model)


@pytest.mark.parametrize("lengths", ["constant", "conversations"])
def test_a_workload_runs_with_a_model_too(lengths):
    own = {"prompt_tokens": 20, "output_tokens": 5} if lengths == "constant" else {"system_tokens": 16, "turns": 2}
    small = {"user_median": 4.0, "output_median": 4.0, "think_s": 0.1} if lengths == "conversations" else {}
    trace = engine.run(scenario.from_dict({
        "slots": 512, "max_model_len": 128, "systems": [{"kind": "paged"}, {"kind": "contiguous", "reserve": "oracle"}],
        "workload": {"lengths": lengths, "rate": 9.0, "duration": 2.0, "warmup": 0.0} | own | small,
    }))  # fmt: skip
    assert trace.model == "tiny" and len(trace.requests) > 1
    assert all(set(map(len, system.tokens)) != {0} for system in trace.systems)
