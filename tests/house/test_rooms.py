"""Who may import whom (CONTRIBUTING.md, "The house"). The arrows keep the straight way through it straight."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.house.project import ROOT, files, relative

# room -> the rooms of ours that it may import; a room is a folder directly in vizkv/, or a module there
ARROWS: dict[str, set[str]] = {
    "messages": set(),
    "installed": set(),
    "fonts": set(),
    "player": set(),
    "live": set(),
    "limits": {"messages"},
    "model": {"messages", "limits"},
    "trace": {"messages", "limits"},
    "systems": {"messages", "limits", "trace"},
    "scenario": {"messages", "limits", "systems"},
    "workload": {"messages", "limits", "scenario", "model"},
    "replay": {"messages", "limits", "scenario", "systems", "trace"},
    "engine": {"messages", "limits", "model", "scenario", "systems", "trace", "workload"},
    "sweeps": {"messages", "limits", "scenario", "systems", "workload", "engine", "replay"},
    "views": {"messages", "fonts", "scenario", "systems", "trace", "replay"},
    "lecture": {"messages", "limits", "fonts", "scenario", "systems", "trace", "replay", "views"},
    "export": {"messages", "limits", "fonts", "scenario", "trace", "replay", "sweeps", "views", "player", "lecture"},
    "exhibit": {"messages", "systems", "scenario", "trace", "replay", "sweeps", "views", "player", "live"},
    "show": {
        "messages",
        "limits",
        "fonts",
        "scenario",
        "trace",
        "model",
        "engine",
        "replay",
        "sweeps",
        "views",
        "lecture",
    }
    | {"exhibit"},
    "classes": {"messages", "limits", "scenario", "lecture", "show"},
    "cli": {
        "installed",
        "check",
        "messages",
        "limits",
        "scenario",
        "systems",
        "workload",
        "trace",
        "replay",
        "model",
        "engine",
        "sweeps",
        "views",
        "lecture",
        "export",
        "show",
    },
    "check": {"messages", "scenario", "systems", "trace", "replay", "engine"},
    "api": {"messages", "scenario", "systems", "trace", "replay", "engine", "sweeps", "views", "export"},
    "ui": {"messages", "limits", "fonts", "scenario", "workload", "systems", "trace", "replay", "model", "engine"}
    | {"installed", "sweeps", "views", "player", "live", "lecture", "export", "exhibit", "classes"},
    "__main__": {"cli", "limits"},
}


def room(path: Path) -> str:
    """The room that a file of vizkv/ belongs to."""
    return path.relative_to(ROOT / "vizkv").parts[0].removesuffix(".py")


class Import(ast.NodeVisitor):
    """All imports of a file as (module, where): where is "top", "function" or "types" (under TYPE_CHECKING)."""

    def __init__(self, path: Path) -> None:
        self.found: list[tuple[str, str, int]] = []
        self.where = "top"
        self.package = relative(path).removesuffix(".py").split("/")[:-1]
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_Import(self, node: ast.Import) -> None:
        self.found += [(alias.name, self.where, node.lineno) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parents = self.package[: len(self.package) - node.level + 1]
            base = ".".join([*parents, base] if base else parents)
        self.found += [(f"{base}.{alias.name}", self.where, node.lineno) for alias in node.names]

    def _inside(self, where: str, node: ast.AST) -> None:
        before, self.where = self.where, where
        self.generic_visit(node)
        self.where = before

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inside("function", node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inside("function", node)

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test).endswith("TYPE_CHECKING"):
            self._inside("types", node)
        else:
            self.generic_visit(node)


def shipped() -> list[Path]:
    """What runs in the app: the package, app.py and the pages."""
    return [p for p in files(".py") if relative(p).split("/")[0] in ("vizkv", "pages", "app.py")]


def test_every_room_imports_only_the_rooms_before_it():
    wrong = []
    for path in shipped():
        if relative(path).split("/")[0] != "vizkv" or path == ROOT / "vizkv/__init__.py":
            continue
        here = room(path)
        assert here in ARROWS, f"{relative(path)} is in no room: give it its arrows here and in CONTRIBUTING"
        for module, _, line in Import(path).found:
            parts = module.split(".")
            if parts[0] != "vizkv" or len(parts) < 2 or parts[1] == "__version__":
                continue
            if parts[1] != here and parts[1] not in ARROWS[here]:
                wrong.append(f"{relative(path)}:{line} imports {module}; {here} may import {sorted(ARROWS[here])}")
    assert not wrong, "\n".join(wrong)


def test_no_two_rooms_import_each_other():
    reach = {name: set(arrows) for name, arrows in ARROWS.items()}
    for _ in ARROWS:
        for name, seen in reach.items():
            reach[name] = seen | {far for near in seen for far in reach.get(near, set())}
    assert not [name for name, seen in reach.items() if name in seen]


def arrows_of_modules() -> dict[str, set[str]]:
    """Each module of the package and the modules that it imports, wherever the import stands."""
    modules = {relative(p).removesuffix(".py").removesuffix("/__init__").replace("/", "."): p for p in shipped()}
    arrows: dict[str, set[str]] = {}
    for name, path in modules.items():
        if name == "vizkv":
            continue  # it names the public library, and imports a module of it on first use
        named = {module for module, _, _ in Import(path).found}
        arrows[name] = {m if m in modules else m.rpartition(".")[0] for m in named} & set(modules) - {name}
    return arrows


def test_no_modules_import_each_other_in_a_circle():
    """Imports inside functions and for types count too: each of them would be a circle that is only hidden."""
    try:
        TopologicalSorter(arrows_of_modules()).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_streamlit_is_imported_only_by_the_app_its_pages_and_the_ui_room():
    allowed = ("app.py", "pages/", "vizkv/ui/")
    wrong = [
        f"{relative(path)}:{line} imports {module}"
        for path in shipped()
        if not relative(path).startswith(allowed)
        for module, _, line in Import(path).found
        if module.split(".")[0] == "streamlit"
    ]
    assert not wrong, "\n".join(wrong)


def test_torch_is_imported_only_by_the_model_and_lazily_by_what_calls_it():
    wrong = [
        f"{relative(path)}:{line} imports {module} when it is itself imported"
        for path in shipped()
        if not relative(path).startswith("vizkv/model/")
        for module, where, line in Import(path).found
        if where == "top" and (module.split(".")[0] == "torch" or module.startswith("vizkv.model"))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "modules",
    ["vizkv", "vizkv.cli, vizkv.scenario, vizkv.trace, vizkv.engine, vizkv.views.payload.pack, vizkv.player"],
    ids=["package", "rooms"],
)
def test_nobody_pays_for_torch_or_streamlit_who_does_not_use_them(modules):
    code = f"import sys, {modules}; print(*sorted({{'torch', 'streamlit'}} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []
