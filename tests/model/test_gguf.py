"""GGUF files: the same model as the folder they were made from, and the tokenizers they describe."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from vizkv.model import ModelError, load_model
from vizkv.model.llama import Llama, LlamaConfig
from vizkv.model.registry import TINY
from vizkv.model.tokenizer import read_tokenizer
from vizkv.model.weights import to_hugging_face

from .conftest import random_model

F16, Q8_0 = gguf.GGMLQuantizationType.F16, gguf.GGMLQuantizationType.Q8_0
CONFIG = LlamaConfig(
    vocab_size=4096, hidden_size=64, layers=2, heads=4, kv_heads=2, head_dim=16, intermediate_size=96,
    max_positions=128, tied=False, bias=True,
)  # fmt: skip
IDS = torch.tensor([[(5 * i * i + i) % 4096 for i in range(40)]])
TEXT = "Four score, 1863: we don't  know\n\n\tof 12345 naïve 東京 things!!"


def llama_cpp_order(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows of q and k as llama.cpp's converter writes them: the halves of each head interleaved."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def write(file: Path, model: Llama, kind=F16, architecture="llama", pre="gpt-2", tokenizer="gpt2", extra=()) -> Llama:
    """Write a model as GGUF; the model itself takes on the rounded weights, so that the two must agree."""
    c = model.config
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_block_count(c.layers)
    writer.add_context_length(c.max_positions)
    writer.add_embedding_length(c.hidden_size)
    writer.add_feed_forward_length(c.intermediate_size)
    writer.add_head_count(c.heads)
    writer.add_head_count_kv(c.kv_heads)
    writer.add_layer_norm_rms_eps(c.rms_eps)
    writer.add_rope_freq_base(c.rope_theta)
    for add in extra:
        add(writer)
    vocabulary = json.loads((TINY / "tokenizer.json").read_text())["model"]
    tokens = sorted(vocabulary["vocab"], key=vocabulary["vocab"].get)
    writer.add_tokenizer_model(tokenizer)
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3] + [1] * (len(tokens) - 1))
    writer.add_token_merges([" ".join(pair) for pair in vocabulary["merges"]])
    writer.add_eos_token_id(0)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, c.layers)
    for name, tensor in to_hugging_face(model).items():
        stored = gguf.GGMLQuantizationType.F32 if tensor.dim() == 1 else kind
        values = tensor.numpy().copy()
        if stored != gguf.GGMLQuantizationType.F32:
            tensor.copy_(torch.from_numpy(gguf.dequantize(gguf.quantize(values, stored), stored).reshape(values.shape)))
        if ".q_proj." in name or ".k_proj." in name:
            values = llama_cpp_order(values, c.heads if ".q_proj." in name else c.kv_heads)
        raw = gguf.quantize(np.ascontiguousarray(values), stored)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), raw, raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


@pytest.mark.parametrize("kind", [F16, Q8_0], ids=["F16", "Q8_0"])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_a_file_gives_the_weights_that_were_written(tmp_path, kind, tied):
    from dataclasses import replace

    model = write(tmp_path / "small.gguf", random_model(replace(CONFIG, tied=tied, bias=not tied)), kind)
    loaded = load_model(str(tmp_path / "small.gguf"))
    assert (loaded.model(IDS) - model(IDS)).abs().max() < 1e-4
    assert (loaded.config.tied, loaded.config.bias, loaded.tokenizer.eos_ids) == (tied, not tied, (0,))


def test_rotation_scaling_comes_from_metadata_or_from_divisors(tmp_path):
    from dataclasses import replace

    linear = replace(CONFIG, rope_scaling={"rope_type": "linear", "factor": 4.0})
    scaled = [lambda w: w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR), lambda w: w.add_rope_scaling_factor(4.0)]
    model = write(tmp_path / "linear.gguf", random_model(linear), extra=scaled)
    assert (load_model(str(tmp_path / "linear.gguf")).model(IDS) - model(IDS)).abs().max() < 1e-4
    divisors = [1.0, 1.0, 1.5, 2.0, 4.0, 8.0, 8.0, 8.0]
    divided = replace(CONFIG, rope_scaling={"rope_type": "divisors", "divisors": divisors})
    add = [lambda w: w.add_tensor("rope_freqs.weight", np.array(divisors, np.float32))]
    model = write(tmp_path / "divided.gguf", random_model(divided), extra=add)
    assert (load_model(str(tmp_path / "divided.gguf")).model(IDS) - model(IDS)).abs().max() < 1e-4


def test_the_tokenizer_of_a_file_equals_the_one_it_was_made_from(tmp_path):
    write(tmp_path / "small.gguf", random_model(CONFIG))
    ours, original = load_model(str(tmp_path / "small.gguf")).tokenizer, read_tokenizer(TINY / "tokenizer.json", ())
    assert ours.encode(TEXT) == original.encode(TEXT)
    assert ours.encode("<|endoftext|>") == [0]
    assert ours.decode(ours.encode(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("pre", "digits"),
    [("smollm", ["1", "2", "3", "4", "5"]), ("llama-bpe", ["123", "45"]), ("default", ["123", "45"])],
)
def test_numbers_are_cut_as_the_file_says(tmp_path, pre, digits):
    write(tmp_path / "small.gguf", random_model(CONFIG), pre=pre)
    backend = load_model(str(tmp_path / "small.gguf")).tokenizer.backend
    assert [text for text, _ in backend.pre_tokenizer.pre_tokenize_str("12345")] == digits


def test_a_file_may_ask_for_a_token_at_the_beginning(tmp_path):
    extra = [lambda w: w.add_bos_token_id(0), lambda w: w.add_add_bos_token(True)]
    write(tmp_path / "small.gguf", random_model(CONFIG), extra=extra)
    loaded = load_model(str(tmp_path / "small.gguf"))
    assert loaded.tokenizer.encode("years")[0] == 0
    assert loaded.filler(300, 1).count(0) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"architecture": "qwen2"}, "model of type 'qwen2'; only the Llama architecture"),
        ({"tokenizer": "llama"}, "a tokenizer of kind 'llama'; only byte-level BPE"),
        ({"pre": "tekken"}, "cuts words as 'tekken'"),
        ({"extra": [lambda w: w.add_expert_count(8)]}, "llama with experts"),
        ({"extra": [lambda w: w.add_rope_scaling_type(gguf.RopeScalingType.YARN)]}, "rope type 'yarn'"),
        ({"extra": [lambda w: w.add_key_length(32)]}, "has the shape [64, 64], but the configuration asks for"),
    ],
    ids=["architecture", "tokenizer", "words", "experts", "rope", "shape"],
)
def test_a_file_that_cannot_be_run_is_refused(tmp_path, changes, says):
    write(tmp_path / "small.gguf", random_model(CONFIG), **changes)
    with pytest.raises(ModelError) as refused:
        load_model(str(tmp_path / "small.gguf"))
    assert says in str(refused.value)


@pytest.mark.parametrize("keep", [0, 3, 100, 60_000, -100])
def test_a_truncated_file_is_refused(tmp_path, keep):
    file = tmp_path / "small.gguf"
    write(file, random_model(CONFIG))
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ModelError, match=r"small\.gguf is truncated or not a GGUF file"):
        load_model(str(file))


def test_without_the_package_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "any.gguf").write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(ModelError, match=r"install vizkv\[gguf\]\.$"):
        load_model(str(tmp_path / "any.gguf"))
