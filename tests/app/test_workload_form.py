"""The form for a workload: each widget shows what the scenario holds, and what cannot be drawn is a sentence."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.visitor import rested, shown, warnings
from vizkv.scenario.code import to_code
from vizkv.scenario.schema import LENGTH_SETS, ScenarioError, Workload, from_dict, to_dict
from vizkv.ui.workload import form as workload_form
from vizkv.workload import uploads

HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
GOOD = (HEAD + "0,10,3\n2.5,20,4\n4,9000,1\n").encode()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path))


def scenario(**workload):
    return from_dict({"systems": [{"kind": "paged"}], "slots": 4096, "model": "none", "workload": workload})


def page(code):
    import streamlit as st

    from vizkv.scenario.code import from_code
    from vizkv.ui import link
    from vizkv.ui.memory import lesson
    from vizkv.ui.workload import form as workload_form

    state = link.current()
    if "begun" not in st.session_state:
        st.session_state["begun"] = True
        link.change(from_code(code))
    lesson.problem(state)
    workload_form.show("form")
    st.session_state["told"] = state.scenario


def opened(**workload):
    return rested(AppTest.from_function(page, args=(to_code(scenario(**workload)),), default_timeout=60))


def workload(app):
    return to_dict(app.session_state["told"]).get("workload", {})


def field(app, kind, name):
    return next(w for w in getattr(app, kind) if w.key == f"form-{name}")


def fields(app):
    return [w.key.removeprefix("form-") for w in app.number_input]


ALWAYS = ["rate", "duration", "warmup", "seed"]


@pytest.mark.parametrize("name", [*LENGTH_SETS, *Workload.MADE_UP])
def test_each_kind_of_lengths_has_its_own_fields_and_says_where_it_comes_from(name):
    app = opened(lengths=name, duration=60.0)
    own = [f for n in Workload.MADE_UP.get(name, ()) for f in ([f"{n}-from", f"{n}-to"] if "range" in n else [n])]
    assert fields(app) == own + ALWAYS
    (said,) = [shown(c.value) for c in app.caption]
    assert ("Made up" in said) == (name in Workload.MADE_UP)
    assert ("Source: github:" in said and "Licence: " in said) == (name in LENGTH_SETS)
    assert "requests come" in said


def test_other_lengths_leave_their_fields_behind():
    app = opened(lengths="uniform", prompt_range=[5, 9], rate=2.0)
    rested(field(app, "selectbox", "lengths").set_value("constant"))
    assert workload(app) == {"lengths": "constant", "rate": 2.0}
    rested(field(app, "number_input", "prompt_tokens").set_value(33))
    rested(field(app, "selectbox", "arrivals").set_value("constant"))
    assert workload(app) == {"lengths": "constant", "rate": 2.0, "prompt_tokens": 33, "arrivals": "constant"}


def test_a_range_is_changed_end_by_end_and_its_wrong_end_is_a_sentence():
    app = opened(lengths="uniform", duration=60.0)
    rested(field(app, "number_input", "prompt_range-to").set_value(100))
    assert workload(app)["prompt_range"] == [64, 100]
    rested(field(app, "number_input", "prompt_range-from").set_value(101))
    (said,) = warnings(app)
    assert "prompt_range = [101, 100]" in said and "last scenario that could be run" in said
    assert workload(app)["prompt_range"] == [64, 100]
    assert field(app, "number_input", "prompt_range-from").value == 64


def test_the_seed_is_the_scenarios():
    app = opened(duration=60.0)
    rested(field(app, "number_input", "seed").set_value(7))
    assert app.session_state["told"].seed == 7


def test_more_requests_than_can_be_drawn_are_a_sentence_and_nothing_changes():
    app = opened()
    rested(field(app, "number_input", "rate").set_value(9000.0))
    (said,) = warnings(app)
    assert "at most 100000" in said
    assert workload(app) == {} and field(app, "number_input", "rate").value == 4.0


def test_requests_that_can_never_run_are_told():
    (said,) = [c.value for c in opened(lengths="mooncake_conversation", duration=60.0).caption]
    assert "longer than the model’s maximum of 2,048 slots and can never run" in said


def test_a_trace_is_uploaded_runs_at_its_own_times_and_can_be_left_again():
    app = opened()
    assert not app.file_uploader
    rested(field(app, "selectbox", "lengths").set_value(workload_form.OWN))
    assert workload(app) == {}  # nothing changes before there is a file
    rested(app.file_uploader[0].set_value(("Azure 2023.csv", GOOD, "text/csv")))
    word = uploads.keep(GOOD, "Azure 2023.csv")
    assert workload(app) == {"lengths": word, "arrivals": "trace", "duration": 5.0, "warmup": 1.0}
    (said,) = [c.value for c in app.caption]
    assert "Azure-2023.csv: 3 recorded requests." in said and "1 is longer than the model’s maximum" in said
    assert field(app, "selectbox", "arrivals").options == ["Poisson", "At equal distances", "As recorded"]
    assert field(app, "number_input", "rate").disabled
    rested(field(app, "selectbox", "lengths").set_value("sharegpt"))
    assert workload(app) == {} and not app.file_uploader


@pytest.mark.parametrize(
    ("times", "span", "come"),
    [
        ([0], (1.0, 0.0), 1),
        ([100.0, 400.5, 159.0], (301.0, 100.0), 3),
        ([0, 899.9], (900.0, 300.0), 2),
        ([0, 10, 90_000], (3600.0, 1200.0), 2),  # its first hour
        ([k / 1000 for k in range(100_010)], (100.0, 33.0), 100_000),
    ],
    ids=["one", "in any order", "as long as the paper's", "a day", "more than can be run"],
)
def test_an_uploaded_trace_runs_for_as_long_as_it_has_requests(times, span, come):
    data = (HEAD + "".join(f"{t},10,3\n" for t in times)).encode()
    now = workload_form.changed(scenario(duration=77.0, warmup=5.0), "lengths", uploads.keep(data, "t.csv"))
    assert (now.workload.duration, now.workload.warmup) == span
    assert workload_form.facts(now)[1].requests == come
    left = workload_form.changed(now, "lengths", "sharegpt").workload
    assert (left.duration, left.warmup) == (900.0, 300.0)


def test_a_file_that_is_no_trace_is_a_sentence_and_nothing_changes():
    app = opened()
    rested(field(app, "selectbox", "lengths").set_value(workload_form.OWN))
    rested(app.file_uploader[0].set_value(("cat.png", b"\x89PNG\0", "image/png")))
    (said,) = warnings(app)
    assert "The trace 'cat.png' is a binary file" in said
    assert workload(app) == {} and app.file_uploader


def test_a_link_to_an_upload_that_is_not_here_says_so():
    app = opened(lengths="upload:0123456789abcdef", arrivals="trace")
    (said,) = [c.value for c in app.caption]
    assert "not on this machine" in said and "upload that file again" in said


def test_a_file_of_this_machine_is_not_read_for_a_page(tmp_path):
    (tmp_path / "t.csv").write_bytes(GOOD)
    made = scenario(lengths=str(tmp_path / "t.csv"), arrivals="trace")
    with pytest.raises(ScenarioError, match="a file of the machine that serves the app"):
        workload_form.facts(made)


def test_recorded_arrivals_end_where_nothing_was_recorded():
    word = uploads.keep(GOOD, "t.csv")
    made = workload_form.changed(scenario(), "lengths", word)
    assert made.workload.arrivals == "trace"
    assert workload_form.changed(made, "lengths", "lognormal").workload.arrivals == "poisson"


def test_fields_that_two_kinds_share_stay():
    made = scenario(lengths="lognormal", output_median=9.0, prompt_median=5.0)
    chats = workload_form.changed(made, "lengths", "conversations")
    assert to_dict(chats)["workload"] == {"lengths": "conversations", "output_median": 9.0}


BAILIAN = (
    b'{"chat_id": 1, "timestamp": 0.0, "input_length": 33, "output_length": 3, "hash_ids": [1, 2, 3]}\n'
    b'{"chat_id": 2, "timestamp": 60.0, "input_length": 40, "output_length": 3, "hash_ids": [1, 2, 4]}\n'
)
CHAT = b'[{"conversations": [{"from": "human", "value": "Who are you?"}, {"from": "gpt", "value": "The people."}]}]'


def uploading(data, name="file"):
    app = opened()
    rested(field(app, "selectbox", "lengths").set_value(workload_form.OWN))
    rested(app.file_uploader[0].set_value((name, data, "text/plain")))
    return app


def test_the_format_of_a_file_its_units_and_how_it_is_known_are_said():
    app = uploading(BAILIAN)
    (said,) = [c.value for c in app.caption]
    assert "Format: Qwen-Bailian, recognised by its fields. Times are seconds; each hash id stands for 16" in said
    assert workload(app)["duration"] == 61.0 and "format" not in workload(app)
    assert field(app, "selectbox", "format").value == workload_form.ANY


def test_a_file_of_which_nothing_tells_the_format_is_read_once_somebody_says_it():
    plain = BAILIAN.replace(b"chat_id", b"who")
    app = uploading(plain)
    (said,) = warnings(app)
    assert "may be of the format 'mooncake', 'bailian' or 'aiperf'" in said and "the field Format on a page" in said
    assert workload(app) == {}
    rested(field(app, "selectbox", "format").set_value("bailian"))
    rested(app.file_uploader[0].set_value(("file", plain, "text/plain")))
    assert workload(app)["format"] == "bailian" and workload(app)["duration"] == 61.0
    (said,) = [c.value for c in app.caption]
    assert "Format: Qwen-Bailian, as declared." in said


def test_another_format_reads_an_open_file_again_or_is_a_sentence_and_nothing_changes():
    short = BAILIAN.replace(b'"hash_ids": [1, 2, 3]', b'"turn": 1').replace(b'"hash_ids": [1, 2, 4]', b'"turn": 2')
    app = uploading(short)
    rested(field(app, "selectbox", "format").set_value("mooncake"))
    assert workload(app)["format"] == "mooncake" and workload(app)["duration"] == 1.0  # 60 ms
    rested(field(app, "selectbox", "format").set_value("azure"))
    (said,) = warnings(app)
    assert "is JSON, and the format azure is CSV" in said
    assert workload(app)["format"] == "mooncake" and field(app, "selectbox", "format").value == "mooncake"
    rested(field(app, "selectbox", "lengths").set_value("sharegpt"))
    assert workload(app) == {}


def test_a_file_of_texts_comes_at_drawn_times():
    app = uploading(CHAT)
    assert set(workload(app)) == {"lengths"}
    assert field(app, "selectbox", "arrivals").options == ["Poisson", "At equal distances"]
    (said,) = [c.value for c in app.caption]
    assert "Format: ShareGPT" in said and "tokenizer of the model tiny" in said
