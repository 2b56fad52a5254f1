"""The player's colours and hatches for pictures, equal to those that vizkv/player/look.js reads from the style sheet.

No state is shown by colour alone: hatches are the tiles of the canvas, as SVG patterns of the same size.
"""

from __future__ import annotations

from vizkv.trace.slots import Code
from vizkv.views.picture.svg import Sheet, num

MARKS = ("used", "reserved", "internal", "external", "free", "cached", "mapped", "others")
USED, RESERVED, INTERNAL, EXTERNAL, FREE, CACHED, MAPPED, OTHERS = range(8)  # OTHERS: free, as the paper counts it
FREE_MARKS = {Code.CACHED: CACHED, Code.MAPPED: MAPPED}  # free slots that are drawn differently
TONES = 10  # colours for requests; tone 0 is "coloured by state"
TILE = 6  # pixels

COLOURS: dict[str, dict[str, str]] = {
    "light": {
        "used": "#3487FF", "reserved": "#FBA500", "internal": "#4C0439", "external": "#B80000", "free": "#EDEDED",
        "cached": "#DCE6EE", "mapped": "#E4E8D4", "others": "#EDEDED", "ink-used": "#3487FF", "ink-reserved": "#4A3000",
        "ink-internal": "#FFFFFF", "ink-external": "#FFFFFF", "ink-free": "#EDEDED", "ink-cached": "#8FA3B5",
        "ink-mapped": "#8C966B", "ink-others": "#CF9A9A", "text": "#16181D",
        "quiet": "#5B6270", "page": "#FFFFFF", "panel": "#F6F7F9", "border": "#D9DDE3", "accent": "#1F5FD1",
        "alarm": "#C62828", "outline": "#343A46", "request-0": "#2F6FDB", "request-1": "#E08A00",
        "request-2": "#0E8A78", "request-3": "#C43C7C", "request-4": "#7B52C9", "request-5": "#8A8400",
        "request-6": "#2BA3DC", "request-7": "#A4452C", "request-8": "#4F9A35", "request-9": "#6B7280",
    },
    "dark": {
        "used": "#2F7FD0", "reserved": "#EBC04A", "internal": "#D0667A", "external": "#FFFFFF", "free": "#23292F",
        "cached": "#2C3A47", "mapped": "#353A26", "others": "#23292F", "ink-used": "#2F7FD0", "ink-reserved": "#4A3000",
        "ink-internal": "#1A0A10", "ink-external": "#B80000", "ink-free": "#23292F", "ink-cached": "#5D7387",
        "ink-mapped": "#838C5C", "ink-others": "#80565A", "text": "#EEF1F5",
        "quiet": "#9AA3B2", "page": "#0F1216", "panel": "#161B21", "border": "#2B323B", "accent": "#6FA8FF",
        "alarm": "#FF8A80", "outline": "#07090C", "request-0": "#6C9DF2", "request-1": "#F2AC42",
        "request-2": "#3FBFA8", "request-3": "#EC7FB0", "request-4": "#AF8FF0", "request-5": "#C9C24A",
        "request-6": "#7CCBF2", "request-7": "#DE8468", "request-8": "#8CCB6E", "request-9": "#A3ABB8",
    },
}  # fmt: skip
# (colour, opacity) of translucent lines
VEILS: dict[str, dict[str, tuple[str, float]]] = {
    "light": {"ruler": ("#FFFFFF", 0.55), "cell": ("#16181D", 0.22), "edge": ("#16181D", 0.45)},
    "dark": {"ruler": ("#0F1216", 0.6), "cell": ("#F0F3F7", 0.2), "edge": ("#F0F3F7", 0.35)},
}

# overrides for a projector in a lit hall (vizkv/player/room.css)
FAR_COLOURS: dict[str, dict[str, str]] = {
    "light": {
        "text": "#000000", "quiet": "#23272F", "border": "#6A7180", "panel": "#F0F2F5",
        "accent": "#0B46B0", "alarm": "#A30000", "outline": "#000000",
    },
    "dark": {
        "text": "#FFFFFF", "quiet": "#DDE2EA", "border": "#8B94A3", "panel": "#14181D",
        "accent": "#8FBCFF", "alarm": "#FF9D94", "outline": "#000000",
    },
}  # fmt: skip
FAR_VEILS: dict[str, dict[str, tuple[str, float]]] = {
    "light": {"ruler": ("#FFFFFF", 0.75), "cell": ("#000000", 0.45), "edge": ("#000000", 1.0)},
    "dark": {"ruler": ("#000000", 0.75), "cell": ("#FFFFFF", 0.4), "edge": ("#FFFFFF", 1.0)},
}
_FAR_TILE, _BOLD = 9, 2.2  # on a projector: pixels of a tile, and the factor by which outlines are thicker


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(a: str, b: str, share: float) -> str:
    """Return the colour between two. ``share``: that of ``b``."""
    pairs = zip(_rgb(a), _rgb(b), strict=True)
    return "#" + "".join(f"{int(x * share + y * (1 - share) + 0.5):02X}" for x, y in pairs)


def _luminance(colour: str) -> float:
    r, g, b = (v / 3294.6 if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in _rgb(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


class Look:
    """The colours of a theme, and the patterns made from them on a sheet."""

    def __init__(self, sheet: Sheet, theme: str = "light", projector: bool = False) -> None:
        self.sheet, self.projector = sheet, projector
        self.theme = theme if theme in COLOURS else "light"
        self.colours = COLOURS[self.theme] | (FAR_COLOURS[self.theme] if projector else {})
        self.veils = (FAR_VEILS if projector else VEILS)[self.theme]
        self.tile = _FAR_TILE if projector else TILE
        self.text, self.page, self.quiet = (self.colours[name] for name in ("text", "page", "quiet"))
        self.alarm, self.accent, self.outline = (self.colours[name] for name in ("alarm", "accent", "outline"))
        self.dark = self.theme == "dark"

    def __getitem__(self, name: str) -> str:
        return self.colours[name]

    def line(self, thick: float) -> int:
        """Return the thickness of an outline, which is larger on a projector."""
        return max(1, int(thick * (_BOLD if self.projector else 1) + 0.5))

    def request(self, tone: int) -> str:
        """Return the colour of a request's tone, from 1 to TONES."""
        return self.colours[f"request-{(tone - 1) % TONES}"]

    def tint(self, colour: str, mark: int) -> str:
        """Return the colour of a request under a hatch."""
        return mix(colour, self.page, 0.5 if mark == INTERNAL else 0.22)

    def tone_ink(self, mark: int) -> str:
        """Return the colour of the hatch on a request's colour."""
        return self.page if mark == INTERNAL else mix(self.text, self.page, 0.75)

    def base(self, tone: int, mark: int) -> str:
        """Return the solid colour under a mark: that of the state in tone 0, of a request in others."""
        if tone == 0 or mark >= FREE:
            return self.colours[MARKS[mark]]
        colour = self.request(tone)
        return colour if mark == USED else self.tint(colour, mark)

    def paint(self, tone: int, mark: int) -> list[str]:
        """Return the fills of a mark in a tone, bottom to top: its colour and, if it has one, its hatch.

        They are separate because in a PDF the background would show through the seams between a pattern's tiles.
        """
        base = self.base(tone, mark)
        if mark in (USED, FREE):
            return [base]
        ink = self.colours[f"ink-{MARKS[mark]}"] if tone == 0 or mark > FREE else self.tone_ink(mark)
        return [base, self.hatch(ink, mark)]

    def plain(self, mark: int) -> list[str]:
        """Return the fills of a mark in the legend when slots are coloured by request."""
        return [self.tint(self.text, mark), self.hatch(self.tone_ink(mark), mark)]

    def hatch(self, ink: str, mark: int) -> str:
        """Return the fill of a hatch, whose pattern is defined on the sheet."""
        name, n = f"{MARKS[mark]}-{ink[1:]}".lower(), self.tile
        if name not in self.sheet.defs:
            self.sheet.defs[name] = (
                f'<pattern id="{name}" patternUnits="userSpaceOnUse" width="{n}" height="{n}">'
                f"{_figure(n, ink, mark)}</pattern>"
            )
        return f"url(#{name})"

    def on(self, tone: int, mark: int) -> str:
        """Return black or white, whichever is more legible on a mark."""
        return "#0B0E13" if _luminance(self.base(tone, mark)) > 0.179 else "#FFFFFF"


def _figure(n: int, ink: str, mark: int) -> str:
    """Return the hatch of a tile of n x n pixels, as vizkv/player/look.js draws it."""
    if mark == INTERNAL:
        size = int(n * 0.36 + 0.5)
        at = int((n - size) / 2 + 0.5)
        return f'<rect x="{at}" y="{at}" width="{size}" height="{size}" fill="{ink}"/>'
    if mark == CACHED:
        return f'<rect y="{n // 2}" width="{-(-n // 2)}" height="1" fill="{ink}"/>'
    if mark == MAPPED:
        return f'<rect x="{n // 2}" width="1" height="{-(-n // 2)}" fill="{ink}"/>'
    # lines of the neighbouring tiles, too: they reach into the corners
    lines = "".join(f"M{x - 1} {n + 1}L{x + n + 1} -1" for x in (-n, 0, n))
    if mark in (EXTERNAL, OTHERS):
        lines += "".join(f"M{x - 1} -1L{x + n + 1} {n + 1}" for x in (-n, 0, n))
    wide = n / {RESERVED: 5, OTHERS: 9}.get(mark, 6.5)
    return f'<path d="{lines}" stroke="{ink}" stroke-width="{num(wide)}" fill="none"/>'
