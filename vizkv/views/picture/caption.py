"""The caption of a picture: the scenario, with every parameter that is not a default, the seed and the version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vizkv.messages.catalogue import Messages
from vizkv.scenario.presets import list_presets
from vizkv.trace.slots import Accounting, Lens
from vizkv.trace.trace import Trace
from vizkv.views.payload import window as windows

MOST = 12  # requests whose parameters are listed; the scenario file has all
_ALWAYS = {"slots": 4096, "max_model_len": 2048, "model": "tiny", "seed": 0}
_CUT = 60  # characters of a text
# fields that give away where a request ends, which the lens "what the system knows" hides
_ENDS = ("output_tokens", "output_token_ids", "final_slots", "sample_token_ids", "beam_parents")


def caption(
    trace: Trace, step: int, lens: Lens, accounting: Accounting, say: Messages, steps: str = ""
) -> str:  # fmt: skip
    """Return the caption in several lines: the step, the scenario's parameters by their names, the version.

    ``steps``: the text of :func:`these` or :func:`between`, for a picture of more than one step. Under the online lens
    the caption hides the future: the length of the run, and where its requests end.
    """
    scenario, last = trace.scenario, windows.total(trace) - 1
    if lens == "online":
        told = say("picture.caption.moments", steps=steps) if steps else say("moment.step", step=step)
    elif steps:
        told = say("picture.caption.steps", steps=steps, last=last)
    else:
        told = say("player.step", step=step, last=last)
    how = say("picture.how", lens=say(f"lens.{lens}"), accounting=say(f"accounting.{accounting}"))
    name = title(scenario.get("name"), say) or say("picture.unnamed")
    lines = [say("picture.caption", name=name, where=told, how=how)]
    asked = scenario.get("requests", [])
    if lens == "online" and asked:
        scenario = scenario | {"requests": [_endless(request) for request in asked]}
    lines += fields(scenario, [system.name for system in trace.systems], say)
    if lens == "online" and asked:
        lines.append(say("picture.caption.online"))
    lines.append(say("picture.caption.made", version=trace.version))
    return "\n".join(line for line in lines if line)


def _endless(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request without the fields that give away where it ends."""
    kept = {name: value for name, value in request.items() if name not in _ENDS}
    if "branches" in kept:
        kept["branches"] = [_endless(branch) for branch in kept["branches"]]
    return kept


def these(steps: Sequence[int], say: Messages) -> str:
    """Return the steps of a storyboard, as text."""
    return say("narration.list").join(say.number(step) for step in steps)


def between(first: int, last: int, say: Messages) -> str:
    """Return the steps of a film, as text."""
    return say("picture.caption.range", first=first, last=last)


def title(name: str | None, say: Messages) -> str:
    """Return the title of a scenario: that of an example in the language, any other as its author wrote it."""
    known = next((one.id for one in list_presets() if name and one.scenario.name == name), "")
    return say(f"preset.{known}.title") if known else name or ""


def fields(scenario: dict[str, Any], systems: Sequence[str], say: Messages) -> list[str]:
    """Return every parameter that is not a default, by its name in a scenario file; always slots, model and seed.

    ``scenario``: from :func:`vizkv.scenario.schema.to_dict`. ``systems``: their names.
    """
    lines = []
    top = {**_ALWAYS, **{k: v for k, v in scenario.items() if k not in ("name", "systems", "requests", "workload")}}
    lines.append(_fields(top))
    given = zip(scenario.get("systems", []), systems, strict=False)
    lines.append(
        "; ".join(
            f"{say.name(name)}: {_fields({k: v for k, v in system.items() if k != 'name'})}" for system, name in given
        )
    )
    requests = scenario.get("requests", [])
    shown = [f"{r.get('id', '')}: {_fields({k: v for k, v in r.items() if k != 'id'})}" for r in requests[:MOST]]
    if len(requests) > MOST:
        shown.append(say("picture.caption.more", n=len(requests) - MOST))
    if shown:
        lines.append("; ".join(shown))
    if "workload" in scenario:
        lines.append(f"workload: {_fields(scenario['workload'])}")
    return lines


def _fields(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value if len(value) <= _CUT else value[:_CUT] + "…"}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"{{{_fields(value)}}}"
    if isinstance(value, list | tuple):
        items = [_value(item) for item in value[:MOST]]
        return f"[{', '.join(items)}{', …' if len(value) > MOST else ''}]"
    return str(value)
