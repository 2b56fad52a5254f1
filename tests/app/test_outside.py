"""What a link, a file or a script names and is not here: one sentence, and the page lives on."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.visitor import APP, link_of, opened, player, rested, shown, warnings
from vizkv import model as models
from vizkv.engine import engine
from vizkv.model.registry import TINY
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import list_presets, preset
from vizkv.scenario.schema import ScenarioError, from_dict, to_dict, to_toml
from vizkv.trace import trace as traces
from vizkv.ui import link, outside
from vizkv.ui.lecture import mode as lecture
from vizkv.ui.memory import compact
from vizkv.ui.player import runs

PLAYERS = ("memory", "table", "sharing", "pressure", "paper")
ABSENT = ("smollm2", "gone", "/etc", "~", "tests", "../..")  # a download, no model, and paths, of which some exist


def scenario(**changes):
    """A few steps in a small pool."""
    return from_dict({
        "slots": 48, "max_model_len": 32,
        "systems": [{"kind": "contiguous", "unit": 1}, {"kind": "paged", "block_size": 4}],
        "requests": [{"id": "A", "prompt": "Four score and seven", "output_tokens": 4}],
    } | changes)  # fmt: skip


def of_model(name):
    """A trace of the embedded model, as a file that says it was another one's."""
    data = traces.save(engine.run(scenario()))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for part in source.namelist():
            content = source.read(part)
            if part == "header.json":
                header = json.loads(content)
                content = json.dumps(
                    header | {"model": name, "scenario": header["scenario"] | {"model": name}}
                ).encode()
            target.writestr(part, content)
    return out.getvalue()


def upload(app, name, data):
    """The app after a file was put into the drawer's uploader."""
    return rested(app.file_uploader[0].set_value((name, data, "application/octet-stream")))


def said(app):
    return shown(" ".join(one.value for one in [*app.warning, *app.info]))


@pytest.fixture
def looked_at(monkeypatch):
    """The names that were given to whatever loads models."""
    names = []
    find = models.registry.find_model
    monkeypatch.setattr(models.registry, "find_model", lambda name: names.append(name) or find(name))
    return names


@pytest.mark.parametrize("page", PLAYERS)
@pytest.mark.parametrize("name", ["smollm2", "/etc"])
def test_a_trace_of_a_model_that_is_not_here_plays_and_its_page_lives(page, name, looked_at):
    app = upload(opened(page), "a.vizkv", of_model(name))
    assert f"Its model '{name}' is not installed here" in said(app)
    assert len(player(app)[1]["systems"]) == 2
    assert app.file_uploader and name not in looked_at
    # and what is done next gets a sentence, and the example
    app = upload(app, "b.toml", to_toml(scenario(model="none", slots=64)).encode())
    assert player(app)[1]["systems"][0]["slots"] == 64


def test_a_new_run_of_a_trace_whose_model_is_not_here_is_a_sentence():
    app = upload(opened("memory"), "a.vizkv", of_model("gone"))
    rested(next(w for w in app.sidebar.number_input if w.key.startswith("drawer-slots")).set_value(256))
    assert "The model 'gone' is not installed here; valid is 'tiny'" in said(app)
    assert player(app)[1]["systems"]


@pytest.mark.parametrize("name", ABSENT)
def test_a_link_names_no_model_but_an_installed_one(name, looked_at):
    app = opened("memory", s=to_code(scenario(model=name)))
    assert len(warnings(app)) == 1 and f"The field model is '{name}', which is not installed here" in warnings(app)[0]
    assert "s" not in link_of(app) and name not in looked_at


@pytest.mark.parametrize("page", ["whatif", "sweep", "cache"])
def test_a_link_to_a_page_of_workloads_names_no_path(page, looked_at):
    first = next(p for p in list_presets() if p.page == page)
    app = opened(page, s=to_code(from_dict(to_dict(first.scenario) | {"model": "/etc"})))
    told_by_components = " ".join(one.proto.json for one in app.get("bidi_component"))
    assert "which is not installed here" in said(app) + told_by_components
    assert "/etc" not in looked_at


@pytest.mark.parametrize("name", ABSENT)
def test_an_uploaded_scenario_names_no_model_but_an_installed_one(name, looked_at):
    app = upload(opened("memory"), "a.toml", to_toml(scenario(model=name)).encode())
    assert f"The field model is '{name}', which is not installed here" in said(app)
    assert "s" not in link_of(app) and name not in looked_at


def test_an_uploaded_scenario_names_no_file_of_the_server():
    data = to_dict(preset("figure-2").scenario)
    data["workload"] = data.get("workload", {}) | {"lengths": "/etc/hostname"}
    app = upload(opened("memory"), "a.toml", to_toml(from_dict(data)).encode())
    assert "The field workload.lengths is '/etc/hostname', a file of the machine" in said(app)


@pytest.mark.parametrize(
    ("change", "says"),
    [('model = "/etc"', "model is '/etc'"), ('workload = { lengths = "/etc/hostname" }', "lengths is '/etc/hostname'")],
)
def test_a_script_names_no_path(change, says):
    beat = 'title = "T"\n[[beats]]\ntitle = "B"\npage = "{}"\npreset = "{}"\n[beats.change]\n{}\n'
    page = ("memory", "pow2-513") if "model" in change else ("whatif", "figure-2")
    with pytest.raises(ScenarioError, match=r"beats\[0\] has a scenario that cannot be run \(The field .*" + says):
        lecture.keep(beat.format(*page, change).encode())


def test_a_model_that_is_removed_while_its_run_is_open_is_a_sentence(own_models):
    shutil.copytree(TINY, own_models / "mine")
    app = opened("memory", s=to_code(scenario(model="mine")))
    assert not app.warning and player(app)[1]["systems"][0]["slots"] == 48
    shutil.rmtree(own_models / "mine")
    runs._trace.cache.clear()
    runs._model.cache_clear()
    rested(app)
    assert "The model 'mine' is not installed here" in said(app)
    assert player(app)[1]["systems"]


@pytest.fixture
def own_models(tmp_path, monkeypatch):
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def script_of(beats):
    """The name of an uploaded script."""
    beat = b'[[beats]]\ntitle = "B"\npage = "memory"\npreset = "pow2-513"\n'
    return lecture.keep(b'title = "T"\n' + beat * beats)


def test_a_script_that_the_server_forgot_is_a_sentence_where_its_lecture_is_resumed():
    app = opened("lecture", lecture=script_of(3), beat="2")
    lecture._uploaded.clear()
    rested(app.button(key="lecture-resume").click())
    assert "own-" in said(app)


def test_what_stands_for_nothing_in_this_app_is_told_by_its_name():
    outside.accept(scenario())
    with pytest.raises(ScenarioError, match="The field model is 'x"):
        outside.accept(scenario(model="x" * 900))


def test_a_refusal_that_no_part_of_a_page_expects_leads_back_to_the_example(monkeypatch):
    shown = compact.show

    def show(run):
        if link.current().changed:
            raise ScenarioError("The file that this needs has gone.")
        shown(run)

    monkeypatch.setattr(compact, "show", show)
    app = AppTest.from_string(Path(APP).read_text(encoding="utf-8"), default_timeout=60)  # a copy: see test_lecture
    app.query_params["s"] = to_code(scenario(model="none"))
    rested(app)
    assert "The file that this needs has gone." in said(app)
    assert "s" not in link_of(app) and player(app)[1]["systems"] and app.file_uploader
