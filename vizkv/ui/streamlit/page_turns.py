"""Drop a fragment's request that arrives after its page was left.

A browser names the page from which it asks. When a fragment's request arrives while another page is being opened,
Streamlit runs the fragment as a part of the page that was left, and the browser then removes what the new page has
drawn: an empty page stays. Such a request is dropped: it reports about a page that nobody sees any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from weakref import WeakKeyDictionary

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.pages_manager import PagesManager


@dataclass
class _Turn:
    """A session's last request for a whole page. ``begun``: whether that page's script has begun since."""

    asked: str
    shown: str  # the page that was open when it was asked for
    begun: bool = False


_turns: WeakKeyDictionary[PagesManager, _Turn] = WeakKeyDictionary()


def pass_over_late_requests() -> None:
    """Let every session of this server drop a fragment's request from a page that is not open any more."""
    ask, show = AppSession.request_rerun, PagesManager.set_current_page_script_hash
    if hasattr(ask, "__wrapped__"):
        return

    @wraps(ask)
    def request_rerun(self: AppSession, client_state: ClientState | None) -> None:
        if client_state is None or not is_late(self._pages_manager, client_state):
            ask(self, client_state)

    @wraps(show)
    def set_current_page_script_hash(self: PagesManager, page_script_hash: str) -> None:
        show(self, page_script_hash)
        begins(self, page_script_hash)

    AppSession.request_rerun = request_rerun  # type: ignore[method-assign]
    PagesManager.set_current_page_script_hash = set_current_page_script_hash  # type: ignore[method-assign]


def begins(pages: PagesManager, page: str) -> None:
    """Note that the script of a page begins: it may lead on to another page, also back to the one that was open."""
    turn = _turns.get(pages)
    if turn is not None and turn.asked == page:
        turn.begun = True


def is_late(pages: PagesManager, request: ClientState) -> bool:
    """Return whether a request is a fragment's, and of another page than the one that is open or being opened."""
    shown = pages.current_page_script_hash
    if not request.fragment_id:
        _turns[pages] = _Turn(request.page_script_hash, shown)
        return False
    turn = _turns.get(pages)
    waits = turn is not None and turn.asked and not turn.begun and turn.shown == shown
    page = turn.asked if turn is not None and waits else shown
    return bool(page) and request.page_script_hash != page
