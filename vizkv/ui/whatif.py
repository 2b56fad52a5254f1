"""The page "What if": what the browser tells becomes a scenario, scenarios become runs, runs become bars."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from vizkv.link import from_code, to_code
from vizkv.scenario import Scenario, ScenarioError
from vizkv.slots import ACCOUNTINGS, CATEGORIES, LENSES
from vizkv.told import told
from vizkv.ui import hardware, link, live, tour, whatif_below, whatif_data, whatif_knobs
from vizkv.ui.link import Open
from vizkv.ui.whatif_runs import Job, Seeds
from vizkv.views import figure2
from vizkv.views.payload import View

SEEDS = 5
WAITS_S = 0.12  # for a new picture before an answer: it saves the browser a question
# while a knob is turned: for all its bars at once, since an answer without them would put theirs off
WAITS_FOR_ALL_S = 0.6
_SESSION = "vizkv.whatif"
_LIVE, _BELOW = "whatif-bars", "whatif-below"  # fragments
_PINNED = "keep."
_VIEW = View(lens=figure2.LENS, accounting=figure2.ACCOUNTING)


@dataclass
class Session:
    """What one visitor does on this page, besides what the link carries."""

    asked: bool = False  # whether anything has been run
    job: Job | None = None
    seeds: Seeds | None = None
    ghost: Scenario | None = None
    ghost_job: Job | None = None
    pinned: bool = False
    turning: str = ""  # the knob that was turned last
    shown: Scenario | None = None  # what the last picture was of
    formed: Scenario | None = None  # what the forms beside the bars show
    has_below: bool = False  # whether anything stands below the bars
    heard: int = 0  # the last letter
    grow: int = 0  # goes up when the bars shall grow from nothing
    order: int = 0  # goes up when lens and accounting are Python's wish
    problem: str = ""  # the sentence that stands until something else is done
    of: Open | None = None  # what was open when this began: another one when a link is taken


def session() -> Session:
    """This visitor's."""
    known: Session | None = st.session_state.get(_SESSION)
    state = link.current()
    if known is None or known.of is not state:
        new = st.session_state[_SESSION] = _opened(state)
        if known is not None:  # the browser goes on counting
            new.heard, new.order, new.grow = known.heard, known.order, known.grow + 1
            for one in (known.job, known.seeds, known.ghost_job):
                if one is not None:
                    one.stop()
        known = new
    return known


def _opened(state: Open) -> Session:
    """The first look: a link that says what to run, runs it; who comes without one presses the button."""
    new = Session(asked=state.asked or state.changed, of=state)
    if not runnable(state.scenario):
        state.problem = state.say("whatif.problem.scenario")
        state.scenario = state.preset.scenario
    word = state.more.get("ghost", "")
    if word:
        try:
            new.ghost = ghost_of(word, state.scenario)
            new.pinned = word.startswith(_PINNED)
        except ScenarioError:
            _refuse(state, "ghost", state.say("whatif.problem.ghost"))
    if state.more.get("seeds", str(SEEDS)) != str(SEEDS):
        _refuse(state, "seeds", str(SEEDS))
    if "at" in state.more and moment_of(state) is None:
        _refuse(state, "at", state.say("whatif.problem.at", systems=len(state.scenario.systems) - 1))
    hardware.current()  # nonsense leaves its sentence now, before the page begins
    return new


def _refuse(state: Open, field: str, valid: str) -> None:
    state.problem = state.say("problem.link", field=field, value=state.more.pop(field)[:40], valid=valid)


def runnable(scenario: Scenario) -> bool:
    """Whether the page can run it: a workload, and no model."""
    return scenario.workload is not None and scenario.model == "none" and not scenario.actions


# ---- what stands in the link ----


def ghost_of(word: str, scenario: Scenario) -> Scenario:
    """What a link's ghost stands for: ``knob=value,...`` of what is open, or a code. Raises ScenarioError."""
    word = word.removeprefix(_PINNED)
    if "=" not in word:
        found = from_code(word)
        if not runnable(found):
            raise ScenarioError(told("The ghost cannot be run on this page; valid is a workload without a model."))
        return found
    for part in word.split(","):
        name, _, value = part.partition("=")
        known = whatif_knobs.value_of(scenario, name) if name in whatif_knobs.NAMES else None
        if known is None:
            raise ScenarioError(
                told(
                    "The ghost names {name!r}, which is no knob; valid is {names}.", name=name, names=whatif_knobs.NAMES
                )
            )
        try:
            scenario = whatif_knobs.turned(scenario, name, value if isinstance(known, str) else type(known)(value))
        except ValueError:
            raise ScenarioError(
                told("The ghost has {name} = {value!r}; valid is a number.", name=name, value=value)
            ) from None
    return scenario


def ghost_word(ghost: Scenario, scenario: Scenario, pinned: bool) -> str:
    """The shortest word that :func:`ghost_of` reads back."""
    changed, parts = scenario, []
    for name in whatif_knobs.NAMES:
        value = whatif_knobs.value_of(ghost, name)
        if value is None or value == whatif_knobs.value_of(changed, name):
            continue
        try:
            changed = whatif_knobs.turned(changed, name, value)
        except ScenarioError:
            break
        parts.append(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}")
    if changed == scenario:  # any of its knobs says as much
        parts = [f"block_size={block}"] if (block := whatif_knobs.value_of(scenario, "block_size")) else []
    word = ",".join(parts) if parts and changed == ghost else to_code(ghost)
    return _PINNED * pinned + word


def moment_of(state: Open) -> tuple[int, float, str] | None:
    """(system, second, category or nothing) of the link's moment."""
    parts = state.more.get("at", "").split(":")
    if len(parts) != 3 or not parts[0].isdecimal():
        return None
    try:
        second = float(parts[1])
    except ValueError:
        return None
    index = int(parts[0][:4])
    sound = index < len(state.scenario.systems) and math.isfinite(second) and second >= 0
    return (index, second, parts[2]) if sound and parts[2] in ("", *CATEGORIES) else None


def _write(state: Open, here: Session) -> None:
    if not here.asked:  # whoever reloads a page on which nothing was run gets it so again
        return
    state.more.pop("ghost", None)
    if here.ghost is not None and (here.pinned or here.ghost != state.scenario):
        word = ghost_word(here.ghost, state.scenario, here.pinned)
        if len(word) <= link.MAX_WORD:
            state.more["ghost"] = word
    link.write(state)


# ---- what the browser tells ----


def hear() -> None:
    """Take in all letters that are new."""
    state, here = link.current(), session()
    below = False
    for letter in live.letters(here.heard):
        here.heard = letter["n"]
        below |= _take(state, here, letter)
    if below and here.formed != state.scenario:
        st.rerun()  # the forms beside the bars show it too
    if below and here.has_below:
        st.rerun([_LIVE, _BELOW])
    if below and _wants_below():
        st.rerun()


def _take(state: Open, here: Session, letter: dict[str, Any]) -> bool:
    """One letter; whether what stands below the bars is to be drawn anew."""
    what = letter.get("what")
    if what not in ("more", "settled"):
        here.problem = ""
    if what == "turn":
        turn(state, here, str(letter.get("name")), letter.get("value"))
    elif what == "run":
        here.asked, here.grow = True, here.grow + 1
        if here.job is not None and not here.job.done:
            here.job.stop()
            here.job = None  # what it has done is kept: go on
    elif what == "stop":
        for one in (here.job, here.seeds, here.ghost_job):
            if one is not None:
                one.stop(by_hand=True)
        if here.seeds is None or not here.seeds.done:
            _forget_seeds(state, here)
    elif what == "seeds":
        if here.seeds is not None and not here.seeds.done and not here.seeds.running:
            here.seeds = None  # it was left alone: go on
        state.more["seeds"] = str(SEEDS)
    elif what == "keep":
        keep(state, here)
    elif what == "clear":
        here.ghost, here.ghost_job, here.pinned, here.turning = None, None, False, ""
        return True
    elif what == "view":
        lens, accounting = letter.get("lens"), letter.get("accounting")
        if lens in LENSES and accounting in ACCOUNTINGS:
            state.view = replace(state.view or _VIEW, lens=lens, accounting=accounting)
        return True
    elif what == "pick":
        second = letter.get("second")
        second = round(second, 1) if isinstance(second, int | float) else ""
        state.more["at"] = f"{letter.get('system')}:{second}:{letter.get('category')}"
        if moment_of(state) is None:
            state.more.pop("at")
        return True
    return what == "settled"


def turn(state: Open, here: Session, name: str, value: Any) -> None:
    """A knob was turned: another scenario, or a sentence."""
    before = state.scenario
    try:
        wanted = whatif_knobs.turned(before, name, value)
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))
        return
    if wanted == before:
        return
    if here.asked and not here.pinned and here.turning != name:
        here.ghost, here.turning = before, name  # while one knob is turned the ghost stays where it was taken up
    here.asked, here.shown = True, wanted
    _forget_seeds(state, here)
    link.change(wanted)


def keep(state: Open, here: Session) -> None:
    """What is shown becomes the ghost, and stays it whatever is changed."""
    if here.pinned and here.ghost == state.scenario:
        here.pinned, here.ghost = False, None
        return
    here.ghost, here.pinned, here.turning = state.scenario, True, ""


# ---- what runs ----


def _follow(state: Open, here: Session) -> None:
    """The runs that are wanted now; those that are not any more end."""
    if state.view is None:  # another example, or the first look
        wanted, state.wanted = state.wanted, {}
        lens, accounting, step = wanted.get("lens"), wanted.get("accounting"), wanted.get("step", "")
        state.view = replace(
            _VIEW,
            lens=lens if lens in LENSES else _VIEW.lens,  # type: ignore[arg-type]
            accounting=accounting if accounting in ACCOUNTINGS else _VIEW.accounting,  # type: ignore[arg-type]
            # where in the run the reader stood, if a moment of it is open
            step=int(step) if step.isdecimal() and len(step) < 9 else 0,
            lit=wanted["lit"] if wanted.get("lit") in CATEGORIES else "",
        )
        here.order += 1
        if here.shown is not None and here.shown != state.scenario:
            here.grow += 1
            if not here.pinned:
                here.ghost, here.turning = None, ""
    elif here.shown is not None and here.shown != state.scenario and not here.pinned:
        here.ghost, here.turning = here.shown, ""  # changed in a form beside the bars
    if here.shown is not None and here.shown != state.scenario:
        _forget_seeds(state, here)
    here.shown = state.scenario
    if here.asked:
        here.job = _job(here.job, state.scenario, first=here.heard)
    if "seeds" in state.more and here.seeds is None and here.job is not None and here.job.done:
        here.seeds = Seeds(state.scenario, range(SEEDS))
    if here.ghost is None or here.job is None:
        here.ghost_job = None
    else:
        here.ghost_job = _job(here.ghost_job, here.ghost, begin=not here.job.running)


def _judge(state: Open, here: Session) -> None:
    """Whether what is wanted can be run at all: its processes know first."""
    job = here.job
    if job is None:
        return
    if job.begun:
        state.good = state.scenario
    elif job.problem and state.scenario != (state.good or state.preset.scenario):
        _back(state, here, job.problem)
        _write(state, here)


def _forget_seeds(state: Open, here: Session) -> None:
    """They were of another scenario, or are not wanted any more."""
    if here.seeds is not None:
        here.seeds.stop()
    here.seeds = None
    state.more.pop("seeds", None)


def _job(known: Job | None, scenario: Scenario, begin: bool = True, first: int = 0) -> Job:
    if known is None or known.scenario != scenario or known.left:
        if known is not None:
            known.stop()
        known = Job(scenario, growing=known is None, first=first)
    known.look()
    if begin:
        known.begin()
    return known


def _followed(state: Open, here: Session) -> None:
    """As _follow, but a scenario that cannot be run leaves a sentence, and the last good one."""
    try:
        if not runnable(state.scenario):
            raise ScenarioError(state.say("whatif.problem.scenario"))
        _follow(state, here)
        if here.seeds is not None:
            here.seeds.look()
    except ScenarioError as error:
        _back(state, here, str(error))


def _back(state: Open, here: Session, problem: str) -> None:
    """To the last scenario that could be run, with the sentence that says why."""
    state.problem = state.say("problem.kept", problem=problem)
    state.scenario = here.shown = state.good or state.preset.scenario
    state.edition += 1
    here.ghost = here.ghost_job = None
    _follow(state, here)


# ---- what is shown ----


def show() -> None:
    """The bars, and below them what depends on the run."""
    here = session()
    here.formed = link.current().scenario
    bars()
    tour.sentence(link.current())
    here.has_below = _wants_below()
    if here.has_below:
        below()


def _wants_below() -> bool:
    """A beat that opens no moment shows the bars alone: they would wait for what nobody scrolls to."""
    return not link.session().lecture or moment_of(link.current()) is not None


@st.fragment(key=_LIVE)
def bars() -> None:
    """The component; the browser asks for this part again as long as something is computed."""
    state, here = link.current(), session()
    _followed(state, here)
    _write(state, here)
    if here.job is not None and here.job.running:
        here.job.next_picture(WAITS_S if here.job.growing else WAITS_FOR_ALL_S)
    elif _under_way(state, here):
        time.sleep(WAITS_S)
    _judge(state, here)
    live.show(whole(state, here), hear)


@st.fragment(key=_BELOW)
def below() -> None:
    """Drawn when everything stands still: while a knob is turned it shows the run before."""
    state, here = link.current(), session()
    if here.job is not None:
        whatif_below.show(state, here.job, here.ghost_job, here.seeds, moment_of(state), pick)


def pick(system: int, second: float, category: str = "") -> None:
    """From a number to its slots: that moment is open from now on."""
    state = link.current()
    state.more["at"] = f"{system}:{second:.1f}:{category}"
    st.rerun([_LIVE, _BELOW])


def whole(state: Open, here: Session) -> dict[str, Any]:
    """All that the browser is told."""
    say, scenario, view = state.say, state.scenario, state.view or _VIEW
    workload = scenario.workload
    assert workload is not None
    here.problem, state.problem = state.problem or here.problem, ""
    found = here.problem
    for one in (here.job, here.seeds, here.ghost_job):
        found = found or (one.problem if one is not None else "")
    problem = say.error(found)
    moment = moment_of(state)
    as_paper = (view.lens, view.accounting) == (figure2.LENS, figure2.ACCOUNTING)
    ghost_title = ""
    if here.ghost is not None and here.ghost != scenario:
        ghost_title = say("whatif.ghost.title", what=_difference(here.ghost, scenario, state))
    return {
        "run": whatif_data.run_of(here.job),
        "title": say(f"preset.{state.preset.id}.question"),
        "state": whatif_data.state_of(here.job),
        "more": _under_way(state, here),
        "progress": round(here.job.progress, 3) if here.job else 0.0,
        "answer": here.heard, "grow": here.grow, "order": here.order, "lang": say.html, "say": say.group("live."),
        "status": problem or whatif_data.status(scenario, here.job, as_paper, ghost_title, say),
        "alarm": bool(problem),
        "frames": figure2.FRAMES, "counted": figure2.first_counted(workload.duration, workload.warmup),
        "duration": workload.duration, "warmup": workload.warmup,
        "lens": view.lens, "accounting": view.accounting, "lookup": whatif_data.LOOKUP,
        "systems": whatif_data.systems(scenario, here.job, here.seeds, (moment[0], moment[2]) if moment else None, say),
        "ghost": whatif_data.ghost(scenario, here.ghost_job, ghost_title),
        "pinned": here.pinned,
        "knobs": whatif_knobs.drawn(scenario, state.preset.scenario, say),
        "seeds": whatif_data.seeds_told(here.seeds),
    }  # fmt: skip


def _under_way(state: Open, here: Session) -> bool:
    """Whether something is still to come, or to be begun."""
    if here.job is None:
        return False
    if any(one is not None and one.running for one in (here.job, here.ghost_job, here.seeds)):
        return True
    return here.job.done and (
        (here.ghost_job is not None and here.ghost_job.waiting) or ("seeds" in state.more and here.seeds is None)
    )


def _difference(ghost: Scenario, scenario: Scenario, state: Open) -> str:
    """What the ghost has that this scenario has not, in words."""
    say, there = state.say, whatif_knobs.knobs(ghost, ghost)
    parts = [
        say("whatif.ghost.part", knob=say(f"whatif.knob.{k.name}"), value=whatif_knobs.text(k, k.values[k.index], say))
        for k in there
        if whatif_knobs.value_of(scenario, k.name) not in (None, k.values[k.index])
    ]
    return say("whatif.list").join(parts) or say("whatif.ghost.other")
