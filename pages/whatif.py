"""What if? The paper's Figure 2 grows from our own run, and every knob is answered while it is turned."""

from vizkv.ui import export, lesson, link, whatif, whatif_forms

state = link.enter("whatif")
whatif.session()
lesson.problem(state)
whatif.show()
whatif_forms.show()
lesson.about(state)
export.show()
