"""An SVG as PNG or PDF, without a browser and without the network."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any
from xml.sax.saxutils import unescape

from vizkv import fonts

Progress = Callable[[int, int], bool | None]
"""Called with (done, of how many) while something long is made; returning True stops it."""

_DESCRIPTION = re.compile(r"<desc[^>]*>([^<]*)</desc>")
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title>")
_TRAILER = re.compile(rb"trailer\s*<<\s*/Size (\d+)\s*/Root (\d+) 0 R\s*/Info (\d+) 0 R\s*>>")
_STARTXREF = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_BEGIN = re.compile(r"<svg\b[^>]*>")
_HEADER = 33  # bytes of a PNG's signature and first chunk

WIDE_4K = 3840  # pixels of the width of a picture in "4K"


class Cancelled(Exception):
    """The export was stopped by its progress callback."""


class ExportError(ValueError):
    """Something cannot be exported here; the message is one sentence."""


@cache
def _converter() -> Any:
    """vl-convert, which knows the bundled faces from now on. Loaded when it is first needed: 60 MB."""
    import vl_convert

    vl_convert.register_font_directory(str(fonts.FOLDER))
    return vl_convert


def size(svg: str) -> tuple[float, float]:
    """Width and height of a picture in CSS pixels."""
    found = re.search(r'<svg\b[^>]*?\swidth="([\d.]+)(?:px)?"[^>]*?\sheight="([\d.]+)(?:px)?"', svg)
    if not found:
        raise ValueError("the SVG does not say how large it is")
    return float(found[1]), float(found[2])


def svg_to_png(svg: str, scale: float = 1, clear: bool = False) -> bytes:
    """The picture in pixels: ``scale`` 1, 2, or :func:`scale_to` a width. Its Description is the SVG's alt text.

    ``clear``: it has no background of its own.
    """
    data: bytes = _clear(svg, scale) if clear else _converter().svg_to_png(svg, scale=scale)
    found = _DESCRIPTION.search(svg)
    return data[:_HEADER] + _text_chunk("Description", unescape(found[1])) + data[_HEADER:] if found else data


def _clear(svg: str, scale: float) -> bytes:
    """As seen on white and on black: what differs is the background that shines through.

    vl-convert's own transparent pixels are never brighter than they are opaque: white letters had dark rims.
    """
    import numpy as np
    from PIL import Image

    def on(ground: str) -> np.ndarray:
        rect = f'<rect width="100%" height="100%" fill="{ground}"/>'
        data = _converter().svg_to_png(_BEGIN.sub(lambda found: found[0] + rect, svg, count=1), scale=scale)
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    black, white = on("#000000"), on("#FFFFFF")
    pixels = np.zeros((*black.shape[:2], 4), np.uint8)
    for top in range(0, len(pixels), 256):  # in bands: a picture in 4K would take half a gigabyte
        band = slice(top, top + 256)
        dark = black[band].astype(np.float32)
        opaque = 255 - (white[band] - dark).mean(2, keepdims=True)
        colours = np.divide(dark * 255, opaque, out=np.zeros_like(dark), where=opaque > 0)
        pixels[band] = np.concatenate([colours, opaque], 2).round().clip(0, 255)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def _text_chunk(keyword: str, text: str) -> bytes:
    """A PNG's iTXt chunk, uncompressed (PNG specification, 11.3.3.4)."""
    body = b"iTXt" + keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def scale_to(svg: str, width: int = WIDE_4K) -> float:
    """The scale at which a picture is so many pixels wide."""
    return width / size(svg)[0]


def svg_to_pdf(svg: str) -> bytes:
    """The picture as one page of a PDF: lines and letters, no pixels. Its title and subject are the SVG's."""
    data: bytes = _converter().svg_to_pdf(svg)
    told = [(b"Title", _TITLE.search(svg)), (b"Subject", _DESCRIPTION.search(svg))]
    return _informed(data, {name: unescape(found[1]) for name, found in told if found})


def _informed(pdf: bytes, about: dict[bytes, str]) -> bytes:
    """The document with these in its information dictionary, by an incremental update (ISO 32000-1, 7.5.6)."""
    trailer, before = _TRAILER.search(pdf), _STARTXREF.search(pdf)
    if not about or trailer is None or before is None:
        return pdf
    size, number = int(trailer[1]), int(trailer[3])
    # UTF-16 with its mark, as hexadecimal digits: nothing in it has to be escaped
    texts = b" ".join(b"/%s <FEFF%s>" % (name, text.encode("utf-16-be").hex().encode()) for name, text in about.items())
    body = b"\n%d 0 obj\n<< /Producer (svg2pdf) %s >>\nendobj\n" % (number, texts)
    table = b"xref\n%d 1\n%010d 00000 n\r\n" % (number, len(pdf) + 1)
    end = b"trailer\n<< /Size %d /Root %s 0 R /Info %d 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n"
    return pdf + body + table + end % (size, trailer[2], number, before[1], len(pdf) + len(body))
