"""Where does the memory go? One scenario over several KV memories, slot by slot."""

from vizkv.ui import drawer, evidence, files, lesson, link, requests_table, stage

state = link.current()
run = stage.run()
lesson.problem(state)
drawer.show()
stage.show(run)
lesson.about(state)
evidence.show(run.trace)
requests_table.show()
files.show(run.trace)
