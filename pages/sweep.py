"""Sweeps: one or two parameters over a range, for every system, on the same workload."""

from vizkv.ui import link
from vizkv.ui.export import page as export
from vizkv.ui.memory import drawer, lesson, tour
from vizkv.ui.sweep import page as sweep

state = link.enter("sweep")
sweep.controls()
lesson.problem(state)
drawer.show()
sweep.show()
tour.sentence(state)
sweep.about()
export.show()
