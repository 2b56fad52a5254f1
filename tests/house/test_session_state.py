"""One room reads and writes what Streamlit keeps for a visitor, and one makes the callbacks of widgets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.project import ROOT, files, relative

STORE = "vizkv/ui/store.py"
MADE_BY = ("clicked", "changed", "picked")  # of vizkv.ui.widgets: what they return is safe at any time
# callbacks that concern no page: the bar of every page, a component's messages, and ends of jobs
FOR_ALL_PAGES = {
    "vizkv/ui/frame/bar.py": {"_asked", "_claimed", "_measured", "_speak", "_project"},
    "vizkv/ui/whatif/component.py": {"hear"},
    "vizkv/ui/frame/share.py": {"gone_on"},
    "vizkv/ui/player/component.py": {"lambda: None"},
    "vizkv/ui/lecture/bar.py": {"lambda: None"},
    "vizkv/ui/cache/page.py": {"job.stop"},
    "vizkv/ui/sweep/page.py": {"job.stop"},
    "vizkv/ui/export/page.py": {"job.cancel"},
}


def shown() -> Iterator[tuple[Path, ast.AST]]:
    """Every node of the files that draw pages."""
    for path in files(".py"):
        if relative(path).startswith(("app.py", "pages/", "vizkv/ui/")):
            yield from ((path, node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def given() -> Iterator[tuple[Path, str, ast.expr]]:
    """(file, on_change or so, what was given) wherever a callback is given, or put into a widget's options."""
    for path, node in shown():
        if isinstance(node, ast.keyword) and (node.arg or "").startswith("on_"):
            yield path, node.arg or "", node.value
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and str(key.value).startswith("on_"):
                    yield path, str(key.value), value


def test_only_the_store_touches_the_session_state():
    """``st.session_state[key]`` raises for a widget that a newer run has dropped; the store does not."""
    wrong = [
        f"{relative(path)}:{node.lineno}"
        for path, node in shown()
        if relative(path) != STORE
        and (
            (isinstance(node, ast.Attribute) and node.attr == "session_state")
            or (isinstance(node, ast.alias) and node.name == "session_state")
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_the_store_never_reads_by_subscript():
    tree = ast.parse((ROOT / STORE).read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
                and ast.unparse(node.value) == "st.session_state"]  # fmt: skip


def test_a_callback_outlives_its_widget_and_its_page():
    """A change may arrive when its page is being replaced: see vizkv/ui/widgets.py."""
    local: dict[Path, dict[str, str]] = {}  # callbacks that have a name first
    for path, node in shown():
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            local.setdefault(path, {})[ast.unparse(node.targets[0])] = ast.unparse(node.value)
    wrong = []
    for path, name, value in given():
        text = ast.unparse(value)
        text = local.get(path, {}).get(text, text)
        sound = isinstance(value, ast.Constant) or text.startswith(tuple(f"widgets.{made}(" for made in MADE_BY))
        if not sound and text not in FOR_ALL_PAGES.get(relative(path), ()):
            wrong.append(f"{relative(path)}:{value.lineno} {name}={text}")
    assert not wrong, "\n".join(wrong)


def test_a_number_input_that_shows_what_is_open_has_it_as_its_default_too():
    """A browser shows the default where the field was emptied; without one that is the lowest number."""
    wrong = [
        f"{relative(path)}:{node.lineno}"
        for path, node in shown()
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("number_input")
        and len(node.args) < 4
        and not any(keyword.arg == "value" for keyword in node.keywords)
    ]
    assert not wrong, "\n".join(wrong)
