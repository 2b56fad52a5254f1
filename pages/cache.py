"""Prefix cache: what it finds, by pool and block size, on conversations or on a recorded trace."""

from vizkv.ui import cache, lesson, link

state = link.enter("cache")
cache.controls()
lesson.problem(state)
cache.show()
lesson.about(state)
