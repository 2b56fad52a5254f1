"""The exhibit: what is on stage as data that needs no server, and one JavaScript function that mounts it anywhere."""

from __future__ import annotations

from vizkv.exhibit.assets import css, script
from vizkv.exhibit.exhibit import Exhibit, Words

__all__ = ["Exhibit", "Words", "css", "script"]
