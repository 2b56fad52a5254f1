"""Lecture: sixteen beats in the order of a course, a script of one's own, and the worksheet."""

from vizkv.ui import lecture_page, lesson, link

state = link.enter("lecture")
lesson.problem(state)
lecture_page.show()
