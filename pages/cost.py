"""What paging costs: the attention of a new token through a block table against a slice, timed on this machine."""

from vizkv.ui import cost, export, lesson, link, tour

state = link.enter("cost")
lesson.problem(state)
cost.show()
tour.sentence(state)
export.show()
