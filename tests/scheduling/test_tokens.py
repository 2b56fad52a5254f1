"""Made-up token ids behave as the list of them would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkv.systems.base.tokens import MadeUp


@given(st.lists(st.integers(0, 50), max_size=9), st.integers(0, 9), st.data())
def test_made_up_ids_are_read_as_a_list_is(prompt, sampled, data):
    tokens, ids = MadeUp(prompt, 1000), list(prompt)
    for position in range(len(prompt), len(prompt) + sampled):
        assert tokens.next == 1000 + position
        tokens.append(tokens.next)
        ids.append(1000 + position)
    assert list(tokens) == ids
    assert len(tokens) == len(ids)
    assert list(tokens.sampled) == ids[len(prompt) :]
    cut = slice(
        *(data.draw(st.none() | st.integers(-20, 20)) for _ in range(2)), data.draw(st.sampled_from([None, 1, 3, -1]))
    )
    assert list(tokens[cut]) == ids[cut]
    for at in range(-len(ids), len(ids)):
        assert tokens[at] == ids[at]


def test_another_id_than_the_next_is_refused():
    tokens = MadeUp([7, 8], 1000)
    with pytest.raises(ValueError, match="1002"):
        tokens.append(5)
