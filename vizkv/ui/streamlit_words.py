"""What Streamlit's own widgets say, in the page's language: Streamlit has no other than English."""

from __future__ import annotations

import json
from pathlib import Path

from vizkv.messages import DEFAULT, Messages

_SCRIPT = Path(__file__).with_suffix(".js")
# English text, as Streamlit 1.67 has it -> our message behind "streamlit."; $ stands for a number or a name
WORDS = {
    "Upload": "upload",
    "Browse files": "browse",
    "Drag and drop a file here": "drop",
    "Drag and drop file here": "drop",
    "$ per file": "per-file",
    "file upload": "file",
    "Uploading...": "uploading",
    "Choose an option": "choose",
    "Choose options": "choose",
    "Selected values": "selected",
    "No results": "none",
    "No options to select.": "none",
    "No options to select": "none",
    "Clear all": "clear",
    "Clear value": "clear",
    "Clear selection": "clear",
    "Remove $": "remove",
    "Help for $": "help",
    "Open": "open",
    "Increment": "more",
    "Decrement": "less",
    "Press Enter to apply": "enter",
    "Press Ctrl+Enter to apply": "ctrl-enter",
    "Press ⌘+Enter to apply": "command-enter",
    "Skip to main content": "skip",
    "Link to heading": "heading",
    "Navigate to home page": "home",
    "App pages": "pages",
    "Sidebar": "sidebar",
    "Expand sidebar": "expand",
    "Collapse sidebar": "collapse",
    "Download as CSV": "csv",
    "Search": "search",
    "Fullscreen": "fullscreen",
    "Close fullscreen": "fullscreen-end",
    "Show/hide columns": "columns",
    "Add row": "row",
    "Delete row(s)": "row-delete",
    "Sort ascending": "ascending",
    "Sort descending": "descending",
    "Pin column": "pin",
    "Unpin column": "unpin",
    "Hide column": "hide",
    "Autosize": "autosize",
    "Copy to clipboard": "copy",
    "Copied!": "copied",
    "Copied": "copied",
    "progress": "progress",
    "Close": "close",
    "Connecting": "connecting",
    "Connection error": "connection",
}


def script(say: Messages) -> str:
    """JavaScript for a page; where the language has changed back to English, it puts Streamlit's words back."""
    words = {} if say.language == DEFAULT else {english: say(f"streamlit.{key}") for english, key in WORDS.items()}
    text = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
    return "{\n" + _SCRIPT.read_text(encoding="utf-8").replace("/*words*/{}", text) + "\n}"
