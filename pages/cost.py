"""What paging costs: attention of a new token through a block table or from a slice, timed on this machine."""

from vizkv.ui import cost, link
from vizkv.ui.export import page as export
from vizkv.ui.memory import lesson, tour

state = link.enter("cost")
lesson.problem(state)
cost.show()
tour.sentence(state)
export.show()
