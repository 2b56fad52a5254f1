"""The lens "what the system knows" says what the system can know, and nothing of what is still to come."""

from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.replay import at, walk
from vizkv.scenario import schema as scenario
from vizkv.systems.contiguous.scheduler import estimate
from vizkv.systems.contiguous.schema import ContiguousSystem
from vizkv.views.facts import knowledge, narration
from vizkv.views.payload import pack as payload
from vizkv.views.payload.window import Window
from vizkv.views.picture.caption import caption
from vizkv.views.picture.step import picture

SAY = messages()
policies = st.fixed_dictionaries({
    "reserve": st.sampled_from(["max", "pow2", "pow2-total", "oracle", "multiple"]),
    "multiple": st.integers(1, 9),
})  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(policies, st.integers(1, 40), st.integers(0, 90), st.integers(0, 60))
def test_the_bounds_are_those_of_all_lengths_that_get_the_same_reservation(policy, prompt, more, room):
    """Asked of the scheduler itself: which lengths would be given this estimate?"""
    system, limit = ContiguousSystem(kind="contiguous", **policy), prompt + more + room

    def given_to(final):
        one = SimpleNamespace(final_slots=final, max_len=limit, prompt_tokens=prompt, sampled_total=final - prompt + 1)
        return estimate(system, one)

    held = given_to(prompt + more)
    alike = [final for final in range(prompt, limit + 1) if given_to(final) == held]
    told = knowledge.ends(SimpleNamespace(detail=policy), SimpleNamespace(prompt_tokens=prompt), held, limit)
    if policy["reserve"] == "max":
        assert told is None and alike == list(range(prompt, limit + 1))
    else:
        assert told == (alike[0], alike[-1])


def run(systems, requests, **more):
    return engine.run(scenario.from_dict({"model": "none", "systems": systems, "requests": requests, **more}))


def online(trace, step, system=0):
    now = at(trace.systems[system], trace.requests, step)
    return narration.tell(now, SAY, knowledge.longest(trace)).online


def test_a_block_is_not_said_to_be_filled_before_it_is():
    trace = run([{"kind": "paged", "block_size": 16}], [{"id": "A", "prompt_tokens": 7, "final_slots": 500}])
    assert "It holds 13 empty ones, all reserved: nobody knows yet" in online(trace, 44)


@pytest.mark.parametrize(
    ("system", "what"),
    [
        ({"reserve": "oracle"}, "will all be written: this system was told its length"),
        ({"reserve": "multiple", "multiple": 3}, "no more than that it stops at 514 to 516"),
        ({"reserve": "pow2"}, "no more than that it stops at 263 to 518"),
        ({"reserve": "pow2-total"}, "no more than that it stops at 513 to 1,024"),
        ({"reserve": "max"}, "nobody knows yet where it will stop"),
    ],
)
def test_a_reservation_gives_away_what_it_was_made_from(system, what):
    length = 513 if "pow2" in system["reserve"] else 514
    more = {"kind": "contiguous", "placement": "first-fit", "unit": 1}
    trace = run([system | more], [{"id": "A", "prompt_tokens": 7, "final_slots": length}])
    assert what in online(trace, 100)


def test_what_rounding_added_is_not_among_the_empty_slots_of_an_estimate():
    trace = run([{"kind": "contiguous", "reserve": "oracle"}], [{"id": "A", "prompt_tokens": 7, "final_slots": 500}])
    assert "The 393 slots that it still holds empty" in online(trace, 100)
    assert online(trace, 100).endswith("Rounding has added 12 slots more.")


# ---- two futures -----------------------------------------------------------------------------------------------------

SYSTEMS = [
    {"kind": "contiguous", "reserve": "max", "placement": "first-fit", "unit": 1, "name": "max"},
    {"kind": "contiguous", "reserve": "max", "unit": 16, "name": "buddy"},
    {"kind": "contiguous", "reserve": "max", "batching": "static", "unit": 4, "name": "static"},
    {"kind": "paged", "block_size": 4, "name": "paged"},
    {"kind": "paged", "block_size": 5, "recovery": "swap", "watermark": 0.1, "name": "swap"},
    {"kind": "paged", "block_size": 16, "prefix_caching": True, "null_block": True, "name": "cache"},
]
LONGEST = 48


@st.composite
def futures(draw):
    """Two scenarios that differ in where their requests stop."""
    requests, others = [], []
    for index in range(draw(st.integers(1, 5))):
        prompt = draw(st.lists(st.integers(0, 3), min_size=1, max_size=20))
        lengths = [draw(st.integers(1, LONGEST - len(prompt))) for _ in range(2)]
        facts = {"id": "ABCDE"[index], "prompt_token_ids": prompt, "arrival_step": draw(st.integers(0, 9))}
        for found, length in zip((requests, others), lengths, strict=True):
            # the ids that are sampled are the same as far as both go on
            ids = [1000 * (index + 1) + i for i in range(length)]
            found.append(facts | {"output_token_ids": ids})
    system = draw(st.sampled_from(SYSTEMS))
    more = {
        "slots": draw(st.integers(LONGEST + 16, 160)), "max_model_len": LONGEST,
        "max_num_batched_tokens": draw(st.sampled_from([3, 16, 2560])),
    }  # fmt: skip
    return run([system], requests, **more), run([system], others, **more)


def alike(one, other):
    """The last step to whose end both runs did the same and nobody has finished in one alone; -1 if there is none."""
    steps = zip(walk(one.systems[0], one.requests), walk(other.systems[0], other.requests))
    last = -1
    for a, b in steps:
        if a.events != b.events:
            break
        last = a.step
    return last


def said(trace, last):
    """Every text that is given for the lens to the end of a step."""
    packed = payload.pack(trace, SAY, window=Window(0, last + 1))
    _, header, arrays = payload.unpack(payload.open_at(packed, payload.View()))
    sentences = [
        header["sentences"][i] for name in ("all/sentence_online", "0/sentence_online") for i in arrays[name].tolist()
    ]
    waits = [header["waits"][i] for i in arrays["0/waiting"].tolist()]
    why = [header["refusals"][i]["text"] if i >= 0 else "" for i in arrays["0/refusal"].tolist()]
    events = [event["text"] for event in header["events"]]
    look = {"lens": "online", "accounting": "textbook", "say": SAY}
    texts = [caption(trace, last, **look), picture(trace, last, **look).split("</desc>")[0]]
    return [header["systems"][0]["subtitle"], *sentences, *waits, *why, *events, *texts]


@settings(max_examples=60, deadline=None)
@given(futures())
def test_what_is_said_online_does_not_change_when_only_the_future_does(runs):
    one, other = runs
    last = alike(one, other)
    assume(last >= 0)
    assert said(one, last) == said(other, last)
