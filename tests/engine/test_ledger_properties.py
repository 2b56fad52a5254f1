"""Whatever the scenario: every slot is in exactly one state, nobody owns what another owns, all is given back."""

from hypothesis import given, settings
from hypothesis import strategies as st

from vizkv.engine import engine
from vizkv.replay import walk
from vizkv.scenario import schema as scenario
from vizkv.trace.events import Kind
from vizkv.trace.slots import ACCOUNTINGS, LENSES, Code, ledger, shares
from vizkv.views.facts import records

contiguous = st.fixed_dictionaries(
    {
        "kind": st.just("contiguous"),
        "reserve": st.sampled_from(["max", "pow2", "pow2-total", "oracle", "multiple"]),
        "multiple": st.integers(1, 9),
        "placement": st.sampled_from(["buddy", "first-fit", "best-fit", "ideal"]),
        "unit": st.sampled_from([1, 2, 3, 8, 16]),
        "batching": st.sampled_from(["iteration", "static"]),
    }
)
paged = st.fixed_dictionaries(
    {
        "kind": st.just("paged"),
        "block_size": st.sampled_from([1, 2, 4, 5, 16]),
        "prefix_caching": st.booleans(),
        "null_block": st.booleans(),
        "watermark": st.sampled_from([0.0, 0.1]),
    }
)
virtual = st.fixed_dictionaries(
    {
        "kind": st.just("virtual"),
        "page": st.sampled_from([1, 2, 4, 5, 16]),
        "reclaim": st.sampled_from(["deferred", "eager"]),
        "ids": st.sampled_from([0, 2]),
    }
)
groups = st.fixed_dictionaries(
    {
        "kind": st.just("paged"),
        "block_size": st.sampled_from([1, 2, 4]),
        "prefix_caching": st.booleans(),
        "groups": st.lists(
            st.sampled_from(
                [
                    {"kind": "full"},
                    {"kind": "full", "block_size": 8},
                    {"kind": "sliding", "window": 5},
                    {"kind": "sliding", "window": 12, "block_size": 4},
                    {"kind": "chunked", "chunk": 6},
                ]
            ),
            min_size=1,
            max_size=4,
        ),
    }
)
requests = st.lists(
    st.fixed_dictionaries(
        {
            "prompt_token_ids": st.lists(st.integers(0, 3), min_size=1, max_size=40),
            "output_tokens": st.integers(1, 40),
            "arrival_step": st.integers(0, 12),
        }
    ),
    min_size=1,
    max_size=7,
)


@st.composite
def scenarios(draw):
    systems = draw(st.lists(st.one_of(contiguous, paged, groups, virtual), min_size=1, max_size=3))
    for i, system in enumerate(systems):
        system["name"] = f"system {i}"
    return scenario.from_dict(
        {
            "model": "none",
            "slots": draw(st.integers(40, 300)),
            "max_model_len": draw(st.sampled_from([32, 64, 80, 128])),
            "max_num_seqs": draw(st.sampled_from([1, 3, 256])),
            "max_num_batched_tokens": draw(st.sampled_from([1, 7, 64, 2560])),
            "systems": systems,
            "requests": draw(requests),
        }
    )


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_the_ledger_closes_at_every_step_in_every_lens_and_accounting(run):
    trace = engine.run(run)
    for system in trace.systems:
        for state in walk(system, trace.requests, closing=True):
            counts = state.booked()
            for lens in LENSES:
                booked = ledger(counts, lens, expires=state.expires)
                assert min(booked.values()) >= 0
                assert sum(booked.values()) == run.slots
                for accounting in ACCOUNTINGS:
                    assert sum(shares(counts, lens, accounting).values()) == run.slots


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_what_is_painted_is_what_the_requests_add_up_to(run):
    """The slots' colours and the requests' sums are two roads to the same numbers."""
    trace = engine.run(run)
    for system in trace.systems:
        shared = system.detail.get("prefix_caching", False)
        for state in walk(system, trace.requests):
            if state.expires:  # a token has a slot in each group: tests/systems/test_groups.py counts those
                continue
            live = list(state.live.values())
            assert (state.codes() == Code.USED).sum() == state.counts[Code.USED]
            if shared:  # a shared slot is used once, by several
                continue
            assert state.counts[Code.USED] == sum(r.written for r in live)
            will = sum(min(r.final, r.held) - r.written for r in live)
            assert state.counts[Code.PENDING] == will
            beyond = sum(max(0, r.estimate - r.final) for r in live)
            assert state.counts[Code.SURPLUS] + state.counts[Code.REALISED] == beyond


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_every_request_finishes_or_is_reported_and_everything_is_given_back(run):
    trace = engine.run(run)
    for system in trace.systems:
        finished, never = set(), set()
        for state in walk(system, trace.requests, closing=True):
            finished |= set(state.finished)
            never |= {e.request for e in state.events if e.kind == Kind.NEVER}
        assert finished | never == set(range(len(run.requests)))
        assert not finished & never
        idle = sum(state.counts[code] for code in (Code.FREE, Code.CACHED, Code.MAPPED, Code.ROUNDING))
        assert idle == run.slots
        assert state.counts[Code.ROUNDING] == system.block_size * bool(system.detail.get("null_block"))
        assert not state.references and not state.live and not state.waiting


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_the_same_scenario_gives_the_same_lines(run):
    first, second = (list(records.records(engine.run(run))) for _ in range(2))
    assert first == second
