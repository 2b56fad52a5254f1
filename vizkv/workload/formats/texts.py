"""Formats with texts instead of lengths: the conversations of ShareGPT, and the custom dataset of vLLM's benchmark.

They have no times; a tokenizer counts their lengths.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from vizkv.limits.limits import MAX_WORKLOAD_REQUESTS
from vizkv.messages.sentence import joined, told
from vizkv.scenario.schema import MAX_SLOTS
from vizkv.workload.formats.base import (
    Place,
    Recorded,
    Records,
    Rows,
    missing,
    parsed,
    text,
    tokens,
    too_many,
)

Encode = Callable[[Sequence[str]], Sequence[Sequence[int]]]
"""Returns the token ids of several texts; for one empty text, the ids that the tokenizer puts before every prompt."""

OUTPUT_TOKENS = 256  # of a request that does not give them: the default of vLLM's --custom-output-len
_BATCH = 64  # conversations tokenized at once
_USERS, _MODELS = ("human", "user"), ("gpt", "chatgpt", "assistant", "bing", "bard")


class Message(NamedTuple):
    """A message of a conversation. ``output``: number of tokens of an answer without a text, else 0."""

    is_answer: bool
    text: str
    output: int = 0


Conversation = tuple[Message, ...]


@dataclass(eq=False)
class Texts:
    """Conversations in the file's order. Each answer is a request, with all messages before it as its prompt.

    ``requests``: number of answers that have a prompt. ``left_out``: number of conversations without such an answer.
    """

    format: str
    conversations: list[Conversation]
    requests: int
    left_out: int = 0
    timed: bool = False
    step: int = 1
    _known: dict[str, tuple[Rows, Iterator[None]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return self.requests

    def counted(self, tokenizer: str, encode: Encode, wanted: int) -> Recorded:
        """Return at least the first ``wanted`` requests, or all; counted tokens are cached.

        ``tokenizer``: the name of ``encode``, as cache key. Raises ScenarioError.
        """
        with self._lock:
            if tokenizer not in self._known:
                rows = Rows(self.format)
                self._known[tokenizer] = rows, self._count(rows, encode)
            rows, more = self._known[tokenizer]
            while len(rows.times) < wanted and next(more, True) is None:
                pass
            return rows.recorded(self.format, 1, timed=False)

    def _count(self, rows: Rows, encode: Encode) -> Iterator[None]:
        """Append requests to ``rows``; each ``next()`` tokenizes another batch of conversations."""
        left, (opening,) = iter(self.conversations), encode([""])
        while batch := list(islice(left, _BATCH)):
            found = iter(encode([message.text for conversation in batch for message in conversation]))
            for conversation in batch:
                said = array("i", opening)
                asked: list[tuple[int, int]] = []
                for message in conversation:
                    ids = next(found)
                    output = message.output or len(ids)
                    if message.is_answer and len(said) > len(opening) and output:
                        asked.append((len(said), min(output, MAX_SLOTS)))
                    said.extend(ids)
                whole = memoryview(said)  # each prompt is a prefix of it and needs no copy
                for prompt, output in asked:
                    if prompt <= MAX_SLOTS:
                        rows.add(0.0, prompt, output, whole[:prompt], own=False)
            yield


class ShareGPT:
    """``conversations``: a list of messages with ``from`` and ``value``."""

    name = "sharegpt"
    kind = "json"
    required = ("conversations",)
    marks = ("conversations",)
    fields = joined(required)

    def read(self, records: Records, name: str) -> Texts:
        """Return the conversations of a file. Raises ScenarioError."""
        found, requests, left_out = list[Conversation](), 0, 0
        for place, record in records:
            missing(place, record, self.required, self.fields)
            conversation = tuple(self._messages(place, record["conversations"]))
            asked = sum(
                message.is_answer and any(before.text for before in conversation[:index])
                for index, message in enumerate(conversation)
            )
            if asked:
                found.append(conversation)
            requests += asked
            left_out += not asked
            if requests > MAX_WORKLOAD_REQUESTS:
                raise too_many(name)
        return Texts(self.name, found, requests, left_out)

    def _messages(self, place: Place, value: Any) -> Iterator[Message]:
        """Yield the messages that have a text."""
        for message in parsed(place, "conversations", value, _objects, told("a list of messages")):
            missing(place, message, ("from", "value"), told("from and value"))
            who = parsed(place, "from", message["from"], _speaker, joined(map(repr, (*_USERS, *_MODELS, "system"))))
            said = text(place, "value", message["value"])
            if said.strip():
                yield Message(who in _MODELS, said)


class VllmCustom:
    """``prompt``: a text. ``output_tokens``, optional: number of tokens to sample."""

    name = "vllm-custom"
    kind = "json"
    required = ("prompt",)
    marks = ("prompt",)
    fields = told("{required} and, if wanted, {optional}", required="prompt", optional="output_tokens")

    def read(self, records: Records, name: str) -> Texts:
        """Return the requests of a file. Raises ScenarioError."""
        found: list[Conversation] = []
        for place, record in records:
            missing(place, record, self.required, self.fields)
            prompt = parsed(place, "prompt", record["prompt"], _spoken, told("a text that is not empty"))
            given = record.get("output_tokens")
            output = OUTPUT_TOKENS if given is None else tokens(place, "output_tokens", given)
            found.append((Message(False, prompt), Message(True, "", output)))
            if len(found) > MAX_WORKLOAD_REQUESTS:
                raise too_many(name)
        return Texts(self.name, found, len(found))


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise TypeError
    return value


def _speaker(value: Any) -> str:
    if value not in (*_USERS, *_MODELS, "system"):
        raise ValueError
    return str(value)


def _spoken(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


SHAREGPT, VLLM_CUSTOM = ShareGPT(), VllmCustom()
