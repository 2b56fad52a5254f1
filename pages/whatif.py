"""What if? The paper's Figure 2 grows from our own run, and every turn of a knob changes it at once."""

from vizkv.ui import link
from vizkv.ui.export import page as export
from vizkv.ui.memory import lesson
from vizkv.ui.whatif import forms as whatif_forms
from vizkv.ui.whatif import page as whatif

state = link.enter("whatif")
whatif.session()
lesson.problem(state)
whatif.show()
whatif_forms.show()
lesson.about(state)
export.show()
