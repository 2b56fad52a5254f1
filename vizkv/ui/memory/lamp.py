"""The proof lamp that checks without being asked: is this run's text what the model writes without any cache?"""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from vizkv.engine.proof import TOLERANCE, SystemProof
from vizkv.messages.escape import Markdown
from vizkv.scenario.schema import ScenarioError
from vizkv.ui import link
from vizkv.ui.player import runs
from vizkv.views.charts.heat import word


def show(run: runs.Run, system: int) -> None:
    """Draw the lamp of one system, and below it each text with its first wrong token marked."""
    state = link.current()
    say = state.say
    try:
        with st.spinner(say("proof.running")):
            proof = runs.proof(run)
            tokenizer = runs.model(run.trace.model).tokenizer
    except ScenarioError as error:  # the model of a saved trace is not installed here
        st.warning(say.in_markdown.error(error), icon=":material/error:")
        return
    mine = proof.systems[system]
    difference = _size(mine.difference)
    wrong = mine.first_wrong
    if mine.holds:
        st.success(
            say("lamp.green", difference=difference, tolerance=say.scientific(TOLERANCE, 0)),
            icon=":material/lightbulb:",
        )
    else:
        st.error(_red(run, mine, difference), icon=":material/lightbulb:")
    for index, request in enumerate(run.trace.requests):
        prompt = "".join(request.pieces[: request.prompt_tokens])
        here = wrong.position - request.prompt_tokens if wrong is not None and wrong.request == index else None
        sampled = list(run.trace.systems[system].tokens[index])
        st.html(text_of(request.id, prompt, sampled, here, tokenizer, say("lamp.wrong")))


def _red(run: runs.Run, mine: SystemProof, difference: str) -> str:
    """Return a sentence about the first wrong token, or the first one that was computed from wrong numbers."""
    say, wrong, off = link.current().say.in_markdown, mine.first_wrong, mine.first_off
    if wrong is not None:
        who, got, expected = run.trace.requests[wrong.request].id, plain(wrong.got_text), plain(wrong.expected_text)
        return say("lamp.red", request=who, position=wrong.position, got=got, expected=expected, difference=difference)
    if off is not None:
        who = run.trace.requests[off.request].id
        return say("lamp.logits", request=who, position=off.position, difference=difference)
    return say("lamp.other")


def _size(difference: float) -> str:
    say = link.current().say
    if difference == float("inf"):
        return say("lamp.endless")
    return say.scientific(difference) if difference < 0.01 else say.number(round(difference, 2))


def plain(token: str) -> Markdown:
    """Return a token's text as code for a line of Markdown."""
    # Streamlit replaces this prefix everywhere in Markdown, even in code
    shown = word(token).replace(":material/", ":\u2060material/")
    return Markdown(f"`{shown}`")


def text_of(name: str, prompt: str, sampled: list[int], at: int | None, tokenizer: Any, mark: str) -> str:
    """Return one text as HTML: the prompt in grey, the first wrong token marked, everything after it underlined."""

    def words(ids: list[int]) -> str:
        return escape(tokenizer.decode(ids)) if ids else ""

    parts = [f"<b>{escape(name)}</b> <span class='vizkv-prompt'>{escape(prompt)}</span>"]
    if at is None or not 0 <= at < len(sampled):
        parts.append(f"<bdi>{words(sampled)}</bdi>")
    else:
        parts.append(f"<bdi>{words(sampled[:at])}</bdi>")
        parts.append(f"<mark title='{escape(mark)}'>{words(sampled[at : at + 1])}</mark>")
        parts.append(f"<bdi class='vizkv-after'>{words(sampled[at + 1 :])}</bdi>")
    return f"<p class='vizkv-text'>{''.join(parts)}</p>"
