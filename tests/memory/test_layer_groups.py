"""Layers fall into groups as vLLM's own planning code puts them."""

from __future__ import annotations

import pytest

from vizkv.systems.paged.layers import group_layers


@pytest.mark.parametrize(
    ("buckets", "sizes", "padding", "bytes_a_layer_token", "block_bytes"),
    [
        pytest.param((52, 10), [9, 9, 9, 9, 8, 8, 10], 8, 2 * 16 * 128 * 2, 1_310_720, id="Gemma 3 27B"),
        pytest.param((18, 18), [18, 18], 0, 2 * 8 * 64 * 2, 589_824, id="gpt-oss-120b"),
        pytest.param((36, 12), [12, 12, 12, 12], 0, 2 * 8 * 128 * 2, 786_432, id="Llama 4 Scout"),
    ],
)
def test_models_fall_into_the_groups_that_vllm_gives_them(
    buckets: tuple[int, ...], sizes: list[int], padding: int, bytes_a_layer_token: int, block_bytes: int
) -> None:
    found = group_layers(buckets)
    assert [len(layers) for _, layers in found.groups] == sizes
    assert found.padding == padding
    assert found.size * bytes_a_layer_token * 16 == block_bytes


def test_a_bucket_is_dealt_out_in_turn() -> None:
    assert [layers for bucket, layers in group_layers((52, 10)).groups if bucket == 0][1] == tuple(range(1, 52, 6))


def test_groups_take_the_largest_bucket_only_below_one_and_a_half_times_the_smallest() -> None:
    assert group_layers((12, 13)).size == 13
    assert group_layers((20, 29)).size == 29
    assert group_layers((20, 30)).size == 20


@pytest.mark.parametrize("buckets", [(), (0,), (3, 0)])
def test_a_kind_without_layers_is_refused(buckets: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        group_layers(buckets)
