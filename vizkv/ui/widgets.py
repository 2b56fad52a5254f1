"""Widgets that always show the current state, and callbacks that are safe when their widget no longer exists.

A change can arrive after a newer run has dropped its widget, on another page, after a link was opened, or when the
choices have changed (another language, say). Such a change does not concern the current state and is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from vizkv.ui import link, store


def shows(key: str, value: Any) -> str:
    """Set the value of the widget that is drawn next to ``value``, and return its key.

    The value is set in every run, because a browser may build a widget late (in a popover) and then shows the value of
    the last run. A number input also takes the value as its default, which the browser shows for an emptied field.
    """
    store.put(key, value)
    return key


def clicked(do: Callable[..., Any], *arguments: Any) -> Callable[[], None]:
    """Return a callback that calls ``do`` with the arguments, unless something else has been opened meanwhile."""
    state = link.current()

    def call() -> None:
        if link.current() is state:
            do(*arguments)

    return call


def changed(key: str, do: Callable[[Any], Any], among: Container[Any] | None = None) -> Callable[[], None]:
    """Return a callback that calls ``do`` with the widget's value, if the widget and its page still exist.

    ``among``: the valid choices, if the widget has choices. None is the value of a choice that was deselected.
    """

    def call() -> None:
        value = store.get(key)
        if store.has(key) and (among is None or all(one is None or one in among for one in _each(value))):
            do(value)

    return clicked(call)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def picked(key: str, do: Callable[[list[Mapping[str, Any]]], Any]) -> Callable[[], None]:
    """Return a callback that calls ``do`` with the clicked points of a chart, if the chart and its page still exist.

    The points come from the browser and are not checked here.
    """

    def call(event: Any) -> None:
        selection = event.get("selection") if isinstance(event, Mapping) else None
        points = selection.get("points") if isinstance(selection, Mapping) else None
        if isinstance(points, list) and (sound := [point for point in points if isinstance(point, Mapping)]):
            do(sound)

    return changed(key, call)


def word(points: list[Mapping[str, Any]]) -> str:
    """Return the first string in the custom data of the first point, or "" if there is none."""
    data = points[0].get("customdata")
    one = data[0] if isinstance(data, list) and data else None
    return one if isinstance(one, str) and len(one) <= link.MAX_WORD else ""
