"""A memory that remembers what was written where, a model that answers by what it reads there, and random scenarios.

No numbers: a slot holds the tokens of a sequence up to the one that was written there. So every read can be checked:
whoever reads what is not its own beginning has found an error in a block table, a copy or a swap.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import torch

from vizkv.engine import engine
from vizkv.engine.engine import SystemRun
from vizkv.model.runner import Work
from vizkv.replay import Replay, walk
from vizkv.scenario import schema as scenario
from vizkv.scenario.schema import Scenario
from vizkv.systems.paged.prefix import extend_chain
from vizkv.trace.events import Kind
from vizkv.trace.slots import ACCOUNTINGS, LENSES, Code, ledger, shares
from vizkv.trace.trace import Trace

VOCABULARY = 7


def logits_of(tokens: Sequence[int]) -> torch.Tensor:
    """[VOCABULARY]: made of the tokens that were read, and of nothing else."""
    rng = torch.Generator().manual_seed(zlib.crc32(repr(list(tokens)).encode()))
    return torch.randn(VOCABULARY, generator=rng, dtype=torch.float64)


class Shadow:
    """Stands where the runner stands: moves what the memory says it moved, and checks every read."""

    def __init__(self, block_sizes: Sequence[int]):
        self.sizes = block_sizes
        self.slots: list[dict[int, tuple[int, ...]]] = [{} for _ in block_sizes]
        self.cpu: list[dict[int, tuple[int, ...]]] = [{} for _ in block_sizes]
        self.logits: torch.Tensor | None = None
        self.reads = 0

    def step(self, works: Sequence[Work]) -> list[int]:
        """All writes, then all reads, as in a layer of the model."""
        for work in works:
            for i in range(work.position, work.position + len(work.ids)):
                self.slots[work.system][self.slot(work, i)] = tuple(work.tokens[: i + 1])
        rows = []
        for work in works:
            end = work.position + len(work.ids)
            for i in range(end):
                read = self.slots[work.system].get(self.slot(work, i))
                assert read == tuple(work.tokens[: i + 1]), f"{work.request} reads {read} at {i}"
            self.reads += end
            rows.append(logits_of(work.tokens[:end]))
        self.logits = torch.stack(rows)
        return self.logits.argmax(-1).tolist()

    def slot(self, work: Work, i: int) -> int:
        size = self.sizes[work.system]
        return work.block_table[i // size] * size + i % size if size else work.start + i

    def move(self, system: int, old: int, new: int, length: int) -> None:
        memory = self.slots[system]
        piece = [memory.pop(old + i, None) for i in range(length)]
        memory.update({new + i: held for i, held in enumerate(piece) if held})

    def copy_block(self, system: int, source: int, block: int) -> None:
        self._copy(system, self.slots[system], source, self.slots[system], block)

    def swap_out(self, system: int, block: int, cpu_block: int) -> None:
        self._copy(system, self.slots[system], block, self.cpu[system], cpu_block)

    def swap_in(self, system: int, cpu_block: int, block: int) -> None:
        self._copy(system, self.cpu[system], cpu_block, self.slots[system], block)

    def exchange(self, system: int, a: int, b: int) -> None:
        memory, size = self.slots[system], self.sizes[system]
        first, second = ([memory.pop(block * size + i, None) for i in range(size)] for block in (a, b))
        for block, piece in ((b, first), (a, second)):
            memory.update({block * size + i: held for i, held in enumerate(piece) if held})

    def _copy(self, system: int, of: dict, source: int, to: dict, block: int) -> None:
        for i in range(size := self.sizes[system]):
            held = of.get(source * size + i)
            to.pop(block * size + i, None)
            if held:
                to[block * size + i] = held


@dataclass
class Books:
    """What a scheduler and its memory held in a step, read from themselves."""

    during: list[tuple[int, list[int], int, int, int, int, int]]  # index, table, start, held, estimate, written, final
    after: dict[str, Any] = field(default_factory=dict)
    tokens: dict[int, list[int]] = field(default_factory=dict)  # of those that go on running


@dataclass
class Watched:
    """A finished run, what its systems held at each step, and how much happened."""

    scenario: Scenario
    trace: Trace
    books: list[list[Books]]
    shadow: Shadow | None
    counts: Counter


def watch(run: Scenario, *, answers: bool = True, max_steps: int = 4000) -> Watched:
    """Run without a model, and note every step. ``answers``: tokens follow from what is read from the memory."""
    under_way = engine._Run(run, None, None, max_steps)
    shadow = None
    if answers:
        shadow = Shadow([s.block for s in run.systems])
        under_way.runner = shadow  # type: ignore[assignment]
    books: list[list[Books]] = [[] for _ in run.systems]
    for system in under_way.systems:
        _follow(system, books[system.index], shadow)
    while under_way.advance():
        pass
    trace = engine._freeze(under_way)
    counts = Counter(Kind(k).name for s in trace.systems for k in s.kinds.tolist())
    return Watched(run, trace, books, shadow, counts)


def _follow(run: SystemRun, books: list[Books], shadow: Shadow | None) -> None:
    honest = run.end
    known: dict[int, bytes] = {}  # keys in the prefix cache that have been checked

    def end(*arguments: Any) -> None:
        scheduler = run.scheduler
        now = Books([
            (s.index, list(s.block_table), s.start, s.held, s.estimate, s.written, s.final_slots)
            for s in scheduler.running
        ])  # fmt: skip
        honest(*arguments)
        now.after = _state(run)
        now.tokens = {s.index: list(s.tokens) for s in run.scheduler.running}
        books.append(now)
        _check_memory(run)
        if shadow and run.system.caches_prefixes:
            _check_keys(run, shadow, known)

    run.end = end  # type: ignore[method-assign]


def _state(run: SystemRun) -> dict[str, Any]:
    """Everything that a replay must tell too."""
    scheduler = run.scheduler
    state: dict[str, Any] = {
        "running": [(s.index, s.written, list(s.block_table), s.start) for s in scheduler.running if not s.finished],
        "waiting": [s.index for s in scheduler.waiting],
    }
    if not run.system.can_fork and run.system.has_block_table:
        state["free_queue"] = scheduler.free_queue()
    elif run.system.has_block_table:
        memory = scheduler.memory  # type: ignore[attr-defined]
        state["free_queue"] = memory.pool.free_queue()
        state["references"] = memory.pool.references()
        state["cached"] = memory.cached_blocks()
        state["swapped"] = {owner: list(blocks) for owner, blocks in memory._swapped.items()}
        state["cpu_references"] = memory.cpu.references() if memory.cpu else {}
        state["repointed"] = {
            (who, i): block for who, entries in run.interventions._wrong.items() for i, block in entries.items()
        }
    return state


def _check_memory(run: SystemRun) -> None:
    """References are the tables' entries, free is who has none; the same in the CPU pool."""
    if not run.system.can_fork:
        return
    scheduler = run.scheduler
    memory = scheduler.memory  # type: ignore[attr-defined]
    running = {s.index for s in scheduler.running}
    assert set(memory._tables) == running
    entries = Counter(block for index in running for block in memory.table(index))
    assert memory.pool.references() == entries
    queue = memory.pool.free_queue()
    assert len(queue) == len(set(queue))
    assert sorted([*queue, *entries]) == list(
        range(memory.pool.num_blocks - memory.pool.usable, memory.pool.num_blocks)
    )
    for sequence in scheduler.running:
        assert len(sequence.block_table) == memory.blocks_for(sequence.written)
        assert len(set(sequence.block_table)) == len(sequence.block_table)
    if memory.cpu is not None:
        away = Counter(block for blocks in memory._swapped.values() for block in blocks)
        assert memory.cpu.references() == away
        assert sorted([*memory.cpu.free_queue(), *away]) == list(range(memory.cpu.num_blocks))
        waiting = {member.index for s in scheduler.waiting for member in s.group.active if memory.swapped(s.index)}
        assert set(memory._swapped) == waiting


def _check_keys(run: SystemRun, shadow: Shadow, known: dict[int, bytes]) -> None:
    """A block has the key of what lies in it."""
    keys, size = run.scheduler.memory.cache._key, run.system.block_size  # type: ignore[attr-defined, union-attr]
    for block, key in keys.items():
        if known.get(block) != key:
            chain: list[bytes] = []
            extend_chain(chain, shadow.slots[run.index][block * size + size - 1], size)
            assert chain[-1] == key
    known.clear()
    known.update(keys)


def check_replay(seen: Watched) -> None:
    """The events alone give the state that the scheduler and the memory had, at every step, in order."""
    for system, books in zip(seen.trace.systems, seen.books, strict=True):
        # every token's text is its number
        system = replace(system, vocabulary={t: str(t) for book in books for ts in book.tokens.values() for t in ts})
        for replay, book in zip(walk(system, seen.trace.requests), books, strict=True):
            told = {
                "running": [(r.index, r.written, r.block_table, r.start) for r in replay.running if not r.finished],
                "waiting": replay.waiting,
            }
            if system.kind == "paged":
                told |= {
                    "free_queue": list(replay.free_queue), "references": replay.references,
                    "cached": sorted(replay.cached), "swapped": replay.swapped,
                    "cpu_references": replay.cpu_references, "repointed": replay.repointed,
                }  # fmt: skip
            elif system.block_size:
                told["free_queue"] = list(replay.free_queue)
            assert told == book.after
            _check_painted(replay, book)
            for index, tokens in book.tokens.items():
                sampled = range(replay.requests[index].prompt_tokens, replay.live[index].written)
                assert [replay.piece(index, i) for i in sampled] == [str(tokens[i]) for i in sampled]


def _check_painted(replay: Replay, book: Books) -> None:
    """Every slot has the colour that those who hold it give it, counted once however many they are."""
    expected = [Code.FREE] * replay.system.slots
    size = replay.system.block_size
    # beams that were dropped at the end of the step: what they held is booked as it was until the next
    dropped = {event.request for event in replay.events if event.kind == Kind.FORKED}
    ended = {r.index for r in replay.running if r.finished} - dropped
    if replay.system.detail.get("null_block"):
        expected[:size] = [Code.ROUNDING] * size
    for index, table, start, held, estimate, written, final in book.during:
        for i in range(len(table) * size if size else held):
            slot = table[i // size] * size + i % size if size else start + i
            if i < written:
                code = Code.USED
            elif i < final:
                code = Code.PENDING
            elif not size and i >= estimate:
                code = Code.ROUNDING
            else:
                code = Code.REALISED if index in ended else Code.SURPLUS
            # who holds it with others: written by one is written, wanted by one is wanted
            rank = (Code.USED, Code.PENDING, Code.SURPLUS, Code.REALISED, Code.ROUNDING, Code.FREE)
            expected[slot] = min(code, expected[slot], key=rank.index)
    codes = [
        Code.FREE if code in (Code.CACHED, Code.MAPPED, Code.STRANDED) else Code(code)
        for code in replay.codes().tolist()
    ]
    assert codes == expected
    counts = replay.booked()
    for lens in LENSES:
        assert sum(ledger(counts, lens).values()) == replay.system.slots
        for accounting in ACCOUNTINGS:
            assert sum(shares(counts, lens, accounting).values()) == replay.system.slots


def check_end(seen: Watched) -> None:
    """Everybody finished or was reported as one who never can run; everything has been given back."""
    prepared = engine.prepare(seen.scenario, None)
    for system, books in zip(seen.trace.systems, seen.books, strict=True):
        ends: Counter[int] = Counter()
        for replay in walk(system, seen.trace.requests, closing=True):
            ends.update(replay.finished)
            for event in replay.events:
                if event.kind == Kind.NEVER:
                    first = event.request
                    # in paged memory a group is one request; it is reported once, by its first
                    count = prepared[first].members if system.kind == "paged" else 1
                    ends.update(range(first, first + count))
        assert ends == Counter(range(len(prepared)))
        idle = sum(replay.counts[code] for code in (Code.FREE, Code.CACHED, Code.MAPPED, Code.ROUNDING))
        assert idle == system.slots
        assert not (replay.live or replay.waiting or replay.references or replay.swapped or replay.cpu_references)
        for p, tokens in zip(prepared, system.tokens, strict=True):
            assert len(tokens) in (0, p.sampled)
        if books and system.kind == "paged":
            assert books[-1].after["references"] == {}
            assert len(books[-1].after["free_queue"]) == len(system.free_order)


def check_same_tokens(seen: Watched) -> None:
    """What is read decides what is written next, so equal texts mean that every memory gave back the same."""
    for rows in zip(*(system.tokens for system in seen.trace.systems), strict=True):
        assert len({row for row in rows if row}) <= 1


def random_scenario(rng: Random, *, contiguous: bool = False, actions: bool = True) -> Scenario:
    """Samples, beams, branches and plain requests in a pool that is hardly large enough, or not."""
    systems: list[dict[str, Any]] = []
    size = rng.choice([1, 2, 3, 4, 4, 8])
    for number in range(rng.choice([1, 2])):
        systems.append({
            "name": f"paged {number}", "kind": "paged", "block_size": size if number == 0 else rng.choice([1, 4, 5]),
            "prefix_caching": rng.random() < 0.5, "null_block": rng.random() < 0.3,
            "recovery": rng.choice(["swap", "swap", "recompute"]), "watermark": rng.choice([0.0, 0.0, 0.1, 0.4]),
        })  # fmt: skip
    if contiguous:
        systems.append({
            "name": "contiguous", "kind": "contiguous", "unit": rng.choice([1, 2, 4]),
            "reserve": rng.choice(["max", "pow2", "pow2-total", "oracle", "multiple"]),
            "placement": rng.choice(["buddy", "first-fit", "best-fit", "ideal"]),
            "batching": rng.choice(["iteration", "iteration", "static"]),
        })  # fmt: skip
        systems.append({
            "name": "virtual", "kind": "virtual", "page": rng.choice([1, 2, 4, 5]),
            "reclaim": rng.choice(["deferred", "eager"]), "ids": rng.choice([0, 0, 2]),
        })  # fmt: skip
    requests = [_request(rng, number, contiguous) for number in range(rng.randint(1, 7))]
    needs = sorted(_need(request, size) for request in requests)
    slots = int(rng.choice([needs[-1], needs[-1], rng.choice(needs)]) * rng.uniform(1.0, 1.5)) + size * rng.randint(
        0, 3
    )
    slots = max(slots, *(2 * system.get("block_size", 4) for system in systems))
    most = max(len(r.get("branches", ())) or r.get("beam_width") or r.get("samples", 1) for r in requests)
    steps = rng.sample(range(30), rng.choice([0, 1, 4])) if actions else []
    return scenario.from_dict({
        "model": "none", "slots": slots, "max_model_len": rng.choice([24, 48, 100, 100]),
        "max_num_seqs": max(most, rng.choice([1, 4, 256, 256])),
        "max_num_batched_tokens": max(most, rng.choice([1, 3, 16, 64, 2560])), "seed": rng.randint(0, 99),
        "systems": systems, "requests": requests,
        "actions": [{"step": step, "do": do} for step in sorted(steps) for do in ("shuffle", "compact")],
    })  # fmt: skip


def _need(request: dict[str, Any], size: int) -> int:
    """Slots that it takes at most by itself."""
    prompt, outputs = len(request["prompt_token_ids"]), request.get("output_tokens", 0)
    outputs = outputs or len(request.get("sample_token_ids", [[]])[0])
    if branches := request.get("branches"):
        lengths = [prompt + len(b["prompt_token_ids"]) + b["output_tokens"] - 1 for b in branches]
    else:
        lengths = [prompt + outputs - 1] * (request.get("beam_width") or request.get("samples", 1))
    common = prompt // size if len(lengths) > 1 else 0
    return (common + sum(-(-n // size) - common for n in lengths)) * size


def _request(rng: Random, number: int, contiguous: bool) -> dict[str, Any]:
    # few different tokens: many equal beginnings
    def ids(least: int, most: int) -> list[int]:
        return [i // 3 % 2 for i in range(n)] if (n := rng.randint(least, most)) % 2 else rng.choices(range(3), k=n)

    request: dict[str, Any] = {
        "id": f"R{number}.", "prompt_token_ids": ids(1, 20), "arrival_step": rng.randint(0, 10),
        "temperature": rng.choice([0.0, 1.0]),
    }  # fmt: skip
    outputs = rng.randint(1, 20)
    kind = rng.choice(["plain", "samples", "branches", *["beams"] * (not contiguous)])
    if kind == "branches":
        request["branches"] = [
            {"id": f"R{number}.b{i}", "prompt_token_ids": ids(1, 9), "output_tokens": rng.randint(1, 16)}
            for i in range(rng.randint(1, 4))
        ]
        return request
    if kind == "samples" and rng.random() < 0.3:
        request["samples"] = rng.randint(2, 4)
        request["sample_token_ids"] = [rng.choices(range(3), k=outputs) for _ in range(request["samples"])]
        return request
    request["output_tokens"] = outputs
    if kind == "samples":
        request["samples"] = rng.randint(1, 5)
    if kind == "beams":
        width = request["beam_width"] = rng.randint(1, 4)
        if rng.random() < 0.6:
            rows = rng.randint(1, outputs)
            request["beam_parents"] = [[rng.randrange(width) for _ in range(width)] for _ in range(rows)]
    return request
