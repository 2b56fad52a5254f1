"""Numbers that a person reads are written by the catalogue of the language, and by nobody else."""

import ast
import re
from pathlib import Path

import pytest

from vizkv.messages.catalogue import Messages, messages

ROOT = Path(__file__).parents[2] / "vizkv"
ROOMS = ("views", "ui", "cli", "export", "lecture")
# not for people: lengths and angles in CSS and SVG; words of a link; Plotly's own notation, which charts.py repeats
DRAWN = re.compile(r"px|deg|translate|<path|<circle|<rect|<line|<svg|viewBox")
ELSEWHERE = {"views/picture/svg.py", "views/picture/books.py", "ui/whatif/page.py", "export/charts/words.py"}


def by_hand(path: Path) -> list[str]:
    """Places of a file where a number gets its decimals or its thousands from a format of Python."""
    found = []
    tree = ast.parse(path.read_text("utf-8"))
    told = {
        id(part)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("told", "ScenarioError")
        for part in ast.walk(call)
    }
    for node in ast.walk(tree):
        text = ast.unparse(node) if isinstance(node, ast.JoinedStr | ast.Call) else ""
        if isinstance(node, ast.JoinedStr) and id(node) not in told and not DRAWN.search(text):
            parts = [part.format_spec for part in node.values if getattr(part, "format_spec", None)]
            specs = [
                "".join(str(piece.value) for piece in part.values if isinstance(piece, ast.Constant)) for part in parts
            ]
            found += [f"{node.lineno}: {text}" for spec in specs if re.search(r"[,.%]|[gfed]$", spec)]
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", "")
            if name in ("format", "format_decimal") or (name == "str" and "round(" in text):
                found.append(f"{node.lineno}: {text}")
    return found


def test_no_number_in_a_text_is_formatted_by_hand():
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    names = {path: str(path.relative_to(ROOT)) for path in files}
    assert {names[f]: places for f in files if names[f] not in ELSEWHERE and (places := by_hand(f))} == {}


def test_the_browser_writes_numbers_with_the_pages_language():
    for path in [*(ROOT / "player").glob("*.js"), *(ROOT / "live").glob("*.js"), *(ROOT / "ui").rglob("*.js")]:
        text = path.read_text("utf-8")
        assert not re.search(r"toFixed|toPrecision|toLocaleString|NumberFormat\(\s*(\)|[\"'])", text), path.name


def test_a_formatted_number_is_found(tmp_path):
    (tmp_path / "a.py").write_text(
        'a = f"{x:,}"\nb = f"{x:.1f} %"\nc = f"{x}px {x:.1f}px"\nd = str(round(x))\ne = f"{x:>3}"\n'
    )
    assert [place.split(":")[0] for place in by_hand(tmp_path / "a.py")] == ["1", "2", "4"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_way_of_writing_a_number_goes_through_the_locale(language):
    say = messages(language)
    assert (say.fixed(1234.5, 2), say.fixed(1234.5, 0)) == ("1,234.50", "1,234")
    assert (say.exact(0.0005), say.exact(20000)) == ("0.0005", "20,000")
    assert (say.scientific(1.23e-7), say.scientific(1e-3, 0)) == ("1.2E-7", "1E-3")


def test_a_zero_below_zero_does_not_change_how_zero_is_written_from_then_on():
    say = Messages("en")
    assert [say.number(n) for n in (-0.0, 0, 0.0)] == ["0", "0", "0"]
