"""The channel between a page and a player: what the browser reports, what it is told to open."""

from dataclasses import replace

import pytest

from vizkv.ui.player.channel import Channel
from vizkv.views.payload.window import Window
from vizkv.views.view import Limits, View

LIMITS = Limits(steps=100, requests=("A",), lengths=(50,), slots=(64,))
FIVE, SIX = {"step": 5}, {"step": 6}


@pytest.fixture
def channel():
    player = Channel()
    player.open("run", LIMITS, View(step=3), None)
    return player


def test_a_report_moves_the_view_and_sends_the_player_nothing(channel):
    sent = channel.sent
    channel.hear(FIVE)
    assert (channel.view.step, channel.sent) == (5, sent)


@pytest.mark.parametrize("report", [None, "5", {"step": 101}, {"step": "--1"}, {"lens": "online"}, [5]])
def test_a_report_that_is_no_view_of_the_run_changes_nothing(channel, report):
    before = replace(channel)
    channel.hear(report)
    assert channel == before


def test_the_last_report_of_the_run_before_is_stale_and_a_new_one_is_heard(channel):
    channel.hear(FIVE)
    channel.open("other", LIMITS, View(step=9), channel.reported)
    channel.hear(dict(FIVE))  # Streamlit delivers it again
    assert channel.view.step == 9
    channel.hear(SIX)
    assert channel.view.step == 6
    channel.hear(dict(FIVE))  # the reader may go back there
    assert channel.view.step == 5


def test_an_order_has_a_higher_number_than_the_last(channel):
    for step in (10, 20):
        before = channel.sent.command
        channel.order(View(step=step), channel.reported)
        assert (channel.view.step, channel.sent.step) == (step, step)
        assert channel.sent.command > before


def test_another_scenario_on_the_page_gets_commands_beyond_all_that_the_player_has_seen(channel):
    for step in range(5):
        channel.order(View(step=step), None)
    after = channel.replaced()
    assert after.view is None and after.sent is None
    after.open("other", LIMITS, View(), after.reported)
    assert after.sent.command > channel.sent.command


def test_a_change_of_language_keeps_the_readers_place(channel):
    channel.translate("en")
    assert not channel.sent.keep
    channel.hear(FIVE)
    channel.translate("zh")
    assert channel.sent.keep and channel.sent.step == 5
    sent = channel.sent
    channel.translate("zh")
    assert channel.sent is sent


def test_a_player_whose_page_is_entered_again_opens_where_it_was_left(channel):
    channel.hear(FIVE)
    channel.remount()
    assert channel.sent == channel.view
    channel.hear(dict(FIVE))
    assert channel.view.step == 5


@pytest.mark.parametrize("playing", [True, False])
def test_a_step_outside_the_window_opens_another_window_and_play_goes_on(channel, playing):
    made = []

    def make(step):
        made.append(step)
        return Window(step // 10 * 10, step // 10 * 10 + 10, 0)

    assert 3 in channel.around(3, make)
    assert not channel.sent.play
    channel.hear({"step": 8, "play": playing})
    channel.around(8, make)
    assert made == [3]
    channel.hear({"step": 12, "play": playing})
    assert 12 in channel.around(12, make)
    assert made == [3, 12]
    assert (channel.sent.step, channel.sent.play) == (12, playing)
