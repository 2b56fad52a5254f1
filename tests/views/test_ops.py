"""The rows that the browser replays give, at every step, the books that the replay has."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizkv import replay
from vizkv.engine import engine
from vizkv.messages.catalogue import messages
from vizkv.scenario import schema as scenario
from vizkv.scenario.presets import list_presets
from vizkv.scenario.schema import ScenarioError
from vizkv.views.payload import ops
from vizkv.views.payload import pack as payload
from vizkv.views.payload.ops import Op


@dataclass
class Books:
    """What the browser does with the rows, as simply as it can be said."""

    tables: dict = field(default_factory=dict)
    written: dict = field(default_factory=dict)
    refs: dict = field(default_factory=dict)
    queue: list = field(default_factory=list)
    cached: set = field(default_factory=set)
    cpu: dict = field(default_factory=dict)
    wrong: dict = field(default_factory=dict)

    def apply(self, op, x, y, z):
        if op == Op.TABLE:
            self.put(self.tables, x, y, z)
        elif op == Op.DROP:
            del self.tables[x]
            self.written.pop(x, None)
            self.wrong = {place: block for place, block in self.wrong.items() if place[0] != x}
        elif op == Op.REFS:
            self.refs[x] = y
        elif op == Op.LEAVE:
            self.queue.remove(x)
        elif op == Op.FRONT:
            self.queue.insert(0, x)
        elif op == Op.BACK:
            self.queue.append(x)
        elif op == Op.CACHED:
            (self.cached.add if y else self.cached.remove)(x)
        elif op == Op.WRITTEN:
            self.written[x] = y
        elif op == Op.CPU:
            self.put(self.cpu, x, y, z)
        elif op == Op.CPU_DROP:
            del self.cpu[x]
        elif op == Op.REPOINT:
            self.wrong[x, y] = z
        elif op == Op.EXCHANGE:
            self.exchange({x: y, y: x})

    @staticmethod
    def put(tables, who, index, block):
        table = tables.setdefault(who, [])
        assert index <= len(table)
        table[index : index + 1] = [block]

    def exchange(self, other):
        self.tables = {who: [other.get(b, b) for b in table] for who, table in self.tables.items()}
        self.refs = {other.get(b, b): count for b, count in self.refs.items()}
        self.queue = [other.get(b, b) for b in self.queue]
        self.cached = {other.get(b, b) for b in self.cached}

    def seen(self):
        return {
            "tables": {who: table for who, table in self.tables.items() if table},
            "written": {who: n for who, n in self.written.items() if n},
            "refs": {block: n for block, n in self.refs.items() if n},
            "queue": self.queue,
            "cached": self.cached,
            "cpu": self.cpu,
            "wrong": {place: block for place, block in self.wrong.items() if block >= 0},
        }


def kept(now):
    """The same books, from the replay."""
    return {
        "tables": {who: live.block_table for who, live in now.live.items() if live.block_table},
        "written": {who: live.written for who, live in now.live.items() if live.written},
        "refs": dict(now.references),
        "queue": list(now.free_queue),
        "cached": now.cached,
        "cpu": {who: list(blocks) for who, blocks in now.swapped.items()},
        "wrong": {place: block for place, block in now.repointed.items() if place[0] in now.live},
    }


def check(trace, index=0):
    """Replay the rows of a packed system against the replay; how often each kind of row was there."""
    system = trace.systems[index]
    _, header, arrays = payload.unpack(
        payload.open_at(payload.pack(trace, messages(), panels=["table"]), payload.View())
    )
    offsets, rows = arrays[f"{index}/op_offsets"], arrays[f"{index}/ops"].reshape(-1, 4)
    assert len(offsets) == header["steps"] + 1 and offsets[0] == 0 and offsets[-1] == len(rows)
    books, kinds = Books(), Counter()
    for now in replay.walk(system, trace.requests, closing=True):
        for row in rows[offsets[now.step] : offsets[now.step + 1]].tolist():
            books.apply(*row)
            kinds[Op(row[0])] += 1
        assert books.seen() == kept(now), f"step {now.step}"
    return kinds


def run(**changes):
    """A run of scripted lengths in one paged system."""
    pool = {"slots": 64, "max_model_len": 64, "model": "none"}
    facts = {"system": {"kind": "paged", "block_size": 4}, "requests": [{"prompt_tokens": 6, "output_tokens": 9}]}
    facts |= {k: changes.pop(k) for k in list(changes) if k in facts}
    return engine.run(
        scenario.from_dict({**pool, **changes, "systems": [facts["system"]], "requests": facts["requests"]})
    )


PROMPTS = st.lists(st.integers(1, 2), min_size=1, max_size=18)


@settings(max_examples=60)
@given(
    prompts=st.lists(PROMPTS, min_size=1, max_size=6),
    lengths=st.lists(st.integers(1, 16), min_size=6, max_size=6),
    arrivals=st.lists(st.integers(0, 9), min_size=6, max_size=6),
    size=st.sampled_from([1, 2, 4, 8]),
    caching=st.booleans(),
    null=st.booleans(),
    recovery=st.sampled_from(["recompute", "swap"]),
    samples=st.integers(1, 3),
)
def test_the_rows_give_the_replays_books_at_every_step(
    prompts, lengths, arrivals, size, caching, null, recovery, samples
):
    requests = [
        {"prompt_token_ids": p, "output_tokens": n, "arrival_step": a}
        for p, n, a in zip(prompts, lengths, arrivals, strict=False)
    ]
    requests[0]["samples"] = samples
    system = {
        "kind": "paged", "block_size": size, "prefix_caching": caching, "null_block": null, "recovery": recovery,
    }  # fmt: skip
    check(run(slots=48, system=system, requests=requests))


@pytest.mark.parametrize(
    "preset", [p for p in list_presets() if p.scenario.model == "none" and p.scenario.requests], ids=lambda p: p.id
)
def test_the_rows_of_a_preset_give_its_books(preset):
    trace = engine.run(preset.scenario)
    for index, system in enumerate(trace.systems):
        if system.block_size:
            assert check(trace, index)[Op.TABLE]


def test_a_cached_block_leaves_the_middle_of_the_queue_and_comes_back_to_its_end():
    prompt = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    trace = run(
        system={"kind": "paged", "block_size": 4, "prefix_caching": True},
        requests=[
            {"prompt_token_ids": prompt, "output_tokens": 2},
            {"prompt_token_ids": prompt, "output_tokens": 2, "arrival_step": 4},
        ],
    )
    kinds = check(trace)
    assert kinds[Op.CACHED] and kinds[Op.LEAVE] and kinds[Op.BACK] and kinds[Op.FRONT]


def test_a_copy_and_a_shuffle_are_rows_of_their_own():
    requests = [{"prompt_tokens": 6, "output_tokens": 9, "samples": 2}]
    kinds = check(run(requests=requests, actions=[{"step": 4, "do": "shuffle"}]))
    assert kinds[Op.COPY] == 1 and kinds[Op.EXCHANGE] > 1


def test_a_wrong_entry_is_a_row_and_leaves_the_right_one_in_the_books():
    actions = [{"step": 3, "do": "repoint", "request": "A", "index": 0, "block": 9}]
    requests = [{"id": "A", "prompt_tokens": 6, "output_tokens": 9}]
    assert check(run(requests=requests, actions=actions))[Op.REPOINT] == 1


def test_swapping_out_and_in_fills_and_empties_the_cpu_pool():
    requests = [{"prompt_tokens": 14, "output_tokens": 12}, {"prompt_tokens": 14, "output_tokens": 12}]
    kinds = check(run(slots=36, system={"kind": "paged", "block_size": 4, "recovery": "swap"}, requests=requests))
    assert kinds[Op.SWAP] and kinds[Op.CPU] and kinds[Op.CPU_DROP]


@settings(max_examples=100)
@given(data=st.data())
def test_what_stays_in_the_queue_is_the_longest_stretch_that_kept_its_order(data):
    old = data.draw(st.permutations(range(8)))[: data.draw(st.integers(0, 8))]
    new = data.draw(st.permutations(range(8)))[: data.draw(st.integers(0, 8))]
    start, end = ops._kept(old, new)
    place = {block: i for i, block in enumerate(old)}

    def in_order(blocks):
        return all(b in place for b in blocks) and all(place[a] < place[b] for a, b in zip(blocks, blocks[1:]))

    assert in_order(new[start:end])
    lengths = [j - i for i in range(len(new)) for j in range(i, len(new) + 1) if in_order(new[i:j])]
    assert end - start == max(lengths, default=0)


def test_pages_without_panels_and_very_large_pools_carry_no_rows(monkeypatch):
    trace = run()
    assert "0/ops" not in payload.unpack(payload.open_at(payload.pack(trace, messages()), payload.View()))[2]
    monkeypatch.setattr(ops, "MOST_BLOCKS", 15)
    packed = payload.pack(trace, messages(), panels=["table"])
    _, header, arrays = payload.unpack(payload.open_at(packed, payload.View()))
    assert "0/ops" not in arrays and header["panels"] == ["table"]


def test_a_run_that_never_wrote_has_only_its_queue():
    with pytest.raises(ScenarioError):
        run(requests=[])
    system = run().systems[0]
    books = ops.Ops(system, hash)
    assert np.array(books.rows)[:, :2].tolist() == [[Op.BACK, block] for block in system.free_order]
