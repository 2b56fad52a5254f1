"""A visitor without a browser: opens a page by its link, and reads what the player was sent."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from vizkv.views.payload import pack as payload

APP = str(Path(__file__).parents[2] / "app.py")


def opened(page="memory", **query):
    """The app at a page, without an exception."""
    app = AppTest.from_file(APP, default_timeout=60)
    if page != "memory":
        app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return rested(app)


def rested(touched):
    """The app after it has run, without an exception; ``touched``: the app, or a widget that was set or clicked."""
    app = touched.run()
    assert not app.exception, app.exception
    return app


def player(app):
    """(view, header, arrays) that the browser was sent."""
    (component,) = [one for one in app.get("bidi_component") if one.proto.component_name == "vizkv_player"]
    return payload.unpack(component.proto.bytes)


def control(app, kind, name):
    """A widget of the drawer."""
    return next(w for w in getattr(app.sidebar, kind) if w.key == f"drawer-{name}")


def shown(text):
    """What Streamlit's Markdown shows of a text in it that has no other marks than those of an escape."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text).replace("\u2060", "")


def warnings(app):
    """The sentences about what could not be done, as they are shown."""
    return [shown(w.value) for w in app.warning]


def link_of(app):
    """The address as the browser shows it now."""
    return {k: v[0] if isinstance(v, list) else v for k, v in app.query_params.items()}
