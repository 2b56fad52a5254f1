"""A figure's axes, shapes, annotations and legend, as Plotly's layout has them, in matplotlib."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vizkv.export.charts.marks import KINDS, Marks
from vizkv.export.charts.sheet import Axis, Sheet, otherwise
from vizkv.export.charts.words import colour, dash, number, text_of

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Drawing(Sheet):
    """Everything of a figure on a matplotlib canvas."""

    def __init__(self, figure: go.Figure, canvas: Any, ground: str):
        super().__init__(figure, canvas, ground)
        self.paper = canvas.add_axes((0, 0, 1, 1), frameon=False, zorder=10)
        self.paper.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
        self.paper.patch.set_visible(False)
        self.axes: dict[tuple[str, str], Any] = {}
        self.known: dict[str, Axis] = {}
        for trace in figure.data:
            if trace.type not in KINDS:
                raise ValueError(f"a trace of the type {trace.type!r} cannot be drawn")
        pairs = {(_long("x", t.xaxis), _long("y", t.yaxis)) for t in figure.data} or {("xaxis", "yaxis")}
        self._know(pairs)
        for x, y in sorted(pairs):
            axes = canvas.add_axes((0, 0, 1, 1), facecolor=colour(self.layout.plot_bgcolor))
            self.axes[x, y] = axes
            for name, axis in (("x", self.known[x]), ("y", self.known[y])):
                if axis.kind == "log":
                    getattr(axes, f"set_{name}scale")("log")
        self.marks = Marks(self)
        for trace in figure.data:
            self.marks.draw(trace, *self.place_of(trace))
        for (x, y), axes in self.axes.items():
            self._range(axes, x, y)
            self._dress(axes, "x", self.known[x], self.known[y])
            self._dress(axes, "y", self.known[y], self.known[x])
        if len({x for x, _ in pairs}) > 1:
            self._keep_apart()
        for shape in self.layout.shapes:
            self._shape(shape)
        for note in self.layout.annotations:
            self._note(note)
        if title := self.layout.title.text:
            text, bold = text_of(title)
            size = self.layout.title.font.size or self.size + 3
            self._text(self.paper, 0, 1, text, size, self.ink, "left", "bottom", bold, self._shifted(0, 30))

    def place_of(self, trace: Any) -> tuple[Any, Axis, Axis]:
        """A trace's plot and its two axes."""
        x, y = _long("x", trace.xaxis), _long("y", trace.yaxis)
        return self.axes[x, y], self.known[x], self.known[y]

    def _know(self, pairs: set[tuple[str, str]]) -> None:
        values: dict[str, list[Any]] = {}
        for trace in self.figure.data:
            for way in "xy":
                name = _long(way, trace[f"{way}axis"])
                name = _long(way, getattr(self.layout, name).matches)[:] if getattr(self.layout, name).matches else name
                mine = [] if trace[way] is None else list(trace[way])
                values.setdefault(name, []).extend(mine)
        for x, y in pairs:
            for name in (x, y):
                root = getattr(self.layout, name).matches
                self.known[name] = Axis(name, self.layout, values.get(_long(name[0], root) if root else name, []))

    # -- axes ---------------------------------------------------------------------------------------------------------

    def _range(self, axes: Any, x: str, y: str) -> None:
        for way, name in (("x", x), ("y", y)):
            axis = self.known[name]
            root = axis.given.matches
            if axis.given.range is None and root and (other := _long(way, root)) in self.known:
                axis = self.known[other]
            low, high = getattr(axes, f"get_{way}lim")()
            if low > high:
                low, high = high, low
            getattr(axes, f"set_{way}lim")(*axis.limits(low, high))

    def _dress(self, axes: Any, way: str, axis: Axis, across: Axis) -> None:
        from matplotlib import ticker

        side = {"x": "bottom", "y": "left"}[way]
        for spine in ("bottom", "top") if way == "x" else ("left", "right"):
            axes.spines[spine].set_visible(bool(axis.given.showline) and spine == side)
            axes.spines[spine].set_color(self.ink)
        low = axes.xaxis if way == "x" else axes.yaxis
        given, pick = axis.given, axis.pick
        size, ink = given.tickfont.size or self.size, given.tickfont.color or self.ink
        length = (pick("ticklen") or 5) if given.ticks else 0
        axes.tick_params(
            axis=way, which="both", length=length, labelsize=size, labelcolor=ink, color=ink,
            pad=4 + (given.ticklabelstandoff or 0),
        )  # fmt: skip
        axes.tick_params(axis=way, which="minor", length=0)
        if axis.kind == "category":
            low.set_major_locator(ticker.FixedLocator(range(len(axis.words))))
            low.set_major_formatter(ticker.FixedFormatter([text_of(word)[0] for word in axis.words]))
        elif given.tickvals is not None:
            texts = given.ticktext if given.ticktext is not None else [self._written(axis, v) for v in given.tickvals]
            low.set_major_locator(ticker.FixedLocator([float(v) for v in given.tickvals]))
            low.set_major_formatter(ticker.FixedFormatter([text_of(text)[0] for text in texts]))
        else:
            if axis.kind != "log":
                steps = [1, 2, 5, 10]
                low.set_major_locator(
                    ticker.MultipleLocator(given.dtick) if given.dtick
                    else ticker.MaxNLocator(max(2, given.nticks or 6), steps=steps)
                )  # fmt: skip
            low.set_major_formatter(ticker.FuncFormatter(lambda value, _: self._written(axis, value)))
        low.set_minor_locator(ticker.NullLocator())
        if given.showticklabels is False:
            axes.tick_params(axis=way, labelbottom=False, labelleft=False)
        axes.set_axisbelow(True)
        grid = pick("gridcolor")
        if given.showgrid is not False and grid and (given.gridcolor or self.ground != "none"):
            width = given.gridwidth or 1
            low.grid(True, color=colour(grid), linewidth=width, linestyle=dash(given.griddash))
        if given.zeroline is not False and given.zerolinecolor and axis.kind == "linear":
            (axes.axhline if way == "y" else axes.axvline)(
                0, color=colour(given.zerolinecolor), linewidth=1, zorder=0.9
            )
        if given.title.text and given.showticklabels is not False:
            text, bold = text_of(given.title.text)
            font = given.title.font
            getattr(axes, f"set_{way}label")(
                text, size=font.size or self.size, color=font.color or self.ink, labelpad=given.title.standoff or 6,
                weight="bold" if bold else "normal",
            )  # fmt: skip

    def _keep_apart(self) -> None:
        """Plots stand side by side: the numbers at their ends stay within them."""
        for axes in self.axes.values():
            low, high = sorted(axes.get_xlim())
            for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=False):
                if math.isclose(place, low) or math.isclose(place, high):
                    label.set_ha("left" if math.isclose(place, axes.get_xlim()[0]) else "right")

    def _written(self, axis: Axis, value: float) -> str:
        given = axis.given
        text = number(value, given.tickformat, self.layout.separators or ".,")
        return f"{given.tickprefix or ''}{text}{given.ticksuffix or ''}"

    # -- shapes and notes ---------------------------------------------------------------------------------------------

    def _on(self, way: str, ref: str | None) -> tuple[Any, Any, Axis | None]:
        """(a plot, the transform of one direction, its axis) that a reference such as "x2 domain" means."""
        if ref in ("paper", "container"):
            return self.paper, self.paper.transAxes, None
        name, _, domain = str(ref or way).partition(" ")  # as Plotly has it: without a word, the first axis
        axis = _long(way, name)
        axes = next(a for pair, a in self.axes.items() if axis in pair)
        return (axes, axes.transAxes, None) if domain else (axes, axes.transData, self.known[axis])

    def _blend(self, x: Any, y: Any) -> Any:
        from matplotlib.transforms import blended_transform_factory

        return x if x is y else blended_transform_factory(x, y)

    def _shape(self, shape: Any) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Rectangle

        across, tx, ax = self._on("x", shape.xref)
        up, ty, ay = self._on("y", shape.yref)
        host = across if across is not self.paper else up
        (x0, x1), (y0, y1) = (
            [axis.at(v) if axis else float(v) for v in pair]
            for axis, pair in ((ax, (shape.x0, shape.x1)), (ay, (shape.y0, shape.y1)))
        )
        zorder = 0.95 if shape.layer == "below" else 4
        line = shape.line
        width = 2 if line.width is None else line.width
        look = {"linewidth": width, "linestyle": dash(line.dash), "zorder": zorder, "transform": self._blend(tx, ty)}
        edge = colour(line.color or self.ink, shape.opacity)
        if shape.type == "line":
            host.add_artist(Line2D([x0, x1], [y0, y1], color=edge, clip_on=host is not self.paper, **look))
            return
        host.add_patch(
            Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor=colour(shape.fillcolor, shape.opacity),
                      edgecolor=edge if width else "none", **look)
        )  # fmt: skip

    def _note(self, note: Any) -> None:
        across, tx, ax = self._on("x", note.xref)
        up, ty, ay = self._on("y", note.yref)
        host = across if across is not self.paper else up
        x, y = (axis.noted(v) if axis else float(v) for axis, v in ((ax, note.x), (ay, note.y)))
        text, bold = text_of(note.text)
        size, ink = note.font.size or self.size, note.font.color or self.ink
        if note.showarrow is not False:
            arrow = {"arrowstyle": "-" if note.arrowhead == 0 else "->", "color": note.arrowcolor or ink,
                     "linewidth": note.arrowwidth or 1.5, "shrinkA": 2, "shrinkB": note.standoff or 0}  # fmt: skip
            ax_, ay_ = (otherwise(note.ax, -10), otherwise(note.ay, -30))
            host.annotate(
                text, (x, y), (float(ax_), -float(ay_)), xycoords=self._blend(tx, ty), textcoords="offset points",
                size=size, color=ink, weight="bold" if bold else "normal", ha="center", va="center", arrowprops=arrow,
                zorder=6, annotation_clip=False, bbox=self._behind(note),
            )  # fmt: skip
            return
        # Plotly sets a note in the middle of a value, and beside a place on the paper
        at = (0.5 if axis else value for axis, value in ((ax, x), (ay, y)))
        h = {"left": "left", "right": "right", "center": "center"}[_anchor(note.xanchor, next(at), "left", "right")]
        v = {"top": "top", "bottom": "bottom", "middle": "center"}[_anchor(note.yanchor, next(at), "bottom", "top")]
        shifted = self._blend(tx, ty) + self._shifted(note.xshift or 0, note.yshift or 0, bare=True)
        self._text(host, x, y, text, size, ink, h, v, bold, shifted, self._behind(note), note.align)

    def _behind(self, note: Any) -> dict[str, Any] | None:
        if not note.bgcolor:
            return None
        return {"facecolor": colour(note.bgcolor), "edgecolor": "none", "pad": note.borderpad or 1}

    def _shifted(self, x: float, y: float, bare: bool = False) -> Any:
        from matplotlib.transforms import ScaledTranslation

        move = ScaledTranslation(x / 72, y / 72, self.canvas.dpi_scale_trans)
        return move if bare else self.paper.transAxes + move

    def _text(
        self, host: Any, x: float, y: float, text: str, size: float, ink: str, h: str, v: str, bold: bool,
        transform: Any, box: dict[str, Any] | None = None, align: str | None = None,
    ) -> None:  # fmt: skip
        host.text(
            x, y, text, size=size, color=colour(ink), ha=h, va=v, weight="bold" if bold else "normal", zorder=6,
            transform=transform, bbox=box, multialignment=align or h, clip_on=False, linespacing=1.2,
        )  # fmt: skip

    # -- legend and places --------------------------------------------------------------------------------------------

    def legend(self) -> tuple[list[Any], list[str], float, str]:
        """(handles, names, size of type, ink); none where the figure shows none."""
        font, on = self.layout.legend.font, self.layout.showlegend
        named = [(handle, text_of(name)[0]) for handle, name in self.marks.entries]
        if on is False or (on is None and len(self.figure.data) < 2):
            named = []
        return [h for h, _ in named], [n for _, n in named], font.size or self.size, font.color or self.ink

    def place(self, left: float, low: float, right: float, high: float) -> None:
        """Put the plots between these edges, each where its domain says."""
        width, height = max(0.05, right - left), max(0.05, high - low)
        self.paper.set_position((left, low, width, height))
        for (x, y), axes in self.axes.items():
            x0, x1 = otherwise(self.known[x].given.domain, (0, 1))
            y0, y1 = otherwise(self.known[y].given.domain, (0, 1))
            axes.set_position((left + x0 * width, low + y0 * height, (x1 - x0) * width, (y1 - y0) * height))
        pixel = 72 * self.canvas.get_figwidth()
        for bar, x, (y0, y1), thickness in self.bars:
            at = left + x * width + 10 / pixel
            bar.set_position((at, low + y0 * height, thickness / pixel, (y1 - y0) * height))

    def overflow(self, renderer: Any) -> tuple[float, float, float, float]:
        """Pixels by which texts reach beyond the plots' area: left, below, right, above."""
        from matplotlib.transforms import Bbox

        area = self.paper.get_window_extent(renderer)
        everything = [*self.axes.values(), self.paper, *(bar for bar, *_ in self.bars)]
        found = [b for axes in everything if (b := axes.get_tightbbox(renderer)) is not None]
        whole = Bbox.union(found)
        return (
            max(0.0, area.x0 - whole.x0), max(0.0, area.y0 - whole.y0),
            max(0.0, whole.x1 - area.x1), max(0.0, whole.y1 - area.y1),
        )  # fmt: skip


def _long(way: str, name: str | None) -> str:
    """ "x2" as the layout has it: "xaxis2"."""
    return f"{way}axis{(name or way)[1:]}"


def _anchor(given: str | None, at: float, low: str, high: str) -> str:
    """Plotly's "auto": in the third of the place that it is in."""
    if given and given != "auto":
        return given
    middle = "center" if low == "left" else "middle"
    return low if at < 1 / 3 else high if at > 2 / 3 else middle
