"""The offline player, the data and the jobs behind the drawer."""

import base64
import csv
import io
import re
import threading
from dataclasses import replace

import pytest

from vizkv import __version__
from vizkv.engine import engine
from vizkv.export import data, html
from vizkv.export.make import Made, make
from vizkv.export.render import Cancelled, ExportError
from vizkv.export.request import FORMATS, Wish
from vizkv.messages.catalogue import messages
from vizkv.messages.escape import cell
from vizkv.scenario.presets import preset
from vizkv.trace import trace as traces
from vizkv.trace.slots import CATEGORIES
from vizkv.ui.export.jobs import Job
from vizkv.views.charts.series import series
from vizkv.views.payload import pack as payload
from vizkv.views.payload.pack import View

SAY = messages()


@pytest.fixture(scope="module")
def trace():
    return engine.run(preset("external-fragmentation").scenario.model_copy(update={"model": "none"}))


@pytest.fixture(scope="module")
def page(trace):
    packed = payload.pack(trace, SAY, "A question")
    return packed, html.player_page(packed, View(step=4), SAY, title="<A> & B", caption="seed 7").decode()


def test_the_offline_page_holds_the_apps_own_payload(page):
    packed, text = page
    held = re.search(r'id="payload">([^<]*)<', text)[1]
    assert base64.b64decode(held) == payload.open_at(packed, View(step=4))


def test_the_offline_page_may_ask_for_nothing(page):
    _, text = page
    assert "default-src 'none'" in text
    assert not re.search(r"\b(?:src|href)=|@import|https?://(?!www\.w3\.org)", text)


def test_titles_in_the_offline_page_are_text(page):
    assert "<title>&lt;A&gt; &amp; B</title>" in page[1]


def test_an_offline_page_of_a_long_run_says_which_part_it_holds(trace):
    packed = payload.pack(trace, SAY, window=payload.Window(2, 6))
    text = html.player_page(packed, View(step=3), SAY, title="part").decode()
    assert SAY("export.html.part", first=2, last=5, total=trace.steps) in text


def test_each_line_of_the_ledger_adds_up_to_the_pool(trace):
    rows = list(csv.DictReader(io.StringIO(data.ledger_csv(trace, "online", "paper").decode("utf-8-sig"))))
    assert len(rows) == sum(system.steps for system in trace.systems)
    for row in rows:
        codes = sum(int(v) for k, v in row.items() if k.startswith("state_"))
        assert sum(int(row[name]) for name in CATEGORIES) == codes == int(row["slots"])
    last = series(trace)[0].shares("online", "paper")[3]
    assert [int(rows[3][name]) for name in CATEGORIES] == last.tolist()


def test_the_caption_of_many_runs_names_each_parameter_and_the_seed():
    told = data.parameters("Sweeps", preset("sweep-block-size").scenario, SAY).splitlines()
    assert told[0] == "Sweeps" and "seed = 0" in told[1] and "slots = 15728" in told[1]
    assert 'Orca (Pow2): kind = "contiguous", reserve = "pow2"' in told[2] and told[3].startswith("workload: ")
    assert told[-1] == SAY("picture.caption.made", version=__version__)  # fields that are defaults are not named


def test_a_system_named_like_a_formula_is_text_in_a_spreadsheet():
    assert cell("=1+1") == "'=1+1" and cell("Orca (Max)") == "Orca (Max)"


def test_a_saved_trace_and_scenario_are_the_run(trace):
    assert traces.load(data.trace_file(trace)).scenario == trace.scenario
    assert b"slots" in data.scenario_toml(trace)


@pytest.mark.parametrize("what", [what for what in FORMATS if what not in ("animation", "storyboard")])
def test_everything_is_made_in_its_usual_format(trace, what):
    made = make(Wish(what, FORMATS[what][0], step=3, last=3, caption=True), trace, SAY)
    assert isinstance(made, Made) and made.data


def test_a_step_that_the_run_does_not_have_is_refused(trace):
    with pytest.raises(ExportError, match=f"0 to {trace.steps}"):
        make(Wish("player", "svg", step=trace.steps + 1), trace, SAY)


def test_the_caption_of_several_steps_names_them_all_and_no_other(trace):
    wish = Wish("storyboard", "svg", step=7, steps=(0, 3, 9), caption=True, lens="hindsight")
    made = make(wish, trace, SAY).data.decode()
    assert f"steps 0, 3, 9 / {trace.steps}. Lens" in made and "step 7" not in made
    assert "steps 0, 3, 9. Lens" in make(replace(wish, lens="online"), trace, SAY).data.decode()


def test_a_charts_file_says_what_it_is_called_and_carries_the_headline(trace):
    plain, told = (make(Wish("chart:peak", "svg", headline=text), trace, SAY).data.decode() for text in ("", "Full?"))
    assert SAY("picture.chart.peak") in plain and "<!-- Full? -->" in told and "<!-- Full? -->" not in plain
    high = [float(re.search(r'<svg[^>]*height="([0-9.]+)', one)[1]) for one in (plain, told)]
    assert high[1] > high[0] + 20


def test_a_progress_that_says_stop_stops(trace):
    with pytest.raises(Cancelled):
        make(Wish("storyboard", "svg", steps=(0, 1)), trace, SAY, progress=lambda done, total: True)


def test_a_job_can_be_stopped_in_the_middle():
    reached, go_on = threading.Event(), threading.Event()

    def long(progress):
        reached.set()
        go_on.wait()
        if progress(1, 5):
            raise Cancelled
        return Made(b"x", "text/plain")

    job = Job("a.gif", long)
    reached.wait()
    assert job.running
    job.cancel()
    go_on.set()
    job.wait()
    assert job.cancelled and job.made is None and not job.running


def test_a_job_keeps_a_sentence_of_ours_and_no_traceback():
    def refuse(progress):
        raise ExportError("No such step.")

    job = Job("a.gif", refuse)
    job.wait()
    assert str(job.problem) == "No such step." and not job.broken
