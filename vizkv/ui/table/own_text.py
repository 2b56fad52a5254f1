"""The prompt box of the page "Block table": turn the student's own text into a scenario, or into an error sentence."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from vizkv.messages.catalogue import Messages
from vizkv.scenario.schema import Scenario, ScenarioError, from_dict
from vizkv.ui import link, widgets
from vizkv.ui.player import runs

PRESET = "table-own-text"
BLOCK_SIZES = (1, 2, 4, 8, 16)
MOST_TOKENS = 64  # largest number of output tokens
MOST_CHARACTERS = 2000  # length limit of a prompt, far above what fits; checked before the tokenizer runs
POOLS = (32, 48, 72, 96, 120, 128)  # numbers of slots; with more, the tokens in the cells are too small to read
SPARE = 2  # blocks that stay free, so that the next allocation is visible
NEIGHBOUR = "It was the best of times"
NEIGHBOUR_TOKENS = 16  # largest number: the neighbour shall interleave its blocks, not fill the pool


@dataclass(frozen=True)
class Wish:
    """The values of the form."""

    prompt: str
    tokens: int = 24
    block_size: int = 4
    neighbour: bool = True
    model: str = "tiny"


def wish_of(scenario: Scenario) -> Wish:
    """Return the form values that lead to a scenario, as far as they can be read from it."""
    if not scenario.requests:  # a workload, opened from a file or a link
        return Wish(prompt="")
    first, size = scenario.requests[0], next((s.block for s in scenario.systems if s.has_block_table), 0)
    return Wish(
        prompt=first.prompt or "",
        tokens=min(MOST_TOKENS, first.output_tokens or Wish.tokens),
        block_size=size if size in BLOCK_SIZES else Wish.block_size,
        neighbour=len(scenario.requests) > 1,
        model=scenario.model if scenario.model != "none" else Wish.model,
    )


def scenario_of(wish: Wish, tokenizer: Any, say: Messages) -> Scenario:
    """Return the scenario in the smallest pool with spare blocks. Raises ScenarioError with a sentence for students."""
    count = count_tokens(wish.prompt, tokenizer, say)
    size, extra = wish.block_size, 0
    requests = [{"id": "A", "prompt": wish.prompt, "output_tokens": wish.tokens}]
    if wish.neighbour:
        written = min(wish.tokens, NEIGHBOUR_TOKENS)
        requests.append({"id": "B", "prompt": NEIGHBOUR, "output_tokens": written, "arrival_step": 1})  # type: ignore[dict-item]
        extra = -(-(len(tokenizer.encode(NEIGHBOUR)) + written - 1) // size)
    # the K and V of the last sampled token are never written
    blocks = -(-(count + wish.tokens - 1) // size) + extra
    slots = next((n for n in POOLS if n % size == 0 and n // size >= blocks + SPARE), None)
    if slots is None:
        fit = (POOLS[-1] // size - extra - SPARE) * size - wish.tokens + 1
        key = "own.long.neighbour" if wish.neighbour else "own.long"
        raise ScenarioError(say(key, tokens=count, fit=max(0, fit), written=wish.tokens, slots=POOLS[-1]))
    return from_dict({
        "name": say(f"preset.{PRESET}.title"), "slots": slots, "max_model_len": slots, "model": wish.model,
        "systems": [{"kind": "paged", "block_size": size}], "requests": requests,
    })  # fmt: skip


def count_tokens(prompt: str, tokenizer: Any, say: Messages) -> int:
    """Return the number of tokens of a prompt. Raises ScenarioError if it is empty or too long."""
    if not prompt.strip():
        raise ScenarioError(say("own.empty"))
    if len(prompt) > MOST_CHARACTERS:
        raise ScenarioError(say("own.characters", characters=len(prompt), most=MOST_CHARACTERS))
    tokens = tokenizer.backend.encode(prompt, add_special_tokens=False).tokens
    unknown = getattr(tokenizer.backend.model, "unk_token", None)
    if all(token == unknown for token in tokens):
        raise ScenarioError(say("own.unknown"))
    return len(tokenizer.encode(prompt))


def show() -> None:
    """Draw the text box, its button and the settings in one line; nothing in a lecture, where the beats choose."""
    state = link.current()
    if link.session().lecture:
        return
    say, wish = state.say, wish_of(state.scenario)
    # the player gives up the height that this line takes
    st.html("<style>:root { --vizkv-chrome: 7.9rem; --vizkv-below-form: -0.45rem; }</style>")
    box, settings = st.columns([5, 2], vertical_alignment="bottom")
    with box, st.form(f"own-form-{state.edition}", border=False):
        text, button = st.columns([5, 1], vertical_alignment="bottom")
        text.text_input(
            say("own.prompt"), wish.prompt, key=_key("prompt"), placeholder=say("own.prompt.placeholder"),
            label_visibility="collapsed",
        )  # fmt: skip
        run = widgets.changed(_key("prompt"), _run)
        button.form_submit_button(say("own.run"), type="primary", width="stretch", on_click=run)
    label = say("own.settings", tokens=wish.tokens, size=wish.block_size)
    with settings.popover(label, width="stretch", icon=":material/tune:"):
        st.slider(say("own.tokens"), 1, MOST_TOKENS, **_setting("tokens", wish.tokens))
        st.radio(
            say("own.block_size"), BLOCK_SIZES, horizontal=True, **_setting("block_size", wish.block_size, BLOCK_SIZES)
        )
        st.toggle(say("own.neighbour", text=NEIGHBOUR), **_setting("neighbour", wish.neighbour))


def _setting(name: str, value: Any, among: Container[Any] | None = None) -> dict[str, Any]:
    key = widgets.shows(f"own-{name}", value)
    return {"key": key, "on_change": widgets.changed(key, partial(_set, name), among)}


def _key(name: str) -> str:
    return f"own-{name}-{link.current().edition}"  # a text that was not run yet stays until another one opens


def _run(prompt: str) -> None:
    state = link.current()
    wish = replace(wish_of(state.scenario), prompt=prompt)
    if wish.prompt != wish_of(state.scenario).prompt or state.saved is not None:
        _open(wish, anew=True)


def _set(name: str, value: Any) -> None:
    _open(replace(wish_of(link.current().scenario), **{name: value}), anew=False)


def _open(wish: Wish, anew: bool) -> None:
    """Open the scenario: a new text from its beginning, a new setting at the reader's current step."""
    state = link.current()
    preset = link.presets(state.page)[PRESET]
    link.open_wish(lambda: scenario_of(wish, runs.model(wish.model).tokenizer, state.say), preset, anew=anew)
