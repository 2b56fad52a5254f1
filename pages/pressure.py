"""Under pressure: a pool too small, who has to go, and what coming back costs; beside it what Orca (Max) would do."""

from vizkv.ui import drawer, evidence, files, lesson, link, pressure, stage

state = link.enter("pressure")
pressure.controls()
run = stage.run()
lesson.problem(state)
drawer.show()
stage.show(run, pressure.below)
lesson.about(state)
evidence.show(run.trace)
files.show(run.trace)
