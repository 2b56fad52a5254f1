"""A digest of a scenario's content: the cache key of its results, and its name if it is too long for a link."""

from __future__ import annotations

import hashlib
import json
import weakref

from vizkv.scenario.schema import Scenario, to_dict

DIGITS = 32  # hexadecimal
_known: dict[int, str] = {}  # by id() of a scenario that is alive: hashing one with 8,000 requests takes 50 ms


def content_of(scenario: Scenario) -> bytes:
    """Return the scenario as canonical JSON: equal scenarios give equal bytes."""
    return json.dumps(to_dict(scenario), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(scenario: Scenario) -> str:
    """Return the digest of a scenario as hexadecimal digits: equal scenarios have equal digests."""
    found = _known.get(id(scenario))
    if found is None:
        found = _known[id(scenario)] = hashlib.sha256(content_of(scenario)).hexdigest()[:DIGITS]
        weakref.finalize(scenario, _known.pop, id(scenario), None)
    return found
