"""A lecture as slides: one a beat, with its picture, a caption and the speaker's notes. Made by python-pptx."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vizkv import __version__
from vizkv.export.render import Cancelled, Progress
from vizkv.messages.catalogue import Messages

if TYPE_CHECKING:
    from vizkv.lecture import Lecture

EMU = 914_400  # of an inch
WIDE, HIGH = 13.333, 7.5  # inches: 16:9
MARGIN = 0.45
INK = {"light": "16181D", "dark": "EEF1F5"}
QUIET = {"light": "5B6270", "dark": "9AA3B2"}
PAGE = {"light": "FFFFFF", "dark": "0F1216"}
# faces that a presentation program of either language has; where it has not, it takes its own
FACES = {"en": ("Calibri", "Calibri"), "zh": ("Calibri", "Microsoft YaHei")}
TAGS = {"en": "en-US", "zh": "zh-CN"}


@dataclass(frozen=True)
class Slide:
    """One slide. ``picture``: a PNG; ``alt``: what is seen on it."""

    title: str
    picture: bytes = b""
    alt: str = ""
    caption: str = ""
    notes: str = ""


Draw = Callable[[int], Slide]
"""The slide of a beat, counted from 0."""


def deck(
    lecture: Lecture, draw: Draw, say: Messages, *, theme: str = "light", progress: Progress | None = None
) -> bytes:  # fmt: skip
    """The lecture's slides, after one with its title. Raises Cancelled where ``progress`` returns True."""
    count = len(lecture.beats)

    def drawn() -> Iterable[Slide]:
        for index in range(count):
            if progress and progress(index, count):
                raise Cancelled
            yield draw(index)

    made = slides(lecture.text("title", say.language), lecture.text("notes", say.language), drawn(), say, theme)
    if progress and progress(count, count):
        raise Cancelled
    return made


def slides(title: str, notes: str, each: Iterable[Slide], say: Messages, theme: str = "light") -> bytes:
    """A presentation of these slides."""
    from pptx import Presentation
    from pptx.util import Inches

    show = Presentation()
    show.slide_width, show.slide_height = Inches(WIDE), Inches(HIGH)
    about = show.core_properties
    about.title, about.author, about.language = title, "vizkv", TAGS[say.language]
    about.comments = say("export.made", version=__version__)
    page = _Page(show, say.language, theme)
    page.first(title, say("export.made", version=__version__), notes)
    for slide in each:
        page.add(slide)
    file = io.BytesIO()
    show.save(file)
    return file.getvalue()


class _Page:
    """Puts slides into a presentation."""

    def __init__(self, show: Any, language: str, theme: str):
        self.show, self.language, self.theme = show, language, theme
        # the default template's, laid out for 4:3: every place is given anew
        self.layouts = {"title": show.slide_layouts[0], "plain": show.slide_layouts[5]}

    def first(self, title: str, made: str, notes: str) -> None:
        """The title slide."""
        slide = self._new("title")
        self._box(slide.shapes.title, (MARGIN, 2.2, WIDE - 2 * MARGIN, 1.9))
        self._write(slide.shapes.title.text_frame, title, 44, INK, bold=True)
        below = slide.placeholders[1]
        self._box(below, (MARGIN, 4.2, WIDE - 2 * MARGIN, 0.9))
        self._write(below.text_frame, made, 18, QUIET)
        self._notes(slide, notes)

    def add(self, given: Slide) -> None:
        """A slide with title above, picture, caption below."""
        slide = self._new("plain")
        high = 0.95
        self._box(slide.shapes.title, (MARGIN, 0.2, WIDE - 2 * MARGIN, high))
        self._write(slide.shapes.title.text_frame, given.title, 30 if _width(given.title) < 62 else 24, INK, bold=True)
        low = 0.45 if given.caption else 0.1
        if given.picture:
            self._picture(slide, given, 0.25 + high, HIGH - low - 0.1)
        if given.caption:
            from pptx.util import Inches

            at = [Inches(v) for v in (MARGIN, HIGH - low - 0.05, WIDE - 2 * MARGIN, low)]
            box = slide.shapes.add_textbox(*at)
            box.name = "Caption"
            self._write(box.text_frame, given.caption, 11, QUIET)
        self._notes(slide, given.notes)

    def _picture(self, slide: Any, given: Slide, top: float, bottom: float) -> None:
        from PIL import Image
        from pptx.util import Inches

        with Image.open(io.BytesIO(given.picture)) as image:
            across, up = image.size
        room, tall = WIDE - 2 * MARGIN, bottom - top
        scale = min(room / across, tall / up)
        width, height = across * scale, up * scale
        shape = slide.shapes.add_picture(
            io.BytesIO(given.picture), Inches((WIDE - width) / 2), Inches(top + (tall - height) / 2), Inches(width),
            Inches(height),
        )  # fmt: skip
        shape._element.nvPicPr.cNvPr.set("descr", given.alt)

    def _new(self, layout: str) -> Any:
        from pptx.dml.color import RGBColor

        slide = self.show.slides.add_slide(self.layouts[layout])
        slide.background.fill.solid()
        slide.background.fill.fore_color.rgb = RGBColor.from_string(PAGE[self.theme])
        return slide

    def _box(self, shape: Any, inches: tuple[float, float, float, float]) -> None:
        from pptx.util import Inches

        shape.left, shape.top, shape.width, shape.height = (Inches(v) for v in inches)

    def _write(self, frame: Any, text: str, size: float, ink: dict[str, str], bold: bool = False) -> None:
        from pptx.dml.color import RGBColor
        from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
        from pptx.util import Pt

        frame.word_wrap = True
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        frame.clear()
        for number, line in enumerate(text.split("\n")):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            paragraph.alignment = PP_ALIGN.LEFT
            run = paragraph.add_run()
            run.text = line
            run.font.size, run.font.bold = Pt(size), bold
            run.font.color.rgb = RGBColor.from_string(ink[self.theme])
            self._face(run)

    def _face(self, run: Any) -> None:
        """The run's language, and faces for Latin and for Chinese."""
        from pptx.oxml.ns import qn

        latin, asian = FACES[self.language]
        run.font.name = latin
        properties = run._r.get_or_add_rPr()
        properties.set("lang", TAGS[self.language])
        east = properties.makeelement(qn("a:ea"), {"typeface": asian})
        properties.find(qn("a:latin")).addnext(east)

    def _notes(self, slide: Any, text: str) -> None:
        if text:
            slide.notes_slide.notes_text_frame.text = text.strip()


def _width(text: str) -> int:
    """Of a title in Latin letters: a Chinese one is twice as wide."""
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)
