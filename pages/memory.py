"""Where does the memory go? One scenario over several KV memories, slot by slot."""

from vizkv.ui import compact, drawer, evidence, files, lesson, link, requests_table, stage, tour

state = link.enter("memory")
run = stage.run()
tour.begin(state)
lesson.problem(state)
drawer.show()
stage.show(run)
lesson.about(state)
compact.show(run)
evidence.show(run.trace)
requests_table.show()
files.show(run.trace)
