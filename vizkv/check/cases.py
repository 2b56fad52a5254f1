"""Small random workloads, as the scenarios that the checker tries."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

MOST_REQUESTS, LONGEST, LATEST = 6, 9, 6  # requests; tokens of a prompt or an output; the latest arrival, in steps

_REQUESTS = st.lists(
    st.fixed_dictionaries({
        "prompt_tokens": st.integers(1, LONGEST),
        "output_tokens": st.integers(1, LONGEST),
        "arrival_step": st.integers(0, LATEST),
    }),
    min_size=1, max_size=MOST_REQUESTS,
)  # fmt: skip


def cases(*, blocks: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of scenarios without their systems. ``blocks``: whether the systems have blocks."""
    return st.fixed_dictionaries({
        "slots": st.integers(8, 48),
        "requests": _REQUESTS,
        "max_num_batched_tokens": st.integers(8, 32),
        **({"block_size": st.integers(1, 4)} if blocks else {"reserve": st.sampled_from(["max", "pow2", "oracle"])}),
    })  # fmt: skip


def scenario_of(case: dict[str, Any], systems: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a case as a scenario with these systems."""
    own = {name: case[name] for name in ("block_size", "reserve") if name in case}
    requests = [
        {"id": chr(ord("A") + i)} | request
        for i, request in enumerate(sorted(case["requests"], key=lambda request: request["arrival_step"]))
    ]
    return {
        "name": "Counterexample",
        "model": "none",
        "slots": case["slots"],
        "max_model_len": 2 * LONGEST,
        "max_num_batched_tokens": case["max_num_batched_tokens"],
        "systems": [system | own for system in systems],
        "requests": requests,
    }
