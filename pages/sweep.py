"""Sweeps: one or two parameters over a range, for every system, on the identical workload."""

from vizkv.ui import drawer, lesson, link, sweep

state = link.enter("sweep")
sweep.controls()
lesson.problem(state)
drawer.show()
sweep.show()
sweep.about()
