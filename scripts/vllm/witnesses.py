"""What a recording of vLLM shows: each rule of the scheduler, and how often a recorded run depends on it.

A recorded case that never comes to the point proves nothing about a rule. So every rule has a witness here, counted in
the recording alone (nothing of this project decides anything): a moment in which another rule would have given another
outcome, as far as a recording lets that be seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

# name -> statement; the names are those of the table in tests/golden/README.md
RULES = {
    "null block": "Block 0 is never handed out, not even when every other block is in use",
    "head of the queue": "New blocks come from the head of the free queue, whatever their numbers",
    "only what is computed": "A block is taken for a token that is computed: a sampled token's in the next step",
    "tail first": "Blocks are freed from the table's tail: the end of a prefix is evicted before its beginning",
    "hashed behind, others in front": "Freed blocks without a hash go to the queue's front, those with one to its back",
    "without caching all in front": "With caching off every freed block goes to the front",
    "evicted when handed out": "A free block keeps its hash until it is handed out again",
    "a shared block stays": "A block is free when its last reference goes, not before",
    "full blocks only": "Only full blocks get a hash",
    "the beginning counts": "A block's hash includes all before it: the same tokens elsewhere are no hit",
    "stops at the first miss": "A look-up stops at the first block that is missing",
    "never the last token": "A look-up never covers the last token, even when its block is cached",
    "a hit leaves the queue": "A hit on a free block takes it off the free queue",
    "a hit is shared": "A hit on a block in use adds a reference",
    "first registered wins": "Of two blocks with one hash the first registered answers",
    "registered when scheduled": "Blocks are registered at scheduling: who is admitted later in the step hits them",
    "duplicates stay": "Block tables are append-only: a block computed twice stays beside its duplicate",
    "running first": "Running requests come first, in their order; admissions after them",
    "budget split": "The token budget may end in the middle of a request, which gets what is left",
    "chunked prefill": "A prompt may be split over several steps, beside others that decode",
    "budget of one": "A budget of one token a step",
    "budget one below a prompt": "A budget one token below a prompt's length",
    "budget of a prompt": "A budget of exactly a prompt's length",
    "budget one above a prompt": "A budget one token above a prompt's length: the next one gets that token",
    "last is preempted": "Where no block is left, the last of the running list is preempted",
    "preempts itself": "The one that needs the block is preempted itself if it is the last",
    "several victims": "One step may preempt several, a victim for each request that finds no block",
    "back to the front": "A preempted request goes to the front of the waiting queue",
    "no admission after preemption": "A step that preempted admits nobody, though the head of the line would fit",
    "output is kept": "A preempted request keeps the tokens it has sampled and computes them again",
    "own blocks again": "A resumed request can hit its own blocks that have survived in the free queue",
    "preemption storm": "The pool is so small that requests are preempted again and again",
    "eviction under load": "Cached blocks are evicted while several requests run",
    "first come, first served": "The head of the line blocks: who would fit behind it waits",
    "most sequences": "max_num_seqs: no more requests run, though the next would fit",
    "whole prompt": "Admission needs blocks for the whole prompt beyond its hits, though only a part is computed now",
    "free hits count": "Hits that lie in the free queue count among the blocks that admission needs",
    "watermark": "While somebody runs, admission leaves the watermark's blocks free",
    "no watermark for the first": "Where nobody runs, the watermark does not hold",
    "freed at the end": "Who has all output is freed at the end of the step, in scheduled order",
    "prompts of one block": "Prompts that fill exactly one block, or less",
    "block size": "Block sizes from 1 to 32",
}  # fmt: skip


def blocks(tokens: int, size: int) -> int:
    """Blocks that ``tokens`` tokens fill, the last one perhaps partly."""
    return -(-tokens // size)


class Watcher:
    """Reads one recording from the beginning; ``seen`` counts the witnesses by rule, ``totals`` what happened."""

    def __init__(self, case: dict[str, Any]):
        self.case, self.size = case, case["block_size"]
        self.caching = case["enable_prefix_caching"]
        self.spare = int(case.get("watermark", 0.0) * case["num_blocks"])
        self.seen: Counter[str] = Counter()
        self.totals: Counter[str] = Counter()
        self.tokens = {r["id"]: list(r["prompt_token_ids"]) for r in case["requests"]}
        self.prompts = {r["id"]: len(r["prompt_token_ids"]) for r in case["requests"]}
        self.tables: dict[str, list[int]] = {}
        self.queue = list(range(1, case["num_blocks"]))
        self.references: dict[int, int] = {}
        self.content: dict[int, tuple[int, ...]] = {}  # of each cached block: all tokens from the beginning to its end
        self.order: dict[tuple[int, ...], list[int]] = {}  # content -> blocks, as registered
        self.lost: dict[str, list[int]] = {}  # the tables of who was preempted

    def read(self, recorded: list[dict[str, Any]]) -> None:
        """All steps, without the summary."""
        for record in recorded:
            self._step(record)
        usual = {r["id"]: len(r["prompt_token_ids"]) for r in self.case["requests"]}
        budget = self.case["max_num_batched_tokens"]
        edges = {-1: "budget one below a prompt", 0: "budget of a prompt", 1: "budget one above a prompt"}
        for prompt in usual.values():
            if prompt > 1 and budget > 1 and budget - prompt in edges:
                self.seen[edges[budget - prompt]] += 1
        self.seen["budget of one"] += budget == 1
        self.seen["prompts of one block"] += sum(prompt <= self.size for prompt in usual.values())
        self.seen["block size"] += 1
        if self.totals["preemptions"] >= 10:
            self.seen["preemption storm"] += self.totals["preemptions"]
        if self.seen["eviction under load"] < 10:
            del self.seen["eviction under load"]

    # -- a step -------------------------------------------------------------------------------------------------------

    def _step(self, record: dict[str, Any]) -> None:
        before, self.tables = self.tables, {row["id"]: row["block_table"] for row in record["running"]}
        computed = {row["id"]: row["computed_after"] for row in record["running"]}
        admitted = [name for name in self.tables if name not in before]
        self._preemptions(record, before, admitted)
        self._taken(record, before)
        self._look_ups(record, admitted)
        self._register(computed, before, record["hits"])
        self._order_and_budget(record, before, admitted, computed)
        if not record["preempted"]:
            self._who_waits(record, before)
        for name, token in record["sampled"].items():
            self.tokens[name].append(token)
        self._finished(record)
        for name in record["finished"]:
            del self.tables[name]
        self.queue = record["free_queue"]
        self.references = {int(block): count for block, count in record["ref_cnt"].items()}
        assert set(self.content) == set(record["cached"]), "what is cached is not what full blocks and evictions give"

    def _preemptions(self, record: dict[str, Any], before: dict[str, list[int]], admitted: list[str]) -> None:
        victims = record["preempted"]
        if not victims:
            return
        seen = self.seen
        self.totals["preemptions"] += len(victims)
        assert not admitted, "a step that preempted has admitted"
        seen["last is preempted"] += victims == list(before)[: -len(victims) - 1 : -1] and len(before) > 1
        seen["preempts itself"] += sum(map(str.__eq__, victims, record["preempted_for"]))
        seen["several victims"] += len(victims) > 1
        front = record["waiting"][: len(victims)] == victims[::-1]
        seen["back to the front"] += front and len(record["waiting"]) > len(victims)
        for name in victims:
            self.lost[name] = before[name]
            seen["output is kept"] += len(self.tokens[name]) > self.prompts[name]
            kept = {block for other, table in before.items() if other not in victims for block in table}
            seen["a shared block stays"] += bool(kept & set(before[name]))
        left = self.case["max_num_batched_tokens"] - sum(record["scheduled"].values())
        seats = self.case["max_num_seqs"] - len(record["running"])
        spare = self.spare if record["running"] else 0
        fits = self._need(victims[-1])[0] + spare <= record["free_blocks_after_schedule"]
        seen["no admission after preemption"] += left > 0 and seats > 0 and fits

    def _taken(self, record: dict[str, Any], before: dict[str, list[int]]) -> None:
        """New blocks: where they come from, and what they lose."""
        new: list[int] = []
        hit: list[int] = []
        for name in record["scheduled"]:
            table = self.tables[name]
            start = len(before[name]) if name in before else record["hits"].get(name, 0) // self.size
            new += table[start:]
            hit += [] if name in before else table[:start]
        if record["free_blocks_after_schedule"] == 0:
            assert all(0 not in table for table in self.tables.values()), "the null block was handed out"
            self.seen["null block"] += 1
        if new and not record["preempted"]:
            queue = [block for block in self.queue if block not in hit or block in new]
            assert queue[: len(new)] == new, "new blocks are not the head of the free queue"
            self.seen["head of the queue"] += new != sorted(queue)[: len(new)]
        for block in new:
            if block in self.content:
                self.totals["evictions"] += 1
                self.seen["evicted when handed out"] += 1
                self.seen["eviction under load"] += len(self.tables) > 1
                self._forget(block)
        for row in record["running"]:
            self.seen["only what is computed"] += len(row["block_table"]) * self.size == row["computed_after"]
        self.totals["blocks taken"] += len(new)

    def _look_ups(self, record: dict[str, Any], admitted: list[str]) -> None:
        if not self.caching:
            return
        in_use = Counter(block for name, table in self.tables.items() if name not in admitted for block in table)
        for name in admitted:
            tokens, table = self.tokens[name], self.tables[name]
            found = record["hits"].get(name, 0) // self.size
            self.totals["hit blocks"] += found
            self.totals["hits"] += found > 0
            for index in range(found):
                block, key = table[index], tuple(tokens[: (index + 1) * self.size])
                if block in self.content:
                    assert self.content[block] == key, "a hit on other tokens"
                    assert self.order[key][0] == block, "not the first registered"
                    self.seen["first registered wins"] += len(self.order[key]) > 1
                    self.seen["a hit leaves the queue"] += block in self.queue and block not in in_use
                else:  # whoever was admitted just before has filled it in this very step
                    self.seen["registered when scheduled"] += 1
                    self.totals["hits of the same step"] += 1
                self.seen["a hit is shared"] += in_use[block] > 0
            if name in self.lost:
                self.seen["own blocks again"] += bool(set(table[:found]) & set(self.lost.pop(name)))
            if (found + 1) * self.size == len(tokens):
                self.seen["never the last token"] += tuple(tokens) in self.order
            elif (found + 1) * self.size < len(tokens):
                self._first_miss(tokens, found)
            in_use.update(table)

    def _first_miss(self, tokens: list[int], found: int) -> None:
        """A look-up that ended before the last token's block: what it missed, and what lay beyond."""
        ends = range((found + 1) * self.size, len(tokens), self.size)
        keys = [tuple(tokens[:end]) for end in ends]
        self.seen["stops at the first miss"] += found > 0
        # freed tail first, so the end of a prefix never outlives its beginning: nothing can lie beyond a miss
        assert not any(key in self.order for key in keys[1:]), "a later block has outlived an earlier one"
        piece = keys[0][-self.size :]
        self.seen["the beginning counts"] += any(key[-self.size :] == piece for key in self.order)

    def _register(self, computed: dict[str, int], before: dict[str, list[int]], hits: dict[str, int]) -> None:
        if not self.caching:
            return
        for name, table in self.tables.items():
            full = computed[name] // self.size
            for index in range(full):
                block, key = table[index], tuple(self.tokens[name][: (index + 1) * self.size])
                if block not in self.content:
                    self.seen["duplicates stay"] += key in self.order
                    self.content[block] = key
                    self.order.setdefault(key, []).append(block)
            if full < len(table):
                self.seen["full blocks only"] += table[full] not in self.content

    def _order_and_budget(
        self, record: dict[str, Any], before: dict[str, list[int]], admitted: list[str], computed: dict[str, int]
    ) -> None:
        scheduled, seen = record["scheduled"], self.seen
        kept = [name for name in before if name in self.tables]
        assert list(self.tables) == kept + admitted, "the running list is not in its order"
        assert list(scheduled) == list(self.tables)[: len(scheduled)], "not scheduled in running order"
        seen["running first"] += len(kept) > 1 and bool(admitted)
        if sum(scheduled.values()) == self.case["max_num_batched_tokens"] and len(scheduled) > 1:
            last = list(scheduled)[-1]
            seen["budget split"] += computed[last] < len(self.tokens[last])
        decoding = any(computed[name] > self.prompts[name] for name in scheduled)
        seen["chunked prefill"] += decoding and any(0 < computed[name] < self.prompts[name] for name in scheduled)

    # -- who is not admitted, and why ---------------------------------------------------------------------------------

    def _need(self, name: str) -> tuple[int, int, int]:
        """(blocks that leave the queue for all of a request, hits of them that lie in the queue, tokens found)."""
        tokens, found, lying = self.tokens[name], 0, 0
        held = {block for table in self.tables.values() for block in table}
        for end in range(self.size, len(tokens), self.size):
            duplicates = self.order.get(tuple(tokens[:end]))
            if not duplicates:
                break
            found += 1
            lying += duplicates[0] not in held
        return blocks(len(tokens), self.size) - found + lying, lying, found * self.size

    def _who_waits(self, record: dict[str, Any], before: dict[str, list[int]]) -> None:
        left = self.case["max_num_batched_tokens"] - sum(record["scheduled"].values())
        seats = self.case["max_num_seqs"] - len(record["running"])
        free, seen = record["free_blocks_after_schedule"], self.seen
        spare = self.spare if record["running"] else 0
        if len(record["running"]) == 1 and record["running"][0]["id"] not in before and self.spare:
            seen["no watermark for the first"] += free < self.spare
        if not record["waiting"] or left <= 0:
            return
        need, lying, found = self._need(record["waiting"][0])
        if seats <= 0:
            seen["most sequences"] += need + spare <= free
            return
        assert need + spare > free, "the head of the line fits, and waits"
        seen["first come, first served"] += any(self._need(name)[0] + spare <= free for name in record["waiting"][1:])
        seen["watermark"] += need <= free
        seen["free hits count"] += need - lying + spare <= free
        tokens = len(self.tokens[record["waiting"][0]])
        now = blocks(found + min(left, tokens - found), self.size) - found // self.size + lying
        seen["whole prompt"] += left < tokens - found and now + spare <= free

    # -- what is given back -------------------------------------------------------------------------------------------

    def _finished(self, record: dict[str, Any]) -> None:
        done, queue = [self.tables[name] for name in record["finished"]], record["free_queue"]
        held = {block for name, table in self.tables.items() if name not in record["finished"] for block in table}
        assert not held & set(queue), "a block in use lies in the free queue"
        gone: Counter[int] = Counter()
        behind: list[int] = []  # hashed blocks in the order in which they must lie at the back
        front: list[int] = []  # the others, the first to be handed out first
        for table in done:
            self.seen["a shared block stays"] += any(self._references_at_schedule(b) - gone[b] > 1 for b in table)
            last = [b for b in table if self._references_at_schedule(b) - gone[b] == 1]
            gone.update(table)
            hashed = [b for b in reversed(last) if b in self.content]
            plain = [b for b in reversed(last) if b not in self.content]
            self.seen["tail first"] += len(hashed) > 1
            self.seen["hashed behind, others in front"] += bool(hashed) and bool(plain)
            self.seen["without caching all in front"] += not self.caching and bool(plain)
            behind += hashed
            front = plain + front
        if done:
            assert queue[: len(front)] == front, "blocks without a hash do not lie in front, tail first"
            assert queue[len(queue) - len(behind) :] == behind, "blocks with a hash do not lie behind, tail first"
            order = [name for name in record["scheduled"] if name in record["finished"]]
            assert order == record["finished"], "not freed in scheduled order"
            self.seen["freed at the end"] += len(done) > 1

    def _references_at_schedule(self, block: int) -> int:
        return sum(block in table for table in self.tables.values())

    def _forget(self, block: int) -> None:
        same = self.order[self.content.pop(block)]
        same.remove(block)
        self.order = {key: held for key, held in self.order.items() if held}


def watch(case: dict[str, Any], recorded: list[dict[str, Any]]) -> Watcher:
    """Everything that a recording (its steps, without the summary) shows. AssertionError where it breaks a rule."""
    watcher = Watcher(case)
    watcher.read(recorded)
    return watcher


def shown(seen: Counter[str]) -> Iterator[str]:
    """The rules that were seen, in the order of RULES."""
    return (rule for rule in RULES if seen[rule])
