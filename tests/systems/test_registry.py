"""A kind of memory system can be added while the program runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import pytest

from vizkv.engine import engine
from vizkv.replay import checked
from vizkv.scenario.schema import ScenarioError, from_dict, from_toml, to_toml
from vizkv.sweeps.axes import parameters
from vizkv.systems import registry
from vizkv.systems.base.parts import Count
from vizkv.systems.contiguous.replay import ContiguousReplay
from vizkv.systems.contiguous.scheduler import ContiguousScheduler
from vizkv.systems.contiguous.schema import ContiguousSystem
from vizkv.trace.trace import load, save
from vizkv.views.facts.records import records


class HalfSystem(ContiguousSystem):
    """A contiguous system of another name, with a field of its own."""

    kind: Literal["half"]  # type: ignore[assignment]
    half: Count = 2
    noun: ClassVar[str] = "a half system"


SCENARIO = {
    "slots": 64, "max_model_len": 32, "model": "none", "systems": [{"kind": "half", "half": 3}],
    "requests": [{"id": "A", "prompt_tokens": 4, "output_tokens": 5}],
}  # fmt: skip


@pytest.fixture
def half() -> Iterator[None]:
    registry.register("half", registry.Kind(HalfSystem, ContiguousScheduler, ContiguousReplay))
    yield
    registry.unregister("half")


def test_a_registered_kind_runs_and_its_trace_loads(half):
    scenario = from_dict(SCENARIO)
    trace = engine.run(scenario)
    assert from_toml(to_toml(scenario)) == scenario
    again = checked(load(save(trace)))
    assert list(records(again)) == list(records(trace)) and len(list(records(trace))) == again.steps > 0


def test_a_registered_kind_can_be_varied(half):
    assert parameters()["half"].type is int


def test_its_refusals_name_its_fields(half):
    with pytest.raises(ScenarioError, match=r"systems\[0\]\.half is 0; valid is a whole number from 1"):
        from_dict(SCENARIO | {"systems": [{"kind": "half", "half": 0}]})


def test_a_kind_that_is_taken_out_again_is_refused():
    with pytest.raises(ScenarioError, match=r"systems\[0\]\.kind is 'half'; valid is "):
        from_dict(SCENARIO)
    assert "half" not in parameters()


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="already registered"):
        registry.register("paged", registry.KINDS["paged"])
