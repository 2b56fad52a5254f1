"""Sweeps: one or two parameters over a range, for every system, on the identical workload."""

from vizkv.ui import drawer, export, lesson, link, sweep, tour

state = link.enter("sweep")
sweep.controls()
lesson.problem(state)
drawer.show()
sweep.show()
tour.sentence(state)
sweep.about()
export.show()
