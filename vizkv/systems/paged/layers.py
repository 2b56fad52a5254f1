"""How a model's layers fall into groups that share one block pool, as vLLM does it.

Every group has room for the same number of layers, so that a block of any group takes the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LayerGroups:
    """The layers of each group, by bucket; ``size`` is the room of a group in layers."""

    size: int
    groups: tuple[tuple[int, tuple[int, ...]], ...]  # (bucket, the group's layers by their place in the bucket)

    @property
    def padding(self) -> int:
        """Room for layers that no group fills."""
        return self.size * len(self.groups) - sum(len(layers) for _, layers in self.groups)


def group_layers(buckets: Sequence[int]) -> LayerGroups:
    """Split buckets of layers into groups; ``buckets`` has the number of layers of each kind of attention.

    Groups come in the order of the buckets. ValueError: there is no bucket, or one without a layer.
    """
    if not buckets or min(buckets) < 1:
        raise ValueError("every kind of attention has at least one layer")
    smallest, largest = min(buckets), max(buckets)
    size = largest if 2 * largest < 3 * smallest else smallest  # a few layers of padding cost less than more groups
    groups: list[tuple[int, tuple[int, ...]]] = []
    for bucket, layers in enumerate(buckets):
        count = -(-layers // size)
        groups += [(bucket, tuple(range(first, layers, count))) for first in range(count)]
    return LayerGroups(size, tuple(groups))
