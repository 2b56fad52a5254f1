"""Text, ids and the text of single tokens."""

from __future__ import annotations

import tokenizers
from tokenizers import decoders, models, pre_tokenizers

from vizkv.model.tokenizer import Tokenizer


def test_the_papers_prompt_is_one_token_a_word(tiny):
    words = [tiny.tokenizer.piece(i) for i in tiny.tokenizer.encode("Four score and seven years ago our")]
    assert words == ["Four", " score", " and", " seven", " years", " ago", " our"]


def test_any_text_comes_back_whole(tiny):
    for text in ("", " ", "a\n\n b\t", "naïve 東京 🙂 don't", "\x00\x7f", "<|endoftext|>tail"):
        assert tiny.tokenizer.decode(tiny.tokenizer.encode(text)) == text


def test_pieces_of_plain_text_join_to_the_text(tiny):
    text = "We hold these truths\n\nto be self-evident."
    assert "".join(tiny.tokenizer.piece(i) for i in tiny.tokenizer.encode(text)) == text


def test_a_part_of_a_character_is_shown_as_its_bytes(tiny):
    assert [tiny.tokenizer.piece(i) for i in tiny.tokenizer.encode("é")] == ["\\xc3", "\\xa9"]


def test_every_token_has_a_piece(tiny):
    pieces = [tiny.tokenizer.piece(i) for i in range(tiny.tokenizer.vocab_size)]
    assert all(pieces) and len(pieces) == tiny.config.vocab_size
    assert pieces[0] == "<|endoftext|>" and tiny.tokenizer.eos_ids == (0,)


def test_an_id_without_a_token_is_shown_as_its_number(tiny):
    assert tiny.tokenizer.piece(99_999) == "[99999]"


def test_sentencepiece_vocabularies_are_shown_as_text():
    vocabulary = {"<unk>": 0, "▁the": 1, "<0xE6>": 2, "<0x0A>": 3}
    backend = tokenizers.Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    assert [Tokenizer(backend).piece(i) for i in range(4)] == ["<unk>", " the", "\\xe6", "\n"]


def test_filler_has_the_asked_length_and_no_prefix_in_common(tiny):
    prompts = [tiny.filler(500, index) for index in range(30)]
    assert all(len(ids) == 500 for ids in prompts)
    assert len({tuple(ids[:16]) for ids in prompts}) == 30
    assert tiny.filler(1, 0) == tiny.filler(500, 0)[:1]
