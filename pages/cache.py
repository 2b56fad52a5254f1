"""Prefix cache: what it finds, by pool and block size, on conversations or on a recorded trace."""

from vizkv.ui import cache, export, lesson, link, tour

state = link.enter("cache")
cache.controls()
lesson.problem(state)
cache.show()
tour.sentence(state)
lesson.about(state)
export.show()
