"""Make vizkv/fonts anew: ``python -m scripts.font [FOLDER]``. Needed when a text has a character that the fonts lack.

Noto Sans SC and Source Sans 3 come from the npm registry by name (``npm pack``, into ``FOLDER`` if one is given, and
not again if they lie there).

Of Noto Sans SC's 18,000 characters those of GB 2312's first level stay, the 3,755 that written Chinese is nearly made
of, with Latin letters, punctuation, signs, and whatever else stands in the texts of vizkv. Without hints and vertical
layout two weights take 2.4 MB.

Of Source Sans 3, in which the exports set all other texts, the European alphabets stay: two weights take 0.1 MB.
Kerning is left out, so that a line is as wide as its letters. The name is reserved: the subset has ours.

A fifth file of about 2 kB has only the Chinese that stands on an English page, so that such a page does not fetch
1.2 MB for the name of a language.
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
NOTO, SOURCE = "@expo-google-fonts/noto-sans-sc@0.4.3", "@expo-google-fonts/source-sans-3@0.4.1"
STYLES = {"Regular": "400Regular/{}_400Regular.ttf", "Bold": "700Bold/{}_700Bold.ttf"}
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

EUROPEAN = (
    (0x20, 0x7E), (0xA0, 0x24F),  # Latin
    (0x370, 0x3FF), (0x400, 0x45F),  # Greek, Cyrillic
    (0x2010, 0x2033), (0x2070, 0x209C),  # punctuation; superscripts and subscripts
    (0x20AC, 0x20AC), (0x2190, 0x2193), (0x2200, 0x2265),  # euro, arrows, signs of mathematics
    (0x25A0, 0x25D0), (0x2713, 0x2717),  # shapes, check marks
)  # fmt: skip


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


def in_english() -> set[str]:
    """The Chinese characters of the English catalogue: a language is named in itself."""
    text = (ROOT / "vizkv/messages/en.po").read_text(encoding="utf-8")
    return {char for char in text if "\u2e80" <= char <= "\uffef"}


def wanted() -> set[str]:
    """What the fonts should hold, if Noto Sans SC does."""
    return level_one() | spoken() | {chr(code) for first, last in SIGNS for code in range(first, last + 1)}


def part(source: bytes, style: str, letters: set[str], family: str, features: tuple[str, ...] = ()) -> TTFont:
    """The subset of one weight, under our name."""
    options = subset.Options(hinting=False, layout_features=list(features), name_IDs=["*"], notdef_outline=True)
    options.drop_tables += ["vhea", "vmtx", "BASE", "STAT"]
    font = TTFont(io.BytesIO(source), recalcTimestamp=False)
    whole = font["name"].getDebugName(1)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=map(ord, letters))
    cut.subset(font)
    names = {1: family, 2: style, 4: f"{family} {style}", 6: f"{family.replace(' ', '')}-{style}"}
    table = font["name"]
    table.names = [n for n in table.names if n.platformID == 3 and n.langID == 0x409 and n.nameID in (0, 5, 13, 14)]
    for number, text in names.items():
        table.setName(text, number, 3, 1, 0x409)
    table.setName(f"A subset of {whole} {style} by the vizkv authors", 10, 3, 1, 0x409)
    font["OS/2"].usWeightClass = 700 if style == "Bold" else 400
    font["OS/2"].fsSelection = 0x20 if style == "Bold" else 0x40
    font["head"].macStyle = 1 if style == "Bold" else 0
    return font


def fetched(folder: Path, package: str) -> Path:
    """The package as a file, from the npm registry unless it lies in the folder."""
    name, version = package.removeprefix("@").replace("/", "-").rsplit("@", 1)
    path = folder / f"{name}-{version}.tgz"
    if not path.exists():
        print(f"vizkv: fetching {package} with npm ...", file=sys.stderr)
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return path


def unpacked(package: Path, font: str, licence: Path) -> dict[str, bytes]:
    """The fonts of a package by style; its licence is written to a file of ours."""
    with tarfile.open(package) as archive:

        def content(name: str) -> bytes:
            file = archive.extractfile(f"package/{name}")
            if file is None:
                raise FileNotFoundError(name)
            return file.read()

        licence.write_bytes(content("LICENSE_FONT"))
        return {style: content(path.format(font)) for style, path in STYLES.items()}


def main(folder: Path) -> None:
    """Write all files; tell their sizes and which of our characters Noto Sans SC does not have."""
    noto = unpacked(fetched(folder, NOTO), "NotoSansSC", fonts.FOLDER / "OFL.txt")
    for path, (style, data) in zip(fonts.files(), noto.items()):
        font = part(data, style, wanted(), fonts.FAMILY, ("kern", "ccmp", "locl"))
        written(font, path)
        lost = "".join(sorted(c for c in spoken() if ord(c) not in font.getBestCmap()))
        print(f"  in our texts, but not in Noto Sans SC: {lost or 'nothing'}")
    small()
    latin(folder)


def latin(folder: Path) -> None:
    """Write the two files of Source Sans 3."""
    source = unpacked(fetched(folder, SOURCE), "SourceSans3", fonts.FOLDER / "OFL-latin.txt")
    letters = {chr(code) for first, last in EUROPEAN for code in range(first, last + 1)}
    for path, (style, data) in zip(fonts.latin_files(), source.items()):
        written(part(data, style, letters, fonts.LATIN_FAMILY), path)


def written(font: TTFont, path: Path) -> None:
    """Save a font and tell its size."""
    font.save(path)
    print(f"{path.relative_to(ROOT)}: {len(font.getBestCmap())} characters, {path.stat().st_size:,} bytes")


def small() -> None:
    """Write the third file, from the first."""
    written(
        part(fonts.files()[0].read_bytes(), "Regular", in_english(), fonts.FAMILY_IN_ENGLISH), fonts.in_english_file()
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else temporary).resolve())
