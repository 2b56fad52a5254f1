"""A range of steps as a film: GIF and WebP by Pillow, MP4 where the optional extra is installed."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from vizkv.export.render import Cancelled, ExportError, Progress, size, svg_to_png
from vizkv.messages.catalogue import Messages
from vizkv.trace.slots import Accounting, Lens
from vizkv.trace.trace import Trace
from vizkv.views.picture import row as parts
from vizkv.views.picture import step as pictures
from vizkv.views.picture.frame import Frame, clamp, frames
from vizkv.views.picture.look import Look
from vizkv.views.picture.step import Style
from vizkv.views.picture.svg import Sheet

if TYPE_CHECKING:
    from PIL.Image import Image

Kind = Literal["gif", "webp", "mp4"]
MOST = 400  # pictures of one film
_AT_ONCE = 200  # steps that are read at once
_NEAR = 12  # of 255: closer colours of a palette are confused
_REST = 1500  # milliseconds for which the last picture stays


def can(kind: Kind) -> bool:
    """Whether a film of this kind can be made here: an MP4 needs the extra ``vizkv[video]``."""
    return kind != "mp4" or importlib.util.find_spec("imageio_ffmpeg") is not None


def chosen(trace: Trace, first: int, last: int, every: int = 1, lead: int = -1) -> list[int]:
    """The steps of a film: from ``first`` to ``last`` including both; fewer than asked for, if they are too many."""
    first, last = clamp(trace, min(first, last), lead), clamp(trace, max(first, last), lead)
    every = max(1, every, -(-(last - first) // (MOST - 1)))
    steps = list(range(first, last + 1, every))
    return steps if steps[-1] == last else [*steps, last]


def animation(
    trace: Trace, first: int, last: int, *, lens: Lens, accounting: Accounting, say: Messages, kind: Kind = "gif",
    rate: float = 5, every: int = 1, colour: str = "state", theme: str = "light", width: int = 1280,
    legend: bool = True, caption: str = "", lit: str = "", lit_in: int = -1, projector: bool = False,
    headline: str = "", lead: int = -1, mark: str = "", progress: Progress | None = None,
) -> bytes:  # fmt: skip
    """The film of some steps, ``rate`` pictures a second. Raises Cancelled if ``progress`` returns True."""
    if not can(kind):
        raise ExportError(say("picture.video.missing"))
    style = Style(
        lens, accounting, colour, theme, pictures.NARROWEST, legend, headline, caption, False, lit, lit_in, projector,
        mark=mark,
    )  # fmt: skip
    style = replace(style, width=max(width, pictures.NARROWEST))
    steps = chosen(trace, first, last, every, lead)
    style = _steady(trace, steps, style, say, lead)
    images = _images(trace, steps, style, say, lead, width / style.width, progress)
    pause = round(1000 / max(0.1, min(60.0, rate)))
    if kind == "mp4":
        return _mp4(images, pause)
    return _pillow(images, kind, pause, Look(Sheet(), theme, projector).colours, len(steps))


def _told(trace: Trace, steps: list[int], say: Messages, lead: int) -> Iterator[Frame]:
    """The frames of some steps, read in pieces: a long run does not fit into memory."""
    wanted = set(steps)
    for at in range(steps[0], steps[-1] + 1, _AT_ONCE):
        end = min(at + _AT_ONCE, steps[-1] + 1)
        if wanted.isdisjoint(range(at, end)):
            continue
        for one in frames(trace, at, end, say, lead=lead):
            if one.step in wanted:
                yield one


def _steady(trace: Trace, steps: list[int], style: Style, say: Messages, lead: int) -> Style:
    """The style with room for the longest sentence of all: nothing moves from picture to picture but the slots."""
    inner = round(style.width - 2 * style.type.u)
    lines, kept = 1, style.kept
    for one in _told(trace, steps, say, lead):
        where = pictures.where(one, say, lead)
        lines = max(lines, len(parts.said_lines(one.overall[style.lens], where, style.type, inner)))
        kept = kept.union(*(pool.kept for pool in one.pools))
    return replace(style, lines=lines, kept=kept)


def _images(
    trace: Trace, steps: list[int], style: Style, say: Messages, lead: int, scale: float, progress: Progress | None
) -> Iterator[Image]:  # fmt: skip
    from PIL import Image

    box: tuple[int, int] | None = None
    for done, one in enumerate(_told(trace, steps, say, lead)):
        if progress and progress(done, len(steps)):
            raise Cancelled
        svg = pictures.drawn(one, style, say, lead=lead)
        image = Image.open(io.BytesIO(svg_to_png(svg, scale))).convert("RGB")
        if box is None:
            # a film has even sides
            box = image.width // 2 * 2, round(size(svg)[1] * scale) // 2 * 2
        yield image if image.size == box else image.crop((0, 0, *box))
    if progress and progress(len(steps), len(steps)):
        raise Cancelled


def _pillow(images: Iterator[Image], kind: Kind, pause: int, colours: dict[str, str], count: int) -> bytes:
    from PIL import Image

    # one palette for all, without dithering: a slot has the same colour in each, and exactly its own; and a byte a
    # pixel is a third of the memory
    one = next(images)
    palette = _palette(one, colours)
    small = (image.quantize(palette=palette, dither=Image.Dither.NONE) for image in chain([one], images))
    first, out = next(small), io.BytesIO()
    more: dict[str, Any] = {"optimize": False} if kind == "gif" else {"lossless": True, "method": 2}
    rest = small if kind == "gif" else list(small)
    pauses = [pause] * (count - 1) + [max(pause, _REST)]
    first.save(out, kind.upper(), save_all=True, append_images=rest, duration=pauses, loop=0, **more)
    return out.getvalue()


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _palette(image: Image, colours: dict[str, str]) -> Image:
    """The theme's own colours, and what a picture has between them."""
    from PIL import Image

    own = [_rgb(colour) for colour in sorted(set(colours.values()))]
    flat = image.quantize(256 - len(own), method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).getpalette() or []
    mixed = [(flat[i], flat[i + 1], flat[i + 2]) for i in range(0, len(flat), 3)]
    # Pillow looks for neighbours in coarse steps: what is close to a colour of ours would be taken for it
    mixed = [m for m in mixed if all(max(abs(x - y) for x, y in zip(m, o, strict=True)) > _NEAR for o in own)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in own + mixed for part in colour])
    return palette


def _mp4(images: Iterator[Image], pause: int) -> bytes:
    import tempfile
    from pathlib import Path

    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        path, writer = Path(folder) / "film.mp4", None
        for image in images:
            if writer is None:
                writer = imageio_ffmpeg.write_frames(
                    str(path), image.size, fps=1000 / pause, codec="libx264", macro_block_size=2, quality=None,
                    output_params=["-crf", "16", "-tune", "animation", "-movflags", "+faststart"],
                )  # fmt: skip
                writer.send(None)
            writer.send(image.tobytes())
        if writer is not None:
            writer.close()
        return path.read_bytes()
