"""The controls of the page "Sharing": kind, text, number of sequences; they make a scenario, or an error sentence."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from vizkv.messages.catalogue import Messages
from vizkv.scenario.schema import Request, Scenario, ScenarioError, from_dict, request_name
from vizkv.ui import link, widgets
from vizkv.ui.player import runs
from vizkv.ui.table import own_text

SAMPLES, BEAMS, BRANCHES, CACHE = "samples", "beams", "branches", "prefix"
KINDS = (SAMPLES, BEAMS, BRANCHES, CACHE)
BLOCK_SIZES = (2, 4, 8, 16)
MOST = 8  # largest number of sequences
MOST_TOKENS = 40  # largest number of output tokens
MOST_SLOTS = 1024  # largest pool
TEXT_SLOTS = 160  # the player draws the tokens in the slots of a pool up to this size
SPARE = 2  # blocks that stay free, so that the next allocation is visible


@dataclass(frozen=True)
class Wish:
    """The values of the form. ``tails``: what follows the common prefix, by request; ``tight``: a pool for two only."""

    kind: str = SAMPLES
    prompt: str = ""
    n: int = 4
    tokens: int = 16
    block_size: int = 4
    temperature: float = 1.0
    seed: int = 0
    tails: tuple[str, ...] = ()
    tight: bool = True
    model: str = "tiny"

    @property
    def prefixed(self) -> bool:
        """Return whether several prompts share a prefix."""
        return self.kind in (BRANCHES, CACHE)


def preset_of(kind: str) -> str:
    """Return the example that a kind opens with."""
    return f"sharing-{kind}"


def wish_of(scenario: Scenario) -> Wish:
    """Return the form values that lead to a scenario, as far as they can be read from it."""
    if not scenario.requests:  # a workload, opened from a file
        return Wish()
    first, paged = scenario.requests[0], next((s for s in scenario.systems if s.has_block_table), None)
    size = paged.block if paged and paged.block in BLOCK_SIZES else Wish.block_size
    wish = Wish(
        prompt=first.prompt or "", block_size=size, seed=scenario.seed, tokens=_written(first),
        model=scenario.model if scenario.model != "none" else Wish.model,
    )  # fmt: skip
    if first.branches:
        tails = tuple((branch.prompt or "").strip() for branch in first.branches)
        return replace(wish, kind=BRANCHES, tails=tails)
    if paged is not None and paged.caches_prefixes:
        prompt, tails = _split([r.prompt or "" for r in scenario.requests])
        tight = scenario.slots < scenario.max_model_len  # the ample pool equals the longest allowed text
        return replace(wish, kind=CACHE, prompt=prompt, tails=tails, tight=tight)
    n = min(MOST, first.members)
    if first.beam_width:
        return replace(wish, kind=BEAMS, n=n)
    return replace(wish, n=n, temperature=first.temperature)


def _written(request: Request) -> int:
    tokens = request.branches[0].output_tokens if request.branches else request.output_tokens
    return min(MOST_TOKENS, tokens or Wish.tokens)


def _split(prompts: list[str]) -> tuple[str, tuple[str, ...]]:
    """Split prompts into their common prefix, which ends before a word, and the rest of each."""
    low, high = min(prompts), max(prompts)
    equal = next((i for i, (a, b) in enumerate(zip(low, high)) if a != b), len(low))
    cut = low.rfind(" ", 0, equal)
    if cut < 0:
        return prompts[0], ()
    return low[:cut], tuple(prompt[cut + 1 :] for prompt in prompts)


def scenario_of(wish: Wish, tokenizer: Any, say: Messages) -> Scenario:
    """Return the scenario in a pool for its worst case. Raises ScenarioError with a sentence for the student."""
    prompt, size = own_text.count_tokens(wish.prompt, tokenizer, say), wish.block_size
    system: dict[str, Any] = {"kind": "paged", "block_size": size}
    if wish.prefixed:
        longest = prompt + max(_tail(tail, tokenizer, say) for tail in _tails(wish, say))
        n = len(wish.tails)
    else:
        longest, n = prompt, wish.n
    each, blocks = _blocks(wish, n, prompt, longest)
    if blocks * size > MOST_SLOTS:
        raise ScenarioError(_too_long(wish, n, prompt, longest, say))
    slots = blocks * size
    data: dict[str, Any] = {"max_model_len": slots, "model": wish.model, "systems": [system]}
    if wish.seed and wish.kind == SAMPLES:
        data["seed"] = wish.seed
    if wish.kind == CACHE:
        system["prefix_caching"] = True
        slots = min(slots, (2 * each - _common(wish, tokenizer) // size) * size) if wish.tight else slots
        data["requests"] = _one_after_another(wish)
    elif wish.kind == BRANCHES:
        branches = [
            {"id": request_name(i), "prompt": f" {tail}", "output_tokens": wish.tokens}
            for i, tail in enumerate(wish.tails)
        ]
        data["requests"] = [{"id": "prefix", "prompt": wish.prompt, "branches": branches}]
    elif wish.kind == BEAMS:
        data["requests"] = [{"id": "c", "prompt": wish.prompt, "beam_width": n, "output_tokens": wish.tokens}]
    else:
        data["requests"] = [{"id": "A", "prompt": wish.prompt, "samples": n, "output_tokens": wish.tokens,
                             "temperature": float(wish.temperature)}]  # fmt: skip
    return from_dict(data | {"name": say(f"preset.{preset_of(wish.kind)}.title"), "slots": slots})


def _blocks(wish: Wish, n: int, prompt: int, longest: int) -> tuple[int, int]:
    """Return (blocks of the longest sequence, blocks of a pool for all ``n``).

    The sequences share only the full blocks of ``prompt`` tokens; with a prefix cache, perhaps not even those remain.
    """
    size = wish.block_size
    each = -(-(longest + wish.tokens - 1) // size)  # the K and V of the last sampled token are never written
    blocks = n * each + SPARE - (0 if wish.kind == CACHE else (n - 1) * (prompt // size))
    rows = 2 if blocks * size <= 48 else 3 if blocks * size <= 96 else 4  # rows that the player draws: fill them
    even = -(-blocks // rows) * rows
    return each, even if even * size <= TEXT_SLOTS else blocks


def _one_after_another(wish: Wish) -> list[dict[str, Any]]:
    """Return the requests: two that overlap, a pause in which all blocks are in the free queue, then the next two."""
    half = max(1, wish.tokens // 2)
    period = wish.tokens + half + 2
    return [
        {"id": request_name(i), "prompt": f"{wish.prompt} {tail}", "output_tokens": wish.tokens,
         "arrival_step": i // 2 * period + i % 2 * half}
        for i, tail in enumerate(wish.tails)
    ]  # fmt: skip


def _tails(wish: Wish, say: Messages) -> tuple[str, ...]:
    if not wish.tails:
        raise ScenarioError(say("sharing.tails.none"))
    if len(wish.tails) > MOST:
        raise ScenarioError(say("sharing.tails.many", n=len(wish.tails), most=MOST))
    return wish.tails


def _tail(tail: str, tokenizer: Any, say: Messages) -> int:
    return own_text.count_tokens(f" {tail}", tokenizer, say)


def _common(wish: Wish, tokenizer: Any) -> int:
    """Return the number of tokens that all prompts have in common, which the prefix cache can find."""
    rows = [tokenizer.encode(f"{wish.prompt} {tail}") for tail in wish.tails]
    low, high = min(rows), max(rows)
    return next((i for i, (a, b) in enumerate(zip(low, high)) if a != b), 0)


def _too_long(wish: Wish, n: int, prompt: int, longest: int, say: Messages) -> str:
    behind = longest - prompt
    fits = (p for p in range(prompt, 0, -1) if _blocks(wish, n, p, p + behind)[1] * wish.block_size <= MOST_SLOTS)
    key = "sharing.long.prefix" if wish.prefixed else "sharing.long"
    return say(key, tokens=prompt, n=n, written=wish.tokens, slots=MOST_SLOTS, fit=next(fits, 0))


# -- the controls ------------------------------------------------------------------------------------------------------


def show() -> None:
    """Draw kind, text, settings and "another draw" in one line; nothing in a lecture, where the beats choose."""
    state = link.current()
    if link.session().lecture:
        return
    say, wish = state.say, wish_of(state.scenario)
    # the player gives up the height that this line takes
    st.html("<style>:root { --vizkv-chrome: 7.9rem; --vizkv-least: 31rem; --vizkv-below-form: -0.45rem; }</style>")
    kind = widgets.shows("sharing-kind", wish.kind)
    what, box, settings, again = st.columns([5, 11, 6, 4], vertical_alignment="bottom")
    what.selectbox(
        say("sharing.kind"), KINDS, key=kind, on_change=widgets.changed(kind, _kind, KINDS),
        format_func=lambda kind: say(f"sharing.kind.{kind}"), label_visibility="collapsed",
    )  # fmt: skip
    with box, st.form(f"sharing-form-{state.edition}", border=False):
        text, button = st.columns([4, 1], vertical_alignment="bottom")
        text.text_input(
            say("own.prompt"), wish.prompt, key=_key("prompt"), placeholder=say("own.prompt.placeholder"),
            label_visibility="collapsed",
        )  # fmt: skip
        run = widgets.changed(_key("prompt"), _run)
        button.form_submit_button(say("own.run"), type="primary", width="stretch", on_click=run)
    n = len(wish.tails) if wish.prefixed else wish.n
    label = say("sharing.settings", n=n, tokens=wish.tokens, size=wish.block_size)
    with settings.popover(label, width="stretch", icon=":material/tune:"):
        _settings(wish, say)
    again.button(
        say("sharing.again"), key="sharing-again", icon=":material/casino:", width="stretch",
        on_click=widgets.clicked(_again),
        disabled=wish.kind != SAMPLES or not wish.temperature, help=say("sharing.again.help", seed=wish.seed),
    )  # fmt: skip


def _settings(wish: Wish, say: Messages) -> None:
    def setting(name: str, value: Any, among: Container[Any] | None = None) -> dict[str, Any]:
        key = widgets.shows(f"sharing-{name}", value)
        return {"key": key, "on_change": widgets.changed(key, partial(_set, name), among)}

    if wish.prefixed:
        st.text_area(say("sharing.tails"), height=200, **setting("tails", "\n".join(wish.tails)))
    else:
        st.slider(say(f"sharing.n.{wish.kind}"), 1, MOST, **setting("n", wish.n))
    st.slider(say("own.tokens"), 1, MOST_TOKENS, **setting("tokens", wish.tokens))
    if wish.kind == SAMPLES:
        warm = setting("temperature", min(2.0, float(wish.temperature)))
        st.slider(say("sharing.temperature"), 0.0, 2.0, step=0.1, **warm)
    st.segmented_control(say("own.block_size"), BLOCK_SIZES, **setting("block_size", wish.block_size, BLOCK_SIZES))
    if wish.kind == CACHE:
        st.toggle(say("sharing.tight"), **setting("tight", wish.tight))


def _key(name: str) -> str:
    return f"sharing-{name}-{link.current().edition}"  # a text that was not run yet stays until another one opens


def _kind(kind: str) -> None:
    """Open the example of another kind; between samples and beams, keep the student's own text."""
    state = link.current()
    wish = wish_of(state.scenario)
    preset = link.presets(state.page)[preset_of(kind)]
    if state.changed and {wish.kind, kind} == {SAMPLES, BEAMS}:
        _open(replace(wish, kind=kind, temperature=Wish.temperature), anew=True)
    else:
        link.change(preset.scenario, preset)


def _run(prompt: str) -> None:
    state = link.current()
    wish = wish_of(state.scenario)
    if prompt != wish.prompt or state.saved is not None:
        _open(replace(wish, prompt=prompt), anew=True)


def _set(name: str, value: Any) -> None:
    if value is None:  # the segmented control was deselected
        return
    if name == "tails":
        value = tuple(line.strip() for line in value.splitlines() if line.strip())
    _open(replace(wish_of(link.current().scenario), **{name: value}), anew=False)


def _again() -> None:
    wish = wish_of(link.current().scenario)
    _open(replace(wish, seed=wish.seed + 1), anew=False)


def _open(wish: Wish, anew: bool) -> None:
    """Open the scenario: a new text or kind from its beginning, a new setting at the reader's current step."""
    state = link.current()
    preset = link.presets(state.page)[preset_of(wish.kind)]
    link.open_wish(lambda: scenario_of(wish, runs.model(wish.model).tokenizer, state.say), preset, anew=anew)
