"""Who is refused or preempted, and why: every number of a sentence is one of the trace, whatever the scenario."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.replay import walk
from vizkv.scenario import schema as scenario
from vizkv.trace.events import Kind
from vizkv.trace.slots import Code
from vizkv.views.facts import decisions, knowledge, narration, pressure
from vizkv.views.payload import pack as payload

SAY = messages()
TAKES = (Kind.BLOCK, Kind.COPIED)


def run(systems, requests, **more):
    return engine.run(scenario.from_dict({"model": "none", "systems": systems, "requests": requests, **more}))


@st.composite
def tight(draw):
    """Paged systems of all kinds in pools that are too small."""
    system = {
        "kind": "paged",
        "block_size": draw(st.sampled_from([1, 2, 4, 5])),
        "prefix_caching": draw(st.booleans()),
        "null_block": draw(st.booleans()),
        "watermark": draw(st.sampled_from([0.0, 0.1, 0.3])),
        "recovery": draw(st.sampled_from(["recompute", "swap"])),
    }
    requests = []
    for _ in range(draw(st.integers(2, 6))):
        one = {
            "prompt_token_ids": draw(st.lists(st.integers(0, 2), min_size=1, max_size=14)),
            "output_tokens": draw(st.integers(1, 16)),
            "arrival_step": draw(st.integers(0, 6)),
        }
        if draw(st.integers(0, 3)) == 0:
            one["samples"] = draw(st.integers(2, 3))
        requests.append(one)
    return run(
        [system], requests, slots=draw(st.integers(30, 60)), max_model_len=30,
        max_num_batched_tokens=draw(st.sampled_from([4, 16, 2560])),
    )  # fmt: skip


def numbers(text):
    return [int(number) for number in re.findall(r"(?<![\w.])\d+(?!\w)", text)]


@settings(max_examples=200, deadline=None)
@given(tight())
def test_every_preemption_is_told_with_the_numbers_of_its_step(trace):
    system, ids = trace.systems[0], [r.id for r in trace.requests]
    groups, size = [r.group for r in trace.requests], trace.systems[0].block_size
    free, held = list(system.free_order), {}
    for now in walk(system, trace.requests):
        found = decisions.preemptions(now)
        assert [who for p in found for who in p.victims] == now.preempted
        count, at = len(free), iter(found)
        for place, event in enumerate(now.events):
            count -= event.kind in TAKES or (event.kind == Kind.SHARED and event.c == 1)
            count -= event.kind == Kind.SWAPPED_IN and event.d == 1
            count += event.kind == Kind.FREED_BLOCK and event.b == 0
            if event.kind != Kind.PREEMPTED or event.c:
                continue
            p = next(at)
            assert p.free == count < p.need and p.victims[0] == event.request
            later = [e for e in now.events[place:] if e.kind in TAKES]
            if not p.itself and later:  # whoever needed them has them now, if it need not go itself in the end
                taken = [e for e in later if groups[e.request] == groups[p.needy]]
                assert len(taken) == p.need or ids[p.needy] in [ids[who] for who in now.preempted]
            tables = {block: 0 for who in p.victims for block in held[who][1]}
            for who in p.victims:
                for index, block in enumerate(held[who][1]):
                    tables[block] = max(tables[block], min(size, max(0, held[who][0] - index * size)))
            assert (p.blocks, p.slots) == (len(tables), sum(tables.values()))
            text = decisions.why(p, system.detail["recovery"], trace.requests, SAY, lambda who: ids[who])
            assert ("none was free" in text) == (p.free == 0)
            assert p.need == 1 or p.need in numbers(text)
            assert p.free == 0 or p.free in numbers(text)
        if found:
            text = narration.tell(now, SAY, knowledge.longest(trace)).online
            if "preempted" in text:
                assert f"At the end of the step {len(now.free_queue)} block" in text
        free = list(now.free_queue)
        held = {who: (one.written, list(one.block_table)) for who, one in now.live.items()}


@settings(max_examples=200, deadline=None)
@given(tight())
def test_every_refusal_is_told_with_the_blocks_that_lack(trace):
    system, size = trace.systems[0], trace.systems[0].block_size
    _, header, arrays = payload.unpack(payload.open_at(payload.pack(trace, SAY), payload.View()))
    preempted = set()
    for now in walk(system, trace.requests):
        preempted |= set(now.preempted)
        for event in now.events:
            if event.kind == Kind.REFUSED:
                told = decisions.refusal(event, now)
                assert (told.need + told.spare) * size == event.a and told.free * size == event.b
                assert 0 < told.need and told.free < told.need + told.spare
                assert told.spare == 0 or now.live
                group = trace.requests[event.request].group
                assert (told.reason == "back") == any(trace.requests[who].group == group for who in now.swapped)
                if told.reason != "back":
                    assert (told.reason == "again") == (event.request in preempted)
        entry = int(arrays["0/refusal"][now.step])
        if entry >= 0:
            shown, counts = header["refusals"][entry], now.booked()
            free = (counts[Code.FREE] + counts[Code.CACHED]) // size
            assert shown["request"] == now.waiting[0] and shown["free"] == free * size < shown["need"]
            said = numbers(shown["text"].replace("none is free", "0"))
            spare = said[2] if "watermark" in shown["text"] else 0
            assert said[1] == free and (said[0] + spare) * size == shown["need"]


def test_what_comes_back_from_the_cpu_pool_is_no_prompt():
    system = {"kind": "paged", "block_size": 4, "recovery": "swap"}
    again = system | {"recovery": "recompute"}
    asked = [{"id": name, "prompt_tokens": 7, "output_tokens": 6} for name in "AB"]
    trace = run([system, again], asked, slots=16, max_model_len=12)
    texts = [
        [narration.refused(e, now, SAY) for now in walk(one, trace.requests) for e in now.events
         if e.kind == Kind.REFUSED]
        for one in trace.systems
    ]  # fmt: skip
    assert texts == [
        ["B waits: to come back from the CPU pool and go on it needs 3 free blocks, and 1 is free."],
        ["B waits: what it computes again needs 3 free blocks, and 1 is free."],
    ]


def test_the_watermark_is_named_beside_the_free_blocks():
    system = {"kind": "paged", "block_size": 4, "watermark": 0.2}
    asked = [{"id": "A", "prompt_tokens": 4, "output_tokens": 9}, {"id": "B", "prompt_tokens": 29, "output_tokens": 2}]
    trace = run([system], asked, slots=40, max_model_len=32)
    now = next(walk(trace.systems[0], trace.requests))
    event = next(e for e in now.events if e.kind == Kind.REFUSED)
    assert narration.refused(event, now, SAY) == (
        "B waits: its prompt needs 8 free blocks, and 9 are free. 2 more must stay free for those who run (the "
        "watermark)."
    )


def test_the_question_the_sentence_and_the_list_name_the_same_one():
    asked = [{"id": name, "prompt_tokens": 7, "output_tokens": 6} for name in "AB"]
    trace = run([{"kind": "paged", "block_size": 4}], asked, slots=16, max_model_len=12)
    (told,) = pressure.by_system(trace)
    (one,) = told.preemptions
    listed = pressure.why(one, told, trace, SAY).replace("**", "")
    now = next(now for now in walk(trace.systems[0], trace.requests) if now.step == one.step)
    assert narration.tell(now, SAY, knowledge.longest(trace)).online.startswith(listed)


def test_an_older_recording_does_not_say_who_needed_blocks():
    asked = [{"id": name, "prompt_tokens": 7, "output_tokens": 6} for name in "AB"]
    trace = run([{"kind": "paged", "block_size": 4}], asked, slots=16, max_model_len=12)
    now = next(now for now in walk(trace.systems[0], trace.requests) if now.preempted)
    now.events = [e for e in now.events if e.kind != Kind.SHORT]
    (one,) = decisions.preemptions(now)
    text = decisions.why(one, "recompute", (), SAY, lambda who: "AB"[who])
    assert one.need == 0 and text.startswith("Preempted: B. This recording does not say who lacked how many blocks.")
