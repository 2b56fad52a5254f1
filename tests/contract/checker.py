"""An independent reading of the specification: what `vizkv run --json` prints, recomputed from the scenario's own text.

Nothing is imported from vizkv. A scenario is the dictionary that `tomllib` gives, a run the lines that were printed;
`check(scenario, lines, summary)` replays the scheduler on paper and asserts that every line says what it must.
"""

import itertools
from typing import Any, NamedTuple

Line = dict[str, Any]
LEDGER = {"used", "reserved", "internal", "rounding", "stranded", "free"}
FIELDS = {"system", "step", "time_s", "ledger", "running", "waiting", "scheduled", "cache_hits", "preempted"}
FIELDS |= {"finished", "events"}
PAGED_FIELDS = {"free_queue", "ref_count", "cached_blocks"}


def up(n: int, unit: int) -> int:
    """n rounded up to a multiple of unit."""
    return -(-n // unit) * unit


def power_of_two(n: int) -> int:
    """The smallest power of two that is at least n."""
    return 1 << (n - 1).bit_length() if n > 1 else 1


class Request(NamedTuple):
    """p prompt tokens, `sampled` output tokens, L slots in the end; `ids` of the prompt where they are known."""

    id: str
    p: int
    sampled: int
    arrival: int
    longest: int
    ids: list[int] | None

    @property
    def final(self) -> int:
        return self.p + self.sampled - 1


def requests_of(scenario: dict[str, Any]) -> list[Request]:
    """The requests in order of arrival (those of one step: in the order of the file)."""
    requests = []
    for given in scenario["requests"]:
        ids = given.get("prompt_token_ids")
        p = len(ids) if ids is not None else given.get("prompt_tokens") or len(given["prompt"].split())
        if "final_slots" in given:
            sampled = given["final_slots"] - p + 1
        else:
            sampled = given.get("output_tokens") or len(given["output_token_ids"])
        longest = min(scenario["max_model_len"], given.get("max_len", scenario["max_model_len"]))
        requests.append(Request(given["id"], p, sampled, given.get("arrival_step", 0), longest, ids))
    return sorted(requests, key=lambda request: request.arrival)


def check(scenario: dict[str, Any], lines: list[Line], summary: dict[str, Any]) -> None:
    """Every line of every system, and the summary."""
    names = list(summary)
    assert len(names) == len(scenario["systems"])
    assert {line["system"] for line in lines} == set(names)
    for name, system in zip(names, scenario["systems"], strict=True):
        own = [line for line in lines if line["system"] == name]
        walk = PagedWalk(scenario, system) if system["kind"] == "paged" else ContiguousWalk(scenario, system)
        for line in own:
            walk.step(line)
        walk.end(own)
        check_summary(scenario, own, summary[name], never=len(walk.never))


def check_summary(scenario: dict[str, Any], own: list[Line], said: dict[str, Any], never: int) -> None:
    """The averages are those of the lines from the warm-up to the end of the arrivals; counts are counts."""
    load = scenario.get("workload", {"warmup": 0, "duration": float("inf")})
    counted = [line for line in own if load["warmup"] <= line["time_s"] <= load["duration"]]

    def percent(lens: str, *states: str) -> float:
        slots = sum(line["ledger"][lens][state] for line in counted for state in states)
        return 100 * slots / len(counted) / scenario["slots"]

    for lens in ("hindsight", "online"):
        paper, textbook = said["percent"][lens]["paper"], said["percent"][lens]["textbook"]
        for accounting in (paper, textbook):
            assert close(accounting["used"], percent(lens, "used"), 0.001)
            assert close(accounting["reserved"], percent(lens, "reserved"), 0.001)
            assert close(sum(accounting.values()), 100, 0.01)
        assert close(paper["internal"], percent(lens, "internal"), 0.001)
        assert close(paper["external"], percent(lens, "rounding", "stranded", "free"), 0.001)
        assert close(textbook["internal"], percent(lens, "internal", "rounding"), 0.001)
        assert close(textbook["external"], percent(lens, "stranded"), 0.001)
    assert close(said["mean_batched_requests"], sum(len(line["scheduled"]) for line in counted) / len(counted), 0.001)
    assert said["steps"] == len(own)
    assert said["tokens"] == sum(sum(line["scheduled"].values()) for line in own)
    assert said["preemptions"] == sum(len(line["preempted"]) for line in own)
    assert said["cache_hits"] == sum(sum(line["cache_hits"].values()) for line in own)
    assert said["finished"] == sum(len(line["finished"]) for line in own)
    assert said["never"] == never


def close(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance


class Walk:
    """What both kinds share: the clock, who is where, what is scheduled, what is sampled."""

    never: set[str]

    def __init__(self, scenario: dict[str, Any], system: dict[str, Any]):
        self.scenario, self.system, self.slots = scenario, system, scenario["slots"]
        self.requests = {request.id: request for request in requests_of(scenario)}
        self.order = {id: place for place, id in enumerate(self.requests)}
        self.budget = scenario.get("max_num_batched_tokens", 2560)
        self.seats = scenario.get("max_num_seqs", 256)
        self.running: list[str] = []
        self.written: dict[str, int] = {}
        self.sampled = dict.fromkeys(self.requests, 0)
        self.done: set[str] = set()
        self.clock, self.number = 0.0, -1
        self.never = {request.id for request in self.requests.values() if self.can_never_run(request)}

    def can_never_run(self, request: Request) -> bool:
        raise NotImplementedError

    def known(self, id: str) -> int:
        """The tokens that the model may compute: the prompt's and those sampled."""
        return self.requests[id].p + self.sampled[id]

    def step(self, line: Line) -> None:
        """One line: the fields, the clock, the line of those that wait, what was scheduled, then the memory."""
        assert set(line) == FIELDS | (PAGED_FIELDS if self.system["kind"] == "paged" else set())
        self.number += 1
        assert line["step"] == self.number
        tokens = sum(line["scheduled"].values())
        clock = self.scenario.get("workload", {})
        self.clock += (clock.get("iteration_ms", 33.0) + clock.get("token_ms", 0.1) * tokens) / 1000
        assert close(line["time_s"], self.clock, 1e-4)
        assert tokens <= self.budget

        now = [entry["id"] for entry in line["running"]]
        before = self.running
        self.check_places(line, now)
        self.check_preempted(line)
        stayed = [id for id in before if id not in line["preempted"]]
        assert now[: len(stayed)] == stayed, "who runs keeps his place"
        left = self.check_scheduled(line, stayed, self.budget)
        self.check_admissions(line, stayed, now[len(stayed) :], left)
        self.check_written(line)
        self.check_finished(line)
        self.check_ledger(line)
        self.check_memory(line)
        self.running = self.still_running(now)

    def check_places(self, line: Line, now: list[str]) -> None:
        """Whoever has arrived and not left is in one of the two lists; first come, first served."""
        present = {request.id for request in self.requests.values() if request.arrival <= self.number}
        gone = {id for id in self.done if id not in self.running}
        both = now + line["waiting"]
        assert len(set(both)) == len(both)
        assert set(both) == present - gone - self.never
        assert both == sorted(both, key=self.order.__getitem__)
        assert len([id for id in now if id not in self.done]) <= self.seats

    def check_scheduled(self, line: Line, stayed: list[str], budget: int) -> int:
        """The running, in order, get what they have left as far as the budget goes. Returns what is left of it."""
        for id in stayed:
            tokens = 0 if id in self.done else min(self.known(id) - self.written[id], budget)
            assert line["scheduled"].get(id, 0) == tokens
            assert (id in line["scheduled"]) == (tokens > 0)
            budget -= tokens
        return budget

    def check_admissions(self, line: Line, stayed: list[str], admitted: list[str], budget: int) -> None:
        """Each newcomer was allowed in; the head of the line that stayed outside was not."""
        assert not (admitted and line["preempted"]), "a step that preempted admits nobody"
        seats = self.seats - len([id for id in stayed if id not in self.done])
        for id in admitted:
            assert seats > 0 and budget > 0
            self.admit(line, id)
            self.written[id] = line["cache_hits"].get(id, 0)
            tokens = min(self.known(id) - self.written[id], budget)
            assert line["scheduled"][id] == tokens
            seats, budget = seats - 1, budget - tokens
            self.take(line, id)
        assert set(line["scheduled"]) <= {*stayed, *admitted}
        assert set(line["cache_hits"]) <= set(admitted)
        if line["waiting"] and seats and budget and not line["preempted"]:
            assert not self.must_admit(line["waiting"][0], stayed), "the head of the line could have been admitted"

    def check_written(self, line: Line) -> None:
        """`slots_written` includes what the step wrote."""
        for entry in line["running"]:
            id = entry["id"]
            self.written[id] += line["scheduled"].get(id, 0)
            assert entry["slots_written"] == self.written[id]
            if self.written[id] == self.known(id) and id not in self.done:
                self.sampled[id] += 1

    def check_finished(self, line: Line) -> None:
        """Exactly those that have all their output, in the step that samples the last of it."""
        now = [entry["id"] for entry in line["running"]]
        ended = [id for id in now if id not in self.done and self.sampled[id] == self.requests[id].sampled]
        assert line["finished"] == ended
        assert all(self.written[id] == self.requests[id].final for id in ended)
        self.done |= set(ended)

    def check_ledger(self, line: Line) -> None:
        """Both lenses, to the slot."""
        for lens in ("hindsight", "online"):
            said = line["ledger"][lens]
            assert set(said) == LEDGER
            assert sum(said.values()) == self.slots
            assert all(type(count) is int and count >= 0 for count in said.values())
            assert said == self.ledger(line, lens), lens

    def still_running(self, now: list[str]) -> list[str]:
        return [id for id in now if id not in self.done]

    def end(self, own: list[Line]) -> None:
        """Every request has finished or is one that never can; the pool is empty at the end of the last step."""
        assert self.done == set(self.requests) - self.never
        assert own and not self.running

    def check_preempted(self, line: Line) -> None:
        raise NotImplementedError

    def admit(self, line: Line, id: str) -> None:
        raise NotImplementedError

    def take(self, line: Line, id: str) -> None:
        """What an admitted request took of the memory."""

    def must_admit(self, id: str, stayed: list[str]) -> bool:
        raise NotImplementedError

    def ledger(self, line: Line, lens: str) -> dict[str, int]:
        raise NotImplementedError

    def check_memory(self, line: Line) -> None:
        raise NotImplementedError


class ContiguousWalk(Walk):
    """Estimates, roundings, holes."""

    def __init__(self, scenario: dict[str, Any], system: dict[str, Any]):
        self.unit = system.get("unit", 16)
        self.placement = system.get("placement", "buddy")
        self.static = system.get("batching", "iteration") == "static"
        self.pieces: dict[str, tuple[int, int]] = {}
        self.arena = self.regions(scenario)
        super().__init__(scenario, system)

    def regions(self, scenario: dict[str, Any]) -> list[tuple[int, int]]:
        """(start, size) of what can be handed out: one stretch, or a buddy's chunks of max_model_len and its tail."""
        units = scenario["slots"] // self.unit
        if self.placement != "buddy":
            return [(0, units * self.unit)]
        chunk = power_of_two(up(scenario["max_model_len"], self.unit) // self.unit)
        sizes = [chunk] * (units // chunk)
        sizes += [1 << bit for bit in reversed(range(chunk.bit_length())) if units % chunk >> bit & 1]
        starts = [0, *itertools.accumulate(sizes)]
        return [(start * self.unit, size * self.unit) for start, size in zip(starts, sizes, strict=False)]

    def estimate(self, request: Request) -> int:
        """E: what the policy reserves."""
        multiple = self.system.get("multiple", 1)
        wanted = {
            "max": request.longest,
            "pow2": request.p + power_of_two(request.sampled),
            "pow2-total": power_of_two(request.final),
            "oracle": request.final,
            "multiple": up(request.final, multiple),
        }[self.system["reserve"]]
        return min(wanted, request.longest)

    def held(self, request: Request) -> int:
        """R: what the placement makes of it."""
        units = up(self.estimate(request), self.unit) // self.unit
        return self.unit * (power_of_two(units) if self.placement == "buddy" else units)

    def can_never_run(self, request: Request) -> bool:
        return request.final > request.longest or self.held(request) > max((size for _, size in self.arena), default=0)

    def holes(self) -> list[tuple[int, int]]:
        """(start, size) of every stretch between the pieces."""
        holes, position = [], 0
        end = sum(self.arena[-1]) if self.arena else 0
        for start, size in [*sorted(self.pieces.values()), (end, 0)]:
            holes.append((position, start - position))
            position = start + size
        return [hole for hole in holes if hole[1] > 0]

    def places(self, size: int) -> list[int]:
        """Where a piece of this size could go: the start of a hole, or a buddy's aligned stretch with nobody in it."""
        if self.placement != "buddy":
            return [start for start, room in self.holes() if room >= size]
        starts = [s for begin, room in self.arena for s in range(begin, begin + room - size + 1, size)]
        taken = self.pieces.values()
        return [s for s in starts if all(s + size <= start or s >= start + held for start, held in taken)]

    def fits(self, id: str) -> bool:
        size = self.held(self.requests[id])
        if self.placement == "ideal":
            return sum(held for _, held in self.pieces.values()) + size <= up(self.slots - self.unit + 1, self.unit)
        return bool(self.places(size))

    def check_preempted(self, line: Line) -> None:
        assert line["preempted"] == [], "contiguous systems do not preempt"
        assert line["cache_hits"] == {}

    def admit(self, line: Line, id: str) -> None:
        """The placement had a hole for it, and took the one that it must."""
        assert self.fits(id)
        start = next(entry["start"] for entry in line["running"] if entry["id"] == id)
        size = self.held(self.requests[id])
        if self.placement == "first-fit":
            assert start == min(self.places(size))
        elif self.placement == "best-fit":
            assert start == min((room, begin) for begin, room in self.holes() if room >= size)[1]
        elif self.placement == "buddy":
            assert start in self.places(size)

    def take(self, line: Line, id: str) -> None:
        start = next(entry["start"] for entry in line["running"] if entry["id"] == id)
        self.pieces[id] = (start, self.held(self.requests[id]))

    def must_admit(self, id: str, stayed: list[str]) -> bool:
        return self.fits(id) and not (self.static and stayed)

    def check_admissions(self, line: Line, stayed: list[str], admitted: list[str], budget: int) -> None:
        assert not (self.static and stayed and admitted), "nobody joins a static batch"
        super().check_admissions(line, stayed, admitted, budget)

    def ledger(self, line: Line, lens: str) -> dict[str, int]:
        """Section 2: p, t, L, E and R of the live requests, added up."""
        sums = dict.fromkeys(LEDGER, 0)
        for entry in line["running"]:
            request, written = self.requests[entry["id"]], entry["slots_written"]
            estimate = self.estimate(request)
            sums["used"] += written
            if lens == "hindsight" or request.id in self.done:
                sums["reserved"] += request.final - written
                sums["internal"] += estimate - request.final
            else:
                sums["reserved"] += estimate - written
            sums["rounding"] += self.held(request) - estimate
        free = self.slots - sum(sums.values())
        sums["stranded" if self.stranded(line, free) else "free"] = free
        return sums

    def stranded(self, line: Line, free: int) -> bool:
        """A request waits, all free slots together would hold it, and no hole does."""
        if not line["waiting"] or self.placement == "ideal":
            return False
        head = line["waiting"][0]
        return self.estimate(self.requests[head]) <= free and not self.fits(head)

    def check_memory(self, line: Line) -> None:
        """Pieces lie in the pool, apart from each other, and stay where they are."""
        for entry in line["running"]:
            assert set(entry) == {"id", "slots_written", "slots_held", "start"}
            assert entry["slots_held"] == self.held(self.requests[entry["id"]])
            assert self.placement == "ideal" or entry["start"] == self.pieces[entry["id"]][0]
        pieces = sorted((entry["start"], entry["start"] + entry["slots_held"]) for entry in line["running"])
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(pieces))
        assert all(0 <= start and end <= self.slots for start, end in pieces)
        here = {entry["id"]: (entry["start"], entry["slots_held"]) for entry in line["running"]}
        kept = self.still_running(list(here))
        self.pieces = {id: piece for id, piece in here.items() if id in kept}

    def still_running(self, now: list[str]) -> list[str]:
        """A static batch keeps everybody until all have finished."""
        if self.static and not set(now) <= self.done:
            return now
        return super().still_running(now)


class PagedWalk(Walk):
    """Block tables, references, the free queue, preemption; hits of the prefix cache by what the blocks hold."""

    def __init__(self, scenario: dict[str, Any], system: dict[str, Any]):
        self.block = system.get("block_size", 16)
        self.caching = system.get("prefix_caching", False)
        blocks = scenario["slots"] // self.block
        first = 1 if system.get("null_block", False) else 0
        self.null_slots = first * self.block
        self.usable = set(range(first, blocks))
        self.watermark = int(system.get("watermark", 0.0) * blocks)
        self.tables: dict[str, list[int]] = {}
        self.queue = system.get("free_order", sorted(self.usable))
        self.cached: set[int] = set()
        self.holds: dict[int, tuple[Any, ...]] = {}
        super().__init__(scenario, system)

    def can_never_run(self, request: Request) -> bool:
        return request.final > min(request.longest, len(self.usable) * self.block)

    def check_preempted(self, line: Line) -> None:
        """Replays the running requests' demands: whoever finds no block costs the last one his place."""
        line_up = list(self.running)
        taken: dict[str, int] = {}
        preempted, budget, place = [], self.budget, 0
        while place < len(line_up):
            id = line_up[place]
            tokens = min(self.known(id) - self.written[id], budget)
            need = -(-(self.written[id] + tokens) // self.block) - len(self.tables[id])
            while need > self.unreferenced(line_up) - sum(taken.values()):
                last = line_up.pop()
                preempted.append(last)
                if last == id:
                    break
            if preempted and preempted[-1] == id:
                break
            taken[id], budget, place = need, budget - tokens, place + 1
        assert line["preempted"] == preempted
        for id in preempted:
            assert id in line["waiting"]
            self.written.pop(id)
            self.tables.pop(id)
        self.fresh = taken

    def check_admissions(self, line: Line, stayed: list[str], admitted: list[str], budget: int) -> None:
        """Blocks that the running fill in this step may be hit in this step."""
        for id in stayed:
            self.fill(line, id)
        super().check_admissions(line, stayed, admitted, budget)

    def fill(self, line: Line, id: str) -> None:
        """Remember what a request's full blocks hold, those included that this step fills."""
        table = next(entry["block_table"] for entry in line["running"] if entry["id"] == id)
        for index in range((self.written[id] + line["scheduled"].get(id, 0)) // self.block):
            self.holds[table[index]] = self.key(id, index)

    def unreferenced(self, ids: list[str]) -> int:
        return len(self.usable) - len({block for id in ids for block in self.tables[id]})

    def admit(self, line: Line, id: str) -> None:
        """Hits stop before the last token; the whole prompt's blocks were free, and the watermark stayed."""
        entry = next(entry for entry in line["running"] if entry["id"] == id)
        hits = line["cache_hits"].get(id, 0)
        assert hits % self.block == 0 and hits // self.block <= (self.known(id) - 1) // self.block
        assert self.caching or hits == 0
        hit = entry["block_table"][: hits // self.block]
        assert all(self.holds.get(block) == self.key(id, index) for index, block in enumerate(hit))
        following = self.key(id, len(hit)) if len(hit) < (self.known(id) - 1) // self.block else None
        kept = self.cached & set(line["cached_blocks"]) - self.handed_out(line)  # cached all the time
        lost = [block for block in kept if self.holds.get(block) == following]
        assert following is None or not self.caching or not lost, "the lookup stopped before a block that was cached"
        used = {block for table in self.tables.values() for block in table}
        free = len(self.usable) - len(used) - sum(self.fresh.values())
        need = -(-self.known(id) // self.block) - len(hit) + len(set(hit) - used - self.handed_out(line))
        assert need <= free - self.left_free()
        self.tables[id] = hit

    def handed_out(self, line: Line) -> set[int]:
        """Blocks given out in this step before: their first owner registered them when he was scheduled."""
        tables = {entry["id"]: entry["block_table"] for entry in line["running"]}
        return {block for id, table in self.tables.items() for block in tables[id][len(table) :]}

    def take(self, line: Line, id: str) -> None:
        count = -(-(self.written[id] + line["scheduled"][id]) // self.block) - len(self.tables[id])
        self.fresh[id] = count
        self.fill(line, id)

    def must_admit(self, id: str, stayed: list[str]) -> bool:
        """Without hits, which can only make the need smaller."""
        used = {block for table in self.tables.values() for block in table}
        free = len(self.usable) - len(used) - sum(self.fresh.values())
        return -(-self.known(id) // self.block) <= free - self.left_free()

    def left_free(self) -> int:
        """The watermark is room for those who run: where nobody does, it would only keep people waiting."""
        return self.watermark if self.tables else 0

    def key(self, id: str, index: int) -> tuple[Any, ...]:
        """What block `index` of a request holds, and everything before it."""
        end = (index + 1) * self.block
        ids = self.requests[id].ids
        return ("prompt", *ids[:end]) if ids is not None and end <= len(ids) else (id, index)

    def ledger(self, line: Line, lens: str) -> dict[str, int]:
        """Full blocks are used; of a last block's tail, what will be written is reserved, the rest internal."""
        sums = dict.fromkeys(LEDGER, 0)
        sums["rounding"] = self.null_slots
        full: set[int] = set()
        for entry in line["running"]:
            request, written = self.requests[entry["id"]], entry["slots_written"]
            full |= set(entry["block_table"][: written // self.block])
            tail = len(entry["block_table"]) * self.block - written
            sums["used"] += written % self.block
            coming = min(tail, request.final - written)
            reserved = coming if lens == "hindsight" or request.id in self.done else tail
            sums["reserved"] += reserved
            sums["internal"] += tail - reserved
        sums["used"] += len(full) * self.block
        sums["free"] = self.slots - sum(sums.values())
        return sums

    def check_memory(self, line: Line) -> None:
        """Tables only grow; a block is free or referenced; new blocks come from the head of the queue."""
        references: dict[str, int] = {}
        fresh: list[int] = []
        hits: set[int] = set()
        for entry in line["running"]:
            id, table = entry["id"], entry["block_table"]
            assert set(entry) == {"id", "slots_written", "slots_held", "block_table"}
            assert len(table) == -(-entry["slots_written"] // self.block)
            assert entry["slots_held"] == len(table) * self.block
            before = self.tables[id]
            assert table[: len(before)] == before, "block tables are append-only"
            assert set(table) <= self.usable and len(set(table)) == len(table)
            fresh += table[len(before) :]
            hits |= set(table[: line["cache_hits"].get(id, 0) // self.block])
            self.tables[id] = table
        assert len(set(fresh)) == len(fresh), "a block was handed out twice"
        if not self.caching:
            everything = [block for entry in line["running"] for block in entry["block_table"]]
            assert len(set(everything)) == len(everything), "a block in two tables"
            assert line["cached_blocks"] == []
        if not line["preempted"]:
            assert fresh == [block for block in self.queue if block not in hits - set(fresh)][: len(fresh)]
        for id in [entry["id"] for entry in line["running"]]:
            if id in self.done:
                self.tables.pop(id)
        for block in (block for table in self.tables.values() for block in table):
            references[str(block)] = references.get(str(block), 0) + 1
        assert line["ref_count"] == references
        assert sorted([*line["free_queue"], *map(int, references)]) == sorted(self.usable)
        assert len(set(line["cached_blocks"])) == len(line["cached_blocks"])
        self.queue, self.cached = line["free_queue"], set(line["cached_blocks"])
