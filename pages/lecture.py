"""Lecture: sixteen beats in the order of a course, an uploaded script, and the worksheet."""

from vizkv.ui import link
from vizkv.ui.lecture import page as lecture_page
from vizkv.ui.memory import lesson

state = link.enter("lecture")
lesson.problem(state)
lecture_page.show()
