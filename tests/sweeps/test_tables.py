"""What a sweep found, as tables and files."""

import io
import math

import pandas as pd
import pytest

from tests.sweeps.small import forgetful, tasks
from vizkv.replay.metrics import METRICS
from vizkv.sweeps import run
from vizkv.sweeps.table import cells, in_order, problems, to_csv, to_parquet


@pytest.fixture(scope="module")
def made():
    return tasks("block_size=8,16384", "prefix_caching=false,true", seeds=2)


@pytest.fixture(scope="module")
def found(made):
    return in_order(made, reversed(list(run(made, jobs=1, store=forgetful()))))


def test_outcomes_stand_in_the_order_of_the_tasks(made, found):
    assert [task for task, _ in found] == made


@pytest.mark.parametrize(("write", "read"), [(to_csv, pd.read_csv), (to_parquet, pd.read_parquet)])
def test_a_file_has_every_run_with_every_number(found, write, read):
    table = read(io.BytesIO(write(found)))
    assert list(table.columns) == ["system", "block_size", "prefix_caching", "seed", *METRICS, "problem"]
    assert len(table) == len(found)
    for (task, outcome), (_, row) in zip(found, table.iterrows(), strict=True):
        assert (row["system"], row["block_size"], row["seed"]) == (task.system, task.point[0][1], task.seed)
        if isinstance(outcome, str):
            assert row["problem"] == outcome and math.isnan(row["used"])
        else:
            assert row["used"] == pytest.approx(outcome["used"], rel=1e-12)


def test_a_cell_is_the_mean_over_the_seeds_with_its_spread(found):
    told = cells(found, "used")
    where = (2, (("block_size", 8), ("prefix_caching", False)))
    runs = [outcome["used"] for task, outcome in found if (task.index, task.point) == where]
    cell = told[where]
    assert (cell.mean, cell.low, cell.high, cell.seeds) == (sum(runs) / 2, min(runs), max(runs), 2)
    assert cell.low < cell.high


def test_a_cell_without_a_run_says_so(found):
    cell = cells(found, "used")[2, (("block_size", 16384), ("prefix_caching", True))]
    assert math.isnan(cell.mean) and cell.seeds == 0
    ((sentence, about),) = problems(found).items()
    assert "block_size is 16384" in sentence and len(about) == 4
