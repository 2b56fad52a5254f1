"""Prefix cache: its hit rate by pool and block size, on conversations or on a recorded trace."""

from vizkv.ui import link
from vizkv.ui.cache import page as cache
from vizkv.ui.export import page as export
from vizkv.ui.memory import lesson, tour

state = link.enter("cache")
cache.controls()
lesson.problem(state)
cache.show()
tour.sentence(state)
lesson.about(state)
export.show()
