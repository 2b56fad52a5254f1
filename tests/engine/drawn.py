"""Scenarios of lengths only, drawn at random: small pools, so that memory runs out; every policy and placement."""

from typing import Any

from hypothesis import strategies as st

_PAGED = {
    "kind": st.just("paged"),
    "block_size": st.sampled_from([1, 2, 4, 8, 16]),
    "prefix_caching": st.booleans(),
    "recovery": st.sampled_from(["recompute", "swap"]),
    "watermark": st.sampled_from([0.0, 0.01, 0.1]),
    "null_block": st.booleans(),
}
_GROUP = st.one_of(
    st.fixed_dictionaries({"kind": st.just("full")}, optional={"block_size": st.sampled_from([2, 4, 8])}),
    st.fixed_dictionaries(
        {"kind": st.just("sliding"), "window": st.integers(2, 40)}, optional={"block_size": st.sampled_from([2, 4])}
    ),
    st.fixed_dictionaries({"kind": st.just("chunked"), "chunk": st.integers(1, 40)}),
)
_GROUPS = {
    "kind": st.just("paged"),
    "block_size": st.sampled_from([1, 2, 4]),
    "prefix_caching": st.booleans(),
    "watermark": st.sampled_from([0.0, 0.01, 0.1]),
    "groups": st.lists(_GROUP, min_size=1, max_size=4),
    "retention": st.sampled_from([0, "dense", 8]),
}
_VIRTUAL = {
    "kind": st.just("virtual"),
    "page": st.sampled_from([1, 2, 4, 16]),
    "reclaim": st.sampled_from(["deferred", "eager"]),
    "ids": st.sampled_from([0, 1, 3]),
}
_CONTIGUOUS = {
    "kind": st.just("contiguous"),
    "reserve": st.sampled_from(["max", "pow2", "pow2-total", "oracle", "multiple"]),
    "multiple": st.integers(1, 9),
    "placement": st.sampled_from(["buddy", "first-fit", "best-fit", "ideal"]),
    "unit": st.sampled_from([1, 4, 16]),
    "batching": st.sampled_from(["iteration", "static"]),
}


@st.composite
def _requests(draw: st.DrawFn, longest: int) -> dict[str, Any]:
    prompt = draw(st.integers(1, longest // 2))
    request: dict[str, Any] = {
        "output_tokens": draw(st.integers(1, longest // 2 + 5)), "arrival_step": draw(st.integers(0, 60)),
    }  # fmt: skip
    if draw(st.booleans()):
        return request | {"prompt_tokens": prompt}
    return request | {"prompt_token_ids": [1 + i % 16 for i in range(prompt)]}  # begins as others do


@st.composite
def lengths_only(draw: st.DrawFn) -> dict[str, Any]:
    """A scenario as a dictionary; most can be run."""
    slots = draw(st.sampled_from([64, 128, 256, 512, 1000]))
    systems = draw(
        st.lists(
            st.one_of(*(st.fixed_dictionaries(kind) for kind in (_PAGED, _GROUPS, _CONTIGUOUS, _VIRTUAL))),
            min_size=1,
            max_size=3,
        )
    )
    data: dict[str, Any] = {
        "slots": slots,
        "max_num_seqs": draw(st.sampled_from([1, 2, 4, 16])),
        "max_num_batched_tokens": draw(st.sampled_from([16, 17, 64, 256])),
        "seed": draw(st.integers(0, 99)),
        "model": "none",
        "systems": [system | {"name": f"system {i}"} for i, system in enumerate(systems)],
    }
    if draw(st.booleans()):
        data["max_model_len"] = min(slots, draw(st.sampled_from([100, 200, 1000])))
        return data | {
            "workload": {
                "rate": draw(st.sampled_from([1.0, 4.0, 20.0])), "duration": float(draw(st.integers(2, 12))),
                "warmup": 0.0, "drain": draw(st.booleans()),
            },
        }  # fmt: skip
    data["max_model_len"] = longest = min(slots, draw(st.sampled_from([32, 64, 128, 200])))
    return data | {"requests": draw(st.lists(_requests(longest), min_size=1, max_size=20))}
