"""Under pressure: a pool that is too small, which request is preempted, and what that costs; Orca (Max) beside it."""

from vizkv.ui import link, pressure
from vizkv.ui.memory import drawer, evidence, files, lesson
from vizkv.ui.player import stage

state = link.enter("pressure")
pressure.controls()
run = stage.run()
lesson.problem(state)
drawer.show()
stage.show(run, pressure.below)
lesson.about(state, run)
evidence.show(run)
files.show(run.trace)
