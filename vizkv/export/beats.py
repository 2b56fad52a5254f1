"""What a beat of a lecture shows, as a picture for its slide: the page's player, block table or chart at that state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from vizkv.export import figures, swept
from vizkv.export.charts.draw import WIDTH, chart
from vizkv.export.deck import Slide
from vizkv.export.make import make
from vizkv.export.render import ExportError, svg_to_png
from vizkv.export.request import CHART, Wish, lead_of
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import either
from vizkv.scenario.schema import Scenario
from vizkv.trace.trace import Trace
from vizkv.views.charts import cost, sweeps
from vizkv.views.charts.projector import for_projector
from vizkv.views.facts.moments import start_of
from vizkv.views.payload import window as windows
from vizkv.views.picture import table as picture_table

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from vizkv.lecture import Beat, Lecture

Run = Callable[[Scenario], Trace]
_HEIGHT = 600  # of a chart that has a slide for itself
_TABLES = ("table", "paper", "sharing")  # pages whose player has block tables


def drawer(
    lecture: Lecture, say: Messages, run: Run, theme: str = "light", projector: bool = True
) -> Callable[[int], Slide]:
    """The slide of each beat. ``run``: a scenario's trace, as the caller keeps or makes them."""
    return partial(_slide, lecture, say, run, theme, projector)


def _slide(lecture: Lecture, say: Messages, run: Run, theme: str, projector: bool, index: int) -> Slide:
    beat = lecture.beats[index]
    data, alt, about = _picture(beat, index, say, run, theme, projector)
    title, notes = (lecture.text(field, say.language, index + 1) for field in ("title", "notes"))
    where = say("export.deck.caption", beat=index + 1, beats=len(lecture.beats), what=about)
    return Slide(title, data, alt, where, notes)


def _picture(
    beat: Beat, index: int, say: Messages, run: Run, theme: str, projector: bool
) -> tuple[bytes, str, str]:  # fmt: skip
    """(PNG, what is seen, what was run)."""
    if beat.scenario is None or beat.example is None:
        svg = cost.picture(theme, say)
        return svg_to_png(svg, 2, clear=True), say("cost.picture.alt"), say(f"page.{beat.page}.title")
    about = say(f"preset.{beat.preset}.title")
    if beat.page == "sweep":
        figure = _sweep(beat, theme, say)
        figure = for_projector(figure, theme) if projector else figure
        alt = say("chart.alt.sweep")
        return chart(figure, "png", scale=2, theme=theme, alt=alt, width=WIDTH, height=_HEIGHT), alt, about
    trace = run(beat.scenario)
    start = start_of(trace, beat.example)
    wish = Wish(
        "player", "png", step=start.step if beat.step is None else beat.step, lens=beat.lens or start.lens,
        accounting=beat.accounting or start.accounting, theme=theme, scale="2", width=1280, height=600,
        projector=projector,
        colour=beat.colour or "state", lit=beat.lit or "", lit_in=-1 if beat.lit_in is None else beat.lit_in,
        mark=beat.mark,
        focus=-1 if beat.focus is None else beat.focus, position=-1 if beat.position is None else beat.position,
        request=next((i for i, r in enumerate(trace.requests) if r.id == beat.request), -1),
    )  # fmt: skip
    if beat.page in ("whatif", "cache"):
        names = figures.names(trace)
        name = "bars" if beat.page == "whatif" else "ledger"
        wish = replace(wish, what=CHART + (name if name in names else names[0]))
    elif beat.page in _TABLES and picture_table.paged(trace):
        wish = replace(wish, what="table")
    most = windows.total(trace, lead_of(trace)) - 1
    if wish.step > most:
        raise ExportError(
            told("The step of beat {beat} is {step}; valid for its run is 0 to {most}.", beat=index + 1,
                 step=wish.step, most=most)
        )  # fmt: skip
    made = make(wish, trace, say)
    return made.data, made.alt, about


def _sweep(beat: Beat, theme: str, say: Messages) -> go.Figure:
    """The ready-made sweep of the beat's preset, run now; the words of the beat's link may change its axis."""
    from vizkv import sweeps as sweep
    from vizkv.sweeps.table import in_order

    assert beat.scenario is not None
    ready = sweeps.READY.get(beat.preset)
    if ready is None:
        raise ExportError(
            told("The beat's preset is {name!r}; valid on a slide of sweeps is {valid}.", name=beat.preset,
                 valid=either(list(sweeps.READY)))
        )  # fmt: skip
    more = beat.more
    name, metric = more.get("x", ready.x), more.get("metric", ready.metric)
    axes = [sweep.parse_axis(f"{name}={more.get('xs', ready.xs)}")]
    if up := more.get("y", ready.y):
        axes.append(sweep.parse_axis(f"{up}={more.get('ys', ready.ys)}"))
    tasks = sweep.points(beat.scenario, axes, 1)
    found = in_order(tasks, list(sweep.run(tasks)))
    lines = swept.lines(found, metric)
    own = (name, metric, up) == (ready.x, ready.metric, "") and not (beat.change or beat.s)
    here = {spot.x for line in lines for spot in line.spots}
    key = f"sweep.reference.{beat.preset}"
    theirs = [reference for reference in ready.references if reference[1] in here] if own else []
    drawn = sweeps.Picture(
        metric, name, lines, up, references=theirs, reference=say(key) if theirs and key in say else ""
    )
    return sweeps.chart(drawn, theme, say)
