"""Where does the memory go? One scenario in several KV memories, slot by slot."""

from vizkv.ui import link
from vizkv.ui.memory import compact, drawer, evidence, files, lesson, requests_table, tour
from vizkv.ui.player import stage

state = link.enter("memory")
run = stage.run()
tour.begin(state)
lesson.problem(state)
drawer.show()
stage.show(run)
lesson.about(state, run)
compact.show(run)
evidence.show(run)
requests_table.show()
files.show(run.trace)
