"""Several sequences of one request in the paged scheduler: what is equal is computed once, and all go together."""

import pytest

from vizkv.scenario.schema import from_dict
from vizkv.systems.base.groups import Share, shares
from vizkv.systems.base.request import Group, Refusal, Sequence
from vizkv.systems.paged.scheduler import PagedScheduler
from vizkv.trace.events import Event, Kind


def paged(slots, *, max_num_batched_tokens=2560, max_num_seqs=256, **system):
    """A scheduler over blocks of 4 slots."""
    scenario = from_dict({
        "slots": slots, "model": "none", "max_num_batched_tokens": max_num_batched_tokens,
        "max_num_seqs": max_num_seqs, "systems": [{"kind": "paged", "block_size": 4, **system}],
        "requests": [{"prompt_tokens": 1, "output_tokens": 1}],
    })  # fmt: skip
    return PagedScheduler(scenario.systems[0], scenario)


def group(first, shared, finals, *, beam=False, own=0, max_len=2048):
    """Sequences that begin with the same ``shared`` tokens, each followed by ``own`` tokens of its own prompt."""
    base = [1000 * (first + 1) + i for i in range(shared)]
    members = [
        Sequence(first + n, shared + own, final, max_len, base + [10**6 * (first + n + 1) + i for i in range(own)])
        for n, final in enumerate(finals)
    ]
    together = Group(members, shared, beam, forked=False)
    for member in members:
        member.group = together
    return members


def plain(index, prompt, final):
    return Sequence(index, prompt, final, 2048, [1000 * (index + 1) + i for i in range(prompt)])


def step(scheduler, *arrivals, parents=None):
    for sequence in arrivals:
        scheduler.arrive(sequence)
    plan = scheduler.schedule()
    sampled = {}
    for sequence, _, _ in plan.scheduled:
        members = [sequence, *sequence.group.live] if not sequence.group.forked else [sequence]
        sampled |= {member.index: 10**7 * (member.index + 1) + sequence.written for member in members}
    return plan, scheduler.complete(sampled, parents)


def of(kind, events):
    return [e for e in events if e.kind == kind]


def run_until(scheduler, there):
    """The first plan, and the events at its step's end, of which ``there`` says yes."""
    for _ in range(100):
        plan, late = step(scheduler)
        if there(plan):
            return plan, late
    raise AssertionError("it never came to that")


def somebody_leaves(plan):
    return bool(of(Kind.PREEMPTED, plan.events))


def counts(plan):
    return {sequence.index: count for sequence, _, count in plan.scheduled}


def test_what_all_begin_with_is_computed_once_and_then_forked():
    scheduler, members = paged(64), group(0, 7, [12, 12, 12])
    plan, late = step(scheduler, members[0])
    assert counts(plan) == {0: 7}
    assert of(Kind.FORKED, late) == [Event(Kind.FORKED, 1, 0, 7), Event(Kind.FORKED, 2, 0, 7)]
    assert [m.index for m in scheduler.running] == [0, 1, 2]
    assert scheduler.memory.pool.references() == {0: 3, 1: 3}
    plan, _ = step(scheduler)
    assert counts(plan) == {0: 1, 1: 1, 2: 1}
    assert len(of(Kind.COPIED, plan.events)) == 2


def test_a_prompt_in_chunks_is_forked_when_all_of_it_is_computed():
    scheduler, members = paged(64, max_num_batched_tokens=3), group(0, 7, [12, 12, 12])
    forked = []
    for _ in range(3):
        _, late = step(scheduler, *([members[0]] if not scheduler.running else []))
        forked.append(len(of(Kind.FORKED, late)))
    assert forked == [0, 0, 2]


def test_branches_fork_at_the_end_of_the_prefix_and_compute_their_own():
    scheduler, members = paged(64), group(0, 6, [12, 12], own=3)
    plan, late = step(scheduler, members[0])
    assert counts(plan) == {0: 6}
    assert len(of(Kind.FORKED, late)) == 1
    assert [len(m.tokens) for m in members] == [9, 9]  # nothing was sampled
    plan, _ = step(scheduler)
    assert counts(plan) == {0: 3, 1: 3}


def test_a_fork_runs_right_behind_its_first_and_before_those_who_came_later():
    scheduler, members = paged(64), group(0, 7, [12, 12])
    step(scheduler, members[0], plain(5, 3, 9))
    assert [s.index for s in scheduler.running] == [0, 1, 5]


def test_sequences_to_come_hold_their_places():
    scheduler = paged(64, max_num_seqs=3)
    step(scheduler, group(0, 7, [12, 12])[0], plain(5, 3, 9), plain(6, 3, 9))
    assert [s.index for s in scheduler.running] == [0, 1, 5]
    assert [s.index for s in scheduler.waiting] == [6]


def test_a_group_waits_until_there_are_places_for_all_of_it():
    scheduler = paged(64, max_num_seqs=3)
    step(scheduler, plain(5, 3, 6), plain(6, 3, 9), group(0, 7, [12, 12])[0])
    assert [s.index for s in scheduler.running] == [5, 6]
    run_until(scheduler, lambda plan: not scheduler.waiting)
    assert [s.index for s in scheduler.running] == [6, 0, 1]


def test_admission_asks_for_the_blocks_of_all_members_behind_the_full_common_ones():
    """7 common tokens and one more each: one block together, one each, of which one is there: 3 for two members."""
    members = group(0, 7, [12, 12])
    scheduler = paged(64)
    assert scheduler._whole(members[0].group) == ((1 + 1 + 1) * 4, 7)


def test_a_group_that_would_not_fit_alone_is_reported_once():
    scheduler = paged(16)
    assert scheduler.arrive(group(0, 7, [12, 12])[0]) == [Event(Kind.NEVER, 0, 20, 16, 1)]
    assert scheduler.arrive(group(0, 7, [12, 8])[0]) == [Event(Kind.ARRIVED, 0)]
    assert paged(640).arrive(group(0, 4, [9, 30], max_len=20)[0]) == [Event(Kind.NEVER, 0, 30, 20, 0)]


def test_a_member_that_ends_first_leaves_and_the_others_go_on():
    scheduler, members = paged(64), group(0, 6, [8, 12], own=1)
    step(scheduler, members[0])
    run_until(scheduler, lambda plan: members[0].finished)
    assert [s.index for s in scheduler.running] == [1]
    run_until(scheduler, lambda plan: scheduler.idle())
    assert scheduler.memory.pool.free_blocks == 16


def test_a_group_is_preempted_together_and_shares_its_prompt_again():
    scheduler, members = paged(32), group(1, 7, [16, 16])
    step(scheduler, plain(0, 4, 20), members[0])
    out = of(Kind.PREEMPTED, run_until(scheduler, somebody_leaves)[0].events)
    assert [(e.request, e.b, e.c) for e in out] == [(1, 0, 0), (2, 0, 1)]
    assert [s.index for s in scheduler.waiting] == [1]
    assert all(not m.block_table and m.written == 0 for m in members)
    sampled = [list(m.tokens) for m in members]
    plan, late = run_until(scheduler, lambda plan: members[0].block_table)
    assert counts(plan)[1] == 7
    assert of(Kind.FORKED, late) == [Event(Kind.FORKED, 2, 1, 7)]
    assert [m.tokens for m in members] == sampled  # nothing is sampled twice
    plan, _ = step(scheduler)
    assert counts(plan) == {m.index: len(tokens) - 7 for m, tokens in zip(members, sampled, strict=True)}


def test_the_last_of_a_group_is_computed_again_by_itself():
    scheduler, members = paged(28), group(1, 4, [5, 16], own=1)
    step(scheduler, plain(0, 4, 24), members[0])
    out = of(Kind.PREEMPTED, run_until(scheduler, somebody_leaves)[0].events)
    assert members[0].finished
    assert [e.request for e in out] == [2]
    known = len(members[1].tokens)
    plan, late = run_until(scheduler, lambda plan: members[1].block_table)
    assert of(Kind.FORKED, late) == []
    assert counts(plan)[2] == known


@pytest.mark.parametrize("slots", [28, 32, 36])
def test_a_swapped_group_comes_back_with_what_it_had_written(slots):
    scheduler, members = paged(slots, recovery="swap"), group(1, 7, [14, 14])
    step(scheduler, plain(0, 4, 20), members[0])
    plan, _ = run_until(scheduler, somebody_leaves)
    out = of(Kind.PREEMPTED, plan.events)
    moved = of(Kind.SWAPPED_OUT, plan.events)
    written = [m.written for m in members]
    assert [(e.request, e.a, e.b, e.c) for e in out] == [(1, written[0], 1, 0), (2, written[1], 1, 1)]
    assert min(written) > 0
    assert [e.d for e in moved if e.request == 2 and e.c == 0] == [0]  # their first block is copied once
    assert scheduler.memory.swapped(1) and scheduler.memory.swapped(2)
    plan, _ = run_until(scheduler, lambda plan: members[0].block_table)
    assert members[0].block_table[0] == members[1].block_table[0]
    assert len(of(Kind.SWAPPED_IN, plan.events)) == len(moved)
    assert counts(plan).items() >= {1: 1, 2: 1}.items()
    run_until(scheduler, lambda plan: scheduler.idle())
    assert scheduler.memory.pool.free_blocks == scheduler.memory.cpu.free_blocks == slots // 4


def test_who_does_not_fit_into_the_cpu_pool_is_computed_again():
    scheduler = paged(16, recovery="swap")
    while scheduler.memory.cpu.free_blocks > 1:
        scheduler.memory.cpu.take()
    step(scheduler, plain(0, 4, 14), plain(1, 4, 12))
    plan, _ = run_until(scheduler, somebody_leaves)
    assert [(e.request, e.b) for e in of(Kind.PREEMPTED, plan.events)] == [(1, 0)]
    assert of(Kind.SWAPPED_OUT, plan.events) == []
    assert scheduler.waiting[0].written == 0


def test_nobody_new_is_admitted_before_a_swapped_group_is_back():
    scheduler, members = paged(32, recovery="swap"), group(1, 7, [14, 14])
    step(scheduler, plain(0, 4, 20), members[0])
    run_until(scheduler, somebody_leaves)
    plan, _ = step(scheduler, plain(9, 1, 2))
    assert [s.index for s in scheduler.waiting] == [1, 9]
    refused = of(Kind.REFUSED, plan.events)
    assert [e.request for e in refused] == [1]
    assert isinstance(scheduler.refused, Refusal)
    assert scheduler.refused.need > scheduler.refused.free


def test_a_dropped_beam_lets_go_and_takes_the_table_of_another():
    scheduler, members = paged(64), group(0, 4, [20, 20, 20], beam=True)
    step(scheduler, members[0])
    for _ in range(2):
        step(scheduler)
    assert [m.block_table for m in members] == [[0, 1], [0, 2], [0, 3]]
    _, late = step(scheduler, parents={2: 0})
    assert [e for e in late if e.kind in (Kind.FORKED, Kind.FREED_BLOCK)] == [
        Event(Kind.FREED_BLOCK, 2, 0, 2, -1),
        Event(Kind.FREED_BLOCK, 2, 3, 0, 0),
        Event(Kind.FORKED, 2, 0, 7),
    ]
    assert members[2].block_table == [0, 1]
    assert members[2].tokens[:-1] == members[0].tokens[:-1]
    assert members[2].block_table is not members[0].block_table


def test_members_get_one_token_each_or_none_of_them_any():
    members = group(0, 4, [20, 20, 20])
    members[0].group.forked = True
    for member in members:
        member.tokens.append(7)
        member.written = 4
    assert shares(members[0].group, 2) == []
    assert shares(members[0].group, 3) == [Share(m, 1) for m in members]


def test_one_token_is_kept_for_each_of_those_behind():
    members = group(0, 4, [20, 20, 20], own=5)
    members[0].group.forked = True
    for member in members:
        member.written = 4
    assert [s.tokens for s in shares(members[0].group, 9)] == [5, 3, 1]
    assert [s.tokens for s in shares(members[0].group, 100)] == [5, 5, 5]


def test_beams_sample_together_or_none_reads_its_last_token():
    members = group(0, 4, [20, 20, 20], beam=True)
    members[0].group.forked = True
    for member in members:
        member.tokens += [7, 8, 9]
        member.written = 4
    assert [s.tokens for s in shares(members[0].group, 9)] == [3, 3, 3]
    held_back = shares(members[0].group, 8)
    assert [s.tokens for s in held_back] == [2, 2, 2]
    assert [s.tokens for s in shares(members[0].group, 4)] == [2, 1, 1]


@pytest.mark.parametrize("budget", [3, 4, 5, 8])
def test_beams_that_are_computed_again_in_chunks_still_sample_together(budget):
    scheduler, members = paged(48, max_num_batched_tokens=budget), group(1, 7, [14] * 3, beam=True)
    step(scheduler, plain(0, 2, 30), members[0])
    for _ in range(400):
        if scheduler.idle():
            break
        step(scheduler)
        lengths = {len(m.tokens) for m in members}
        assert len(lengths) == 1
    assert scheduler.idle()
    assert scheduler.memory.pool.free_blocks == 12
