"""The two charts of what lies in the memory: K and V of a token, and how much the newest one looks at each block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vizkv.engine import engine
from vizkv.export import figures
from vizkv.export.make import Made, charted
from vizkv.export.page import Plot, plain
from vizkv.export.render import ExportError, Progress
from vizkv.export.request import CHART, Wish, check
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import joined, told
from vizkv.replay import following
from vizkv.replay.following import Spot
from vizkv.scenario import schema as scenario
from vizkv.trace.trace import Trace
from vizkv.views.charts import heat
from vizkv.views.charts.projector import for_projector
from vizkv.views.picture.caption import caption

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from vizkv.model import LoadedModel

_MOST_SPANS = 6  # stretches of steps that a sentence names


def make(
    wish: Wish, trace: Trace, say: Messages, layer: int | None, head: int | None, progress: Progress | None = None
) -> Made:  # fmt: skip
    """The file; its ``alt`` says whose K and V these are. ``layer``, ``head``: from 1; None: the mean of all.

    Raises ExportError for what is not there at that step, and ModelError where the model is not here.
    """
    from vizkv.model import load_model

    name = wish.what.removeprefix(CHART)
    check(wish, trace, say)
    figures.possible(name, trace)
    spot = _spot(wish, trace)
    if name == "vectors":
        _written(spot, wish, trace)
    again = scenario.from_dict(trace.scenario)
    model = load_model(again.model)
    which = tuple(
        _which(one, given, count, model)
        for one, given, count in (("layer", layer, model.config.layers), ("head", head, model.config.heads))
    )
    peek = engine.peek(again, model, wish.step)
    if name == "vectors":
        figure, about = _vectors(spot, peek, wish, trace, say)
    else:
        figure, about = _attention(spot, peek, which[0], which[1], wish, trace, say)
    if wish.projector:
        figure = for_projector(figure, wish.theme)
    below = caption(trace, wish.step, wish.lens, wish.accounting, say)
    alt = f"{say(f'chart.alt.{name}')}\n{about}"
    made = charted(
        Plot(figure, alt, say(f"picture.chart.{name}"), wish.theme), wish, f"{about}\n{below}" if wish.caption else ""
    )
    if progress:
        progress(1, 1)
    return made


def _vectors(spot: Spot, peek: engine.Peek, wish: Wish, trace: Trace, say: Messages) -> tuple[go.Figure, str]:
    p, size = spot.position, spot.size
    kv = peek.slot(spot.system, spot.slot)
    if not np.isfinite(kv).all():
        raise ExportError(say("heat.never", slot=spot.slot))
    place = say(
        "heat.place", position=p, size=size, row=p // size, offset=p % size, block=spot.block, slot=spot.slot
    )  # fmt: skip
    return heat.vectors(kv, wish.theme, say), f"{_token('heat.token', spot, p, trace, say)}\n{place}"


def _attention(
    spot: Spot, peek: engine.Peek, layer: int, head: int, wish: Wish, trace: Trace, say: Messages
) -> tuple[go.Figure, str]:
    newest = spot.written - 1
    weights = heat.chosen(peek.attention(spot.system, spot.last, newest, spot.table, spot.size), layer, head)
    if not np.isfinite(weights).all():
        raise ExportError(say("heat.attention.never"))
    pieces = trace.requests[spot.request].pieces
    about = [
        say(f"heat.{name}.mean") if index == heat.MEAN else say(f"heat.{name}.one", number=index + 1)
        for name, index in (("layer", layer), ("head", head))
    ]
    figure = heat.attention(weights, spot.table, spot.size, pieces, wish.theme, say)
    told_ = _token("heat.attention", spot, newest, trace, say)
    return figure, f"{told_}\n{say('narration.list').join(about)}"


def _token(key: str, spot: Spot, position: int, trace: Trace, say: Messages) -> str:
    """The page's sentence about a token; the token keeps every sign that it has."""
    facts, mark = trace.requests[spot.request], "\0"
    piece = facts.pieces[position] if position < len(facts.pieces) else ""
    line = plain(say(key, request=facts.id, position=position, token=mark))
    return line.replace(mark, f"“{heat.word(piece)}”")


# -- what is not there -----------------------------------------------------------------------------------------------


def _spot(wish: Wish, trace: Trace) -> Spot:
    """What is followed. Raises ExportError where its request holds no slots at that step."""
    system = following.paged(trace)
    assert system is not None
    facts = trace.systems[system]
    if wish.step < facts.steps:
        found = following.spot_of(trace, system, wish.step, wish.request, wish.position)
        if found is not None:
            return found
    spans = following.followed(trace, system, wish.request)
    who = trace.requests[wish.request].id if wish.request >= 0 else ""
    if not spans:
        raise ExportError(
            told("Request {id!r} never holds a slot of {system}; valid is a request that does.", id=who,
                 system=facts.name)
            if who else told("No request ever holds a slot of {system}.", system=facts.name)
        )  # fmt: skip
    steps = [f"{first}-{last}" if first < last else f"{first}" for first, last in spans[:_MOST_SPANS]]
    valid = joined([*steps, *(["..."] if len(spans) > _MOST_SPANS else [])])
    if who:
        raise ExportError(
            told("Request {id!r} holds no slot of {system} at step {step}; it does at steps {valid}.", id=who,
                 system=facts.name, step=wish.step, valid=valid)
        )  # fmt: skip
    raise ExportError(
        told("No request holds a slot of {system} at step {step}; some do at steps {valid}.", system=facts.name,
             step=wish.step, valid=valid)
    )  # fmt: skip


def _written(spot: Spot, wish: Wish, trace: Trace) -> None:
    if spot.position >= spot.known:
        raise ExportError(
            told("The position is {position}, which {id!r} has not written at step {step}; valid is 0 to {last}.",
                 position=spot.position, id=trace.requests[spot.request].id, step=wish.step, last=spot.known - 1)
        )  # fmt: skip


def _which(name: str, given: int | None, count: int, model: LoadedModel) -> int:
    """Counted from zero, or the mean. Raises ExportError for what the model does not have."""
    if given is None:
        return heat.MEAN
    if given > count:
        raise ExportError(
            told("The layer is {number}; valid for the model {model!r} is 1 to {count}.", number=given,
                 model=model.name, count=count)
            if name == "layer"
            else told("The head is {number}; valid for the model {model!r} is 1 to {count}.", number=given,
                      model=model.name, count=count)
        )  # fmt: skip
    return given - 1
