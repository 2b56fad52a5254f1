"""The page "The paper, replayed": choose a figure, compare its numbers with the run's, read which engine does what."""

from __future__ import annotations

from html import escape

import streamlit as st

from vizkv.messages.catalogue import Messages
from vizkv.ui import link, widgets
from vizkv.ui.memory import lesson
from vizkv.ui.player.runs import Run
from vizkv.views.facts import figures
from vizkv.views.payload.pack import View

COLUMNS = ("paper", "v0", "v1")
DOCUMENT = ("paper-prefix-cache", "paper-prefix-cache-now")  # replayed from vLLM's design document, not the paper


# the player gives up the height that this row takes; the chosen figure must be legible at a distance
_CHOOSER = """<style>
:root { --vizkv-chrome: 7.9rem; --vizkv-least: 31rem; --vizkv-below-form: -0.45rem; }
</style>"""


def choose() -> None:
    """Draw the row of figures above the player. In a lecture the beats choose the figure, so there is no row."""
    state = link.current()
    if link.session().lecture:
        return
    say, known = state.say, link.presets(state.page)
    st.html(_CHOOSER)
    key = widgets.shows("paper-choose", state.preset.id)
    st.segmented_control(
        say("paper.choose"), list(known), key=key, format_func=lambda name: say(f"paper.{name}.short"),
        on_change=widgets.changed(key, _open, known), label_visibility="collapsed", width="stretch",
    )  # fmt: skip


def _open(name: str | None) -> None:
    """Open a figure. None means that the open figure was deselected: it is opened again as the paper has it."""
    state = link.current()
    preset = link.presets(state.page)[name or state.preset.id]
    link.change(preset.scenario, preset)


def below(run: Run, view: View) -> None:
    """Say what to look at, and compare the figure's numbers with the run's; those of the player's step are bold."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        lesson.about(link.current(), run)
    with right:
        if not link.current().renamed:
            _numbers(run, view)


def _numbers(run: Run, view: View) -> None:
    state = link.current()
    say, claims = state.say, figures.FIGURES[state.preset.id]
    st.subheader(say("figures.title"))
    rows = figures.compare(run.trace, claims, say)
    if state.changed or state.saved is not None:
        st.caption(say("figures.changed"))
    elif all(row.agrees for row in rows):
        st.caption(say("figures.all", n=len(rows)))
    else:
        st.caption(say("figures.some", n=len(rows), agree=sum(row.agrees for row in rows)))
    st.html(_table(rows, view.step, say("figures.document" if state.preset.id in DOCUMENT else "figures.printed"), say))


def _table(rows: list[figures.Row], step: int, printed: str, say: Messages) -> str:
    """Return the table as HTML: large enough for the back row, with header cells that a screen reader announces."""
    heads = (say("figures.step"), say("figures.what"), printed, say("figures.here"))
    head = "".join(f"<th scope='col'>{escape(h)}</th>" for h in heads)
    head += f"<th scope='col'><span class='vizkv-unseen'>{escape(say('figures.agreement'))}</span></th>"
    body = []
    for row in rows:
        mark, meaning = ("✓", say("figures.agrees")) if row.agrees else ("≠", say("figures.differs"))
        cells = [say.number(row.step), row.label, row.printed, row.here]
        marked = f"<td class='vizkv-mark' title='{escape(meaning)}' aria-label='{escape(meaning)}'>{mark}</td>"
        now = " class='vizkv-now' aria-current='step'" if row.step == step else ""
        body.append(f"<tr{now}>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + marked + "</tr>")
    table = f"<table class='vizkv-figure'><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    name = escape(say("figures.title"), quote=True)
    return f"{_STYLE}<div class='vizkv-wide' role='region' tabindex='0' aria-label='{name}'>{table}</div>"


_STYLE = """<style>
.vizkv-figure { width: 100%; border-collapse: collapse; line-height: 1.35; font-variant-numeric: tabular-nums; }
.vizkv-figure { font-size: clamp(0.85rem, 1.3vw, 1.1rem); }
.vizkv-figure :is(th, td) { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid rgb(128 128 128 / 35%); }
.vizkv-figure :is(th, td):first-child { text-align: right; width: 3.5rem; }
.vizkv-figure td { white-space: nowrap; }
.vizkv-figure .vizkv-mark { font-weight: 700; text-align: center; width: 2.5rem; }
.vizkv-figure .vizkv-now { background: rgb(128 128 128 / 18%); font-weight: 600; }
.vizkv-wide { position: relative; overflow-x: auto; }
.vizkv-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 700px) {
  .vizkv-figure td { white-space: normal; }
  .vizkv-figure :is(th, td) { padding-inline: 0.3rem; }
  .vizkv-figure :is(th, td):first-child, .vizkv-figure .vizkv-mark { width: auto; }
}
</style>"""


def notes() -> None:
    """Compare who does what: the paper, vLLM's first engine, and vLLM now."""
    state = link.current()
    say, name = state.say, state.preset.id
    if state.renamed:
        return
    st.subheader(say("paper.notes"))
    titles = {column: say(f"paper.column.{column}") for column in COLUMNS}
    if name in DOCUMENT:
        titles["paper"] = say("paper.column.document")
    for place, column in zip(st.columns(len(COLUMNS), gap="large"), COLUMNS, strict=True):
        with place:
            st.markdown(f"**{titles[column]}**")
            st.markdown(say(f"paper.{name}.{column}"))
