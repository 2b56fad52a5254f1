"""A lecture compiled: what is in its files, that they are small, the same each time, and reach for nobody."""

from __future__ import annotations

import json
import re
import zlib

import numpy as np
import pytest

from vizkv import lecture
from vizkv.cli import main
from vizkv.engine import engine
from vizkv.exhibit.player import join, split
from vizkv.messages.catalogue import messages
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import ScenarioError
from vizkv.show import kept, prose
from vizkv.show.compile import compiled
from vizkv.show.files import one_file, site
from vizkv.views.payload import pack as payload
from vizkv.views.view import View

SHORT = """
title = { en = "Two beats", zh = "两节" }
[[beats]]
title = "Fits?"
page = "memory"
preset = "external-fragmentation"
change = { model = "none" }
step = 10
notes = "Add up the holes."
text = "B waits [at step 9](step=9)."
ask = [{ kind = "fits", request = "B", step = 9 }, { kind = "colour", slot = 0 }]
[[beats]]
title = "Again"
page = "memory"
preset = "external-fragmentation"
change = { model = "none" }
step = 20
[[beats]]
title = "Cost"
page = "cost"
"""
_OUTSIDE = re.compile(r"""(?:src|href|url|import)\s*[=(]\s*["']?(?:https?:)?//[^\s"')]+""")


@pytest.fixture(scope="module")
def show():
    """The short script in both languages."""
    return compiled(lecture.read(SHORT), ["en", "zh"])


@pytest.fixture(scope="module")
def packed():
    """A run packed in both languages."""
    trace = engine.run(preset("readers-question").scenario.model_copy(update={"model": "none"}))
    return {language: payload.pack(trace, messages(language), "A title") for language in ("en", "zh")}


def test_a_trace_travels_once_and_each_language_gets_back_every_sentence(packed):
    inner, words = split(packed)
    bare = zlib.decompress(inner)
    for language, whole in packed.items():
        _, header, arrays = payload.unpack(payload.open_at(whole, View()))
        joined = join(inner, words[language])
        for table, names in {"sentences": ("sentence_online", "sentence_hindsight"), "waits": ("waiting",)}.items():
            for name in (key for key in arrays if key.rpartition("/")[2] in names):
                kind, offset, count = joined["arrays"][name]
                start = 8 + int.from_bytes(bare[4:8], "little") + offset
                places = np.frombuffer(bare, np.dtype(f"<{kind}"), count, start)
                assert [joined[table][n] for n in places] == [header[table][n] for n in arrays[name]]
        for name in ("lang", "headline", "texts", "systems", "refusals", "events", "moments"):
            assert joined[name] == header[name]


def test_no_word_is_inside_of_a_payload(packed):
    inner, _ = split(packed)
    assert not re.search("[\u4e00-\u9fff]", zlib.decompress(inner).decode("utf-8", "ignore").split('"arrays"')[0])


def test_two_beats_of_one_run_share_its_payload(show):
    first, second, chart = show.score["beats"]
    assert first["payload"] == second["payload"] != chart["payload"]
    assert set(show.payloads) == {first["payload"], chart["payload"]}


def test_the_same_script_compiles_to_the_same_bytes(show):
    assert one_file(compiled(lecture.read(SHORT), ["en", "zh"])) == one_file(show)


def test_neither_the_file_nor_the_folder_reaches_for_another_host(show):
    for name, data in {"file": one_file(show), **site(show)}.items():
        if not name.endswith(".bin"):
            assert _OUTSIDE.findall(data.decode()) == [], name


def test_a_folder_names_its_files_relative_to_itself(show):
    page = site(show)["index.html"].decode()
    assert re.findall(r'(?:src|href)="([^"]+)"', page) == [
        f"show.css?{show.score['id']}",
        f"show.js?{show.score['id']}",
    ]


def test_an_answer_is_the_runs_and_its_picture_is_veiled_where_it_would_tell(show):
    fits, colour = show.score["beats"][0]["questions"]
    assert (fits["answer"], fits["veil"]) == ("no", False)
    assert colour["veil"] is True


def test_a_link_in_a_text_carries_the_view_that_it_means(show):
    text = show.words["en"]["beats"][0]["text"]
    view = re.search(r'data-view="([^"]+)"', text)
    assert view and json.loads(view[1].replace("&quot;", '"'))["step"] == 9


def test_a_text_cannot_bring_markup_of_its_own():
    made = prose.html("<script>alert(1)</script> **bold** `a < b`", lambda words: "{}")
    assert made == "<p>&lt;script&gt;alert(1)&lt;/script&gt; <strong>bold</strong> <code>a &lt; b</code></p>"


def test_a_link_without_a_view_is_refused_by_its_name():
    with pytest.raises(ScenarioError, match="nowhere"):
        prose.html("[here](nowhere)", lambda words: "{}")


def test_an_unchanged_script_is_not_run_a_second_time(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path / "cache"))
    script, out = tmp_path / "two.toml", tmp_path / "two.html"
    script.write_text(SHORT, encoding="utf-8")
    assert main(["show", str(script), "-o", str(out)]) == 0
    first = out.read_bytes()
    monkeypatch.setattr("vizkv.show.compile.compiled", lambda *_: pytest.fail("it was compiled again"))
    out.unlink()
    assert main(["show", str(script), "-o", str(out)]) == 0
    assert out.read_bytes() == first


def test_another_script_or_option_is_another_key():
    keys = {kept.key(script, options) for script in (b"a", b"b") for options in (["en"], ["en", "zh"])}
    assert len(keys) == 4


@pytest.mark.parametrize("name", ["show.txt", "show.pdf"])
def test_a_show_under_another_kind_of_name_is_refused(tmp_path, capsys, name):
    assert main(["show", "-o", str(tmp_path / name)]) == 2
    assert name in capsys.readouterr().err
