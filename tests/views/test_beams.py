"""The tree of beams: whose continuation each candidate is, and which lead nowhere."""

from tests.views.test_copies import beams, real
from tests.views.test_saving import figure_8, figure_9, run
from vizkv.messages.catalogue import messages
from vizkv.views.facts.beams import picture, tree


def rows(found, field):
    return [[getattr(c, field) for c in column] for column in found.columns]


def test_the_scripted_survivors_of_figure_9_are_the_edges():
    found = tree(figure_9(), 0)
    assert rows(found, "parent")[0] == [-1] * 4
    assert rows(found, "parent")[4] == [0, 0, 0, 3]
    assert rows(found, "parent")[8] == [0, 0, 0, 3]
    assert found.last == (0, 1, 2, 3)
    assert len(found.columns) == 14  # of 15 sampled tokens the last is never written


def test_what_no_survivor_comes_from_is_dropped():
    found = tree(figure_9(), 0)
    alive = rows(found, "alive")
    assert alive[-1] == [True] * 4
    assert alive[12] == [True] * 4
    assert alive[11] == [False, True, True, False]  # the survivors come from c1 and c2
    assert alive[3] == [True, False, False, False]


def test_the_real_models_beams_have_their_own_words_in_every_step():
    found = tree(beams(), 0)
    assert rows(found, "token")[:2] == [[" the", " in", " their"], [" worst", " age", " epoch"]]
    assert rows(found, "parent")[:2] == [[-1, -1, -1], [0, 0, 0]]
    assert rows(found, "alive")[:2] == [[True, False, False], [True, True, False]]
    assert rows(found, "step")[0] == [1, 1, 1]


def test_the_line_back_from_each_beam_is_its_text():
    trace = beams()
    found = tree(trace, 0)
    for place, request in enumerate(trace.requests):
        said, at = [], found.last[place]
        for column in reversed(found.columns):
            said.append(column[at].token)
            at = column[at].parent
        # what was decided after the last written token is not among the pieces
        assert "".join(reversed(said)) == "".join(request.pieces[request.prompt_tokens :])


def test_without_beams_there_is_no_tree():
    assert tree(figure_8(), 0) is None
    assert tree(run([{"prompt_tokens": 5, "beam_width": 1, "output_tokens": 3}]), 0) is None


def test_beams_that_can_never_run_have_no_tree():
    assert tree(run([{"prompt_tokens": 60, "beam_width": 3, "output_tokens": 30}]), 0) is None


def test_the_picture_frames_the_step_and_escapes_the_words():
    html = picture(tree(beams(), 0), 2, "light", messages())
    assert html.count("vzs-now") == 1
    assert picture(tree(beams(), 0), 0, "dark", messages()).count("vzs-now") == 0
    odd = real({"id": "c", "prompt": "<b>", "beam_width": 2, "output_tokens": 3})
    assert "<b>" not in picture(tree(odd, 0), 1, "light", messages()).replace("<b class", "")
