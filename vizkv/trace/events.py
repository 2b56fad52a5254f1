"""The kinds of events that a trace consists of: what can happen to a request, a block or a slot.

Every event carries four integers ``a`` to ``d``; its kind decides what they mean:

=============  =======================================================================================
ARRIVED        joined the waiting queue
NEVER          can never run. a: need in slots, b: limit in slots, c: 0 model's maximum length, 1 pool
ADMITTED       joined the running list. a: first slot (-1 paged), b: estimate E, c: slots held R, d: its range of
               addresses, in systems that have address ranges
REFUSED        the head of the waiting queue does not fit. a: need in slots, b: free slots, c: slots of the largest
               hole, d: its first slot (-1 none). Paged: c = b, a hole is any free block
MOVED          ideal placement only. a: old first slot, b: new first slot, c: slots held
BLOCK          took a block from the free queue. a: block id, b: index in the block table, c: the group of layers whose
               table it is, 0 where there is one table
HIT            prefix-cache hit at admission. a: tokens found
SHARED         a found block joined the table. a: block id, b: index in the table, c: 1 if it lay in the free queue,
               d: the group
WRITTEN        the step writes K/V. a: first position, b: number of tokens, c: id of the last of them
REGISTERED     a full block entered the prefix cache. a: block id; where layers fall into groups, b: its index in the
               sequence, c: the group
EVICTED        a block lost its hash because it was allocated again. a: block id
PREEMPTED      lost its slots, back to the front of the waiting queue. a: slots that it had written, b: 0 if they are
               recomputed, 1 if they were swapped out, c: 1 if another sequence of its request is queued in its place
FINISHED       has all its output
FREED          released its slots. a: first slot, b: its range, where it has one, c: slots held
FREED_BLOCK    released a block. a: block id, b: references left, c: 0 front of the free queue, 1 back, -1 none, d: the
               group
FORKED         starts with a copy of another sequence's block table. a: that sequence, b: tokens written
COPIED         copy-on-write. a: the shared block, b: the block taken from the free queue that replaces it in this
               table, c: index in the table, d: slots copied
SWAPPED_OUT    copied to the CPU pool. a: block id, b: CPU block id, c: index in the table, d: 0 if another table's
               entry has already copied it
SWAPPED_IN     copied back. a: CPU block id, b: block id, c: index in the table, d: 0 if already copied
EXCHANGED      by hand: two physical blocks changed places. a, b: block ids
MAPPED         a physical page was mapped behind a range of addresses. a: page, b: its index in the range, c: the range;
               the event's request owns the range
UNMAPPED       a page was unmapped. a: page, b: its index in the range, c: the range; the request is -1
REPOINTED      by hand: the model is given a wrong block. a: index in the table, b: the wrong block, c: the right one
SHORT          a running sequence cannot go on: the last of the running list is preempted for it. a: blocks that its
               request needs in this step, b: blocks that are free
LEFT_BEHIND    released a block behind the window of its group, and goes on. a to d: as FREED_BLOCK
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
    FORKED = 15
    COPIED = 16
    SWAPPED_OUT = 17
    SWAPPED_IN = 18
    EXCHANGED = 19
    REPOINTED = 20
    SHORT = 21
    MAPPED = 22
    UNMAPPED = 23
    LEFT_BEHIND = 24


class Event(NamedTuple):
    """One event. ``request`` is the index of a sequence in the trace, or -1 if the event concerns no sequence."""

    kind: Kind
    request: int
    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0
