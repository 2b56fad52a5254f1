"""Predict, then reveal: a question of the script, with the answer that the trace gives.

Nothing here is written by hand: each kind of question looks its answer up in the run, and takes its wrong choices from
numbers that one gets by the usual mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from vizkv.lecture.script import Ask, Beat
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import joined, told
from vizkv.replay import Replay, at
from vizkv.scenario.schema import ScenarioError
from vizkv.trace.events import Event, Kind
from vizkv.trace.slots import CATEGORIES, Accounting, Lens, category_of, shares, word_of
from vizkv.trace.trace import SystemTrace, Trace
from vizkv.views.facts import decisions
from vizkv.views.view import mark_of

CHOICES = 4


@dataclass(frozen=True)
class Choice:
    """One answer to choose: ``value`` is compared, ``label`` is shown."""

    value: str
    label: str


@dataclass(frozen=True)
class Question:
    """A question as it is put. ``pick``: "slot" or "block" where it can also be answered by clicking one."""

    text: str
    choices: tuple[Choice, ...]
    answer: str
    told: str  # the answer as a sentence
    words: dict[str, str]  # the state that shows the answer, as words of a link
    system: int = 0
    pick: str = ""
    size: int = 0  # slots of a block

    def clicked(self, system: int, slot: int) -> str:
        """The answer that a click on a slot gives; "" if it is none."""
        if not self.pick or system != self.system or slot < 0:
            return ""
        return str(slot // self.size if self.pick == "block" else slot)


@dataclass(frozen=True)
class _Found:
    """What a kind of question has found out: the rest is the same for all."""

    text: str
    answer: str
    told: str
    step: int
    wrong: Iterable[int] = ()
    choices: tuple[Choice, ...] = ()
    pick: str = ""
    mark: tuple[int, int] | None = None  # the first and the last slot of what the answer is about


@dataclass(frozen=True)
class _Case:
    """A question over its run: what each kind of it looks up."""

    beat: Beat
    ask: Ask
    trace: Trace
    say: Messages
    lens: Lens
    accounting: Accounting
    system: SystemTrace = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.trace.systems)
        if self.ask.system >= count:
            raise ScenarioError(
                told(
                    "The question has system = {system}; valid is 0 to {last}.", system=self.ask.system, last=count - 1
                )
            )
        object.__setattr__(self, "system", self.trace.systems[self.ask.system])

    @property
    def asked_at(self) -> int:
        """The step that is open while the question is put."""
        step = self.ask.step if self.ask.step is not None else self.beat.step
        return self._inside(step or 0)

    @property
    def answered_at(self) -> int:
        """The step that a question about a state is about."""
        if self.ask.finish:
            return self.first(Kind.FINISHED, self.who, 0)[0]
        step = self.ask.at if self.ask.at is not None else self.beat.step
        return self._inside(step or 0)

    def _inside(self, step: int) -> int:
        if step > self.system.steps:
            raise ScenarioError(
                told("The question is about step {step}; valid is 0 to {last}.", step=step, last=self.system.steps)
            )
        return step

    @property
    def who(self) -> int:
        """The sequence's index."""
        names = [r.id for r in self.trace.requests]
        if self.ask.request not in names:
            raise ScenarioError(
                told(
                    "The question has request = {request}; valid is {valid}.",
                    request=repr(self.ask.request), valid=joined(names[:12]),
                )
            )  # fmt: skip
        return names.index(self.ask.request)

    @property
    def blocks(self) -> int:
        """Slots of a block."""
        if not self.system.block_size:
            raise ScenarioError(
                told("The question is about blocks, but {system} has none.", system=repr(self.system.name))
            )
        return self.system.block_size

    def span(self, block: int) -> tuple[int, int]:
        """The first and the last slot of a block."""
        return block * self.blocks, (block + 1) * self.blocks - 1

    def replay(self, step: int) -> Replay:
        """The system's state at a step."""
        return at(self.system, self.trace.requests, step)

    def first(self, kind: Kind, who: int, since: int, *others: Kind) -> tuple[int, Event]:
        """The first event of a kind from a step on, of one sequence or (-1) of any."""
        for step in range(since, self.system.steps):
            for event, _ in self.system.events(step):
                if event.kind in (kind, *others) and who in (-1, event.request):
                    return step, event
        raise ScenarioError(
            told("The question has no answer: what it asks for does not happen from step {step} on.", step=since)
        )

    def slot(self, who: int, position: int, replay: Replay) -> int:
        """Where a token lies; -1 if it has no place."""
        live = replay.live.get(who)
        if live is None:
            return -1
        if not self.system.block_size:
            return live.start + position
        index = position // self.system.block_size
        if index >= len(live.block_table):
            return -1
        return live.block_table[index] * self.system.block_size + position % self.system.block_size


def question(beat: Beat, number: int, trace: Trace, say: Messages) -> Question:
    """A beat's question, with its answer. Raises ScenarioError if the run has none."""
    ask, example = beat.ask[number], beat.example
    lens: Lens = beat.lens or (example.lens if example else "online")
    accounting: Accounting = beat.accounting or (example.accounting if example else "textbook")
    case = _Case(beat, ask, trace, say, lens, accounting)
    found = _KINDS[ask.kind](case)
    choices = found.choices or _numbers(int(found.answer), found.wrong, say)
    words = beat.words() | {"step": str(found.step), "lens": lens}
    if found.mark is not None:
        words["mark"] = mark_of(ask.system, *found.mark)
    size = case.system.block_size
    return Question(
        found.text, choices, found.answer, found.told, words, ask.system, found.pick, size
    )  # fmt: skip


def _numbers(answer: int, wrong: Iterable[int], say: Messages) -> tuple[Choice, ...]:
    """The answer among numbers that are not, in order."""
    values = {answer}
    for value in (*wrong, answer + 1, answer - 1, answer + 2, answer * 2):
        if len(values) < CHOICES and value >= 0:
            values.add(value)
    return tuple(Choice(str(value), say.number(value)) for value in sorted(values))


def _colour(c: _Case) -> _Found:
    slot, step, say = c.ask.slot or 0, c.answered_at, c.say
    if slot >= c.system.slots:
        raise ScenarioError(
            told("The question has slot = {slot}; valid is 0 to {last}.", slot=slot, last=c.system.slots - 1)
        )
    name = category_of(int(c.replay(step).codes()[slot]), c.lens, c.accounting)
    lens, nth = say(f"lens.{c.lens}"), say.ordinal(slot + 1)
    if c.ask.finish:
        text = say("ask.colour.finished", system=c.system.name, slot=slot, nth=nth, request=c.ask.request, lens=lens)
    else:
        text = say("ask.colour", system=c.system.name, slot=slot, nth=nth, step=step, lens=lens)
    label = say(f"player.category.{word_of(name, c.accounting)}")
    choices = tuple(Choice(one, say(f"player.category.{word_of(one, c.accounting)}")) for one in CATEGORIES)
    return _Found(
        text, name, say("ask.colour.told", slot=slot, step=step, category=label, lens=lens),
        step, choices=choices, mark=(slot, slot),
    )  # fmt: skip


def _count(c: _Case) -> _Found:
    step, say = c.answered_at, c.say
    category = c.ask.category or CATEGORIES[0]
    booked = shares(c.replay(step).booked(), c.lens, c.accounting)
    before = shares(c.replay(c.asked_at).booked(), c.ask.lens or c.lens, c.accounting)
    label, lens = say(f"player.category.{word_of(category, c.accounting)}"), say(f"lens.{c.lens}")
    count = booked[category]
    wrong = [before["reserved"], booked["used"], before["used"], booked["free"], booked["reserved"], before[category]]
    wrong = [value for value in wrong if value > 0]
    return _Found(
        say("ask.count", system=c.system.name, category=label, step=step, lens=lens), str(count),
        say("ask.count.told", system=c.system.name, category=label, step=step, lens=lens, n=count), step, wrong,
    )  # fmt: skip


def _fits(c: _Case) -> _Found:
    say = c.say
    step, event = c.first(Kind.ADMITTED, c.who, c.asked_at + 1, Kind.REFUSED, Kind.NEVER)
    yes = event.kind == Kind.ADMITTED
    if yes:
        outcome = say("ask.fits.yes", request=c.ask.request, step=step)
    elif event.kind == Kind.REFUSED:
        outcome = say("ask.fits.no", request=c.ask.request, step=step, need=event.a, free=event.b, hole=event.c)
    else:
        outcome = say("ask.fits.never", request=c.ask.request, need=event.a, limit=event.b)
    choices = (Choice("yes", say("ask.yes")), Choice("no", say("ask.no")))
    text = say("ask.fits", request=c.ask.request, system=c.system.name)
    return _Found(text, "yes" if yes else "no", outcome, step, choices=choices)


def _next_block(c: _Case) -> _Found:
    say, _ = c.say, c.blocks  # a system without blocks is refused
    step, event = c.first(Kind.BLOCK, c.who, c.asked_at + 1, Kind.COPIED, Kind.MAPPED)
    block = event.b if event.kind == Kind.COPIED else event.a
    now = c.replay(c.asked_at)
    live = now.live.get(c.who)
    last = [live.block_table[-1] + 1] if live and live.block_table else []
    wrong = [*list(now.free_queue)[:2], *last, *list(now.free_queue)[-1:], *list(now.free_queue)[2:4]]
    return _Found(
        say("ask.next-block", request=c.ask.request, system=c.system.name), str(block),
        say("ask.next-block.told", request=c.ask.request, block=block, step=step), step, wrong, pick="block",
        mark=c.span(block),
    )  # fmt: skip


def _next_slot(c: _Case) -> _Found:
    say = c.say
    step, event = c.first(Kind.WRITTEN, c.who, c.asked_at + 1)
    slot = c.slot(c.who, event.a, c.replay(step))
    before = c.slot(c.who, event.a - 1, c.replay(step))
    return _Found(
        say("ask.next-slot", request=c.ask.request, system=c.system.name), str(slot),
        say("ask.next-slot.told", request=c.ask.request, slot=slot, position=event.a, step=step), step,
        [event.a, before, slot + 1], pick="slot", mark=(slot, slot) if slot >= 0 else None,
    )  # fmt: skip


def _block_of(c: _Case) -> _Found:
    size, say, position = c.blocks, c.say, c.ask.position or 0
    live = c.replay(c.asked_at).live.get(c.who)
    index = position // size
    if live is None or index >= len(live.block_table):
        raise ScenarioError(
            told(
                "The question has position = {position}, which has no block at step {step}; valid is a position that "
                "is held.", position=position, step=c.asked_at,
            )
        )  # fmt: skip
    block = live.block_table[index]
    piece = c.trace.requests[c.who].pieces[position : position + 1]
    text = say("ask.block-of", request=c.ask.request, position=position)
    if piece and piece[0].strip():
        text = say("ask.block-of.word", request=c.ask.request, position=position, word=piece[0].strip())
    outcome = say("ask.block-of.told", request=c.ask.request, position=position, size=size, index=index, block=block)
    wrong = [index, *live.block_table, position]
    return _Found(text, str(block), outcome, c.answered_at, wrong, pick="block", mark=c.span(block))


def _free_blocks(c: _Case) -> _Found:
    _, say, step = c.blocks, c.say, c.answered_at
    count, before = len(c.replay(step).free_queue), len(c.replay(c.asked_at).free_queue)
    running = len(c.replay(c.asked_at).live)
    text = say("ask.free-blocks", system=c.system.name, step=step)
    outcome = say("ask.free-blocks.told", step=step, n=count)
    return _Found(text, str(count), outcome, step, [before, before - running, count - 1])


def _hit(c: _Case) -> _Found:
    size, say, who = c.blocks, c.say, c.who
    step, _ = c.first(Kind.ADMITTED, who, c.asked_at + 1)
    hits = [event.a for event, _ in c.system.events(step) if event.kind == Kind.HIT and event.request == who]
    found, prompt = sum(hits), c.trace.requests[who].prompt_tokens
    words = "".join(c.trace.requests[who].pieces[:prompt]).strip()
    text = say("ask.hit", request=c.ask.request, prompt=prompt, words=words)
    outcome = say("ask.hit.told", request=c.ask.request, n=found, prompt=prompt, size=size)
    return _Found(text, str(found), outcome, step, [0, prompt, prompt // size * size, found + size])


def _victim(c: _Case) -> _Found:
    say = c.say
    step, event = c.first(Kind.PREEMPTED, -1, c.asked_at + 1)
    names = [r.id for r in c.trace.requests]
    found = decisions.preemptions(c.replay(step))[0]
    needy, free = decisions.needed(found, c.trace.requests, say, lambda who: names[who])
    running = [names[live.index] for live in c.replay(c.asked_at).running]
    choices = tuple(Choice(name, name) for name in sorted({*running, names[event.request]}))
    return _Found(
        say("ask.victim", system=c.system.name, step=step, needy=needy, n=found.need, free=free), names[event.request],
        say("ask.victim.told", request=names[event.request], step=step, written=event.a), step, choices=choices,
    )  # fmt: skip


_KINDS: dict[str, Callable[[_Case], _Found]] = {
    "colour": _colour,
    "count": _count,
    "fits": _fits,
    "next-block": _next_block,
    "next-slot": _next_slot,
    "block-of": _block_of,
    "free-blocks": _free_blocks,
    "hit": _hit,
    "victim": _victim,
}
