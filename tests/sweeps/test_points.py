"""The runs of a sweep: one system at one point with one seed, and no run twice."""

import pytest

from tests.sweeps.small import SYSTEMS, scenario, tasks
from vizkv.scenario.schema import ScenarioError, from_dict
from vizkv.sweeps import distinct, parse_axis, points, put, said
from vizkv.sweeps.tasks import deciding_files


def test_a_system_that_an_axis_does_not_touch_is_run_once():
    made = tasks("block_size=8,16,32")
    assert len(made) == 9
    assert [task.system for task in distinct(made)] == ["Orca (Max)", "Orca (Oracle)", "vLLM", "vLLM", "vLLM"]


def test_a_multiple_touches_only_the_system_that_rounds_up_to_it():
    systems = [*SYSTEMS, {"kind": "contiguous", "reserve": "multiple"}]
    made = tasks("multiple=2,4,8", systems=systems)
    assert [task.system for task in distinct(made)].count("Multiple of k") == 3 and len(distinct(made)) == 6


def test_two_systems_that_differ_in_name_only_are_one_run():
    systems = [{"kind": "paged", "name": "one"}, {"kind": "paged", "name": "two"}]
    made = tasks("block_size=8,16", systems=systems)
    assert len(made) == 4 and len(distinct(made)) == 2
    assert {task.system for task in made} == {"one", "two"}


def test_every_combination_of_two_axes_and_every_seed_is_a_point():
    made = tasks("rate=1,2", "block_size=8,16", seeds=3)
    assert len(made) == 2 * 2 * 3 * 3
    assert {task.seed for task in made} == {0, 1, 2}
    assert [said(task.point) for task in made[::3][:4]] == [
        "rate=1,block_size=8", "rate=1,block_size=16", "rate=2,block_size=8", "rate=2,block_size=16",
    ]  # fmt: skip


def test_a_point_is_the_scenario_with_its_values_in_it():
    whole = put(scenario(), (("block_size", 64), ("rate", 2.5), ("slots", 8192)))
    assert whole.systems[2].block_size == 64 and whole.workload.rate == 2.5 and whole.slots == 8192
    assert [s.label for s in whole.systems] == ["Orca (Max)", "Orca (Oracle)", "vLLM"]
    (task, *_) = [t for t in tasks("slots=8192") if t.index == 2]
    assert from_dict(task.scenario).systems[0].watermark == 0.01 and task.window == (5.0, 20.0)


def test_a_point_that_cannot_be_is_a_task_with_a_sentence_and_the_others_are_run():
    made = tasks("block_size=8,16384")
    (wrong,) = [task for task in made if task.problem]
    assert wrong.problem.startswith("The field systems[2].block_size is 16384") and not wrong.key
    assert len(distinct(made)) == 3


def test_equal_runs_have_equal_keys_and_others_do_not():
    keys = {task.key for task in distinct(tasks("block_size=8,16", "rate=2,4", seeds=2))}
    again = {task.key for task in distinct(tasks("block_size=8,16", "rate=2,4", seeds=2))}
    assert keys == again and len(keys) == 2 * 2 * 2 + 2 * 2 * 2


def test_a_file_that_was_changed_is_another_run(tmp_path):
    path = tmp_path / "trace.csv"

    def key(text):
        path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + text)
        workload = {"lengths": str(path), "arrivals": "trace", "duration": 10.0, "warmup": 0.0}
        return distinct(points(scenario(workload=workload), [parse_axis("block_size=16")]))[0].key

    assert key("0,10,10\n") != key("0,10,10\n1,10,10\n")


@pytest.mark.parametrize(
    ("axes", "changes", "sentence"),
    [
        (["block_size=8", "block_size=16"], {}, "Two axes are block_size"),
        (["multiple=2"], {}, 'valid is a contiguous system with reserve = "multiple" among them'),
        (["block_size=8"], {"systems": SYSTEMS[:2]}, "valid is a paged system among them"),
        (["unit=8"], {"systems": SYSTEMS[2:]}, "valid is a contiguous system among them"),
        (["rate=1"], {"workload": None, "requests": [{"prompt_tokens": 1, "output_tokens": 1}]}, "varies a workload"),
        ([], {}, "The sweep has 0 axes"),
    ],
)
def test_an_axis_that_changes_nothing_is_one_sentence(axes, changes, sentence):
    with pytest.raises(ScenarioError, match=r"^The |^Two ") as refused:
        tasks(*axes, **changes)
    assert sentence in str(refused.value) and str(refused.value).endswith(".")


def test_a_sweep_is_bounded():
    with pytest.raises(ScenarioError, match="valid are at most 5000"):
        tasks("rate=1..2:0.02", "block_size=1..64", seeds=2)
    with pytest.raises(ScenarioError, match="seeds = 0; valid is a whole number from 1 to 100"):
        tasks("rate=1", seeds=0)


def test_kept_results_are_of_these_measured_lengths():
    assert "lengths.json" in {path.name for path in deciding_files()}
