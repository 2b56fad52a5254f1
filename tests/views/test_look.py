"""One palette for everything that is drawn, and never colour alone."""

import re
from itertools import pairwise

import pytest

from vizkv.player import assets
from vizkv.trace.slots import CATEGORIES
from vizkv.views.payload.geometry import columns, ruler
from vizkv.views.picture.palette import HATCH, PALETTE


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_players_style_sheet_has_the_palette_of_the_charts(theme):
    _, css, _ = assets()
    first = {"light": 0, "dark": 1}[theme]
    for name in CATEGORIES:
        assert re.findall(rf"--vz-{name}: (#[0-9A-Fa-f]{{6}})", css)[first] == PALETTE[theme][name]


def test_what_is_held_and_unwritten_or_lost_has_a_hatch_of_its_own():
    hatches = [HATCH[name] for name in ("reserved", "internal", "external")]
    assert "" not in hatches and len(set(hatches)) == 3


def test_the_player_is_one_module_without_imports():
    _, _, js = assets()
    assert re.findall(r"^export .*", js, re.MULTILINE) == ["export default function (component) {"]
    assert not re.search(r"^import\b", js, re.MULTILINE)
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", js)  # nothing is fetched


@pytest.mark.parametrize("slots", [1, 2, 36, 64, 160, 161, 512, 2048, 4096, 16384, 65536])
@pytest.mark.parametrize("block", [0, 1, 3, 4, 16, 256])
def test_a_drawn_row_holds_whole_blocks_and_never_more_than_the_pool(slots, block):
    wide = columns(slots, min(block, slots), 5)
    assert 1 <= wide <= slots
    if 0 < block < wide < slots:
        assert wide % block == 0
    assert ruler(wide, block) >= 1


def test_rows_do_not_get_wider_when_the_pool_gets_smaller():
    widths = [columns(n, 16, 5) for n in (512, 1024, 4096, 16384, 65536)]
    assert all(a <= b for a, b in pairwise(widths))
