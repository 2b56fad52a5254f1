"""The prompt box of the page "Block table": the student's own text becomes a scenario, or one sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from vizkv.messages import Messages
from vizkv.scenario import PagedSystem, Scenario, ScenarioError, from_dict
from vizkv.ui import link, runs

PRESET = "table-own-text"
BLOCK_SIZES = (1, 2, 4, 8, 16)
MOST_TOKENS = 64  # to write
MOST_CHARACTERS = 2000  # of a prompt: far more than fits, and counted before the tokenizer has any work
POOLS = (32, 48, 72, 96, 120, 128)  # slots; up to here the tokens can be read in their cells
SPARE = 2  # blocks that stay free: what the next token takes can be seen
NEIGHBOUR = "It was the best of times"
NEIGHBOUR_TOKENS = 16  # at most: it is there to lie between, not to fill the pool


@dataclass(frozen=True)
class Wish:
    """What the page asks for."""

    prompt: str
    tokens: int = 24
    block_size: int = 4
    neighbour: bool = True
    model: str = "tiny"


def wish_of(scenario: Scenario) -> Wish:
    """The wish that a scenario on the page answers, as far as it can be read from it."""
    if not scenario.requests:  # a workload from a file or a link
        return Wish(prompt="")
    first, paged = scenario.requests[0], next((s for s in scenario.systems if isinstance(s, PagedSystem)), None)
    return Wish(
        prompt=first.prompt or "",
        tokens=min(MOST_TOKENS, first.output_tokens or Wish.tokens),
        block_size=paged.block_size if paged and paged.block_size in BLOCK_SIZES else Wish.block_size,
        neighbour=len(scenario.requests) > 1,
        model=scenario.model if scenario.model != "none" else Wish.model,
    )


def scenario_of(wish: Wish, tokenizer: Any, say: Messages) -> Scenario:
    """The scenario in the smallest pool that leaves room. Raises ScenarioError with a sentence for the student."""
    count = count_tokens(wish.prompt, tokenizer, say)
    size, extra = wish.block_size, 0
    requests = [{"id": "A", "prompt": wish.prompt, "output_tokens": wish.tokens}]
    if wish.neighbour:
        written = min(wish.tokens, NEIGHBOUR_TOKENS)
        requests.append({"id": "B", "prompt": NEIGHBOUR, "output_tokens": written, "arrival_step": 1})  # type: ignore[dict-item]
        extra = -(-(len(tokenizer.encode(NEIGHBOUR)) + written - 1) // size)
    # the last sampled token is never written
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
    """Tokens of a prompt that has any. Raises ScenarioError."""
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
    """Text and button in one line, the settings behind a third; in a lecture the beats choose."""
    state = link.current()
    if link.session().lecture:
        return
    say, wish = state.say, wish_of(state.scenario)
    # what the line takes of the window's height, the player beneath it gives
    st.html("<style>:root { --vizkv-chrome: 7.9rem; --vizkv-below-form: -0.45rem; }</style>")
    box, settings = st.columns([5, 2], vertical_alignment="bottom")
    with box, st.form(f"own-form-{state.edition}", border=False):
        text, button = st.columns([5, 1], vertical_alignment="bottom")
        text.text_input(
            say("own.prompt"), wish.prompt, key=_key("prompt"), placeholder=say("own.prompt.placeholder"),
            label_visibility="collapsed",
        )  # fmt: skip
        button.form_submit_button(say("own.run"), type="primary", width="stretch", on_click=_run)
    label = say("own.settings", tokens=wish.tokens, size=wish.block_size)
    with settings.popover(label, width="stretch", icon=":material/tune:"):
        st.slider(say("own.tokens"), 1, MOST_TOKENS, wish.tokens, key=_key("tokens"), on_change=_set, args=("tokens",))
        st.radio(
            say("own.block_size"), BLOCK_SIZES, BLOCK_SIZES.index(wish.block_size), key=_key("block_size"),
            horizontal=True, on_change=_set, args=("block_size",),
        )  # fmt: skip
        st.toggle(
            say("own.neighbour", text=NEIGHBOUR), wish.neighbour, key=_key("neighbour"), on_change=_set,
            args=("neighbour",),
        )  # fmt: skip


def _key(name: str) -> str:
    return f"own-{name}-{link.current().edition}"


def _run() -> None:
    state = link.current()
    wish = replace(wish_of(state.scenario), prompt=st.session_state[_key("prompt")])
    if wish.prompt != wish_of(state.scenario).prompt or state.saved is not None:
        _open(wish, anew=True)


def _set(name: str) -> None:
    wish = wish_of(link.current().scenario)
    _open(replace(wish, **{name: st.session_state[_key(name)]}), anew=False)


def _open(wish: Wish, anew: bool) -> None:
    """Open it: another text from its beginning, another setting where the reader stands."""
    state = link.current()
    preset = link.presets(state.page)[PRESET]
    link.open_wish(lambda: scenario_of(wish, runs.model(wish.model).tokenizer, state.say), preset, anew=anew)
