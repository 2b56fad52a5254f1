"""Scenarios from whatever names one: an example's id, a file, a dict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.scenario import schema
from vizkv.scenario.presets import list_presets
from vizkv.scenario.schema import Scenario, ScenarioError

Source = Scenario | Mapping[str, Any] | str | Path


def load(source: Source) -> Scenario:
    """Return a validated scenario.

    ``source``: the id of an example (``"readers-question"``), the path of a TOML file, a dict with the tables of such a
    file, or a scenario, which is returned as it is. A text without a folder and a suffix is an id. Raises
    ScenarioError, whose text is one sentence.
    """
    if isinstance(source, Scenario):
        return source
    if isinstance(source, Mapping):
        return schema.from_dict(dict(source))
    if isinstance(source, str) and Path(source).name == source and not Path(source).suffix:
        known = {preset.id: preset.scenario for preset in list_presets()}
        if source not in known:
            raise ScenarioError(
                told("The example {name} is unknown; valid is {valid}.", name=shorten(source), valid=either([*known]))
            )
        return known[source]
    if isinstance(source, str | Path):
        return schema.load(source)
    raise ScenarioError(
        told(
            "The {name} is {value}; valid is {valid}.", name="scenario", value=type(source).__name__,
            valid="an example's id, a path, a dict or a Scenario",
        )
    )  # fmt: skip
