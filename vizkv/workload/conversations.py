"""Synthetic conversations, for use without a recorded trace: chats in which each prompt repeats the chat so far.

Nothing here was measured. All prompts begin with one system prompt of ``system_tokens``, the same in every
conversation; the prompt of the next turn is the previous prompt, its answer, and a new text of the user. The lengths of
the user's texts and of the answers are log-normal (``user_median``, ``user_sigma``, ``output_median``,
``output_sigma``). The time between two prompts of a conversation is exponential with the mean ``think_s``; it covers
waiting for the answer, reading and typing. It does not depend on how fast a system answers, so that every system gets
the same requests.

Conversations begin according to ``arrivals``, at the rate ``rate / turns``, so that ``rate`` is the number of requests
per second once the first conversations have ended. Each has ``turns`` prompts; those after ``duration`` are left out.

Prompts have content hashes as in a recorded trace, but one per 16 tokens instead of 512: those of the system prompt are
the same in all conversations, the others belong to one conversation. As in such a trace, only prompts have hashes: an
answer is new content until it is repeated in the next prompt.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vizkv.messages.sentence import told
from vizkv.scenario.schema import MAX_SLOTS, ScenarioError, Workload
from vizkv.workload.lengths import lognormal
from vizkv.workload.rows import Row

STEP = Workload.STEP
MAX_NAMED = 200_000_000  # prompt tokens of all requests together: their hashes must fit into memory


def draw_conversations(
    workload: Workload, starts: Callable[[float], list[float]],
    texts: np.random.Generator, answers: np.random.Generator, thinking: np.random.Generator,
) -> list[Row]:  # fmt: skip
    """Return the requests of all conversations in the order of arrival.

    ``starts``: returns arrival times for a rate. ``texts``, ``answers``, ``thinking``: a generator each for the user's
    texts, the answers and the pauses; the k-th conversation does not depend on the rate. Raises ScenarioError if all
    prompts together have too many tokens.
    """
    turns = workload.turns
    begin = np.array(starts(workload.rate / turns))
    shape = (len(begin), turns)
    user = lognormal(texts, workload.user_median, workload.user_sigma, shape)
    output = lognormal(answers, workload.output_median, workload.output_sigma, shape)
    pauses = thinking.exponential(1.0, shape) * workload.think_s
    pauses[:, 0] = 0  # the first prompt comes when the conversation begins
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
        last = int(asked[k].sum())  # times and prompts only grow, so the turns that are kept come first
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
