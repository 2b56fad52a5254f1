"""Made-up conversations, for a machine that has no recorded trace: chats in which each prompt repeats what was said.

Nothing here was measured. A conversation's prompts all begin with one system prompt of ``system_tokens``, the same in
every conversation; the next turn's prompt is the one before, its answer, and a new text of the user's. The user's texts
and the answers are log-normal (``user_median``, ``user_sigma``, ``output_median``, ``output_sigma``). From one prompt
of a conversation to the next passes an exponential time with the mean ``think_s``: waiting for the answer, reading it,
writing. It does not depend on how fast a system answers, so that every system gets the same requests.

Conversations begin as ``arrivals`` says, ``turns`` times more seldom than ``rate``, so that ``rate`` stays the requests
a second, once the first conversations have come to their end. Each has ``turns`` prompts, without those behind
``duration``.

Content is named as in a recorded trace, but in steps of 16 tokens instead of 512: the pieces of the system prompt have
the same names in all conversations, the others belong to one conversation. As in such a trace only prompts have names:
an answer is new content until it comes back as part of the next prompt.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vizkv.scenario import MAX_SLOTS, ScenarioError, Workload
from vizkv.told import told
from vizkv.workload.lengths import lognormal
from vizkv.workload.rows import Row

STEP = Workload.STEP
MAX_NAMED = 200_000_000  # prompt tokens of all requests together: their names must fit


def draw_conversations(
    workload: Workload, starts: Callable[[float], list[float]],
    texts: np.random.Generator, answers: np.random.Generator, thinking: np.random.Generator,
) -> list[Row]:  # fmt: skip
    """The requests of all conversations in the order of arrival.

    ``starts``: the times at which things begin that come at a given rate. The k-th conversation is the same whatever
    the rate. Raises ScenarioError where the prompts would be too long to be named.
    """
    turns = workload.turns
    begin = np.array(starts(workload.rate / turns))
    shape = (len(begin), turns)
    user = lognormal(texts, workload.user_median, workload.user_sigma, shape)
    output = lognormal(answers, workload.output_median, workload.output_sigma, shape)
    pauses = thinking.exponential(1.0, shape) * workload.think_s
    pauses[:, 0] = 0  # what passes before the first prompt is the arrivals' matter
    times = begin[:, None] + np.cumsum(pauses, axis=1)
    prompts = workload.system_tokens + np.cumsum(user, axis=1)
    prompts[:, 1:] += np.cumsum(output, axis=1)[:, :-1]
    asked = (times < workload.duration) & (prompts <= MAX_SLOTS)
    if (total := int(prompts[asked].sum())) > MAX_NAMED:
        raise ScenarioError(
            told(
                "The conversations have {total} prompt tokens in all; valid is at most {max_named}: give fewer "
                "turns, shorter texts or a shorter duration.",
                total=total,
                max_named=MAX_NAMED,
            )
        )
    system = workload.system_tokens // STEP
    rows, fresh = [], system
    for k in range(len(begin)):
        last = int(asked[k].sum())  # times and prompts only grow: what is asked comes first
        if not last:
            continue
        own = -(-int(prompts[k, last - 1]) // STEP) - system
        names = (*range(system), *range(fresh, fresh + own))
        fresh += own
        for turn in range(last):
            prompt = int(prompts[k, turn])
            rows.append(Row(float(times[k, turn]), prompt, int(output[k, turn]), names[: -(-prompt // STEP)], STEP))
    rows.sort(key=lambda row: row.time_s)
    return rows
