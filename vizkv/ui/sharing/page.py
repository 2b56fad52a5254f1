"""The part of the page "Sharing" below the player: blocks saved, copies step by step, where the texts diverge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from vizkv.limits import kept
from vizkv.replay.following import paged
from vizkv.trace.trace import Trace
from vizkv.ui import link, widgets
from vizkv.ui.charts import plot
from vizkv.ui.memory.compact import OPT_13B
from vizkv.ui.player import runs
from vizkv.views.facts import beams, branches, copies, hits, saving
from vizkv.views.payload.pack import View

_STYLE = Path(__file__).parent / "sharing.css"


@dataclass(frozen=True)
class Facts:
    """Everything that the page derives from a run, computed once."""

    saving: saving.Saving
    copies: list[copies.Copy]
    texts: list[branches.Text]
    tree: beams.Tree | None
    cached: hits.Cached


@kept.cached(64 << 20, key=lambda key, system, trace: (key, system))
def _facts(key: str, system: int, trace: Trace) -> Facts:
    return Facts(
        saving.saving(trace, system), copies.copies(trace, system), branches.texts(trace),
        beams.tree(trace, system), hits.cached(trace, system),
    )  # fmt: skip


def below(run: runs.Run, view: View) -> None:
    """Draw four parts, without those for which this run has no data."""
    say, system = link.current().say, paged(run.trace)
    st.html(_STYLE)
    if system is None:
        st.info(say("sharing.contiguous"), icon=":material/info:")
        return
    facts, theme = _facts(run.key, system, run.trace), st.context.theme.type or "light"
    step = min(view.step, max(0, run.trace.systems[system].steps - 1))
    sizes = _bytes(run.trace)
    asked = set().union(*(request.keys() for request in run.trace.scenario.get("requests", ())))
    _saving(facts.saving, step, sizes, theme, in_paper=bool(asked & {"samples", "beam_width"}))
    if run.trace.systems[system].detail.get("prefix_caching"):
        _cache(facts.cached, step)
    if facts.copies or asked & {"samples", "beam_width", "branches"}:
        _copies(facts.copies, step, sizes)
    st.info(say("sharing.v1"), icon=":material/history:")
    if facts.tree is not None:
        st.subheader(say("sharing.tree.title"))
        st.caption(say("sharing.tree.about"))
        st.html(beams.picture(facts.tree, step, theme, say))
    if len(facts.texts) > 1 and any(text.pieces for text in facts.texts):
        st.subheader(say("sharing.texts.title"))
        st.caption(
            say.sentences(say("sharing.texts.about"), say("sharing.texts.samples") if "samples" in asked else "")
        )
        st.html(branches.picture(facts.texts, say))


def _bytes(trace: Trace) -> dict[str, int]:
    """Return the bytes of one token's K and V by model: this run's model, if any, and OPT-13B."""
    own = runs.bytes_per_token(trace)
    return ({trace.model: own} if own else {}) | {"OPT-13B": OPT_13B}


def _chips(labels: dict[int, str], step: int, key: str) -> None:
    """Draw one button per step; the current step's is filled."""
    with st.container(horizontal=True, gap="small"):
        for place, label in labels.items():
            kind: Any = "primary" if place == step else "secondary"
            st.button(label, key=f"{key}-{place}", type=kind, on_click=widgets.clicked(link.go, place))


# -- blocks saved ------------------------------------------------------------------------------------------------------


def _saving(facts: saving.Saving, step: int, sizes: dict[str, int], theme: str, *, in_paper: bool) -> None:
    say = link.current().say
    st.subheader(say("sharing.saving.title"))
    without, held = (int(row[step]) if len(row) else 0 for row in (facts.without, facts.held))
    chart, numbers = st.columns([6, 5], gap="large")
    with chart:
        st.markdown(
            say("sharing.saving.now", step=step, without=without, held=held, saved=without - held,
                share=say.percent(float(facts.shares[step]) if len(facts.held) else 0.0))
        )  # fmt: skip
        plot.show(saving.figure(facts, step, theme, say), alt=say("chart.alt.saving"), key="saving")
    with numbers:
        st.dataframe(_table(facts, step, sizes), hide_index=True)
        st.caption(say("sharing.saving.about"))
        if in_paper:
            st.info(say("sharing.saving.paper"), icon=":material/menu_book:")


def _table(facts: saving.Saving, step: int, sizes: dict[str, int]) -> dict[str, list[Any]]:
    """Return the table: numbers as rows; columns for now, the step that saves most, and the mean of all steps."""
    say, most = link.current().say, facts.most
    columns = {say("sharing.saving.step", step=step): _at(facts, step, sizes)}
    if most != step:
        columns[say("sharing.saving.most", step=most)] = _at(facts, most, sizes)
    return {say("sharing.saving.what"): _names(sizes), **columns, say("sharing.saving.mean"): _mean(facts, sizes)}


def _names(sizes: dict[str, int]) -> list[str]:
    say = link.current().say
    names = [say(f"sharing.saving.row.{name}") for name in ("without", "held", "share", "slots")]
    return names + [say("sharing.saving.row.bytes", model=model) for model in sizes]


def _at(facts: saving.Saving, step: int, sizes: dict[str, int]) -> list[str]:
    if not len(facts.held):
        return ["0"] * (4 + len(sizes))
    return _column(int(facts.without[step]), int(facts.held[step]), float(facts.shares[step]), facts.block_size, sizes)


def _mean(facts: saving.Saving, sizes: dict[str, int]) -> list[str]:
    if not len(facts.held):
        return ["0"] * (4 + len(sizes))
    without, held = round(float(facts.without.mean()), 1), round(float(facts.held.mean()), 1)
    return _column(without, held, facts.overall, facts.block_size, sizes)


def _column(without: float, held: float, share: float, size: int, sizes: dict[str, int]) -> list[str]:
    say = link.current().say
    slots = round((without - held) * size)
    return [say.number(without), say.number(held), say.percent(share), say.number(slots)] + [
        say.number(slots * each) for each in sizes.values()
    ]


# -- copies ------------------------------------------------------------------------------------------------------------


def _copies(found: list[copies.Copy], step: int, sizes: dict[str, int]) -> None:
    say = link.current().say
    st.subheader(say("sharing.copy.title"))
    st.caption(say("sharing.copy.about"))
    if not found:
        st.info(say("sharing.copy.none"), icon=":material/info:")
        return
    steps = list(dict.fromkeys(copy.step for copy in found))
    count: Callable[[int], int] = [copy.step for copy in found].count
    _chips({s: say("sharing.copy.step", step=s, n=count(s)) for s in steps}, step, "copies")
    shown = step if step in steps else next((s for s in steps if s > step), steps[-1])
    mine = [copy for copy in found if copy.step == shown]
    copy = mine[0]
    if len(mine) > 1:
        labels = {
            i: say.in_markdown("sharing.copy.one", request=c.who, source=c.source, block=c.block)
            for i, c in enumerate(mine)
        }
        chosen = st.segmented_control(
            say("sharing.copy.which"), labels, default=0, key=f"copy-of-{shown}-{len(mine)}",
            format_func=labels.__getitem__, label_visibility="collapsed",
        )  # fmt: skip
        copy = mine[chosen or 0]
    key = "sharing.copy.then" if len(copy.others) > 1 else "sharing.copy.last"
    md = say.in_markdown
    st.markdown(
        md.sentences(
            md("sharing.copy.what", step=copy.step, request=copy.who, source=copy.source, n=len(copy.readers)),
            md(key, source=copy.source, request=say("narration.list").join(copy.others)),
        )
    )  # fmt: skip
    st.html(copies.picture(copy, sizes, say))


# -- prefix cache ------------------------------------------------------------------------------------------------------


def _cache(found: hits.Cached, step: int) -> None:
    say = link.current().say
    st.subheader(say("sharing.cache.title"))
    st.markdown(
        say("sharing.cache.found", found=found.found, tokens=found.tokens,
            share=say.percent(found.found / max(1, found.tokens)))
    )  # fmt: skip
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.dataframe(
            {
                say("sharing.cache.request"): [a.request for a in found.admissions],
                say("sharing.cache.step"): [a.step for a in found.admissions],
                say("sharing.cache.tokens"): [a.tokens for a in found.admissions],
                say("sharing.cache.hit"): [a.found for a in found.admissions],
                say("sharing.cache.computed"): [a.tokens - a.found for a in found.admissions],
                say("sharing.cache.in_use"): [a.in_use for a in found.admissions],
                say("sharing.cache.revived"): [a.revived for a in found.admissions],
            },
            hide_index=True,
        )
    with right:
        st.markdown(say("sharing.cache.hits"))
        _chips(
            {a.step: say.in_markdown("sharing.cache.chip", step=a.step, request=a.request, n=a.found)
             for a in found.admissions if a.found},
            step, "hits",
        )  # fmt: skip
        if found.evicted:
            st.markdown(say("sharing.cache.evicted", n=len(found.evicted)))
            blocks: dict[int, list[str]] = {}
            for at, block in found.evicted:
                blocks.setdefault(at, []).append(str(block))
            labels = {
                at: say("sharing.cache.forgot", step=at, blocks=say("narration.list").join(ids), n=len(ids))
                for at, ids in blocks.items()
            }  # fmt: skip
            _chips(labels, step, "evicted")
        else:
            st.markdown(say("sharing.cache.kept"))
