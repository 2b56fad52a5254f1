"""What Streamlit's own widgets say, in the page's language: Streamlit has no other than English."""

from __future__ import annotations

import json
from pathlib import Path

from vizkv.messages import DEFAULT, Messages

_SCRIPT = Path(__file__).with_suffix(".js")
# English text, as Streamlit 1.67 has it -> our message behind "streamlit."; $ stands for a number or a name,
# "icon" for what a symbol is called to a screen reader
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
    (
        "This app has encountered an error. The original error message is redacted to prevent data "
        "leaks. Full error details have been recorded in the logs (if you're on Streamlit Cloud, click "
        "on 'Manage app' in the lower right of your app)."
    ): "exception",
    "Page not found": "not-found",
    "The page that you have requested does not seem to exist. Running the app's main page.": "not-found-main",
    (
        "You have requested page /$, but no corresponding file was found in the app's pages/ directory. "
        "Running the app's main page."
    ): "not-found-name",
    "Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in your terminal:": "stopped",
    "Streamlit server is not responding. Are you connected to the internet?": "silent",
    "Connection lost. Please wait for the app to reconnect, then try again.": "lost",
    "Number is above the allowed range. Please enter a value less than or equal to $.": "number-high",
    "Number is below the allowed range. Please enter a value greater than or equal to $.": "number-low",
    "Number is outside the allowed range. Please enter a value between $ and $.": "number-range",
    "Number is above the allowed range.": "number-above",
    "Number is below the allowed range.": "number-below",
    "$ files are not allowed.": "file-type",
    "File type not allowed.": "file-type-any",
    "File must be $ or smaller.": "file-size",
    "Upload failed": "upload-failed",
    "Error uploading file": "upload-error",
    "Click to retry upload": "upload-again",
    "Cancel upload of $": "upload-cancel",
    "Press Enter to submit form": "enter-form",
    "Press Ctrl+Enter to submit form": "ctrl-enter-form",
    "Press ⌘+Enter to submit form": "command-enter-form",
    "All selected options have been cleared.": "cleared",
    "Select all": "all",
    "Show suggestions": "suggestions",
    "Clear entry": "clear",
    "Close popup": "close",
    "Enter fullscreen": "fullscreen",
    "Toggle fullscreen": "fullscreen",
    "Scroll tabs left": "tabs-left",
    "Scroll tabs right": "tabs-right",
    "Scrollable table": "table",
    "Previous page": "page-before",
    "Next page": "page-after",
    "Dataframe column menu": "column-menu",
    "Copy column name": "column-copy",
    "Type to search": "search-type",
    "Previous Result": "search-before",
    "Next Result": "search-after",
    "Close Search": "search-close",
    "Format": "format",
    "Automatic": "format-automatic",
    "Localized": "format-localized",
    "Plain": "format-plain",
    "Compact": "format-compact",
    "Dollar": "format-dollar",
    "Euro": "format-euro",
    "Yen": "format-yen",
    "Percent": "format-percent",
    "Scientific": "format-scientific",
    "Accounting": "format-accounting",
    "Duration": "format-duration",
    "Statistics": "statistics",
    "Menu": "menu",
    "Logo": "logo",
    "Loading": "loading",
    "Stop script": "stop",
    "Error:": "error",
    "Error: $": "error-is",
    "icon": "icon",
}


def script(say: Messages) -> str:
    """JavaScript for a page; where the language has changed back to English, it puts Streamlit's words back."""
    words = {} if say.language == DEFAULT else {english: say(f"streamlit.{key}") for english, key in WORDS.items()}
    text = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
    return "{\n" + _SCRIPT.read_text(encoding="utf-8").replace("/*words*/{}", text) + "\n}"
