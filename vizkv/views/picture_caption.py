"""The caption of a picture: what was run, with every parameter that is not a default, the seed and the version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vizkv.messages import Messages
from vizkv.presets import list_presets
from vizkv.slots import Accounting, Lens
from vizkv.trace import Trace
from vizkv.views import window as windows

MOST = 12  # requests whose parameters are written down; the scenario file has all
_ALWAYS = {"slots": 4096, "max_model_len": 2048, "model": "tiny", "seed": 0}
_CUT = 60  # letters of a text


def caption(
    trace: Trace, step: int, lens: Lens, accounting: Accounting, say: Messages, steps: str = ""
) -> str:  # fmt: skip
    """Several lines: the moment, the scenario's parameters in their own names, the version.

    ``steps``: of a picture of more than one moment, as :func:`these` or :func:`between` say them.
    """
    scenario, last = trace.scenario, windows.total(trace) - 1
    told = say("picture.caption.steps", steps=steps, last=last) if steps else say("player.step", step=step, last=last)
    how = say("picture.how", lens=say(f"lens.{lens}"), accounting=say(f"accounting.{accounting}"))
    name = title(scenario.get("name"), say) or say("picture.unnamed")
    lines = [say("picture.caption", name=name, where=told, how=how)]
    lines += fields(scenario, [system.name for system in trace.systems], say)
    lines.append(say("picture.caption.made", version=trace.version))
    return "\n".join(line for line in lines if line)


def these(steps: Sequence[int], say: Messages) -> str:
    """The steps of a storyboard."""
    return say("narration.list").join(say.number(step) for step in steps)


def between(first: int, last: int, say: Messages) -> str:
    """The steps of a film."""
    return say("picture.caption.range", first=first, last=last)


def title(name: str | None, say: Messages) -> str:
    """What a scenario is called: an example of ours as the language has it, another as its author has it."""
    known = next((one.id for one in list_presets() if name and one.scenario.name == name), "")
    return say(f"preset.{known}.title") if known else name or ""


def fields(scenario: dict[str, Any], systems: Sequence[str], say: Messages) -> list[str]:
    """Every parameter that is not a default, as a scenario file names it; slots, model and seed always.

    ``scenario``: of :func:`vizkv.scenario.to_dict`; ``systems``: what they are called.
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
