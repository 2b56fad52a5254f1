"""A Plotly figure as SVG, PNG or PDF without a browser: drawn again from its own data and layout, by matplotlib.

The figure is the one that the page shows: whatever is in it is drawn, or refused by name. Sizes are the figure's own
pixels. matplotlib is imported when the first chart is drawn.
"""

from __future__ import annotations

import io
import threading
import warnings
from typing import TYPE_CHECKING, Any, Literal

from vizkv import fonts
from vizkv.export.charts.words import wrapped

if TYPE_CHECKING:
    import plotly.graph_objects as go

Format = Literal["svg", "png", "pdf"]
FORMATS: tuple[Format, ...] = ("svg", "png", "pdf")
PAGE = {"light": "#FFFFFF", "dark": "#0F1216"}
INK = {"light": "#16181D", "dark": "#EEF1F5"}
QUIET = {"light": "#5B6270", "dark": "#9AA3B2"}
WIDTH, HEIGHT = 1280, 450
PAD = 14  # pixels around everything
_CAPTION, _HEADLINE = 13, 24
_FAMILIES = [fonts.LATIN_FAMILY, fonts.FAMILY, "DejaVu Sans"]  # the later ones help out, letter by letter
_ALONE = threading.Lock()  # matplotlib's settings are the process's
_SETTINGS: dict[Any, Any] = {
    "font.family": _FAMILIES, "svg.fonttype": "path", "svg.hashsalt": "vizkv", "pdf.fonttype": 42,
    "hatch.linewidth": 1.1, "axes.unicode_minus": True, "path.simplify": True, "text.parse_math": False,
}  # fmt: skip


def chart(
    figure: go.Figure, kind: Format, *, scale: float = 1.0, theme: str = "light", transparent: bool = False,
    legend: bool = True, caption: str = "", alt: str = "", width: int = WIDTH, height: int = 0,
    title: str = "", headline: str = "",
) -> bytes:  # fmt: skip
    """The figure as a file. ``theme``: of the page behind it, which the figure was made for.

    ``scale``: pixels of a PNG for one of the figure. ``caption``: below it; ``alt``: for those who do not see it.
    ``title``: what the file is called, for programs that show that; ``headline``: a text above the chart.
    """
    if kind not in FORMATS:
        raise ValueError(f"a chart is one of {', '.join(FORMATS)}, not {kind!r}")
    import matplotlib as mpl

    with _ALONE, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Gg]lyph")
        _fonts()
        with mpl.rc_context(_SETTINGS):
            page = _Page(
                figure, width, height or figure.layout.height or HEIGHT, theme, transparent, legend, caption, headline
            )
            return page.saved(kind, scale, alt, title or headline)


def _fonts() -> None:
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    if fonts.FAMILY not in known:
        for path in (*fonts.latin_files(), *fonts.files()):
            font_manager.fontManager.addfont(str(path))


class _Page:
    """The paper that a figure is drawn on: legend and caption below, and as much room around as its texts take."""

    def __init__(
        self, figure: go.Figure, width: int, height: int, theme: str, transparent: bool, legend: bool, caption: str,
        headline: str = "",
    ):  # fmt: skip
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from vizkv.export.charts.axes import Drawing

        self.width, self.transparent, self.page = width, transparent, PAGE[theme]
        self.canvas = Figure(figsize=(width / 72, height / 72), dpi=72)
        self.renderer: Any = FigureCanvasAgg(self.canvas).get_renderer()
        if not transparent:
            self.canvas.patch.set_facecolor(self.page)
        else:
            self.canvas.patch.set_alpha(0)
        self.drawing = Drawing(figure, self.canvas, "none" if transparent else self.page)
        below = self._caption(caption, QUIET[theme])
        box = self._legend() if legend else None
        above = self._headline(headline, INK[theme])
        height += below + above  # a caption takes nothing from the chart
        self.canvas.set_size_inches(width / 72, height / 72)
        self.height = height
        bottom = PAD + below
        if box is not None:
            box.set_bbox_to_anchor((PAD / width, bottom / height), self.canvas.transFigure)
            bottom += box.get_window_extent(self.renderer).height + 8
        self._fit(bottom, PAD + above)

    def saved(self, kind: Format, scale: float, alt: str, title: str = "") -> bytes:
        """The file's bytes, the same each time."""
        about = {
            "svg": {
                "Date": None,
                **({"Title": title} if title else {}),
                "Description": alt or None,
                "Creator": "vizkv",
            },
            "pdf": {"CreationDate": None, "Title": title or None, "Subject": alt or None, "Creator": "vizkv"},
            "png": {"Software": "vizkv", "Description": alt} if alt else {"Software": "vizkv"},
        }[kind]
        file = io.BytesIO()
        self.canvas.savefig(
            file, format=kind, dpi=72 * scale if kind == "png" else 72, metadata=about,
            facecolor=self.canvas.get_facecolor(), edgecolor="none",
        )  # fmt: skip
        return _described(file.getvalue(), alt) if kind == "svg" else file.getvalue()

    def _measure(self, size: float) -> Any:
        from matplotlib.font_manager import FontProperties

        face = FontProperties(family=_FAMILIES, size=size)
        return lambda text: self.renderer.get_text_width_height_descent(text, face, False)[0]

    def _caption(self, caption: str, ink: str) -> int:
        """Writes it; the pixels that it takes."""
        if not caption:
            return 0
        measure = self._measure(_CAPTION)
        lines = [line for part in caption.split("\n") for line in wrapped(part, self.width - 2 * PAD, measure)]
        self.canvas.text(
            PAD / self.width, 0, "\n".join(lines), size=_CAPTION, color=ink, va="bottom", linespacing=1.35,
            transform=_pixels(self.canvas, PAD, PAD - 2),
        ).set_x(0)  # fmt: skip
        return round(len(lines) * _CAPTION * 1.45) + 6

    def _headline(self, text: str, ink: str) -> int:
        """Writes it; the pixels that it takes."""
        if not text:
            return 0
        lines = wrapped(text, self.width - 2 * PAD, self._measure(1.1 * _HEADLINE))  # bold is wider
        self.canvas.text(
            0, 1, "\n".join(lines), size=_HEADLINE, color=ink, va="top", weight="bold",
            transform=_pixels(self.canvas, PAD, -PAD),
        )  # fmt: skip
        return round(len(lines) * _HEADLINE * 1.3) + 10

    def _legend(self) -> Any:
        """As many entries in a row as there is room for; None if there is nothing to tell apart."""
        handles, names, size, ink = self.drawing.legend()
        if not handles:
            return None
        box = None
        for columns in range(len(handles), 0, -1):
            if box is not None:
                box.remove()
            box = self.canvas.legend(
                handles, names, loc="lower left", ncols=columns, frameon=False, fontsize=size, labelcolor=ink,
                borderaxespad=0, borderpad=0, handlelength=1.9, handleheight=1.0, columnspacing=1.6, handletextpad=0.6,
                labelspacing=0.45,
            )  # fmt: skip
            if box.get_window_extent(self.renderer).width <= self.width - 2 * PAD:
                break
        return box

    def _fit(self, bottom: float, above: float) -> None:
        """The plots take what their own texts leave of the paper."""
        left = right = float(PAD)
        top = above
        low = bottom
        for _ in range(3):
            self.drawing.place(
                left / self.width, low / self.height, 1 - right / self.width, 1 - top / self.height
            )  # fmt: skip
            over = self.drawing.overflow(self.renderer)
            left, low = PAD + over[0], bottom + over[1]
            right, top = PAD + over[2], above + over[3]


def _pixels(canvas: Any, x: float, y: float) -> Any:
    """A place in pixels from the lower left corner, whatever the paper's size."""
    from matplotlib.transforms import ScaledTranslation

    return canvas.transFigure + ScaledTranslation(x / 72, y / 72, canvas.dpi_scale_trans)


def _described(svg: bytes, alt: str) -> bytes:
    """The SVG as a picture with a description for a screen reader."""
    from xml.sax.saxutils import escape

    if not alt:
        return svg
    text = svg.decode()
    start = text.index("<svg")
    end = text.index(">", start)
    head = text[start:end] + ' role="img" aria-labelledby="alt"'
    return (text[:start] + head + f'>\n <desc id="alt">{escape(alt)}</desc>' + text[end + 1 :]).encode()
