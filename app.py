"""vizkv: navigation over the pages."""

import streamlit as st

from vizkv.ui import guard, link, pages
from vizkv.ui.frame import bar as frame
from vizkv.ui.lecture import mode as lecture
from vizkv.ui.memory import tour
from vizkv.ui.streamlit import room, style

say = link.say()
made = {
    name: st.Page(entry.file, title=say(f"page.{name}.title"), url_path=name, default=name == pages.FIRST)
    for name, entry in pages.PAGES.items()
}
sections: dict[str, list[st.Page]] = {}
for name, entry in pages.PAGES.items():
    sections.setdefault(say(f"section.{entry.section}") if entry.section else "", []).append(made[name])
page = st.navigation(sections, position="top")
st.set_page_config(page_title=f"{page.title} · {say('app.title')}", layout="wide", initial_sidebar_state="collapsed")
style.apply(say)
room.apply()
lecture.turn(page.url_path or pages.FIRST)
frame.turn(page.url_path or pages.FIRST)
link.enter(page.url_path or pages.FIRST)
frame.bar()
lecture.bar()
tour.bar()
guard.guarded(page.run)()
frame.publish()
