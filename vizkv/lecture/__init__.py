"""A lecture: a script of beats, each an exact state of the app, with notes and questions that the run answers."""

from vizkv.lecture.script import Ask, Beat, Lecture, Text, default, read

__all__ = ["Ask", "Beat", "Lecture", "Text", "default", "read"]
