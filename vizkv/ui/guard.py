"""Catch an input error that no form caught: the page returns to its example and shows the error."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import streamlit as st

from vizkv.ui import link

P = ParamSpec("P")
R = TypeVar("R")


def guarded(function: Callable[P, R]) -> Callable[P, R | None]:
    """Wrap a page or a fragment: show an input error that it raises on the page, together with the example.

    Forms and readers catch the errors that they expect. The rest are missing resources that a file or a link names,
    such as a model or an upload that was deleted. Programming errors are not caught.
    """

    @wraps(function)
    def run(*arguments: P.args, **named: P.kwargs) -> R | None:
        try:
            return function(*arguments, **named)
        except ValueError as error:
            if type(error).__module__.split(".")[0] != "vizkv":
                raise
            state = link.current()
            if state.changed or state.saved is not None:
                link.change(state.preset.scenario, state.preset)
                state.problem = state.say("problem.kept", problem=str(error))
                st.rerun()
            st.warning(state.say.in_markdown.error(error), icon=":material/error:")
            return None

    return run
