"""Text to token ids and back, and the text of one single token as the screen shows it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import tokenizers

from vizkv.messages.reasons import reason
from vizkv.messages.sentence import Told, told
from vizkv.model.errors import ModelError

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")  # how SentencePiece vocabularies write a byte that has no token


def _byte_alphabet() -> dict[str, int]:
    """The character that stands for each byte in a byte-level vocabulary (GPT-2's).

    Bytes that are printable in Latin-1 stand for themselves; the others take the code points from 256 on, in order.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = (byte for byte in range(256) if byte not in printable)
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(hidden)}


_BYTES = _byte_alphabet()


class Tokenizer:
    """A `tokenizers` tokenizer with the ids that end a text.

    It puts a beginning-of-text token before a text where the model's own tokenizer does.
    """

    def __init__(self, backend: tokenizers.Tokenizer, eos_ids: Iterable[int] = ()):
        self.backend = backend
        self.eos_ids = tuple(eos_ids)
        self.vocab_size: int = max(backend.get_vocab().values(), default=-1) + 1
        decoder = backend.decoder
        self._byte_level = decoder is not None and b'"ByteLevel"' in decoder.__getstate__()

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""
        return self.backend.encode(text).ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids, special tokens included: nothing that was computed is hidden."""
        return self.backend.decode(list(ids), skip_special_tokens=False)

    def piece(self, token: int) -> str:
        """The text of one token. Bytes that are only a part of a character are written out, as in ``\\xe2\\x82``."""
        text = self.backend.id_to_token(token)
        if text is None:
            return f"[{token}]"  # a row of the embedding that the vocabulary does not use
        if self._byte_level:
            if not all(character in _BYTES for character in text):
                return text  # an added token: it stands as it is
            return bytes(_BYTES[character] for character in text).decode("utf-8", "backslashreplace")
        if byte := _BYTE_TOKEN.fullmatch(text):
            return bytes.fromhex(byte[1]).decode("utf-8", "backslashreplace")
        return text.replace("▁", " ")


def read_tokenizer(file: Path, eos_ids: Iterable[int]) -> Tokenizer:
    """Read a Hugging Face ``tokenizer.json``."""
    if not file.is_file():
        raise ModelError(told("{parent} has no {name}.", parent=file.parent, name=file.name))
    try:
        backend = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the Rust side raises plain Exception
        raise ModelError(
            told("{file} is not a tokenizer that can be read: {error}.", file=file, error=_why(file))
        ) from error
    return Tokenizer(backend, eos_ids)


def _why(file: Path) -> Told:
    """Why the reader gave up, as far as the file itself tells."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        return reason(error)
    if not isinstance(found, dict) or "model" not in found:
        return told("it has no field {name}", name="model")
    return told("its vocabulary, its merges and its rules do not fit together")
