"""Where the memory of a card goes: a worked example or somebody's own config.json, each part editable, as a bar.

What is shown stands in the link as ``card`` (``Open.more``, the word of vizkv.scenario.memory_examples). A config.json
that was opened here belongs to this visitor: a link names only that there was one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from vizkv.limits.limits import MAX_CONFIG
from vizkv.messages.sentence import shortened
from vizkv.scenario.hardware import CARD_TYPES, CARDS, GIB, KV_TYPES, HardwareError
from vizkv.scenario.memory_examples import EXAMPLES, FIRST, OWN, lengths_of, plan_of, read_word, write_word
from vizkv.scenario.memory_plan import MAX_GIB, Hardware
from vizkv.scenario.model_config import ModelConfig, parse_config
from vizkv.ui import link, store, widgets
from vizkv.ui.charts import plot
from vizkv.views.charts import card as views
from vizkv.views.facts import memory_plan as facts

CARD = "card"  # the field of the link
_FILE = "vizkv.card.file"  # (name, ModelConfig) of the config.json that this visitor has opened
_WRONG = "vizkv.card.wrong"  # why the last change was refused
_MOST_LENGTH = 10**9


def current() -> tuple[str, dict[str, Any], Hardware]:
    """The example's name, what was changed of it, and what comes of it. Nonsense in the link leaves a sentence."""
    state = link.current()
    try:
        name, settings = read_word(state.more.get(CARD, FIRST))
        return name, settings, plan_of(name, settings, _own())
    except HardwareError as error:
        state.problem = str(error)
        del state.more[CARD]
        return FIRST, {}, plan_of(FIRST, {})


def _own() -> ModelConfig | None:
    found: tuple[str, ModelConfig] | None = store.get(_FILE)
    return found[1] if found else None


def show(key: str) -> None:
    """The whole piece, folded until somebody opens it or a link asks for it. ``key``: of its widgets."""
    state = link.current()
    say = state.say
    asked = CARD in state.more
    # what is folded is not drawn: the page is drawn anew with every answer
    with st.expander(say("card.title"), asked, key=key, icon=":material/memory_alt:", on_change="rerun") as box:
        if box.open:
            _show(key)
    if asked:
        link.write(state)


def _show(key: str) -> None:
    """The settings, the bar, and what both mean."""
    say = link.current().say
    name, settings, plan = current()
    _choosers(key, name, plan)
    _numbers(key, plan)
    if wrong := store.take(_WRONG):
        st.warning(say.in_markdown.error(wrong), icon=":material/error:")
    lengths, words = lengths_of(name, plan), say.in_markdown
    st.markdown(words.sentences(*(facts.fit(plan, length, words) for length in lengths)))
    figure = views.chart(plan, lengths, st.context.theme.type or "light", say)
    plot.show(figure, alt=say("card.alt"), key=f"{key}-picture")
    st.markdown(words.sentences(facts.total(plan, words), *facts.outcome(plan, words)))
    if name == FIRST and not settings:
        st.markdown(words("card.report"))
    st.markdown(words.sentences(*facts.needs(plan, words)))
    st.caption(words.sentences(*facts.assumed(plan, words)))
    titles, *rows = facts.cards(plan, say)
    with st.popover(say("plan.table"), icon=":material/table:"):
        st.dataframe({title: [row[i] for row in rows] for i, title in enumerate(titles)}, hide_index=True)


def _choosers(key: str, name: str, plan: Hardware) -> None:
    """Which model, on which cards, in which type."""
    say = link.current().say
    found: tuple[str, ModelConfig] | None = store.get(_FILE)
    names = [*EXAMPLES, *([OWN] if found else [])]

    def label(one: str) -> str:
        return say("card.own", name=shortened(found[0], 40)) if one == OWN and found else say(f"card.example.{one}")

    with st.container(horizontal=True, vertical_alignment="bottom"):
        box = widgets.shows(f"{key}-example", name)
        st.selectbox(say("card.example"), names, key=box, on_change=widgets.changed(box, _choose, names),
                     format_func=label, width=370)  # fmt: skip
        with st.popover(say("card.upload"), icon=":material/upload_file:"):
            upload = f"{key}-file"
            st.caption(say("card.upload.about"))
            st.file_uploader(say("card.upload.file"), type=["json"], key=upload,
                             on_change=widgets.changed(upload, _open), max_upload_size=MAX_CONFIG >> 20)  # fmt: skip
        boxes: dict[str, tuple[Any, list[Any], Any, int]] = {
            "card": (plan.card.id, list(CARD_TYPES), lambda one: CARD_TYPES[one].name, 190),
            "cards": (plan.cards, sorted({*CARDS, plan.cards}), str, 80),
            "kv_type": (plan.kv.id, list(KV_TYPES), lambda one: say(f"hardware.kv.{one}"), 180),
        }
        for setting, (value, choices, words, width) in boxes.items():
            box = widgets.shows(f"{key}-{setting}", value)
            st.selectbox(say(f"card.{setting}"), choices, key=box, format_func=words, width=width,
                         on_change=widgets.changed(box, partial(_set, setting), choices))  # fmt: skip


def _numbers(key: str, plan: Hardware) -> None:
    """The parts of the bar and the length that is asked about, each with the number that counts now."""
    say = link.current().say
    values: dict[str, float | None] = {
        "memory": plan.memory / GIB, "utilisation": plan.utilisation,
        "weights": None if plan.weights is None else plan.weights / GIB, "activations": plan.activations / GIB,
        "graphs": plan.graphs / GIB, "kv": None if plan.kv_bytes is None else max(0, plan.kv_bytes) / GIB,
    }  # fmt: skip
    with st.container(horizontal=True):
        for setting, value in values.items():
            shown = None if value is None else round(value, 3 if setting == "utilisation" else 2)
            box = widgets.shows(f"{key}-{setting}", shown)
            least, most = (0.01, 1.0) if setting == "utilisation" else (0.1 if setting == "memory" else 0.0, MAX_GIB)
            st.number_input(
                say(f"card.{setting}"), least, most, shown, 0.01 if setting == "utilisation" else 0.1, key=box,
                format="%.2f", width=140, on_change=widgets.changed(box, partial(_set, setting)),
                help=say(f"card.{setting}.help"),
            )  # fmt: skip
        box = widgets.shows(f"{key}-max_model_len", plan.max_model_len)
        st.number_input(
            say("card.max_model_len"), 1, _MOST_LENGTH, plan.max_model_len, 1000, key=box, width=160,
            on_change=widgets.changed(box, partial(_set, "max_model_len")), help=say("card.max_model_len.help"),
        )  # fmt: skip


def _choose(name: str) -> None:
    _try(name, {})


def _set(setting: str, value: Any) -> None:
    """Take one setting over; one that another follows from is forgotten."""
    name, settings, _ = current()
    if value is None:
        settings.pop(setting, None)
    else:
        settings[setting] = value
    for one, other in (("kv", "utilisation"), ("utilisation", "kv"), ("card", "memory")):
        if setting == one:
            settings.pop(other, None)
    _try(name, settings)


def _try(name: str, settings: Mapping[str, Any]) -> None:
    """Keep what can be counted; of anything else the sentence, and what was shown before."""
    state = link.current()
    try:
        plan_of(name, settings, _own())
    except HardwareError as error:
        store.put(_WRONG, str(error))
        return
    state.more[CARD] = write_word(name, settings)


def _open(file: Any) -> None:
    """A config.json, or none any more."""
    if file is None:
        return
    try:
        model = parse_config(file.getvalue(), shortened(file.name, 80))
    except HardwareError as error:
        store.put(_WRONG, str(error))
        return
    before = store.get(_FILE)
    store.put(_FILE, (file.name, model))
    _try(OWN, {})
    if store.get(_WRONG):
        store.put(_FILE, before)
