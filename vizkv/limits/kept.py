"""Caches shared by all sessions of a process: least recently used, bounded by bytes.

A value larger than the whole cache stays in it alone until the next one is added.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeVar

import cachetools

_SAMPLE = 200  # items of a long list that are measured; the others are taken to be as large on average
_MOST_DEPTH = 12
_R = TypeVar("_R")


class Cache(cachetools.LRUCache[Any, Any]):
    """A least recently used cache whose values take at most ``most`` bytes together."""

    def __init__(self, most: int):
        super().__init__(most, lambda value: min(most, weight(value)))


def cached(most: int, key: Callable[..., Hashable]) -> Callable[[Callable[..., _R]], Callable[..., _R]]:
    """Cache what a function returns in at most ``most`` bytes, by ``key`` of its arguments; safe across threads.

    A caller that needs a value while another thread computes it waits for that result.
    """
    lock = threading.RLock()
    return cachetools.cached(Cache(most), key, lock=lock, condition=threading.Condition(lock))


def weight(value: object) -> int:
    """Return about how many bytes a value takes: exact for arrays, text and bytes, an estimate for long lists."""
    return max(1, _weight(value, set(), 0))


def _weight(value: Any, seen: set[int], depth: int) -> int:
    if value is None or id(value) in seen or depth > _MOST_DEPTH:
        return 0
    if isinstance(value, str | bytes | bytearray | int | float):
        return sys.getsizeof(value)
    seen.add(id(value))
    own = sys.getsizeof(value, 64)
    if isinstance(held := getattr(value, "nbytes", None), int):  # arrays and tensors, views included
        return max(own, held)
    if isinstance(value, Mapping):
        return own + _items((part for pair in value.items() for part in pair), 2 * len(value), seen, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return own + _items(value, len(value), seen, depth)
    if is_dataclass(value) and not isinstance(value, type):
        return own + sum(_weight(getattr(value, f.name, None), seen, depth + 1) for f in fields(value))
    if hasattr(value, "__dict__") and not isinstance(value, type | FunctionType | MethodType | ModuleType):
        return own + sum(_weight(part, seen, depth + 1) for part in vars(value).values())
    return own


def _items(items: Iterable[Any], count: int, seen: set[int], depth: int) -> int:
    found = sum(_weight(item, seen, depth + 1) for item in islice(items, _SAMPLE))
    return found * count // _SAMPLE if count > _SAMPLE else found
