"""A file of operations on a radix tree, and what the tree is after each: the format of recordings of SGLang."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from vizkv.limits.files import read_file
from vizkv.limits.limits import MAX_NAME, MAX_SLOTS
from vizkv.limits.readers import parse_json, whole
from vizkv.messages.sentence import told
from vizkv.messages.validation import shorten
from vizkv.systems.radix.memory import Held, Node, RadixMemory

MAX_FILE = 16 * 2**20  # bytes of a file of operations
MAX_OPERATIONS = 100_000
MAX_TOKEN = 2**63 - 1  # SGLang keeps tokens in signed 64 bits
SHOWN_FREE = 40  # pages of the free list that are printed
SHOWN_TOKENS = 4  # tokens of a leaf in the order of eviction
_FIELDS = ("page_size", "pool", "tree", "ops")
_FORMS = {
    "insert": ("tokens",), "match": ("tokens",), "lock": ("name", "tokens"), "unlock": ("name",), "evict": ("count",),
    "start": ("name", "prompt"), "decode": ("name", "token"), "finish": ("name",), "retract": ("name",),
}  # fmt: skip


class OperationsError(ValueError):
    """A file of operations that cannot be used; the message is one sentence."""


def read(path: Path) -> dict[str, Any]:
    """Return the checked content of a file. Raises OperationsError."""
    try:
        raw = read_file(path, MAX_FILE)
    except (OSError, ValueError) as error:
        raise OperationsError(
            told(
                "The file {path!r} cannot be read: {why}.",
                path=str(path),
                why=getattr(error, "strerror", None) or error,
            )
        ) from None
    if len(raw) > MAX_FILE:
        raise OperationsError(
            told("The file has more than {most:,} bytes; valid are at most that many.", most=MAX_FILE)
        )
    try:
        given = parse_json(raw)
    except ValueError as error:
        if type(error).__module__.startswith("vizkv"):  # it has a sentence of its own
            raise OperationsError(*error.args) from None
        raise OperationsError(told("The file is not JSON; valid is an object with page_size, pool and ops.")) from None
    return check(given)


def check(given: object) -> dict[str, Any]:
    """Return an object of page_size, pool, tree and ops. Raises OperationsError where it is not one."""
    if not isinstance(given, dict):
        raise OperationsError(told("The file is not an object; valid is an object with page_size, pool and ops."))
    for name in given:
        if name not in _FIELDS:
            raise _wrong(shorten(name), given[name], told("one of the fields page_size, pool, tree and ops"))
    size = _whole("page_size", given.get("page_size"), 1, MAX_SLOTS)
    pool = _whole("pool", given.get("pool"), size, MAX_SLOTS)
    if pool % size:
        raise _wrong("pool", pool, told("a multiple of page_size = {size}", size=size))
    if given.get("tree", "radix") != "radix":
        raise _wrong("tree", given["tree"], told("'radix'"))
    ops = given.get("ops")
    if not isinstance(ops, list) or len(ops) > MAX_OPERATIONS:
        raise _wrong("ops", ops, told("a list of at most {most:,} operations", most=MAX_OPERATIONS))
    for number, op in enumerate(ops):
        _check_operation(f"ops[{number}]", op)
    return given


def _check_operation(where: str, op: object) -> None:
    if not isinstance(op, list) or not op or not isinstance(op[0], str) or op[0] not in _FORMS:
        raise _wrong(where, op, told("a list that begins with one of {names}", names=", ".join(_FORMS)))
    form = _FORMS[op[0]]
    if len(op) != len(form) + 1:
        raise _wrong(where, op, told("[{form}]", form=", ".join([f'"{op[0]}"', *form])))
    for at, (kind, value) in enumerate(zip(form, op[1:], strict=True), 1):
        place = f"{where}[{at}]"
        if kind == "name":
            if not (isinstance(value, str) and len(value) <= MAX_NAME) and type(value) is not int:
                raise _wrong(place, value, told("a name of at most {most} characters", most=MAX_NAME))
        elif kind in ("count", "token"):
            _whole(place, value, 0, MAX_TOKEN)
        elif not _are_tokens(value):
            raise _wrong(place, value, told("a list of whole numbers from 0 on"))
        elif kind == "prompt" and not value:
            raise _wrong(place, value, told("a list of at least one whole number from 0 on"))


def _are_tokens(value: object) -> bool:
    return isinstance(value, list) and all(type(token) is int and 0 <= token <= MAX_TOKEN for token in value)


def _whole(where: str, value: object, low: int, most: int) -> int:
    try:
        return whole(value, low, most)
    except ValueError:
        valid = told("a whole number from {low:,} to {most:,}", low=low, most=most)
        raise _wrong(where, value, valid) from None


def _wrong(where: str, value: object, valid: str) -> OperationsError:
    return OperationsError(
        told("The field {where} is {value}; valid is {valid}.", where=where, value=shorten(value), valid=valid)
    )


def run(given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a record for each operation. Raises OperationsError for a name that nothing bears at that moment."""
    world = World(RadixMemory(given["pool"] // given["page_size"], given["page_size"]))
    for number, op in enumerate(given["ops"]):
        try:
            result = world.verbs[op[0]](*op[1:])
        except KeyError:
            valid = told("the name of a lock") if op[0] == "unlock" else told("the name of a running request")
            raise _wrong(f"ops[{number}][1]", op[1], valid) from None
        yield {"op": op, "result": result, **state(world.memory)}


class World:
    """A memory with its locks and requests by name. A name that is given again is the newer one's from then on."""

    def __init__(self, memory: RadixMemory) -> None:
        self.memory = memory
        self.locks: dict[str, Node] = {}
        self.requests: dict[str, Held] = {}
        self.verbs: dict[str, Callable[..., dict[str, Any]]] = {verb: getattr(self, verb) for verb in _FORMS}

    def insert(self, tokens: Sequence[int]) -> dict[str, Any]:
        """Give tokens pages and enter them; pages of what was there go back."""
        memory, size = self.memory, self.memory.page_size
        length = len(tokens) // size * size
        if length == 0:
            return {"prefix": 0}
        memory.make_room(length)
        pages = memory.take(length // size)
        if pages is None:
            return {"prefix": None, "out_of_memory": True}
        shared = memory.insert(tokens, pages)
        memory.give_back(pages[: shared // size])
        return {"prefix": shared}

    def match(self, tokens: Sequence[int]) -> dict[str, Any]:
        """Find the longest cached prefix."""
        length, node = self.memory.match(tokens)
        return {"length": length, "slots": self.memory.slots(self.memory.path_pages(node), length)}

    def lock(self, name: str, tokens: Sequence[int]) -> dict[str, Any]:
        """Lock what is cached of a text."""
        length, node = self.memory.match(tokens)
        self.memory.lock(node)
        self.locks[name] = node
        return {"length": length}

    def unlock(self, name: str) -> dict[str, Any]:
        """Take back a lock."""
        self.memory.unlock(self.locks.pop(name))
        return {}

    def evict(self, count: int) -> dict[str, Any]:
        """Evict leaves until so many slots are free."""
        return {"evicted": sum(len(node.tokens) for node in self.memory.evict(count))}

    def start(self, name: str, prompt: Sequence[int]) -> dict[str, Any]:
        """Start a request and compute its whole prompt."""
        held = self.memory.hold(prompt)
        hit = held.kept
        if not self.memory.can_extend(len(prompt) - hit):
            self.memory.let_go(held)
            return {"hit": hit, "admitted": False}
        self.memory.extend(held, prompt[hit:])
        self.memory.checkpoint(held)
        self.requests[name] = held
        return {"hit": hit, "admitted": True, "row": self.memory.slots(held.pages, len(prompt))}

    def decode(self, name: str, token: int) -> dict[str, Any]:
        """Write one more token of a request."""
        held = self.requests[name]
        if not self.memory.can_decode(held):
            return {"out_of_memory": True}
        self.memory.decode(held, token)
        return {"slot": self.memory.slots(held.pages, len(held.tokens))[-1]}

    def finish(self, name: str) -> dict[str, Any]:
        """End a request; what it wrote stays in the tree."""
        self.memory.finish(self.requests.pop(name))
        return {}

    def retract(self, name: str) -> dict[str, Any]:
        """End a request; nothing of it enters the tree."""
        self.memory.retract(self.requests.pop(name))
        return {}


def state(memory: RadixMemory) -> dict[str, Any]:
    """What there is: sizes in slots, free pages, the tree depth first, and the next leaves to be evicted."""
    nodes = list(memory.nodes())
    ages = {time: age for age, time in enumerate(sorted({node.used for _, node in nodes}))}
    free = memory.free
    return {
        "evictable": memory.evictable,
        "protected": memory.protected,
        "free_slots": memory.available,
        "free": free if len(free) <= SHOWN_FREE else [*free[:SHOWN_FREE], f"... {len(free)}"],
        "tree": [
            {
                "depth": depth, "tokens": list(node.tokens), "slots": list(node.pages), "lock_ref": node.locks,
                "age": ages[node.used],
            }
            for depth, node in nodes
        ],
        "evict_order": [list(node.tokens[:SHOWN_TOKENS]) for node in memory.eviction_order()],
    }  # fmt: skip
