"""The page "What if": turn the browser's messages into scenarios, run them, and send the bars."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from vizkv.messages.sentence import shortened, told
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.trace.slots import ACCOUNTINGS, CATEGORIES, LENSES
from vizkv.ui import card, codes, hardware, link, store
from vizkv.ui.guard import guarded
from vizkv.ui.link import Open
from vizkv.ui.memory import tour
from vizkv.ui.whatif import below as whatif_below
from vizkv.ui.whatif import component as live
from vizkv.ui.whatif import data as whatif_data
from vizkv.ui.whatif import knobs as whatif_knobs
from vizkv.ui.whatif.runs import Job, Seeds
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.view import Limits, View

SEEDS = 5
WAITS_S = 0.12  # time to wait for a new picture before an answer, which saves the browser a request
# the same while a knob is turned: waits for all bars at once, since an answer without them would delay them
WAITS_FOR_ALL_S = 0.6
_SESSION = "vizkv.whatif"
_LIVE, _BELOW = "whatif-bars", "whatif-below"  # names of fragments
_PINNED = "keep."
_MOST_SECONDS = 1e9
_MOMENT = re.compile(r"([0-9]{1,4}):([0-9]{1,9}(?:\.[0-9]{1,9})?):([a-z]*)")
_VIEW = View(lens=figure2.LENS, accounting=figure2.ACCOUNTING)
_WORDS = ("step", "lens", "accounting", "lit")  # fields of a view that may be in this page's link


@dataclass
class Session:
    """One visitor's state on this page, besides the state in the link."""

    asked: bool = False  # whether anything has been run
    job: Job | None = None
    seeds: Seeds | None = None
    ghost: Scenario | None = None
    ghost_job: Job | None = None
    pinned: bool = False
    turning: str = ""  # the knob that was turned last
    shown: Scenario | None = None  # the scenario of the last picture
    formed: Scenario | None = None  # the scenario that the forms beside the bars show
    has_below: bool = False  # whether anything is drawn below the bars
    heard: int = 0  # number of the last message that was processed
    grow: int = 0  # increased to make the bars grow from nothing
    order: int = 0  # increased when Python sets lens and accounting
    problem: str = ""  # an error sentence, shown until the next action
    of: Open | None = None  # the page state for which this session was made: opening a link replaces it


def session() -> Session:
    """Return this visitor's session."""
    known: Session | None = store.get(_SESSION)
    state = link.current()
    if known is None or known.of is not state:
        new = _opened(state)
        store.put(_SESSION, new)
        if known is not None:  # the browser continues its numbering
            new.heard, new.order, new.grow = known.heard, known.order, known.grow + 1
            for one in (known.job, known.seeds, known.ghost_job):
                if one is not None:
                    one.stop()
        known = new
    return known


def _opened(state: Open) -> Session:
    """Create the session. A link that names a run starts it; without one the visitor presses the button."""
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
    hardware.current()  # an invalid word leaves its error sentence before the page is drawn
    card.current()
    return new


def _refuse(state: Open, field: str, valid: str) -> None:
    state.problem = state.say("problem.link", field=field, value=shortened(state.more.pop(field), 40), valid=valid)


def runnable(scenario: Scenario) -> bool:
    """Return whether the page can run the scenario: it has a workload and no model."""
    return scenario.workload is not None and scenario.model == "none" and not scenario.actions


# ---- link ----


def ghost_of(word: str, scenario: Scenario) -> Scenario:
    """Parse a link's ghost: ``knob=value,...`` relative to the open scenario, or a code. Raises ScenarioError."""
    word = word.removeprefix(_PINNED)
    if "=" not in word:
        found = codes.scenario_of(word)
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
    """Return the shortest word that :func:`ghost_of` parses to the ghost."""
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
    if changed == scenario:  # any knob with its current value will do
        parts = [f"block_size={block}"] if (block := whatif_knobs.value_of(scenario, "block_size")) else []
    if parts and changed == ghost:
        return _PINNED * pinned + ",".join(parts)
    return _PINNED * pinned + codes.word_of(ghost, "ghost.toml", link.MAX_WORD - len(_PINNED))


def moment_of(state: Open) -> tuple[int, float, str] | None:
    """Return the link's moment as (system, second, category or "")."""
    found = _MOMENT.fullmatch(state.more.get("at", ""))
    if found is None or int(found[1]) >= len(state.scenario.systems) or found[3] not in ("", *CATEGORIES):
        return None
    return int(found[1]), float(found[2]), found[3]


def _write(state: Open, here: Session) -> None:
    if not here.asked:  # nothing was run: a reload shall run nothing either
        return
    state.more.pop("ghost", None)
    if here.ghost is not None and (here.pinned or here.ghost != state.scenario):
        word = ghost_word(here.ghost, state.scenario, here.pinned)
        if len(word) <= link.MAX_WORD:
            state.more["ghost"] = word
    link.write(state)


# ---- messages of the browser ----


def hear() -> None:
    """Process all new messages."""
    state, here = link.current(), session()
    below = False
    for letter in live.letters(here.heard):
        here.heard = letter["n"]
        below |= _take(state, here, letter)
    if below and here.formed != state.scenario:
        st.rerun()  # the forms beside the bars show the scenario too
    if below and here.has_below:
        st.rerun([_LIVE, _BELOW])
    if below and _wants_below():
        st.rerun()


def _take(state: Open, here: Session, letter: dict[str, Any]) -> bool:
    """Process one message; return whether the part below the bars has to be redrawn."""
    what = letter.get("what")
    if what not in ("more", "settled"):
        here.problem = ""
    if what == "turn":
        turn(state, here, str(letter.get("name")), letter.get("value"))
    elif what == "run":
        here.asked, here.grow = True, here.grow + 1
        if here.job is not None and not here.job.done:
            here.job.stop()
            here.job = None  # stopped: a new job continues with its results
    elif what == "stop":
        for one in (here.job, here.seeds, here.ghost_job):
            if one is not None:
                one.stop(by_hand=True)
        if here.seeds is None or not here.seeds.done:
            _forget_seeds(state, here)
    elif what == "seeds":
        if here.seeds is not None and not here.seeds.done and not here.seeds.running:
            here.seeds = None  # timed out: a new job continues with its results
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
        system, second, category = letter.get("system"), letter.get("second"), letter.get("category")
        state.more["at"] = ""
        if isinstance(system, int) and isinstance(second, int | float) and isinstance(category, str):
            state.more["at"] = f"{system}:{second:.1f}:{category}" if 0 <= second < _MOST_SECONDS else ""
        if moment_of(state) is None:
            state.more.pop("at")
        return True
    return what == "settled"


def turn(state: Open, here: Session, name: str, value: Any) -> None:
    """Set a knob: the scenario changes, or an error sentence is shown."""
    before = state.scenario
    try:
        wanted = whatif_knobs.turned(before, name, value)
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))
        return
    if wanted == before:
        return
    if here.asked and not here.pinned and here.turning != name:
        here.ghost, here.turning = before, name  # the same knob again: the ghost is kept
    here.asked, here.shown = True, wanted
    _forget_seeds(state, here)
    link.change(wanted)


def keep(state: Open, here: Session) -> None:
    """Pin the current run as the ghost; it stays through later changes."""
    if here.pinned and here.ghost == state.scenario:
        here.pinned, here.ghost = False, None
        return
    here.ghost, here.pinned, here.turning = state.scenario, True, ""


# ---- runs ----


def _follow(state: Open, here: Session) -> None:
    """Start the runs that are needed now and stop the others."""
    if state.view is None:  # another example was opened, or this is the first run of the page
        # step and lit: the reader's place in the run, if a moment is open
        state.wanted = {name: word for name, word in state.wanted.items() if name in _WORDS}
        state.view = link.begin(state, _VIEW, Limits())
        here.order += 1
        if here.shown is not None and here.shown != state.scenario:
            here.grow += 1
            if not here.pinned:
                here.ghost, here.turning = None, ""
    elif here.shown is not None and here.shown != state.scenario and not here.pinned:
        here.ghost, here.turning = here.shown, ""  # it was changed in a form beside the bars
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
    """Show an error if the scenario cannot be run, as its worker processes have found."""
    job = here.job
    if job is None:
        return
    if job.begun:
        state.good = state.scenario
    elif job.problem and state.scenario != (state.good or state.preset.scenario):
        _back(state, here, job.problem)
        _write(state, here)


def _forget_seeds(state: Open, here: Session) -> None:
    """Drop the run over several seeds if it belongs to another scenario or is no longer wanted."""
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
    """Call _follow; if the scenario cannot be run, show the error and return to the last valid one."""
    try:
        if not runnable(state.scenario):
            raise ScenarioError(state.say("whatif.problem.scenario"))
        _follow(state, here)
        if here.seeds is not None:
            here.seeds.look()
    except ScenarioError as error:
        _back(state, here, str(error))


def _back(state: Open, here: Session, problem: str) -> None:
    """Return to the last scenario that could be run, and show the error."""
    state.problem = state.say("problem.kept", problem=problem)
    state.scenario = here.shown = state.good or state.preset.scenario
    state.edition += 1
    here.ghost = here.ghost_job = None
    _follow(state, here)


# ---- drawing ----


def show() -> None:
    """Draw the bars and below them everything that depends on the run."""
    here = session()
    here.formed = link.current().scenario
    bars()
    tour.sentence(link.current())
    here.has_below = _wants_below()
    if here.has_below:
        below()


def _wants_below() -> bool:
    """Return False for a beat without a moment: the bars would be delayed by a part that is scrolled out of view."""
    return not link.session().lecture or moment_of(link.current()) is not None


@st.fragment(key=_LIVE)
@guarded
def bars() -> None:
    """Draw the component. The browser requests this fragment again until everything is computed."""
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
@guarded
def below() -> None:
    """Draw the part below the bars once nothing changes; while a knob is turned it shows the previous run."""
    state, here = link.current(), session()
    if here.job is not None:
        whatif_below.show(state, here.job, here.ghost_job, here.seeds, moment_of(state), pick, lens_changed)


def lens_changed() -> None:
    """Apply the lens and accounting of the player below to the bars."""
    session().order += 1


def pick(system: int, second: float, category: str = "") -> None:
    """Open the moment of a clicked number in the player below the bars."""
    state = link.current()
    state.more["at"] = f"{system}:{second:.1f}:{category}"
    st.rerun([_LIVE, _BELOW])


def whole(state: Open, here: Session) -> dict[str, Any]:
    """Return all data for the browser."""
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
        "title": state.headline,
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
    """Return whether a run is in progress or waiting to start."""
    if here.job is None:
        return False
    if any(one is not None and one.running for one in (here.job, here.ghost_job, here.seeds)):
        return True
    return here.job.done and (
        (here.ghost_job is not None and here.ghost_job.waiting) or ("seeds" in state.more and here.seeds is None)
    )


def _difference(ghost: Scenario, scenario: Scenario, state: Open) -> str:
    """Describe in words how the ghost differs from the scenario."""
    say, there = state.say, whatif_knobs.knobs(ghost, ghost)
    parts = [
        say("whatif.ghost.part", knob=say(f"whatif.knob.{k.name}"), value=whatif_knobs.text(k, k.values[k.index], say))
        for k in there
        if whatif_knobs.value_of(scenario, k.name) not in (None, k.values[k.index])
    ]
    return say("whatif.list").join(parts) or say("whatif.ghost.other")
