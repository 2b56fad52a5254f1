"""Make vizkv/fonts anew: ``python -m scripts.font [PACKAGE.tgz]``. Needed when a text has a character that it lacks.

Noto Sans SC comes from the npm registry by name (``npm pack``); of its 18,000 characters those of GB 2312's first level
stay, the 3,755 that written Chinese is nearly made of, with Latin letters, punctuation, signs, and whatever else stands
in the texts of vizkv. Without hints and vertical layout two weights take 2.4 MB.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from vizkv import fonts

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "@expo-google-fonts/noto-sans-sc@0.4.3"
WEIGHTS = {"400Regular/NotoSansSC_400Regular.ttf": "Regular", "700Bold/NotoSansSC_700Bold.ttf": "Bold"}
SIGNS = (  # ranges of code points, ends included
    (0x20, 0x7E),  # ASCII
    (0xA0, 0xFF),  # Latin-1: × ÷ · µ ²
    (0x391, 0x3C9),  # Greek
    (0x2010, 0x2033),  # dashes, quotation marks, ellipsis, per mille
    (0x2190, 0x21D4),  # arrows
    (0x2200, 0x2265),  # signs of mathematics
    (0x2460, 0x2473),  # numbers in circles
    (0x25A0, 0x25D0),  # squares, triangles, circles
    (0x2713, 0x2717),  # check marks
    (0x3000, 0x3017),  # punctuation
    (0xFF01, 0xFF5E),  # full-width signs
    (0xFFE5, 0xFFE5),  # yuan
)


def level_one() -> set[str]:
    """The Chinese characters of GB 2312's first level: rows 16 to 55, as its double bytes order them."""
    found = set()
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            if (row, cell) < (0xD7, 0xFA):  # the last row is not full
                found.add(bytes((row, cell)).decode("gb2312"))
    return found


def spoken() -> set[str]:
    """Every character of vizkv's own texts: catalogues, presets and lectures, and Chinese wherever else it stands."""
    found: set[str] = set()
    for path in sorted((ROOT / "vizkv").rglob("*")):
        if path.suffix in (".po", ".toml"):
            found |= set(path.read_text(encoding="utf-8"))
        elif path.suffix in (".py", ".js", ".html", ".css"):
            found |= {char for char in path.read_text(encoding="utf-8") if "\u2e80" <= char <= "\uffef"}
    return {char for char in found if char.isprintable()}


def wanted() -> set[str]:
    """What the fonts should hold, if Noto Sans SC does."""
    return level_one() | spoken() | {chr(code) for first, last in SIGNS for code in range(first, last + 1)}


def part(source: bytes, style: str) -> TTFont:
    """The subset of one weight, under our name."""
    options = subset.Options(
        hinting=False, layout_features=["kern", "ccmp", "locl"], name_IDs=["*"], notdef_outline=True
    )
    options.drop_tables += ["vhea", "vmtx", "BASE", "STAT"]
    font = TTFont(io.BytesIO(source), recalcTimestamp=False)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=map(ord, wanted()))
    cut.subset(font)
    names = {1: fonts.FAMILY, 2: style, 4: f"{fonts.FAMILY} {style}", 6: f"vizkvSansSC-{style}"}
    table = font["name"]
    table.names = [n for n in table.names if n.platformID == 3 and n.langID == 0x409 and n.nameID in (0, 5, 13, 14)]
    for number, text in names.items():
        table.setName(text, number, 3, 1, 0x409)
    table.setName(f"A subset of Noto Sans SC {style} by the vizkv authors", 10, 3, 1, 0x409)
    font["OS/2"].usWeightClass = 700 if style == "Bold" else 400
    font["OS/2"].fsSelection = 0x20 if style == "Bold" else 0x40
    font["head"].macStyle = 1 if style == "Bold" else 0
    return font


def fetched(folder: Path) -> Path:
    """The package as a file, from the npm registry."""
    print(f"vizkv: fetching {PACKAGE} with npm ...", file=sys.stderr)
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*.tgz"))


def main(given: list[str]) -> None:
    """Write both fonts and the licence; tell the size and what Noto Sans SC does not have."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(given[0]) if given else fetched(Path(folder))
        with tarfile.open(package) as archive:
            content = {n: archive.extractfile(f"package/{n}") for n in ("LICENSE_FONT", *WEIGHTS)}
            data = {name: file.read() for name, file in content.items() if file}
    (fonts.FOLDER / "OFL.txt").write_bytes(data["LICENSE_FONT"])
    for path, (name, style) in zip(fonts.files(), WEIGHTS.items()):
        font = part(data[name], style)
        font.save(path)
        lost = "".join(sorted(c for c in spoken() if ord(c) not in font.getBestCmap()))
        print(f"{path.relative_to(ROOT)}: {len(font.getBestCmap())} characters, {path.stat().st_size:,} bytes")
        print(f"  in our texts, but not in Noto Sans SC: {lost or 'nothing'}")


if __name__ == "__main__":
    main(sys.argv[1:])
