"""Nobody asks which kind a memory system is, but for the rooms of the kinds: others ask what it can do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.project import files, relative
from vizkv.systems.registry import KINDS

OWN = ("vizkv/systems/", "vizkv/views/systems/")  # the rooms of the kinds
CLASSES = {part.__name__ for kind in KINDS.values() for part in (kind.schema, kind.scheduler, kind.replay)}


def asked(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what is asked) of each place in a file that asks for a system's class or kind."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
            named = {getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(node.args[1])}
            if named & CLASSES:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Compare):
            if any(_names_kind(part) for part in (node.left, *node.comparators)):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Dict):  # a look-up by kind, as in {"paged": ...}[system.kind]
            if any(key is not None and _names_kind(key) for key in node.keys):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.MatchValue) and _names_kind(node.value):
            yield node.value.lineno, ast.unparse(node.value)
        elif isinstance(node, ast.MatchClass) and getattr(node.cls, "id", getattr(node.cls, "attr", "")) in CLASSES:
            yield node.cls.lineno, ast.unparse(node.cls)


def _names_kind(node: ast.expr) -> bool:
    """Whether an expression is a kind's word, or a collection that holds one."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(_names_kind(item) for item in node.elts)
    return isinstance(node, ast.Constant) and node.value in KINDS


def others() -> list[Path]:
    """The Python files of the app outside the rooms of the kinds."""
    shipped = [p for p in files(".py") if relative(p).split("/")[0] in ("vizkv", "pages", "app.py")]
    return [p for p in shipped if not relative(p).startswith(OWN)]


def test_nobody_outside_the_systems_rooms_asks_for_a_kind():
    found = [
        f"{relative(path)}:{line} asks {what}: ask for a capability of vizkv.systems.base.system.System instead"
        for path in others()
        for line, what in asked(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "isinstance(system, PagedSystem)",
        "isinstance(run.scheduler, (Line, scheduler.ContiguousScheduler))",
        's.kind == "paged"',
        '"contiguous" != part["kind"]',
        'table in ("paged", "contiguous")',
        '{"contiguous": "reserve", "paged": "block_size"}[system.kind]',
        'match system.kind:\n    case "paged":\n        pass',
        "match system:\n    case PagedSystem():\n        pass",
    ],
)
def test_each_way_of_asking_is_found(code):
    assert list(asked(ast.parse(code)))


@pytest.mark.parametrize("code", ["system.can_preempt", '{"kind": "paged", "block_size": 16}', 'axis.kind == "log"'])
def test_capabilities_and_new_systems_are_no_such_question(code):
    assert not list(asked(ast.parse(code)))
