"""What stands in a plot: lines, areas, points, bars and coloured tables of a Plotly figure, drawn by matplotlib."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vizkv.export.charts.sheet import Axis, Sheet
from vizkv.export.charts.words import colour, dash, first, hatch, number, numbers, scale, symbol, text_of

KINDS = ("scatter", "bar", "heatmap")
_COLOURWAY = ("#636EFA", "#EF553B", "#00CC96", "#AB63FA", "#FFA15A")  # Plotly's own, where a figure names none
_STEPS = {"hv": "steps-post", "vh": "steps-pre", "hvh": "steps-mid"}
_FILLED = {"hv": "post", "vh": "pre", "hvh": "mid"}


class Marks:
    """The traces of a figure; ``entries``: (handle, name) for the legend."""

    def __init__(self, sheet: Sheet):
        self.sheet, self.layout = sheet, sheet.layout
        self.entries: list[tuple[Any, str]] = []
        self._grouped: set[str] = set()
        self._stacks: dict[Any, np.ndarray] = {}
        self._heaps: dict[Any, dict[tuple[float, bool], float]] = {}
        self._bars = [t for t in sheet.figure.data if t.type == "bar"]

    def draw(self, trace: Any, axes: Any, x: Axis, y: Axis) -> None:
        """One trace."""
        draw = {"scatter": self._scatter, "bar": self._bar, "heatmap": self._heatmap}[trace.type]
        if trace.visible not in (False, "legendonly"):
            draw(trace, axes, x, y)

    def _tell(self, trace: Any, handle: Any) -> None:
        """Enter it into the legend, once a group."""
        group = trace.legendgroup or ""
        if trace.showlegend is False or not trace.name or (group and group in self._grouped):
            return
        self._grouped.add(group)
        self.entries.append((handle, trace.name))

    # -- lines, areas, points -----------------------------------------------------------------------------------------

    def _scatter(self, trace: Any, axes: Any, x: Axis, y: Axis) -> None:
        across = np.array([x.at(v) for v in ([] if trace.x is None else trace.x)])
        up = np.array([y.at(v) for v in ([] if trace.y is None else trace.y)])
        if not len(across):
            across = np.arange(len(up), dtype=float)
        mode = trace.mode or ("lines" if trace.stackgroup or len(up) > 20 else "lines+markers")
        style = self._line_style(trace)
        if trace.stackgroup:
            self._stacked(trace, axes, across, up)
        elif trace.fill and trace.fill != "none":
            self._filled(trace, axes, across, up, style["color"])
        line = None
        if "lines" in mode and style["linewidth"] > 0:
            (line,) = axes.plot(across, up, drawstyle=_STEPS.get(trace.line.shape, "default"), zorder=3, **style)
            line.set_clip_on(trace.cliponaxis is not False)
        if trace.error_y.array is not None or trace.error_x.array is not None:
            self._errors(trace, axes, across, up, style["color"])
        points = self._points(trace, axes, across, up, style["color"]) if "markers" in mode else None
        if "text" in mode and trace.text is not None:
            self._texts(trace, axes, across, up)
        if trace.stackgroup or (trace.fill and trace.fill != "none" and line is None):
            self._tell(trace, self._swatch(trace.fillcolor or style["color"], trace.fillpattern))
        elif line is not None or points is not None:
            self._tell(trace, self._key(trace, style, line is not None, points is not None))

    def _line_style(self, trace: Any) -> dict[str, Any]:
        line, order = trace.line, list(self.sheet.figure.data).index(trace)
        tone = line.color or first(trace.marker.color) or _COLOURWAY[order % len(_COLOURWAY)]
        width = 2 if line.width is None else line.width
        return {
            "color": colour(tone, trace.opacity), "linewidth": width, "linestyle": dash(line.dash),
            "solid_capstyle": "butt", "dash_capstyle": "butt",
        }  # fmt: skip

    def _stacked(self, trace: Any, axes: Any, across: np.ndarray, up: np.ndarray) -> None:
        key = (trace.xaxis, trace.yaxis, trace.stackgroup)
        below = self._stacks.get(key)
        below = np.zeros(len(up)) if below is None or len(below) != len(up) else below
        top = below + np.nan_to_num(up)
        self._stacks[key] = top
        self._area(trace, axes, across, below, top, trace.fillcolor)

    def _filled(self, trace: Any, axes: Any, across: np.ndarray, up: np.ndarray, tone: Any) -> None:
        if trace.fill == "tozeroy":
            faint = (*tone[:3], 0.5 * tone[3])
            self._area(trace, axes, across, np.zeros(len(up)), up, trace.fillcolor or faint)
        elif trace.fill == "toself":
            axes.fill(across, up, facecolor=colour(trace.fillcolor or tone), edgecolor="none", zorder=2)
        else:
            raise ValueError(f"a fill of the kind {trace.fill!r} cannot be drawn")

    def _area(self, trace: Any, axes: Any, x: np.ndarray, low: np.ndarray, top: np.ndarray, tone: Any) -> None:
        step = _FILLED.get(trace.line.shape)
        face = tone if isinstance(tone, tuple) else colour(tone)
        pattern = trace.fillpattern
        # a hair of its own colour: between two areas nothing shines through
        axes.fill_between(x, low, top, step=step, facecolor=face, edgecolor=face, linewidth=0.3, zorder=2)
        if marks := hatch(first(pattern.shape), first(pattern.size)):
            ink = colour(first(pattern.fgcolor) or self.sheet.ink, pattern.fgopacity)
            axes.fill_between(
                x, low, top, step=step, facecolor="none", edgecolor=ink, linewidth=0, hatch=marks, zorder=2.1
            )

    def _errors(self, trace: Any, axes: Any, x: np.ndarray, y: np.ndarray, tone: Any) -> None:
        for way, given in (("yerr", trace.error_y), ("xerr", trace.error_x)):
            if given.array is None:
                continue
            more = numbers(given.array)
            less = numbers(given.arrayminus) if given.arrayminus is not None else more
            axes.errorbar(
                x, y, fmt="none", ecolor=colour(given.color) if given.color else tone, capsize=given.width or 4,
                elinewidth=given.thickness or 1.5, capthick=given.thickness or 1.5, zorder=3, **{way: [less, more]},
            )  # fmt: skip

    def _points(self, trace: Any, axes: Any, x: np.ndarray, y: np.ndarray, tone: Any) -> Any:
        marker, drawn = trace.marker, None
        for index in range(len(x)):
            if not (math.isfinite(x[index]) and math.isfinite(y[index])):
                continue
            look = self._mark(marker, index, tone, trace.opacity)
            if look is None:
                continue
            (drawn,) = axes.plot(
                [x[index]], [y[index]], linestyle="none", zorder=3.5, clip_on=trace.cliponaxis is not False, **look
            )
        return drawn

    def _mark(self, marker: Any, index: int, tone: Any, opacity: float | None) -> dict[str, Any] | None:
        """How a point looks; None for one that cannot be seen (some are there to be clicked)."""
        shape, hollow = symbol(first(marker.symbol, index))
        given = first(marker.color, index)
        face = colour(given, first(marker.opacity, index)) if given is not None else tone
        if opacity is not None:
            face = (*face[:3], face[3] * opacity)
        width = first(marker.line.width, index) or 0
        edge = colour(first(marker.line.color, index)) if width and first(marker.line.color, index) else face
        if not face[3] and not width:
            return None
        size = first(marker.size, index)
        size = 6 if size is None else float(size)
        if shape in ("_", "|", "x", "+"):
            return {"marker": shape, "markersize": size, "markeredgecolor": edge, "markeredgewidth": width or 2}
        if hollow:
            return {"marker": shape, "markersize": size, "markerfacecolor": "none", "markeredgecolor": edge,
                    "markeredgewidth": width or 2}  # fmt: skip
        shrink = 0.8 if shape == "D" else 1.0
        return {"marker": shape, "markersize": size * shrink, "markerfacecolor": face, "markeredgecolor": edge,
                "markeredgewidth": width}  # fmt: skip

    def _texts(self, trace: Any, axes: Any, x: np.ndarray, y: np.ndarray) -> None:
        font = trace.textfont
        for index in range(len(x)):
            text, bold = text_of(first(trace.text, index) if not isinstance(trace.text, str) else trace.text)
            if not text or text == "None" or not (math.isfinite(x[index]) and math.isfinite(y[index])):
                continue
            where = str(first(trace.textposition, index) or "middle center")
            v, _, h = where.partition(" ")
            size = (first(trace.marker.size, index) or 6) / 2 + 3 if "markers" in (trace.mode or "") else 2
            dx = {"left": -1, "right": 1}.get(h, 0) * (size if v == "middle" else 0.6 * size)
            dy = {"top": 1, "bottom": -1}.get(v, 0) * size
            axes.annotate(
                text, (x[index], y[index]), (dx, dy), textcoords="offset points", annotation_clip=False, zorder=5,
                ha={"left": "right", "right": "left"}.get(h, "center"),
                va={"top": "bottom", "bottom": "top"}.get(v, "center"), weight="bold" if bold else "normal",
                size=first(font.size, index) or self.sheet.size,
                color=colour(first(font.color, index) or self.sheet.ink),
            )  # fmt: skip

    # -- bars ---------------------------------------------------------------------------------------------------------

    def _bar(self, trace: Any, axes: Any, x: Axis, y: Axis) -> None:
        lying = trace.orientation == "h"
        along = y if lying else x
        places = np.array([along.at(v) for v in (trace.y if lying else trace.x)])
        values = numbers(trace.x if lying else trace.y)
        bases, widths = self._bases(trace, places, values), self._widths(trace, len(places))
        marker, pattern = trace.marker, trace.marker.pattern
        for index, (place, value) in enumerate(zip(places, values, strict=True)):
            if not (math.isfinite(place) and math.isfinite(value)):
                continue
            at, width = place + self._aside(trace, widths[index]), widths[index]
            tone = colour(first(marker.color, index) or _COLOURWAY[0], first(marker.opacity, index))
            rim = first(marker.line.width, index) or 0
            edge = colour(first(marker.line.color, index)) if rim else "none"
            box = {"y": at, "width": value, "height": width, "left": bases[index]} if lying else {
                "x": at, "height": value, "width": width, "bottom": bases[index]}  # fmt: skip
            draw = axes.barh if lying else axes.bar
            draw(**box, color=tone, edgecolor=edge, linewidth=rim, zorder=2)
            if marks := hatch(first(pattern.shape, index), first(pattern.size, index)):
                ink = colour(first(pattern.fgcolor, index) or self.sheet.ink, pattern.fgopacity)
                draw(**box, color="none", edgecolor=ink, linewidth=0, hatch=marks, zorder=2.1)
            self._on_bar(trace, axes, index, at, bases[index], value, lying)
        self._tell(trace, self._swatch(first(marker.color) or _COLOURWAY[0], pattern))

    def _bases(self, trace: Any, places: np.ndarray, values: np.ndarray) -> list[float]:
        if trace.base is not None:
            return [float(first(trace.base, i) or 0) for i in range(len(places))]
        if (self.layout.barmode or "group") not in ("stack", "relative"):
            return [0.0] * len(places)
        heap = self._heaps.setdefault((trace.xaxis, trace.yaxis), {})
        found = []
        for place, value in zip(places, np.nan_to_num(values), strict=True):
            key = (float(place), bool(value < 0))
            found.append(heap.get(key, 0.0))
            heap[key] = found[-1] + value
        return found

    def _widths(self, trace: Any, count: int) -> list[float]:
        if trace.width is not None:
            return [float(first(trace.width, i)) for i in range(count)]
        whole = 1 - (0.2 if self.layout.bargap is None else self.layout.bargap)
        beside = len(self._beside(trace))
        return [whole / beside] * count

    def _beside(self, trace: Any) -> list[Any]:
        """The traces whose bars stand side by side at one place."""
        if (self.layout.barmode or "group") != "group" or trace.width is not None:
            return [trace]
        return [t for t in self._bars if (t.xaxis, t.yaxis) == (trace.xaxis, trace.yaxis)]

    def _aside(self, trace: Any, width: float) -> float:
        if trace.offset is not None:
            return float(first(trace.offset)) + width / 2
        beside = self._beside(trace)
        return (beside.index(trace) - (len(beside) - 1) / 2) * width

    def _on_bar(
        self, trace: Any, axes: Any, index: int, at: float, base: float, value: float, lying: bool
    ) -> None:  # fmt: skip
        given = first(trace.text, index) if trace.text is not None and not isinstance(trace.text, str) else trace.text
        text, bold = text_of(given if given is not None else "")
        if not text:
            return
        outside = trace.textposition == "outside"
        middle = trace.insidetextanchor == "middle"
        end = base + value if outside or not middle else base + value / 2
        gap = 3 if outside else 0 if middle else -4
        gap = gap if value >= 0 else -gap
        font = trace.textfont if outside or not trace.insidetextfont.size else trace.insidetextfont
        h = "center" if middle and not outside else ("left" if outside else "right")
        v = "center" if middle and not outside else ("bottom" if outside else "top")
        axes.annotate(
            text, (end, at) if lying else (at, end), (gap, 0) if lying else (0, gap), textcoords="offset points",
            ha=h if lying else "center", va="center" if lying else v, size=first(font.size, index) or self.sheet.size,
            color=colour(first(font.color, index) or self.sheet.ink), weight="bold" if bold else "normal",
            zorder=5, annotation_clip=False, path_effects=[] if outside else _halo(first(trace.marker.color, index)),
        )  # fmt: skip

    # -- coloured tables ----------------------------------------------------------------------------------------------

    def _heatmap(self, trace: Any, axes: Any, x: Axis, y: Axis) -> None:
        z = np.array([numbers(row) for row in trace.z])
        rows, columns = z.shape
        across = [x.at(v) for v in trace.x] if trace.x is not None else list(range(columns))
        up = [y.at(v) for v in trace.y] if trace.y is not None else list(range(rows))
        whole = self.layout.coloraxis if trace.coloraxis else None
        low = whole.cmin if whole is not None else trace.zmin
        high = whole.cmax if whole is not None else trace.zmax
        low, high = np.nanmin(z) if low is None else low, np.nanmax(z) if high is None else high
        given = whole.colorscale if whole is not None else trace.colorscale
        if given is None:
            raise ValueError("a coloured table without a colour scale cannot be drawn")
        gap = max(trace.xgap or 0, trace.ygap or 0)
        mesh = axes.pcolormesh(
            _edges(across), _edges(up), np.ma.masked_invalid(z), cmap=scale(given), vmin=low, vmax=high,
            edgecolors=self.sheet.ground if gap else "none", linewidth=gap, zorder=1.5, antialiased=bool(gap),
        )  # fmt: skip
        shown = trace.showscale is not False and not (whole is not None and self.sheet.bars)
        if shown and not (whole is not None and whole.showscale is False):
            self._colourbar(mesh, whole.colorbar if whole is not None else trace.colorbar, y)
        if trace.texttemplate or trace.text is not None:
            self._cells(trace, axes, across, up)

    def _cells(self, trace: Any, axes: Any, across: Sequence[float], up: Sequence[float]) -> None:
        if trace.text is None:
            raise ValueError("a coloured table with a texttemplate and no text cannot be drawn")
        for row, texts in zip(up, trace.text, strict=True):
            for column, text in zip(across, texts, strict=True):
                axes.text(
                    column, row, text_of(text)[0] if text is not None else "", ha="center", va="center", zorder=5,
                    size=trace.textfont.size or self.sheet.size,
                    color=colour(trace.textfont.color or self.sheet.ink),
                )  # fmt: skip

    def _colourbar(self, mesh: Any, given: Any, y: Axis) -> None:
        from matplotlib import ticker

        sheet = self.sheet
        bar = sheet.canvas.add_axes((0, 0, 0.1, 1), zorder=5)
        made = sheet.canvas.colorbar(mesh, cax=bar)
        made.outline.set_visible(False)
        made.locator = ticker.MaxNLocator(given.nticks or 6)
        pattern, suffix = given.tickformat, given.ticksuffix or ""
        marks = self.layout.separators or ".,"
        made.formatter = ticker.FuncFormatter(lambda value, _: number(value, pattern, marks) + suffix)
        made.update_ticks()
        bar.tick_params(length=0, labelsize=given.tickfont.size or sheet.size, labelcolor=sheet.ink)
        if given.title.text:
            bar.set_title(text_of(given.title.text)[0], size=sheet.size, color=sheet.ink, loc="left", pad=6)
        span = (0, 1) if given is self.layout.coloraxis.colorbar or y.given.domain is None else y.given.domain
        sheet.bars.append((bar, 1.0 if given.x is None else given.x, span, given.thickness or 16))

    # -- the legend's samples -----------------------------------------------------------------------------------------

    def _swatch(self, tone: Any, pattern: Any) -> Any:
        from matplotlib.patches import Patch

        face = tone if isinstance(tone, tuple) else colour(tone)
        plain = Patch(facecolor=face, edgecolor=(0.5, 0.5, 0.5, 0.6), linewidth=0.8)
        if not (marks := hatch(first(pattern.shape), first(pattern.size))):
            return plain
        ink = colour(first(pattern.fgcolor) or self.sheet.ink, pattern.fgopacity)
        return (plain, Patch(facecolor="none", edgecolor=ink, linewidth=0, hatch=marks))

    def _key(self, trace: Any, style: dict[str, Any], line: bool, points: bool) -> Any:
        from matplotlib.lines import Line2D

        look: dict[str, Any] = {"linestyle": "none"}
        if line:
            look = {k: style[k] for k in ("color", "linewidth", "linestyle")}
        if points:
            look |= self._mark(trace.marker, 0, style["color"], trace.opacity) or {}
            look["markersize"] = min(12.0, float(look.get("markersize", 6)))
        return Line2D([], [], **look)


def _halo(tone: Any) -> list[Any]:
    """A rim in the bar's own colour: a word stays legible on a hatch."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=6, foreground=colour(tone))] if tone else []


def _edges(centres: Sequence[float]) -> np.ndarray:
    """The borders of cells around these centres."""
    at = np.array(centres, float)
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middle = (at[:-1] + at[1:]) / 2
    return np.concatenate([[at[0] - (middle[0] - at[0])], middle, [at[-1] + (at[-1] - middle[-1])]])
