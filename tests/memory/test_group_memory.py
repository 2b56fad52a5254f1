"""Memory of groups of layers: a table a group, nothing behind a window, a hit only where every group has it."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vizkv.systems.base.errors import OutOfMemory
from vizkv.systems.paged.blocks import Place
from vizkv.systems.paged.group_memory import Chains, GroupMemory
from vizkv.systems.paged.hits import NULL, Hit, Kinds
from vizkv.systems.paged.retention import Retained
from vizkv.systems.paged.window import Look, Window

FULL = Window(Look.FULL, 0, 4)
SLIDING = Window(Look.SLIDING, 8, 4)
CHUNKED = Window(Look.CHUNKED, 8, 4)


def memory(*groups, blocks=32, **options):
    return GroupMemory(blocks, groups, budget=64, max_model_len=2048, **options)


def hold(kept, owner, tokens, chains=None):
    """Give ``owner`` tables for ``tokens``, what is found first, and register what is full."""
    chains = chains or Chains()
    hit = kept.lookup(tokens, chains)
    kept.allocate(owner, hit, prompt=len(tokens), chains=chains)
    kept.append(owner, len(tokens))
    kept.register(owner, tokens, len(tokens))
    return hit


# -- windows -----------------------------------------------------------------------------------------------------------


def test_a_window_leaves_a_block_behind_when_no_later_token_reads_it():
    assert [SLIDING.dead(computed) for computed in (0, 10, 11, 14, 15)] == [0, 0, 1, 1, 2]
    assert [CHUNKED.dead(computed) for computed in (7, 8, 15, 16)] == [0, 2, 2, 4]
    assert FULL.dead(10**6) == 0


def test_what_a_group_holds_at_most_is_its_window_and_a_step():
    assert SLIDING.cap(64, 2048) == 19  # ceil((7 + 64) / 4) + 1: the window need not begin with a block
    assert CHUNKED.cap(64, 2048) == 18
    assert FULL.cap(64, 2048) == 512
    assert SLIDING.cap(10**6, 100) == 26


def test_blocks_behind_the_window_become_null_and_can_be_taken_by_another_group():
    kept = memory(FULL, SLIDING, blocks=9)
    hold(kept, 0, list(range(16)))
    assert kept.tables(0) == [[1, 2, 3, 4], [5, 6, 7, 8]]
    gone = kept.expire(0, 16)
    assert [(g.group, g.logical, g.freed.block, g.freed.place) for g in gone] == [
        (1, 0, 5, Place.FRONT),
        (1, 1, 6, Place.FRONT),
    ]
    assert kept.tables(0)[1] == [NULL, NULL, 7, 8]
    assert kept.pool.free_queue() == [6, 5]
    kept.append(0, 17)
    assert kept.tables(0) == [[1, 2, 3, 4, 6], [NULL, NULL, 7, 8, 5]]
    assert kept.expire(0, 16) == []


def test_the_null_block_is_in_no_queue_and_has_no_reference():
    kept = memory(SLIDING)
    hold(kept, 0, list(range(40)))
    kept.expire(0, 40)
    assert NULL not in kept.pool.references()
    kept.free(0)
    assert sorted(kept.pool.free_queue()) == list(range(1, 32))


# -- hits --------------------------------------------------------------------------------------------------------------


def test_a_hit_has_to_be_one_in_every_group():
    kept = memory(FULL, SLIDING, prefix_caching=True)
    hold(kept, 0, list(range(18)))
    assert kept.lookup([*range(12), 99], Chains()) == Hit(0, ((), ()), junction=12)
    hit = kept.lookup([*range(17), 99, 98], Chains())
    assert hit.tokens == 16
    assert hit.blocks[1][:2] == (NULL, NULL) and NULL not in hit.blocks[1][2:]


def test_what_others_share_is_retained_when_it_is_computed_the_second_time():
    """The place where a request left what full attention has is a boundary from then on."""
    kept = memory(FULL, SLIDING, prefix_caching=True, blocks=64)
    hold(kept, 0, list(range(18)))
    assert hold(kept, 1, [*range(12), *range(90, 98)]).tokens == 0
    assert hold(kept, 2, [*range(12), *range(70, 78)]).tokens == 12


def test_a_hit_ends_where_the_blocks_of_all_groups_end():
    kept = memory(Window(Look.FULL, 0, 8), SLIDING, prefix_caching=True, retention="dense")
    hold(kept, 0, list(range(22)))
    assert kept.lookup(list(range(23)), Chains()).tokens == 16


def test_of_earlier_chunks_a_hit_needs_nothing():
    kept = memory(FULL, CHUNKED, prefix_caching=True)
    hold(kept, 0, list(range(18)))
    assert kept.lookup(list(range(18)), Chains()).blocks[1] == (NULL,) * 4


def test_groups_of_one_kind_are_looked_up_together_full_attention_first():
    other = Window(Look.SLIDING, 5, 4)
    kinds = Kinds.of([SLIDING, FULL, other, SLIDING])
    assert kinds.kinds == ((FULL, (1,)), (SLIDING, (0, 3)), (other, (2,)))


@pytest.mark.parametrize(
    ("interval", "kept"),
    [(0, [2, 3]), ("dense", list(range(6))), (16, [2, 3]), (8, list(range(6)))],
)
def test_what_is_retained_ends_at_a_boundary_or_an_interval(interval, kept):
    retained = Retained(interval, 4)
    assert [index for index in range(6) if retained.keeps(SLIDING, index, (17, 0))] == kept


# -- admission ---------------------------------------------------------------------------------------------------------


def test_a_window_bounds_what_an_admission_asks_for():
    kept = memory(FULL, SLIDING, blocks=300)
    none = Hit(0, ((), ()))
    assert kept.admission_cost(400, none, whole=True) == 100 + 19
    assert kept.admission_cost(64, none, whole=False) == 16 + 16


def test_a_failed_growth_changes_nothing():
    kept = memory(FULL, SLIDING, blocks=6)
    hold(kept, 0, list(range(8)))
    before = [list(table) for table in kept.tables(0)], kept.pool.free_queue(), kept.pool.references()
    with pytest.raises(OutOfMemory):
        kept.append(0, 13)
    assert before == ([list(table) for table in kept.tables(0)], kept.pool.free_queue(), kept.pool.references())


def test_an_owner_has_its_tables_once():
    kept = memory(FULL)
    kept.allocate(0, Hit(0, ((),)), prompt=1)
    with pytest.raises(ValueError, match="already has"):
        kept.allocate(0, Hit(0, ((),)), prompt=1)
    with pytest.raises(KeyError):
        kept.free(1)


def test_a_model_has_a_group():
    with pytest.raises(ValueError, match="at least one group"):
        memory()


# -- any order of everything -------------------------------------------------------------------------------------------

GROUPS = st.lists(
    st.one_of(
        st.builds(Window, st.just(Look.FULL), st.just(0), st.sampled_from([1, 2, 4])),
        st.builds(Window, st.just(Look.SLIDING), st.integers(2, 9), st.sampled_from([1, 2, 4])),
        st.builds(Window, st.just(Look.CHUNKED), st.integers(1, 9), st.sampled_from([1, 2])),
    ),
    min_size=1,
    max_size=4,
)
BEGINNINGS = ([0] * 24, [0, 1] * 12, [0] * 12 + [1] * 12)


class AnyOrder(RuleBasedStateMachine):
    """Beside the memory the machine keeps what lies in each block: whoever reads finds its own beginning there."""

    @initialize(
        groups=GROUPS,
        blocks=st.integers(2, 40),
        caching=st.booleans(),
        retention=st.sampled_from([0, "dense", 4]),
    )
    def begin(self, groups, blocks, caching, retention):
        self.memory = GroupMemory(
            blocks, groups, prefix_caching=caching, retention=retention, budget=8, max_model_len=64
        )
        self.groups, self.next = groups, 0
        self.tokens, self.written = {}, {}
        self.inside = {}  # block -> (group, the tokens up to each that was written there)

    def state(self):
        kept, cache = self.memory, self.memory.cache
        return (
            kept.pool.free_queue(),
            kept.pool.references(),
            cache and (dict(cache._key), [(key, list(blocks)) for key, blocks in cache._blocks.items()]),
            {who: ([list(t) for t in mine.blocks], list(mine.registered)) for who, mine in kept._tables.items()},
        )

    def write(self, who, end):
        """Write the slots that the tables give, one token after another, in every group."""
        tokens = self.tokens[who]
        for number, (group, table) in enumerate(zip(self.groups, self.memory.tables(who), strict=True)):
            for position in range(self.written[who], end):
                block = table[position // group.block_size]
                assert block != NULL
                if position % group.block_size == 0:
                    self.inside[block] = (number, {})
                owner, slots = self.inside[block]
                assert owner == number
                slots[position % group.block_size] = tuple(tokens[: position + 1])
        self.written[who] = end

    def grow(self, who, end):
        if self.memory.cost(who, end) > self.memory.pool.free_blocks:
            before = self.state()
            with pytest.raises(OutOfMemory):
                self.memory.append(who, end)
            assert self.state() == before
            return False
        self.memory.append(who, end)
        self.memory.register(who, self.tokens[who], end)
        self.write(who, end)
        return True

    @rule(beginning=st.sampled_from(BEGINNINGS), own=st.lists(st.integers(0, 2), min_size=1, max_size=9),
          take=st.integers(0, 24), piece=st.integers(1, 8))  # fmt: skip
    def admit(self, beginning, own, take, piece):
        tokens, chains, who = [*beginning[:take], *own], Chains(), self.next
        before = self.state()
        hit = self.memory.lookup(tokens, chains)
        assert self.state() == before
        assert hit.tokens < len(tokens)
        for group, found in zip(self.groups, hit.blocks, strict=True):
            assert len(found) * group.block_size == hit.tokens
        end = min(len(tokens), hit.tokens + piece)
        if self.memory.admission_cost(end, hit, whole=False) > self.memory.pool.free_blocks:
            return
        free = self.memory.pool.free_blocks
        cost = self.memory.admission_cost(end, hit, whole=False)
        self.memory.allocate(who, hit, prompt=len(tokens), chains=chains)
        with pytest.raises(ValueError, match="already has"):
            self.memory.allocate(who, hit, prompt=len(tokens))
        self.tokens[who], self.written[who], self.next = tokens, hit.tokens, who + 1
        assert self.grow(who, end)
        assert free - self.memory.pool.free_blocks == cost

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), count=st.integers(1, 8), token=st.integers(0, 2))
    def go_on(self, data, count, token):
        who = data.draw(st.sampled_from(sorted(self.tokens)))
        self.memory.expire(who, self.written[who])
        if self.written[who] == len(self.tokens[who]):
            self.tokens[who].append(token)
        self.grow(who, min(len(self.tokens[who]), self.written[who] + count))

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def leave(self, data):
        who = data.draw(st.sampled_from(sorted(self.tokens)))
        self.memory.free(who)
        del self.tokens[who], self.written[who]

    @invariant()
    def references_are_the_entries_and_nothing_leaks(self):
        if not hasattr(self, "memory"):
            return
        pool = self.memory.pool
        entries = Counter(
            block for who in self.tokens for table in self.memory.tables(who) for block in table if block != NULL
        )
        assert pool.references() == entries
        queue = pool.free_queue()
        assert sorted([*queue, *entries]) == list(range(1, pool.num_blocks))

    @invariant()
    def who_reads_finds_its_own_beginning(self):
        for who, tokens in getattr(self, "tokens", {}).items():
            for number, (group, table) in enumerate(zip(self.groups, self.memory.tables(who), strict=True)):
                written = self.written[who]
                for position in range(group.dead_tokens(written), written):
                    owner, slots = self.inside[table[position // group.block_size]]
                    assert owner == number
                    assert slots[position % group.block_size] == tuple(tokens[: position + 1])


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
