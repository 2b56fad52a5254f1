"""From logits to tokens: draws have the distribution that they must, and the best continuations are the best."""

import itertools
from math import inf

import pytest
import torch

from vizkv.model.sampling import Survivor, draw, scripted, survivors

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0, 0.5])


def rows(beams, vocabulary=11, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(vocabulary, generator=generator) * 3 for _ in range(beams)]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_draws_have_the_distribution_of_the_softmax(temperature):
    """Chi-square over 4000 fixed keys: below 18.5, which 4 degrees of freedom exceed once in a thousand."""
    counts = torch.zeros(5)
    for key in range(4000):
        counts[draw(LOGITS, temperature, (7, key))] += 1
    expected = 4000 * (LOGITS.double() / temperature).softmax(-1)
    assert ((counts - expected) ** 2 / expected).sum() < 18.5


def test_neighbouring_steps_members_requests_and_seeds_draw_independently():
    """The same for keys that differ in one part only."""
    expected = 1000 * LOGITS.double().softmax(-1)
    for place in range(4):
        counts = torch.zeros(5)
        for number in range(1000):
            key = [0, 0, 0, 0]
            key[place] = number
            counts[draw(LOGITS, 1.0, key)] += 1
        assert ((counts - expected) ** 2 / expected).sum() < 18.5


def test_equal_keys_give_equal_tokens_and_the_last_bit_of_the_logits_does_not_matter():
    wide = rows(1, 2000)[0]
    for key in range(50):
        token = draw(wide, 1.0, (key, 1))
        assert token == draw(wide, 1.0, [key, 1])
        assert token == draw(wide + torch.rand(2000) * 1e-6, 1.0, (key, 1))
    assert len({draw(wide, 1.0, (key, 1)) for key in range(50)}) > 10


def test_temperature_zero_takes_the_most_probable():
    assert all(draw(LOGITS, 0.0, (key,)) == 0 for key in range(20))


@pytest.mark.parametrize("temperature", [1e-3, 1e-300, 5e-324])
def test_near_temperature_zero_it_is_the_most_probable_too(temperature):
    turned = torch.tensor([1.0, 3.0, 7.0, 2.0])
    assert all(draw(turned, temperature, (key,)) == 2 for key in range(20))


def test_adding_a_constant_to_the_logits_changes_no_draw():
    assert [draw(LOGITS, 1.0, (k,)) for k in range(200)] == [draw(LOGITS - 500, 1.0, (k,)) for k in range(200)]


@pytest.mark.parametrize(("beams", "width"), [(1, 1), (1, 4), (2, 2), (4, 4), (3, 8)])
@pytest.mark.parametrize("seed", range(4))
def test_the_survivors_are_the_best_of_all_continuations(beams, width, seed):
    some, scores = rows(beams, seed=seed), [-0.7 * i for i in range(beams)]
    every = [
        (score + float(row.double().log_softmax(-1)[token]), parent, token)
        for parent, (row, score) in enumerate(zip(some, scores, strict=True))
        for token in range(11)
    ]
    best = sorted(every, reverse=True)[:width]
    found = survivors(some, scores, width)
    assert [(s.parent, s.token) for s in found] == [(parent, token) for _, parent, token in best]
    assert [s.score for s in found] == pytest.approx([score for score, _, _ in best])


def test_two_steps_of_beams_as_wide_as_the_vocabulary_find_the_best_pair():
    """Brute force: with every first token kept, the second step's survivors are the best of all pairs."""
    first, then = rows(1, 5)[0], rows(5, 5, seed=9)
    kept = survivors([first], [0.0], 5)
    last = survivors([then[s.token] for s in kept], [s.score for s in kept], 3)
    pairs = sorted(
        (
            (float(first.double().log_softmax(-1)[a] + then[a].double().log_softmax(-1)[b]), a, b)
            for a, b in itertools.product(range(5), repeat=2)
        ),
        reverse=True,
    )
    assert [(kept[s.parent].token, s.token) for s in last] == [(a, b) for _, a, b in pairs[:3]]


def test_a_vocabulary_smaller_than_the_width_gives_what_there_is():
    assert len(survivors(rows(1, 3), [0.0], 4)) == 3


def test_a_script_decides_which_beams_go_on_and_the_model_with_which_tokens():
    some, scores = rows(4), [-1.0, -2.0, -3.0, -4.0]
    found = scripted(some, scores, [2, 1, 2, 1])
    assert [s.parent for s in found] == [1, 1, 2, 2]
    for parent in (1, 2):
        mine = [s for s in found if s.parent == parent]
        best = some[parent].double().log_softmax(-1).sort(descending=True)
        assert [s.token for s in mine] == best.indices[:2].tolist()
        assert [s.score for s in mine] == pytest.approx([scores[parent] + v for v in best.values[:2].tolist()])


def test_a_script_that_lets_every_beam_go_on_once_is_greedy_for_each():
    some = rows(3)
    assert [s.token for s in scripted(some, [0.0] * 3, [0, 1, 2])] == [int(row.argmax()) for row in some]


def test_a_beam_that_is_impossible_does_not_survive():
    some = rows(2)
    assert {s.parent for s in survivors(some, [0.0, -inf], 3)} == {0}
    assert survivors(some, [0.0, -inf], 1)[0] == Survivor(0, int(some[0].argmax()), pytest.approx(
        float(some[0].double().log_softmax(-1).max())
    ))  # fmt: skip
