"""Shuffle, break, compact in the middle of a run: what is done properly changes nothing, what is broken is seen."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.shadow import check_end, check_replay, random_scenario, watch
from vizkv.engine import engine, proof
from vizkv.model import load_model
from vizkv.replay import at, walk
from vizkv.scenario import schema as scenario
from vizkv.scenario.schema import ScenarioError
from vizkv.trace.events import Kind
from vizkv.trace.slots import Code

PAGED = {"kind": "paged", "block_size": 4}
CONTIGUOUS = {"kind": "contiguous", "reserve": "oracle", "placement": "first-fit", "unit": 1}
PEOPLE = "The people of this country"  # not memorised: a wrong block makes the text go wrong


@pytest.fixture(scope="module")
def model():
    return load_model("tiny")


def made(*actions, systems=(PAGED,), slots=64, requests=None, **fields):
    requests = requests or [{"id": "A", "prompt": PEOPLE, "output_tokens": 16}]
    return scenario.from_dict(
        {"slots": slots, "max_model_len": 64, "systems": list(systems), "requests": requests, "actions": list(actions)}
        | fields
    )


def evidence(run, model):
    trace = engine.run(run, model)
    return trace, proof.prove(run, trace, model)


def repoint(index, block, step=5, request="A"):
    return {"step": step, "do": "repoint", "request": request, "index": index, "block": block}


def lengths(*actions, system=None, requests=None, **fields):
    """Without a model: prompts and outputs only."""
    some = requests or [{"id": "A", "prompt_tokens": 6, "output_tokens": 9}]
    return made(*actions, systems=[PAGED | (system or {})], requests=some, model="none", **fields)


# -- shuffle ----------------------------------------------------------------------------------------------------------


def test_a_shuffle_leaves_no_block_where_it_was_and_the_tables_name_what_they_named(model):
    plain, shuffled = engine.run(made(), model), engine.run(made({"step": 6, "do": "shuffle"}), model)
    before, after = (at(trace.systems[0], trace.requests, 6) for trace in (plain, shuffled))
    pairs = [(e.a, e.b) for e in after.events if e.kind == Kind.EXCHANGED]
    place = {block: block for block in range(16)}  # where what lay in a block lies now
    for a, b in pairs:
        place = {origin: {a: b, b: a}.get(now, now) for origin, now in place.items()}
    assert all(origin != now for origin, now in place.items())
    held = len(at(plain.systems[0], plain.requests, 5).live[0].block_table)
    assert after.live[0].block_table[:held] == [place[block] for block in before.live[0].block_table[:held]]


def test_a_shuffle_leaves_the_tokens_and_the_logits(model):
    actions = [{"step": step, "do": "shuffle"} for step in (1, 6, 7, 12)]
    requests = [
        {"id": "A", "prompt": PEOPLE, "output_tokens": 14, "samples": 2, "temperature": 1.0},
        {"id": "B", "prompt": "We the People", "output_tokens": 14, "arrival_step": 3},
    ]
    systems = [PAGED | {"prefix_caching": True, "null_block": True}]
    plain = engine.run(made(systems=systems, requests=requests), model)
    trace, seen = evidence(made(*actions, systems=systems, requests=requests), model)
    assert sum(e == Kind.EXCHANGED for e in trace.systems[0].kinds.tolist()) == 4 * (15 - 1)
    assert trace.systems[0].tokens == plain.systems[0].tokens
    assert seen.holds
    assert 0 < seen.systems[0].difference < proof.TOLERANCE


def test_a_shuffle_moves_the_tensors(model):
    run = made({"step": 6, "do": "shuffle"})
    before, after = engine.peek(made(), model, 8), engine.peek(run, model, 8)
    old, new = before.sequences(0)[0], after.sequences(0)[0]
    assert old.block_table != new.block_table
    for logical in range(3):  # full ones
        a, b = (4 * s.block_table[logical] for s in (old, new))
        difference = before.pool(0)[:, :, a : a + 4] - after.pool(0)[:, :, b : b + 4]
        assert difference.abs().max() < 1e-5


def test_one_usable_block_is_shuffled_by_leaving_it():
    run = lengths({"step": 1, "do": "shuffle"}, slots=8, system={"null_block": True}, requests=[
        {"id": "A", "prompt_tokens": 1, "output_tokens": 3}
    ])  # fmt: skip
    assert Kind.EXCHANGED not in engine.run(run).systems[0].kinds.tolist()


# -- break it ---------------------------------------------------------------------------------------------------------


def test_a_wrong_block_turns_the_lamp_red_and_the_first_wrong_token_is_named(model):
    requests = [
        {"id": "A", "prompt": PEOPLE, "output_tokens": 16},
        {"id": "B", "prompt": "Four score and seven years ago", "output_tokens": 16},
    ]
    plain = engine.run(made(requests=requests), model)
    table = at(plain.systems[0], plain.requests, 4).live[1].block_table
    trace, seen = evidence(made(repoint(0, table[0]), requests=requests), model)
    assert not seen.holds
    wrong, off = seen.systems[0].first_wrong, seen.systems[0].first_off
    assert wrong is not None and off is not None
    assert (wrong.request, off.request) == (0, 0)
    assert off.position <= wrong.position
    assert off.difference > 0.01
    prompt = trace.requests[0].prompt_tokens
    assert trace.systems[0].tokens[0][wrong.position - prompt] == wrong.got != wrong.expected
    # until then the text is that of the honest run, and B's is to the end
    first = next(i for i, (a, b) in enumerate(zip(trace.systems[0].tokens[0], plain.systems[0].tokens[0])) if a != b)
    assert first >= 5
    assert trace.systems[0].tokens[1] == plain.systems[0].tokens[1]


def test_a_block_that_nobody_wrote_gives_an_infinite_difference(model):
    _, seen = evidence(made(repoint(1, 15)), model)
    assert seen.systems[0].difference == float("inf")
    assert seen.systems[0].first_off.difference == float("inf")
    assert not seen.holds


def test_two_full_entries_that_change_places_leave_the_lamp_green(model):
    plain = engine.run(made(), model)
    first, second = at(plain.systems[0], plain.requests, 8).live[0].block_table[:2]
    trace, seen = evidence(made(repoint(0, second, 9), repoint(1, first, 9)), model)
    assert trace.systems[0].tokens == plain.systems[0].tokens
    assert seen.holds


def test_a_broken_entry_leaves_the_memorys_books_right(model):
    plain, broken = engine.run(made(), model), engine.run(made(repoint(0, 9)), model)
    for a, b in zip(walk(plain.systems[0], plain.requests), walk(broken.systems[0], broken.requests), strict=True):
        assert [r.block_table for r in a.running] == [r.block_table for r in b.running]
        assert (a.free_queue, a.references, a.counts) == (b.free_queue, b.references, b.counts)
        assert b.repointed == ({(0, 0): 9} if b.step >= 5 else {})


def test_only_the_broken_system_is_red_beside_one_that_is_right(model):
    trace, seen = evidence(made(repoint(0, 15), systems=[PAGED, CONTIGUOUS]), model)
    broken, right = seen.systems
    assert not broken.holds
    assert not broken.same_tokens
    assert right.holds
    assert trace.systems[0].tokens != trace.systems[1].tokens


def test_a_broken_entry_is_right_again_when_its_sequence_was_computed_again(model):
    """B is thrown out at step 8 and gets a new table: what was wrong about the old one is gone, and told so."""
    requests = [
        {"id": "A", "prompt": "We the People of the", "output_tokens": 20},
        {"id": "B", "prompt": PEOPLE, "output_tokens": 10},
    ]
    for recovery in ("recompute", "swap"):
        system = [PAGED | {"recovery": recovery}]
        plain = engine.run(made(systems=system, requests=requests, slots=32), model)
        out = [
            (r.step, e) for r in walk(plain.systems[0], plain.requests) for e in r.events if e.kind == Kind.PREEMPTED
        ]
        assert [e.request for _, e in out] == [1]
        (step, _), (block, *_) = out[0], at(plain.systems[0], plain.requests, out[0][0] - 1).live[0].block_table
        run = made(repoint(0, block, step, "B"), systems=system, requests=requests, slots=32)
        trace, seen = evidence(run, model)
        assert seen.holds
        assert trace.systems[0].tokens == plain.systems[0].tokens
        assert at(trace.systems[0], trace.requests, step).repointed == {(1, 0): block}
        assert at(trace.systems[0], trace.requests, step + 1).repointed == {}


def test_a_wrong_entry_names_the_same_block_after_a_shuffle(model):
    shuffled = made(repoint(0, 9), {"step": 7, "do": "shuffle"})
    trace, seen = evidence(shuffled, model)
    replay = at(trace.systems[0], trace.requests, 7)
    place = 9
    for event in replay.events:
        if event.kind == Kind.EXCHANGED:
            place = {event.a: event.b, event.b: event.a}.get(place, place)
    assert replay.repointed == {(0, 0): place}
    assert seen.systems[0].difference == float("inf")  # still a block that nobody wrote


@pytest.mark.parametrize(
    ("action", "says"),
    [
        (repoint(0, 1, 0), "At step 0 'A' holds no blocks; choose a step at which it runs."),
        (repoint(0, 1, 12), "At step 12 'A' holds no blocks; choose a step at which it runs."),
        (repoint(0, 1, 5000), "At step 5000 'A' holds no blocks; choose a step at which it runs."),
        (repoint(2, 1), "At step 5 the block table of 'A' has 3 entries"),
        (repoint(0, 16), "The action's block is 16; valid is 0 to 15."),
    ],
)
def test_what_cannot_be_broken_is_refused_in_a_sentence(action, says):
    if action["index"] == 2:
        action = action | {"index": 3}
    with pytest.raises(ScenarioError, match=says):
        engine.run(lengths(action))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_broken_entry_is_replayed_until_its_sequence_leaves(seed):
    rng = Random(seed)
    base = random_scenario(rng, actions=False)
    data = scenario.to_dict(base)
    data["systems"] = data["systems"][:1]
    plain = watch(scenario.from_dict(data), answers=False)
    moments = [
        (replay.step + 1, replay.requests[r.index].id, i)
        for replay in walk(plain.trace.systems[0], plain.trace.requests)
        for r in replay.running if not r.finished
        for i in range(len(r.block_table))
    ]  # fmt: skip
    if not moments:
        return
    actions = []
    for step, who, index in sorted(rng.sample(moments, min(3, len(moments)))):
        block = rng.randrange(base.slots // data["systems"][0].get("block_size", 16))
        actions += [repoint(index, block, step, who), {"step": step + 1, "do": "shuffle"}]
    broken = watch(scenario.from_dict(data | {"actions": actions}), answers=False)
    check_replay(broken)
    check_end(broken)
    assert sum(book.after["repointed"] != {} for book in broken.books[0]) >= 1


# -- compact ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("placement", ["buddy", "first-fit", "best-fit", "ideal"])
def test_compaction_slides_the_pieces_and_leaves_the_tokens_and_the_logits(model, placement):
    requests = [
        {"id": "A", "prompt": PEOPLE, "output_tokens": 3},
        {"id": "B", "prompt": "We the People", "output_tokens": 20},
        {"id": "C", "prompt": "The war has", "output_tokens": 20, "samples": 2, "temperature": 1.0},
    ]
    systems = [CONTIGUOUS | {"placement": placement}]
    plain = engine.run(made(systems=systems, requests=requests, slots=128), model)
    trace, seen = evidence(made({"step": 6, "do": "compact"}, systems=systems, requests=requests, slots=128), model)
    moved = [e for e in at(trace.systems[0], trace.requests, 6).events if e.kind == Kind.MOVED]
    assert moved
    assert all(e.b < e.a for e in moved)
    assert trace.systems[0].tokens == plain.systems[0].tokens
    assert seen.holds


def test_after_compaction_no_hole_lies_between_pieces():
    requests = [{"prompt_tokens": 4, "output_tokens": n} for n in (2, 9, 3, 12)]
    run = made({"step": 5, "do": "compact"}, systems=[CONTIGUOUS], requests=requests, model="none")
    trace = engine.run(run)
    pieces = sorted((r.start, r.held) for r in at(trace.systems[0], trace.requests, 5).running)
    assert pieces == [(0, 12), (12, 15)]


def test_what_a_finished_member_of_a_static_batch_never_wrote_stays_internal_when_it_is_moved():
    system = {"kind": "contiguous", "reserve": "multiple", "multiple": 4, "unit": 1, "batching": "static"}
    moved = 0
    for seed in range(60):  # a batch is rarely placed so that something can be moved
        rng = Random(seed)
        requests = [{"prompt_tokens": 1, "final_slots": rng.randint(1, 9)} for _ in range(5)]
        run = made(
            *({"step": step, "do": "compact"} for step in range(0, 20, 3)), systems=[system], slots=rng.randint(20, 60),
            requests=requests, model="none", max_model_len=16,
        )  # fmt: skip
        seen, done = watch(run), set()
        check_replay(seen)
        for replay in walk(seen.trace.systems[0], seen.trace.requests):
            movers = {event.request for event in replay.events if event.kind == Kind.MOVED} & done
            moved += sum(replay.live[who].estimate > replay.live[who].final for who in movers)
            done |= set(replay.finished)
    assert moved, "no finished piece was moved: the examples show nothing"


def test_an_action_leaves_systems_of_the_other_kind_alone():
    actions = [{"step": 3, "do": "shuffle"}, {"step": 3, "do": "compact"}]
    requests = [{"prompt_tokens": 4, "output_tokens": n} for n in (2, 9, 3, 12)]
    run = made(*actions, systems=[PAGED, CONTIGUOUS], requests=requests, model="none")
    paged, contiguous = engine.run(run).systems
    assert Kind.MOVED not in paged.kinds.tolist()
    assert Kind.EXCHANGED not in contiguous.kinds.tolist()
    assert Code.FREE in at(paged, engine.run(run).requests, 3).codes()
