"""What can happen to a request, a block or a slot: the words of which a trace is made.

Every event carries four integers whose meaning its kind decides:

=============  =======================================================================================
ARRIVED        joined the waiting queue
NEVER          can never run. a: need in slots, b: limit in slots, c: 0 model's maximum length, 1 pool
ADMITTED       joined the running list. a: first slot (-1 paged), b: estimate E, c: slots held R
REFUSED        the head of the line does not fit. a: need in slots, b: free slots, c: slots of the largest hole,
               d: its first slot (-1 none). Paged: c = b, a hole is any free block
MOVED          ideal placement only. a: old first slot, b: new first slot, c: slots held
BLOCK          took a block from the free queue. a: block id, b: index in the block table
HIT            prefix-cache hit at admission. a: tokens found
SHARED         a found block joined the table. a: block id, b: index in the table, c: 1 if it lay in the free queue
WRITTEN        the step writes K/V. a: first position, b: number of tokens
REGISTERED     a full block entered the prefix cache. a: block id
EVICTED        a block lost its hash as it was handed out again. a: block id
PREEMPTED      lost its slots, back to the front of the waiting queue. a: slots that it had written
FINISHED       has all its output
FREED          gave back its slots. a: first slot, c: slots held
FREED_BLOCK    let go of a block. a: block id, b: references left, c: 0 front of the free queue, 1 back, -1 none
=============  =======================================================================================
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """The kinds of events; the order is part of the trace file's format."""

    ARRIVED = 0
    NEVER = 1
    ADMITTED = 2
    REFUSED = 3
    MOVED = 4
    BLOCK = 5
    HIT = 6
    SHARED = 7
    WRITTEN = 8
    REGISTERED = 9
    EVICTED = 10
    PREEMPTED = 11
    FINISHED = 12
    FREED = 13
    FREED_BLOCK = 14


class Event(NamedTuple):
    """One thing that happened. ``request`` is the request's index in the scenario, -1 where none is meant."""

    kind: Kind
    request: int
    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0
