"""What the pool is: pick a model, cards and a type of K and V; relabel the pool, or take the one that they have.

What the page's pool is said to be stands in the link as ``as`` (``Open.more``, the word of vizkv.scenario.hardware);
without it the pool is Figure 2's, OPT-13B's. What a page says of bytes it takes from ``current()`` or ``named()``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import lcm
from typing import Any

import streamlit as st

from vizkv.messages.catalogue import Messages
from vizkv.scenario.hardware import (
    BLOCK,
    CARD_TYPES,
    CARDS,
    DEFAULT,
    GB,
    GIB,
    KV_TYPES,
    MODELS,
    HardwareError,
    Setup,
    from_word,
    relabel,
)
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict, to_dict
from vizkv.systems.base.parts import MAX_SLOTS
from vizkv.ui import link, store, widgets

AS = "as"  # the field of the link
START = "llama-3-8b:h100-80gb:1:16bit"  # what the boxes show before anybody has picked
_PICKED = "hardware.picked"  # last, on any page
_LARGEST_STEP = 4096  # slots: beyond this the common multiple of the block sizes would waste more than it is worth


def current() -> Setup:
    """What the open page's pool is said to be. Nonsense in the link leaves a sentence, and Figure 2's."""
    state = link.current()
    try:
        return from_word(state.more[AS]) if AS in state.more else DEFAULT
    except HardwareError as error:
        state.problem = str(error)
        del state.more[AS]
        return DEFAULT


def named() -> dict[str, int]:
    """The model that the pool is said to hold -> bytes of one of its slots: for tables and sentences about bytes."""
    setup = current()
    return {label(setup, link.current().say): setup.bytes_per_token}


def label(setup: Setup, say: Messages) -> str:
    """A model's name, with the type of its K and V where that is not the ordinary one."""
    if setup.kv.id == DEFAULT.kv.id:
        return setup.model.name
    return say("hardware.label", model=setup.model.name, kv=say(f"hardware.kv.{setup.kv.id}"))


def block_of(scenario: Scenario) -> int:
    """Slots that a pool is a multiple of, so that every paged system of the scenario has only whole blocks."""
    sizes = {s.block for s in scenario.systems if s.block} or {BLOCK}
    common = lcm(*sizes)
    return common if common <= _LARGEST_STEP else max(sizes)


def caption(scenario: Scenario, word: str = "") -> str:
    """What a pool is, in a sentence or two; ``word``: as in the link, or empty. Raises HardwareError."""
    say, setup = link.current().say, from_word(word or DEFAULT.word, block_of(scenario))
    seen = relabel(scenario.slots, setup)
    facts = {
        "slots": scenario.slots, "model": setup.model.name, "kv": say(f"hardware.kv.{setup.kv.id}"),
        "kib": _kib(setup, say), **_sizes(seen.bytes), "cards": _cards(setup),
    }  # fmt: skip
    if scenario.slots == setup.slots:
        papers = setup.paper and setup.kv == DEFAULT.kv
        return say("hardware.is.paper" if papers else "hardware.is.computed", **facts)
    if not word:
        return say("hardware.is.bytes", **facts)
    if not setup.kv_bytes:
        return say("hardware.as.nothing", share=say.percent(seen.share), **facts)
    key = "hardware.as.fits" if seen.fits else "hardware.as.more"
    return say(key, share=say.percent(seen.share), room=seen.fitting, **facts)


def show(key: str = "hardware", most: int = MAX_SLOTS) -> None:
    """The whole piece. ``key``: of its widgets. ``most``: slots that the page can run."""
    state = link.current()
    current()  # a word that names nothing is dropped before it is read below
    say = state.say
    st.subheader(say("hardware.title"))
    st.markdown(caption(state.scenario, state.more.get(AS, "")))
    word = _boxes(key)
    try:
        setup = from_word(word, block_of(state.scenario))
    except HardwareError as error:
        st.info(say.in_markdown.error(error), icon=":material/memory:")
        return
    _numbers(setup)
    with st.container(horizontal=True):
        st.button(
            say("hardware.relabel", slots=state.scenario.slots, model=setup.model.name), key=f"{key}-relabel",
            icon=":material/label:", on_click=widgets.clicked(_relabel, word),
        )  # fmt: skip
        st.button(
            say("hardware.use", slots=setup.slots), key=f"{key}-use", icon=":material/memory:",
            on_click=widgets.clicked(_use, word, most), disabled=not setup.slots,
        )  # fmt: skip
        if AS in state.more:
            st.button(
                say("hardware.back", model=DEFAULT.model.name), key=f"{key}-back", icon=":material/undo:",
                on_click=widgets.clicked(_relabel, ""),
            )  # fmt: skip
    with st.expander(say("hardware.how")):
        for line in _how(setup):
            st.markdown(line)


def _boxes(key: str) -> str:
    """The four boxes; the word of what they show."""
    say, state, picked = link.current().say, link.current(), list[Any]()
    word = state.picked or state.more.get(AS) or store.get(_PICKED, START)
    boxes: dict[str, tuple[Sequence[Any], Callable[[Any], str], int]] = {
        "model": (list(MODELS), lambda name: MODELS[name].name, 200),
        "card": (list(CARD_TYPES), lambda name: CARD_TYPES[name].name, 200),
        "cards": (CARDS, str, 120),
        "kv": (list(KV_TYPES), lambda name: say(f"hardware.kv.{name}"), 240),
    }
    # fixed widths: side by side where there is room, and wrapped where there is not
    with st.container(horizontal=True):
        for part, (box, (choices, label, width)) in zip(word.split(":"), boxes.items(), strict=True):
            moved = store.get(f"{key}-{box}") if state.picked else None  # else it is of what was open before
            value = moved if moved in choices else next(choice for choice in choices if str(choice) == part)
            shown = widgets.shows(f"{key}-{box}", value)
            picked.append(st.selectbox(say(f"hardware.{box}"), choices, key=shown, format_func=label, width=width))
    word = ":".join(map(str, picked))
    state.picked = word
    store.put(_PICKED, word)
    return word


def _numbers(setup: Setup) -> None:
    say, size = link.current().say, _sizes(setup.kv_bytes)
    with st.container(horizontal=True, gap="large"):
        st.metric(say("hardware.token"), say("hardware.token.value", bytes=setup.bytes_per_token), width="content")
        st.metric(say("hardware.memory"), say("hardware.memory.value", **size), width="content")
        st.metric(say("hardware.slots"), say.number(setup.slots), width="content")
    if not setup.kv_bytes:
        weights, usable = _sizes(setup.model.weight_bytes), _sizes(setup.usable)
        st.info(
            say(
                "hardware.too-large", model=setup.model.name, cards=_cards(setup), weights=weights["gib"],
                usable=usable["gib"], share=say.percent(setup.utilisation),
            ),
            icon=":material/memory:",
        )  # fmt: skip


def _how(setup: Setup) -> list[str]:
    """The formulas with their numbers, what they assume, and where the numbers come from."""
    say, m, size = link.current().say, setup.model, _sizes(setup.kv_bytes)
    token: dict[str, float] = {"layers": m.layers, "bits": setup.kv.bits, "bytes": setup.bytes_per_token}
    token["kib"] = round(setup.bytes_per_token / 1024, 1)
    lines = []
    if m.latent:
        lines.append(say("hardware.how.latent", latent=m.latent[0], rotary=m.latent[1], **token))
    else:
        key = "hardware.how.scales" if setup.kv.scales else "hardware.how.heads"
        lines.append(say(key, kv_heads=m.kv_heads, head_dim=m.head_dim, **token))
    if setup.paper:
        paper = {"printed": setup.paper.printed_kv, "slots": setup.paper.printed_slots}
        lines.append(say("hardware.how.paper", cards=_cards(setup), **paper, **size))
    elif setup.kv_bytes:
        memory, weights = _sizes(setup.card.memory), _sizes(m.weight_bytes)
        lines.append(
            say(
                "hardware.how.memory", n=setup.cards, card=memory["gib"], share=say.percent(setup.utilisation),
                weights=weights["gib"], parameters=round(m.parameters / GB, 2), bits=m.weight_bits, **size,
            )
        )  # fmt: skip
        lines.append(say("hardware.how.bound"))
    if setup.copies > 1:
        key = "hardware.how.copies.latent" if m.latent else "hardware.how.copies.heads"
        lines.append(say(key, cards=setup.cards, copies=setup.copies, kv_heads=m.kv_heads))
    if setup.kv_bytes:
        slots = {"block": setup.block_size, "slots": setup.slots, "bytes": setup.bytes_per_token * setup.copies}
        lines.append(say("hardware.how.slots", **slots, **size))
    lines.append(say("hardware.how.clock" if setup.clock else "hardware.how.no-clock", model=m.name))
    return [*lines, say("hardware.how.sources", model=m.source, card=setup.card.source)]


def _sizes(count: int) -> dict[str, float]:
    """Bytes as GiB and as GB: on a page never the one without the other."""
    return {"gib": round(count / GIB, 2), "gb": round(count / GB, 2)}


def _kib(setup: Setup, say: Messages) -> str:
    """KiB of a slot, as many times as it is kept."""
    once = say.number(round(setup.bytes_per_token / 1024, 1))
    return once if setup.copies == 1 else f"{setup.copies} × {once}"


def _cards(setup: Setup) -> str:
    return f"{setup.cards} × {setup.card.name}"


def _relabel(word: str) -> None:
    """The slots stay what they are; what they hold gets another name. Without a word: Figure 2's again."""
    more = link.current().more
    if word:
        more[AS] = word
    else:
        more.pop(AS, None)


def _use(word: str, most: int) -> None:
    state = link.current()
    scenario = state.scenario
    setup = from_word(word, block_of(scenario))
    if setup.slots > most:
        state.problem = state.say("hardware.problem.most", slots=setup.slots, most=most)
        return
    try:
        changed = from_dict(to_dict(scenario) | {"slots": setup.slots})
    except ScenarioError as error:
        state.problem = state.say("problem.kept", problem=str(error))
        return
    link.change(changed)
    state.edition += 1  # the drawer's box of slots is not what changed them: it starts from the scenario again
    state.more[AS] = word
