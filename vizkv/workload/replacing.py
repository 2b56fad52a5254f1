"""Replace the lengths of a scenario's workload, along with the fields that depend on them."""

from __future__ import annotations

from typing import Any

from vizkv.scenario.schema import Scenario, Workload, from_dict, to_dict
from vizkv.workload import uploads
from vizkv.workload.draw import read
from vizkv.workload.formats import Recorded


def with_lengths(scenario: Scenario, lengths: str, format: str | None = None) -> Scenario:
    """Return the scenario with other lengths. Raises ScenarioError.

    Fields that only the old lengths have are removed, and recorded arrivals if the new lengths have no times. A file
    with times also sets ``arrivals``, ``duration`` and ``warmup``; replacing that file removes them again.

    ``format``: the format of a file, if the user declared it.
    """
    data = to_dict(scenario)
    before = scenario.workload
    given: dict[str, Any] = {**data.get("workload", {}), "lengths": lengths}
    own = Workload.MADE_UP.get(lengths, ())
    foreign = {field for fields in Workload.MADE_UP.values() for field in fields} - set(own)
    if before is not None and (before.is_upload or before.is_file):
        foreign |= {"format", "duration", "warmup"}
    given = {field: value for field, value in given.items() if field not in foreign}
    if format is not None:
        given["format"] = format
    asked = Workload(lengths=lengths)
    found = None
    if asked.is_upload or asked.is_file:
        found = read(asked.model_copy(update={"format": format}))
    if isinstance(found, Recorded) and found.timed:
        given["arrivals"] = "trace"
        given["duration"], given["warmup"] = uploads.span(found)
    elif given.get("arrivals") == "trace":
        given["arrivals"] = "poisson"
    data.pop("requests", None)  # a scenario has either requests or a workload
    return from_dict(data | {"workload": given})
