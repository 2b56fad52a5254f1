"""The page "Prefix cache" without a browser: runs that come in, its link, a trace of one's own, nonsense."""

import json

import pytest

from tests.app.visitor import link_of, opened, rested, warnings
from vizkv.scenario.code import to_code
from vizkv.scenario.presets import preset
from vizkv.scenario.schema import from_dict, to_dict
from vizkv.sweeps import store
from vizkv.sweeps import work as working
from vizkv.sweeps.store import Store
from vizkv.ui import pages

PRESET = preset("cache-conversations").scenario


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Nothing is known from before, runs are made in this process, and uploads have a folder of their own."""
    monkeypatch.setattr(store, "_default", Store(None))
    monkeypatch.setattr(working, "cores", lambda: 1)
    monkeypatch.setenv("VIZKV_CACHE", str(tmp_path))


def small(**more):
    """The preset's conversations, forty seconds of them."""
    data = to_dict(PRESET)
    data["workload"]["duration"] = 40.0
    return from_dict(data | more)


def page(**query):
    return opened("cache", **({"s": to_code(small()), "sizes": "16,512", "pools": "8192,16384"} | query))


def control(app, kind, name):
    return next(w for w in getattr(app, kind) if w.key == f"cache-{name}")


def pressed(app):
    """The page after all runs have come in."""
    rested(control(app, "button", "run").click())
    app.session_state["cache.job"].wait()
    return rested(app)


def words(app):
    bars = [bar.proto.text for bar in app.get("progress")]
    return " ".join([*bars, *(m.value for m in (*app.markdown, *app.subheader, *app.caption))])


def lines(app):
    """name -> rates of the lines of the first picture."""
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    return {t["name"]: t["y"] for t in figure["data"] if t.get("showlegend") and "name" in t}


def test_the_page_opens_with_nothing_uploaded_and_nothing_run():
    app = opened("cache")
    said = words(app)
    assert "28 runs to make: press Run." in said and "made up: nothing here was measured" in said
    assert "With room for everything a cache of blocks of 16 would find 77.2 %" in said
    assert not warnings(app) and link_of(app)["preset"] == "cache-conversations"
    assert control(app, "text_input", "pools").value == "8192..524288*2"


def test_run_draws_the_lines_and_the_sentence_is_about_them():
    app = pressed(page())
    found = lines(app)
    assert "All 4 runs are here." in words(app) and [len(rates) for rates in found.values()] == [2, 2]
    assert f"the cache finds {found['blocks of 16'][1]:.1f} % of the prompt tokens" in words(app)
    assert "The run with 16,384 slots and blocks of 16" in words(app)  # the nearest to the scenario's own
    assert len(app.get("download_button")) == 4


def test_a_point_is_opened_by_its_link_with_its_evictions_and_over_time():
    app = pressed(page(point="slots=8192,block_size=512"))
    said = words(app)
    assert "The run with 8,192 slots and blocks of 512" in said and "prompt tokens" in said and "found when" in said
    assert len(app.get("plotly_chart")) == 3
    assert link_of(app)["point"] == "slots=8192,block_size=512"


def test_the_pool_is_said_in_bytes_of_the_model_that_the_page_speaks_of():
    app = opened("cache")
    assert "1 GiB" in app.get("plotly_chart")[0].proto.spec and "Llama-3-8B" in app.get("plotly_chart")[0].proto.spec
    app = opened("cache", **{"as": "qwen2.5-72b:h100-80gb:4:16bit"})
    assert "2.5 GiB" in app.get("plotly_chart")[0].proto.spec and "Qwen2.5-72B" in app.get("plotly_chart")[0].proto.spec


def test_another_model_changes_the_bytes_and_no_run_and_stays_in_the_link():
    app = pressed(page(sizes="512"))
    rested(control(app, "button", "hardware-back").click())
    assert "All 2 runs are here." in words(app) and link_of(app)["as"].startswith("opt-13b:")
    assert "OPT-13B" in app.get("plotly_chart")[0].proto.spec and "6.2 GiB" in app.get("plotly_chart")[0].proto.spec


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"sizes": "16,half"}, "'half'"),
        ({"sizes": "0"}, "block_size"),
        ({"pools": "8192..16"}, "8192..16"),
        ({"point": "slots=1,block_size=2"}, "slots=1,block_size=2"),
        ({"as": "abacus"}, "abacus"),
    ],
)
def test_nonsense_in_a_link_is_a_sentence_and_the_page_works(query, says):
    app = page(**query)
    assert len(warnings(app)) == 1 and says in warnings(app)[0]
    assert "press Run" in words(app)


def test_what_cannot_be_read_in_a_field_changes_nothing():
    app = page()
    rested(control(app, "text_input", "sizes").set_value("16,banana"))
    assert "banana" in warnings(app)[0]
    assert control(app, "text_input", "sizes").value == "16,512"
    rested(control(app, "text_input", "sizes").set_value("32"))
    assert not warnings(app) and link_of(app)["sizes"] == "32" and "2 runs to make" in words(app)


def test_a_scenario_without_a_workload_is_refused_in_words():
    app = opened(
        "cache",
        s=to_code(from_dict({"systems": [{"kind": "paged"}], "requests": [{"prompt_tokens": 5, "output_tokens": 2}]})),
    )
    assert "has no workload" in warnings(app)[0] and "28 runs to make" in words(app)


def mooncake(count, tokens):
    lines = [
        {"timestamp": 500 * i, "input_length": tokens + i, "output_length": 4,
         "hash_ids": [0, *range(9 * i + 1, 9 * i + 9)][: -(-(tokens + i) // 512)]}
        for i in range(count)
    ]  # fmt: skip
    return "\n".join(map(json.dumps, [*lines, lines[0] | {"input_length": 4000, "hash_ids": list(range(8))}])).encode()


def test_an_uploaded_trace_takes_the_place_of_the_conversations_and_what_never_runs_is_counted():
    app = page(s=to_code(small(max_model_len=2048)), point="slots=8192,block_size=16")
    app.selectbox(key="cache-workload-lengths").set_value("own")
    rested(app)
    rested(app.file_uploader[0].set_value(("Mooncake small.jsonl", mooncake(12, 1500), "application/json")))
    said = words(app)
    assert "made up: nothing" not in said and "13 recorded requests." in said
    assert "12 requests with 18,066 prompt tokens" in said
    assert "One more is longer than the model’s maximum of 2,048 slots" in said
    app = pressed(app)
    found = lines(app)
    # eleven of twelve find the first 512 tokens; blocks of 512 and 16 find the same in pieces of 512
    assert found["blocks of 16"][-1] == found["blocks of 512"][-1] == pytest.approx(100 * 11 * 512 / 18_066)
    assert "names its content in pieces of 512 tokens" in words(app) and "exactly as much" in words(app)


def test_a_workload_that_names_no_content_says_that_there_is_nothing_to_find():
    data = to_dict(small())
    data["workload"] = {"lengths": "constant", "duration": 20.0}
    app = page(s=to_code(from_dict(data)))
    assert any("does not say what its prompts contain" in i.value for i in app.info)


def test_a_point_of_another_picture_is_forgotten_in_silence():
    app = page(point="slots=8192,block_size=512")
    rested(control(app, "text_input", "sizes").set_value("16"))
    assert not warnings(app) and "point" not in link_of(app)
    least = control(page(pools=""), "text_input", "pools").value.split("..")[0].split(",")[0]
    app = page(pools="", point=f"slots={least},block_size=512")
    assert not warnings(app) and link_of(app)["point"] == f"slots={least},block_size=512"
    rested(app.number_input(key="cache-workload-duration").set_value(400.0))  # more content: larger pools are tried
    assert not warnings(app) and "point" not in link_of(app)


def test_the_second_pictures_number_is_chosen_and_in_the_link():
    app = pressed(page(sizes="512"))
    rested(app.segmented_control(key="cache-metric").set_value("throughput"))
    assert link_of(app)["metric"] == "throughput" and "Throughput" in app.get("plotly_chart")[-1].proto.spec


def test_each_word_of_the_page_is_one_that_its_link_may_carry():
    assert {"sizes", "pools", "point", "metric", "as"} <= set(pages.PAGES["cache"].fields)


def test_stop_ends_the_runs_and_what_is_here_stays():
    app = opened("cache", sizes="16,512")
    rested(control(app, "button", "run").click())
    job = app.session_state["cache.job"]
    while not job.found:
        job.wait(0.05)
    rested(control(app, "button", "stop").click())
    job.wait()
    assert not job.running and 0 < len(job.found) < job.total
    assert "Stopped: " in words(rested(app)) and control(app, "button", "run").label == "Run"
    # large blocks are few and are run first: their line grows before the other one begins
    assert len(lines(app)["blocks of 512"]) == min(7, len(job.found))
