"""``vizkv app``: start the app on a free port, and open it in the browser once it answers."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from functools import partial
from typing import Any

from vizkv.cli.language import option
from vizkv.cli.text import whole
from vizkv.installed import app_folder
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import shorten
from vizkv.scenario.schema import ScenarioError

PORT = 8501
TRIED = 100  # ports from PORT on; then any free one
LOCAL = "localhost"


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    command = commands.add_parser("app", help=say("cli.app"), description=say("cli.app"))
    command.add_argument("--port", type=partial(_port, say), metavar="N", help=say("cli.app.port", port=str(PORT)))
    command.add_argument("--host", default=LOCAL, metavar="HOST", help=say("cli.app.host"))
    command.add_argument("--base-path", default="", metavar="PATH", help=say("cli.app.base"))
    command.add_argument("--no-browser", action="store_true", help=say("cli.app.browser"))
    option(command, say)
    command.set_defaults(action=_app)


def _port(say: Messages, text: str) -> int:
    number = whole(text)
    if number is None or not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(say("cli.app.port.form", text=shorten(text)))
    return number


def _app(arguments: argparse.Namespace, say: Messages) -> int:
    port = chosen_port(arguments.host, arguments.port)
    base = arguments.base_path.strip("/")
    url = f"http://{arguments.host}:{port}/{base + '/' if base else ''}"
    print(say("cli.app.starts", url=url), flush=True)
    if not arguments.no_browser:
        subprocess.Popen(
            [sys.executable, "-m", "vizkv.cli.browser", url, str(os.getpid())],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    return _replace(command(arguments.host, port, base))


def command(host: str, port: int, base: str) -> list[str]:
    """Return the command that serves the app."""
    words = [sys.executable, "-m", "vizkv.ui.serve", str(app_folder() / "app.py"), "--server.address", host]
    words += ["--browser.serverAddress", host, "--server.port", str(port)]
    return [*words, "--server.baseUrlPath", base] if base else words


def _replace(words: list[str]) -> int:
    """Become another program, so that a signal for this process reaches it; on Windows, wait for it."""
    if sys.platform == "win32":
        return subprocess.call(words)
    os.execv(words[0], words)


def chosen_port(host: str, wanted: int | None) -> int:
    """Return ``wanted`` if it is free; without it PORT, the next free one, or any. Raises ScenarioError."""
    if wanted is not None:
        if not _free(host, wanted):
            raise ScenarioError(
                told("The port is {port}, which is in use or not allowed; valid is a free one.", port=wanted)
            )
        return wanted
    for port in range(PORT, PORT + TRIED):
        if _free(host, port):
            return port
    with socket.socket() as any_:
        any_.bind((host, 0))
        return int(any_.getsockname()[1])


def _free(host: str, port: int) -> bool:
    """Whether a server can listen there. Raises ScenarioError for a host that this machine does not have."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that has just ended does not count
            tried.bind(address)
            return True
    except (socket.gaierror, UnicodeError):
        raise ScenarioError(
            told(
                "The host is {host}, which is unknown; valid is a name or an address of this machine.",
                host=shorten(host),
            )
        ) from None
    except OSError:
        return False
