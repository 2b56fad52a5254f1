"""Byte-level BPE tokenizers out of GGUF metadata. ``tokenizer.ggml.pre`` names the rule that cuts a text into words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers, processors
from tokenizers import Tokenizer as Backend

from vizkv.messages.sentence import Told, joined, told
from vizkv.model.errors import ModelError
from vizkv.model.tokenizer import Tokenizer

_CONTROL, _USER_DEFINED = 3, 4  # values of tokenizer.ggml.token_type

# the published word patterns of these vocabularies
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
_CUTS: dict[str, tuple[str, ...]] = {
    "gpt2": (_GPT2,),
    "digits": (r"\p{N}", _GPT2),  # each digit by itself
    "llama3": (_LLAMA3,),
    "qwen2": (_LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}"),),
    # llama.cpp's choice for files that do not say
    "default": (r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"),
}
_RULE_OF = {
    "default": "default",
    **dict.fromkeys(("gpt-2", "gpt2", "phi-2", "mpt", "olmo", "jais"), "gpt2"),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell"), "digits"),
    **dict.fromkeys(("llama3", "llama-v3", "llama-bpe", "falcon3"), "llama3"),
    **dict.fromkeys(("qwen2", "stablelm2"), "qwen2"),
}


def _why(metadata: dict[str, Any]) -> Told:
    for name in ("tokenizer.ggml.tokens", "tokenizer.ggml.merges"):
        if name not in metadata:
            return told("it has no field {name}", name=name)
    return told("its vocabulary, its merges and its rules do not fit together")


def build_tokenizer(metadata: dict[str, Any], eos_ids: Iterable[int], source: str) -> Tokenizer:
    """The tokenizer that the metadata describes. Raises ModelError if it is of a kind that cannot be built."""
    kind = metadata.get("tokenizer.ggml.model")
    if kind != "gpt2":
        raise ModelError(
            told(
                "{source} has a tokenizer of kind {kind!r}; only byte-level BPE ('gpt2') can be read.",
                source=source,
                kind=kind,
            )
        )
    pre = metadata.get("tokenizer.ggml.pre", "default")
    if pre not in _RULE_OF:
        raise ModelError(
            told(
                "{source} cuts words as {pre!r}; the rules that can be read are {rule_of}.",
                source=source,
                pre=pre,
                rule_of=joined(_RULE_OF),
            )
        )
    rule = _RULE_OF[pre]
    try:
        tokens: list[str] = metadata["tokenizer.ggml.tokens"]
        merges = [tuple(merge.split(" ", 1)) for merge in metadata["tokenizer.ggml.merges"]]
        model = models.BPE({t: i for i, t in enumerate(tokens)}, merges, ignore_merges=rule == "llama3")
    except Exception as error:  # the Rust side raises plain Exception
        raise ModelError(
            told("{source} has a tokenizer that cannot be read: {error}.", source=source, error=_why(metadata))
        ) from error
    backend = Backend(model)
    cuts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in _CUTS[rule]]
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [*cuts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    backend.decoder = decoders.ByteLevel()
    for token, type_ in zip(tokens, metadata.get("tokenizer.ggml.token_type", []), strict=False):
        if type_ in (_CONTROL, _USER_DEFINED):
            backend.add_tokens([AddedToken(token, special=type_ == _CONTROL, normalized=False)])
    bos = metadata.get("tokenizer.ggml.bos_token_id")
    # Llama 3 files begin a text with a token of its own even where they do not say so
    if bos is not None and metadata.get("tokenizer.ggml.add_bos_token", rule == "llama3"):
        backend.post_processor = processors.TemplateProcessing(
            single=[tokens[bos], "$A"], special_tokens=[(tokens[bos], bos)]
        )
    return Tokenizer(backend, eos_ids)
