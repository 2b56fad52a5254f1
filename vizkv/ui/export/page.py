"""Figures for slides: export what a page shows as a file, with the current step and lens.

Fast exports are made when the button is pressed; slow ones in a thread, with a progress bar and a stop button.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from vizkv import lecture as lectures
from vizkv.export import page as whole
from vizkv.export.beats import drawer
from vizkv.export.charts.draw import chart
from vizkv.export.data import parameters
from vizkv.export.deck import deck
from vizkv.export.make import Made, alt_text, chart_scale, make
from vizkv.export.make import drawn as made_of
from vizkv.export.render import Progress
from vizkv.export.request import CHART, MIME, PICTURES, SCALES, THEMES, Wish, formats, lead_of
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import shortened
from vizkv.scenario import schema as scenarios
from vizkv.trace.trace import Trace
from vizkv.ui import link, pages, store
from vizkv.ui.export import offered
from vizkv.ui.export.jobs import Job
from vizkv.ui.guard import guarded
from vizkv.ui.lecture import mode as lecture
from vizkv.ui.player import runs
from vizkv.ui.session import session
from vizkv.views.charts import cost
from vizkv.views.charts.figure2 import live as figure2
from vizkv.views.payload import window as windows
from vizkv.views.payload.pack import Moment, View
from vizkv.views.picture import table as picture_table
from vizkv.views.picture.caption import caption

DECK, PAGE = "deck", "page"
LONG = ("storyboard", "animation", DECK)
_FILES = ("html", "ledger", "scenario", "trace")
_JOB = "vizkv.export"
_LOOK_S = 0.5
_MOST_STEPS = 24  # in a storyboard
_AT_FIRST = 60  # default number of steps in a film


@dataclass(frozen=True)
class Source:
    """What a page can export. ``trace`` is None on a page without a player."""

    state: link.Open
    trace: Trace | None
    charts: offered.Offers
    theme: str
    projector: bool


def show(trace: Trace | None = None) -> None:
    """Draw the drawer. Call it at the end of a page, after all charts are drawn."""
    state, now = link.current(), session()
    source = Source(state, trace, offered.settle(), st.context.theme.type or "light", now.projector)
    job: Job | None = store.get(_JOB)
    running = job is not None and job.running
    st.fragment(guarded(_drawer), run_every=_LOOK_S if running else None)(source, running)


def _drawer(source: Source, expected: bool) -> None:
    """Draw the fragment. ``expected``: whether an export was running when this automatic redraw was scheduled."""
    say = source.state.say
    job: Job | None = store.get(_JOB)
    with st.expander(say("export.ui.title"), key="export", icon=":material/slideshow:", on_change="rerun") as box:
        if not box.open and not expected:
            return  # the drawer is closed
        st.caption(say("export.ui.about"))
        known = _known(source)
        what = st.selectbox(
            say("export.ui.what"), known, key="export-what", format_func=lambda name: _title(name, say)
        )  # fmt: skip
        wish = _wish(source, what, say)
        if what in LONG:
            _long(source, wish, job, say)
        else:
            _quick(source, wish, say)
    if expected and not (job is not None and job.running):
        st.rerun()  # rerun the whole page, which ends the automatic redraw


def _known(source: Source) -> list[str]:
    """Return the kinds of files that this page offers, in order."""
    drawn = [CHART + name for name in source.charts.names()]
    if source.trace is None:
        if source.state.page == "cost":
            return [PAGE, *drawn, DECK]
        return [*([PAGE] if drawn else []), *drawn, "scenario", DECK]
    table = ["table"] if picture_table.paged(source.trace) else []
    return ["player", PAGE, *table, *drawn, "storyboard", "animation", *_FILES, DECK]


def _title(what: str, say: Messages) -> str:
    name = what.removeprefix(CHART)
    key = f"export.chart.{name}" if what.startswith(CHART) else f"export.what.{name}"
    return say(key) if key in say else name


# -- what is asked -----------------------------------------------------------------------------------------------------


def _wish(source: Source, what: str, say: Messages) -> Wish:
    """Draw the controls for this kind of file. The player's position is read later, when the file is made."""
    known = ("pptx",) if what == DECK else formats(what)
    kind = known[0]
    with st.container(horizontal=True, gap="large"):
        if len(known) > 1:
            kind = _one_of("format", known, say) or known[0]
        wish = Wish(what, kind, theme=source.theme, projector=source.projector, caption=False)
        picture = known == PICTURES
        if kind == "png":
            wish = replace(wish, scale=_one_of("scale", SCALES, say) or SCALES[0])
        if picture or what in (*LONG, "html"):
            wish = _ground(wish, picture, say)
    if picture or what in ("animation", "html"):
        with st.container(horizontal=True):
            if what != "html":
                wish = replace(wish, legend=st.toggle(say("export.ui.legend"), True, key="export-legend"))
            wish = replace(wish, caption=st.toggle(say("export.ui.caption"), False, key="export-caption"))
    if source.trace is None:
        return wish
    last = windows.total(source.trace, lead_of(source.trace)) - 1
    if what == "storyboard":
        wish = replace(wish, steps=_steps(source, last, say))
    if what == "animation":
        wish = _film(wish, source, last, say)
    return replace(wish, last=last) if what == "ledger" else wish


def _one_of(name: str, known: tuple[str, ...], say: Messages, first: str = "") -> str | None:
    def label(value: str) -> str:
        key = f"export.{name}.{value}"
        return say(key) if key in say else value.upper()

    return st.segmented_control(
        say(f"export.ui.{name}"), known, default=first or known[0], key=f"export-{name}-{len(known)}-{known[0]}",
        format_func=label, width="content",
    )  # fmt: skip


def _ground(wish: Wish, picture: bool, say: Messages) -> Wish:
    """Choose theme and background of the picture. A chart and a whole page have the colours of the page."""
    if wish.what.startswith(CHART) or wish.what == PAGE:
        chosen = _one_of("ground", ("page", "transparent"), say)
        return replace(wish, transparent=chosen == "transparent")
    chosen = _one_of("ground", ("light", "dark", "transparent") if picture else THEMES, say, wish.theme) or wish.theme
    return replace(wish, transparent=chosen == "transparent", theme=wish.theme if chosen == "transparent" else chosen)


def _steps(source: Source, last: int, say: Messages) -> tuple[int, ...]:
    assert source.trace is not None
    proposed = [m.step for m in _chips(source)] or [last * i // 5 for i in range(6)]
    first = ", ".join(str(step) for step in dict.fromkeys(sorted(proposed)))
    text = st.text_input(say("export.ui.steps"), first, key=f"export-steps-{source.state.player.run}", max_chars=400)
    words = [word for word in re.sub("[,，、]", " ", text).split() if word]
    wrong = next((w for w in words if not (w.isdecimal() and len(w) < 10 and int(w) <= last)), "")
    if wrong or not 1 <= len(words) <= _MOST_STEPS:
        st.warning(
            say.in_markdown("export.ui.steps.form", text=shortened(wrong or text, 40), last=last, most=_MOST_STEPS)
        )
        return ()
    return tuple(int(word) for word in words)


def _film(wish: Wish, source: Source, last: int, say: Messages) -> Wish:
    view = source.state.view or View()
    ends, run = min(last, view.step + _AT_FIRST), source.state.player.run
    one, two = st.columns([3, 1])
    first, final = wish.first, wish.last
    if last:
        first, final = one.slider(
            say("export.ui.range"), 0, last, (max(0, ends - _AT_FIRST), ends), key=f"export-range-{run}"
        )
    rate = two.number_input(say("export.ui.rate"), 0.5, 30.0, 5.0, 0.5, key="export-rate")
    return replace(wish, first=first, last=final, rate=rate, width=1280)


def _here(wish: Wish, source: Source) -> Wish:
    """Return the request with the current step, lens and view."""
    view = source.state.view or View()
    fields = ("step", "lens", "accounting", "colour", "request", "position", "focus", "lit", "lit_in", "mark")
    return replace(
        wish, headline=source.state.headline,
        **{name: getattr(view, name) for name in fields},
    )  # fmt: skip


def _chips(source: Source) -> tuple[Moment, ...]:
    """Return the moments that the page offers as buttons."""
    state = source.state
    if source.trace is None:
        return ()
    return runs.Run(source.trace, state.player.run, state.preset, state.language).chips


# -- fast exports ------------------------------------------------------------------------------------------------------


def _quick(source: Source, wish: Wish, say: Messages) -> None:
    st.download_button(
        say("export.ui.download"), lambda: _made(source, wish).data, _name(source, wish), MIME[wish.format],
        key="export-download", icon=":material/download:", type="primary", on_click="ignore",
    )  # fmt: skip
    if wish.format in PICTURES:
        _alt(source, wish, say)


def _alt(source: Source, wish: Wish, say: Messages) -> None:
    """Show the picture's alt text, for copying into a slide."""
    st.caption(say("export.ui.alt"))
    st.code(_told(source, wish), language=None, wrap_lines=True)
    if source.trace is not None and not wish.what.startswith(CHART):
        # the player moves without a run of the drawer; pressing the button redraws the drawer
        st.button(say("export.ui.alt.now"), key="export-alt", icon=":material/refresh:", type="tertiary")


def _told(source: Source, wish: Wish) -> str:
    if wish.what.startswith(CHART):
        return source.charts.now(wish.what.removeprefix(CHART)).alt
    if source.trace is None:
        charts = [whole.Part("", plot.alt) for plot in _plots(source)]
        return whole.described(_page(source, wish, charts))
    entry = pages.PAGES[source.state.page]
    return alt_text(_here(wish, source), source.trace, source.state.say, entry.panels, plots=_plots(source))


def _name(source: Source, wish: Wish) -> str:
    if wish.what == DECK:
        return "lecture.pptx"
    about = "cost" if source.state.page == "cost" else source.state.file_name  # that page shows no example
    return f"{about}-{wish.what.replace(':', '-')}.{wish.format}"


def _made(source: Source, wish: Wish) -> Made:
    """Make the file now. Runs in a thread of the server, without a session."""
    state, say = source.state, source.state.say
    if wish.what.startswith(CHART):
        return _chart(source, wish)
    if wish.what == PAGE and source.trace is None:
        return _page_of_charts(source, wish)
    if wish.what == "scenario":
        return Made(scenarios.to_toml(state.scenario).encode(), MIME["toml"])
    assert source.trace is not None
    chips = _chips(source) if wish.what == "html" else ()
    entry = pages.PAGES[state.page]
    return make(
        _here(wish, source), source.trace, say, moments=chips, panels=entry.panels,
        title=say(f"page.{entry.name}.title"), plots=_plots(source),
    )  # fmt: skip


def _plots(source: Source) -> list[whole.Plot]:
    """Return the charts on the page, as they are drawn there."""
    say, found = source.state.say, []
    for name in source.charts.names():
        given, key = source.charts.now(name), f"picture.chart.{name}"
        found.append(whole.Plot(given.figure, given.alt, say(key) if key in say else "", given.theme))
    return found


def _page(source: Source, wish: Wish, charts: list[whole.Part]) -> whole.Page:
    """Return a page without a player: its question, its sentence and its charts."""
    state, say, main = source.state, source.state.say, None
    question, sentence = state.headline, source.charts.sentence
    if state.page == "cost":
        main = whole.Part(cost.picture(source.theme, say), say("cost.picture.alt"))
        question, sentence = "", sentence or say("cost.question")
    told = _about(source) if wish.caption else ""
    return whole.Page(say(f"page.{state.page}.title"), question, main, sentence, charts, told)


def _page_of_charts(source: Source, wish: Wish) -> Made:
    charts = whole.drawn(
        _plots(source), wish.width, legend=wish.legend, transparent=wish.transparent, large=True
    )  # fmt: skip
    svg = whole.page_picture(
        _page(source, wish, charts), source.state.say, theme=source.theme, width=wish.width,
        transparent=wish.transparent, projector=source.projector,
    )  # fmt: skip
    return made_of(svg, wish)


def _chart(source: Source, wish: Wish) -> Made:
    """Return a chart on the page, as it is drawn there."""
    given = source.charts.now(wish.what.removeprefix(CHART))
    told = ""
    if wish.caption:
        # a measurement has no scenario to describe it, so the page's sentence does
        measured = whole.plain(source.charts.sentence) if source.state.page == "cost" else ""
        told = "\n".join(part for part in (measured, _about(source)) if part)
    data = chart(
        given.figure, wish.format, scale=chart_scale(wish.scale), theme=given.theme, transparent=wish.transparent,  # type: ignore[arg-type]
        legend=wish.legend, caption=told, alt=given.alt,
    )  # fmt: skip
    return Made(data, MIME[wish.format], given.alt)


def _about(source: Source) -> str:
    state, view = source.state, source.state.view or View()
    if source.trace is None:
        title = state.say(f"page.{state.page}.title")
        if state.page == "whatif":
            view = state.view or View(lens=figure2.LENS, accounting=figure2.ACCOUNTING)
            how = state.say(
                "picture.how",
                lens=state.say(f"lens.{view.lens}"),
                accounting=state.say(f"accounting.{view.accounting}"),
            )
            title = state.say("export.caption.how", title=title, how=how)
        return parameters(title, None if state.page == "cost" else state.scenario, state.say)
    return caption(source.trace, view.step, view.lens, view.accounting, state.say)


# -- slow exports ------------------------------------------------------------------------------------------------------


def _long(source: Source, wish: Wish, job: Job | None, say: Messages) -> None:
    if job is not None and job.running:
        share = job.done / job.total if job.total else 0.0
        text = say("export.ui.waiting") if job.waiting else say("export.ui.making", done=job.done, total=job.total)
        st.progress(min(1.0, share), text)
        st.button(say("export.ui.cancel"), key="export-cancel", icon=":material/stop:", on_click=job.cancel)
        return
    ready = wish.what != "storyboard" or bool(wish.steps)
    if st.button(
        say("export.ui.make"), key="export-make", icon=":material/movie:", type="primary", disabled=not ready
    ):  # fmt: skip
        store.put(_JOB, Job(_name(source, wish), _task(source, wish)))
        st.rerun()
    if job is None:
        return
    if job.made is not None and not job.cancelled:
        st.download_button(
            say("export.ui.ready", name=job.name, size=len(job.made.data)), job.made.data, job.name, job.made.mime,
            key="export-ready", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if job.made.mime in (MIME["gif"], MIME["webp"], MIME["png"]):
            st.image(job.made.data)
        if job.made.alt:
            st.caption(say("export.ui.alt"))
            st.code(job.made.alt, language=None, wrap_lines=True)
    elif job.problem is not None:
        st.warning(say.in_markdown.error(job.problem), icon=":material/error:")
    elif job.broken:
        st.warning(say("export.ui.broken"), icon=":material/error:")
    elif job.cancelled:
        st.caption(say("export.ui.cancelled"))


def _task(source: Source, wish: Wish) -> Callable[[Progress], Made]:
    say = source.state.say
    if wish.what == DECK:
        script = lecture.find(session().lecture) or lectures.default()
        draw = drawer(script, say, lambda scenario: runs.trace(scenario, long=True), wish.theme)
        return lambda progress: Made(deck(script, draw, say, theme=wish.theme, progress=progress), MIME["pptx"])
    trace, asked = source.trace, _here(wish, source)
    assert trace is not None
    return lambda progress: make(asked, trace, say, progress=progress)
