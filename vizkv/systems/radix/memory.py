"""Pages of slots and the radix tree over them, as in SGLang 0.5.23 (radix_cache.py, allocator/token.py and paged.py).

A page has ``page_size`` slots; page 0 is never handed out. With ``page_size = 1`` a page is a slot.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(eq=False)
class Node:
    """A run of tokens and the pages with their K and V.

    ``tokens``: as many as the pages have slots. ``locks``: running requests whose prefix goes through this node.
    ``used``: the time of the last walk over it.
    """

    tokens: tuple[int, ...]
    pages: tuple[int, ...]
    parent: Node | None
    used: int
    locks: int = 0
    children: dict[tuple[int, ...], Node] = field(default_factory=dict)


@dataclass(eq=False)
class Held:
    """What a running request holds.

    ``tokens``: whose K and V have a slot. ``pages``: theirs, in order; the last may be part empty. ``prompt``: length
    of the prompt. ``kept``: the first so many tokens are in the tree. ``node``: where those end, locked.
    """

    tokens: list[int]
    pages: list[int]
    prompt: int
    kept: int
    node: Node


class RadixMemory:
    """A pool of pages with a tree of what is kept."""

    def __init__(self, pages: int, page_size: int = 1) -> None:
        self.page_size = page_size
        self.pages = pages
        self.free = list(range(1, pages + 1))
        self.root = Node((), (), None, 0, locks=1)
        self.evictable = 0
        self.protected = 0
        self._leaves: set[Node] = set()
        self._clock = itertools.count(1)

    # the tree

    def match(self, tokens: Sequence[int]) -> tuple[int, Node]:
        """Return how many tokens are cached from the front on, and the node where they end.

        Every node touched gets the time of the walk; where the walk ends inside a node, that node is split.
        """
        tokens = self._whole(tokens)
        if not tokens:
            return 0, self.root
        length, node = self._walk(tokens)
        return length, node

    def insert(self, tokens: Sequence[int], pages: Sequence[int]) -> int:
        """Enter tokens and their pages; return how many tokens were there: their old pages stay.

        The caller frees the pages that he gave for these.
        """
        tokens = self._whole(tokens)
        length, node = self._walk(tokens)
        if length < len(tokens):
            rest = tokens[length:]
            kept = tuple(pages[length // self.page_size : len(tokens) // self.page_size])
            new = Node(rest, kept, node, next(self._clock))
            node.children[rest[: self.page_size]] = new
            self.evictable += len(rest)
            self._note(node)
            self._note(new)
        return length

    def lock(self, node: Node) -> None:
        """Keep a node and all above it from being evicted."""
        for each in _path(node):
            if each.locks == 0:
                self.evictable -= len(each.tokens)
                self.protected += len(each.tokens)
            each.locks += 1
            self._note(each)

    def unlock(self, node: Node) -> None:
        """Take back one lock."""
        for each in _path(node):
            if each.locks == 1:
                self.evictable += len(each.tokens)
                self.protected -= len(each.tokens)
            each.locks -= 1
            self._note(each)

    def evict(self, tokens: int) -> list[Node]:
        """Evict whole leaves, the least recently used first, until at least so many slots are free; return them."""
        line = [(leaf.used, id(leaf), leaf) for leaf in self._leaves]
        heapq.heapify(line)
        gone: list[Node] = []
        slots = 0
        while slots < tokens and line:
            *_, leaf = heapq.heappop(line)
            above = leaf.parent
            assert above is not None
            self.give_back(leaf.pages)
            slots += len(leaf.tokens)
            del above.children[leaf.tokens[: self.page_size]]
            self.evictable -= len(leaf.tokens)
            self._leaves.discard(leaf)
            self._note(above)
            gone.append(leaf)
            if not above.children and above.locks == 0:
                heapq.heappush(line, (above.used, id(above), above))
        return gone

    def eviction_order(self) -> list[Node]:
        """Leaves without a lock, the next to be evicted first."""
        return sorted(self._leaves, key=lambda leaf: leaf.used)

    def nodes(self) -> Iterator[tuple[int, Node]]:
        """Depth and node, depth first, children by their tokens."""
        stack = [(0, self.root)]
        while stack:
            depth, node = stack.pop()
            if depth:
                yield depth, node
            below = sorted(node.children.values(), key=lambda child: child.tokens, reverse=True)
            stack += [(depth + 1, child) for child in below]

    def path_pages(self, node: Node) -> list[int]:
        """Pages from the root to a node."""
        path = list(_path(node))
        return [page for each in reversed(path) for page in each.pages]

    # pages

    @property
    def available(self) -> int:
        """Slots of free pages."""
        return len(self.free) * self.page_size

    def make_room(self, slots: int) -> list[Node]:
        """Evict what is missing to so many free slots; return the evicted nodes."""
        short = slots - self.available
        return self.evict(short) if short > 0 else []

    def take(self, pages: int) -> list[int] | None:
        """Hand out pages from the front of the free list; None where there are too few."""
        if pages > len(self.free):
            return None
        taken, self.free = self.free[:pages], self.free[pages:]
        return taken

    def slots(self, pages: Sequence[int], count: int) -> list[int]:
        """The first slots of a row of pages."""
        size = self.page_size
        return [pages[at // size] * size + at % size for at in range(count)]

    # requests

    def hold(self, prompt: Sequence[int]) -> Held:
        """Lock what is cached of a prompt, at most all but its last token."""
        length, node = self.match(prompt[: len(prompt) - 1])
        self.lock(node)
        return Held(list(prompt[:length]), self.path_pages(node), len(prompt), length, node)

    def let_go(self, held: Held) -> None:
        """Take back the lock of a request that has not been given pages; the split and the times stay."""
        self.unlock(held.node)

    def can_extend(self, tokens: int) -> bool:
        """Whether a prompt's next tokens, and a page more, would fit when all that may be was evicted."""
        return tokens + self.page_size <= self.available + self.evictable

    def extend(self, held: Held, tokens: Sequence[int]) -> list[Node]:
        """Give a request slots for the next tokens of its prompt; return what was evicted. See :meth:`can_extend`."""
        one_more = self.page_size if self.page_size > 1 else 0
        return self._grow(held, tokens, len(tokens) + one_more)

    def can_decode(self, held: Held) -> bool:
        """Whether one more token fits."""
        if len(held.tokens) % self.page_size:
            return True
        return self.available + self.evictable >= self.page_size

    def decode(self, held: Held, token: int) -> list[Node]:
        """Give a request a slot for one more token; return what was evicted.

        A page is made free even where the last one has room, as SGLang does. See :meth:`can_decode`.
        """
        return self._grow(held, [token], self.page_size)

    def checkpoint(self, held: Held) -> list[int]:
        """Enter a request's whole pages into the tree and move its lock; return the pages freed as duplicates.

        Where the tree had the same tokens already, the request goes on with the tree's pages.
        """
        size = self.page_size
        tokens = self._whole(held.tokens)
        length = self.insert(tokens, held.pages)
        prompt = tokens[: held.prompt // size * size]
        if 0 < len(prompt) < len(tokens):  # a leaf ends where the prompt ends
            self.insert(prompt, held.pages)
        doubles = held.pages[held.kept // size : length // size]
        self.give_back(doubles)
        _, node = self.match(tokens)
        held.pages[: len(tokens) // size] = self.path_pages(node)
        held.kept = len(tokens)
        self.unlock(held.node)
        self.lock(node)
        held.node = node
        return doubles

    def finish(self, held: Held) -> list[int]:
        """Enter all that a request wrote into the tree and free the rest; return the pages freed."""
        return self.checkpoint(held) + self.retract(held)

    def retract(self, held: Held) -> list[int]:
        """Free a request's own pages and take back its lock; return the pages freed."""
        own = held.pages[held.kept // self.page_size :]
        self.give_back(own)
        self.unlock(held.node)
        return own

    def _grow(self, held: Held, tokens: Sequence[int], room: int) -> list[Node]:
        gone = self.make_room(room)
        length = len(held.tokens) + len(tokens)
        pages = self.take(-(-length // self.page_size) - len(held.pages))
        assert pages is not None, "asked whether it fits before"
        held.pages += pages
        held.tokens += tokens
        return gone

    def _whole(self, tokens: Sequence[int]) -> tuple[int, ...]:
        """The tokens cut to whole pages."""
        return tuple(tokens[: len(tokens) // self.page_size * self.page_size])

    def give_back(self, pages: Sequence[int]) -> None:
        """Put pages back: single slots at the end of the free list, larger pages at its front."""
        self.free = [*self.free, *pages] if self.page_size == 1 else [*pages, *self.free]

    def _walk(self, tokens: tuple[int, ...]) -> tuple[int, Node]:
        now = next(self._clock)
        size = self.page_size
        node, at = self.root, 0
        while at < len(tokens) and (child := node.children.get(tokens[at : at + size])):
            child.used = now
            shared = _shared(child.tokens, tokens, at) // size * size
            at += shared
            if shared < len(child.tokens):
                return at, self._split(child, shared)
            node = child
        return at, node

    def _split(self, node: Node, length: int) -> Node:
        """Cut a node; return its upper part, which is new: with a later time and the same locks."""
        size = self.page_size
        above = node.parent
        assert above is not None
        upper = Node(node.tokens[:length], node.pages[: length // size], above, next(self._clock), node.locks)
        above.children[upper.tokens[:size]] = upper
        node.tokens, node.pages, node.parent = node.tokens[length:], node.pages[length // size :], upper
        upper.children[node.tokens[:size]] = node
        return upper

    def _note(self, node: Node) -> None:
        """Keep the set of leaves that may be evicted."""
        if node.locks == 0 and not node.children:
            self._leaves.add(node)
        else:
            self._leaves.discard(node)


def _path(node: Node) -> Iterator[Node]:
    """A node and all above it, without the root."""
    while node.parent is not None:
        yield node
        node = node.parent


def _shared(run: tuple[int, ...], tokens: tuple[int, ...], at: int) -> int:
    """How many tokens two texts have in common from the front on."""
    if run == tokens[at : at + len(run)]:
        return len(run)
    length = 0
    for one, other in zip(run, itertools.islice(tokens, at, None), strict=False):
        if one != other:
            break
        length += 1
    return length
