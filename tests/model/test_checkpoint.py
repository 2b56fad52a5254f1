"""Hugging Face folders: the same logits as transformers, and one sentence for what cannot be read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers

from vizkv.model import ModelError, load_model
from vizkv.model.registry import TINY

LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500_000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}  # fmt: skip
IDS = torch.tensor([[(5 * i * i + i) % 4096 for i in range(48)]])


def save_random(folder: Path, dtype: torch.dtype = torch.float32, shard: str = "5GB", **changes) -> torch.Tensor:
    """Have transformers write a random small Llama; returns its logits for IDS."""
    torch.manual_seed(2)
    sizes = {
        "vocab_size": 4096, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 96, "max_position_embeddings": 128, "initializer_range": 0.2,
    }  # fmt: skip
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes | changes)).eval()
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    shutil.copy(TINY / "tokenizer.json", folder)
    # read again: a conversion in memory would also have rounded the rotation
    model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        return model(IDS).logits


def edit_config(folder: Path, **changes) -> None:
    file = folder / "config.json"
    raw = json.loads(file.read_text()) | changes
    file.write_text(json.dumps({name: value for name, value in raw.items() if value is not None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"tie_word_embeddings": False},
        {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True},
        {"head_dim": 32, "num_key_value_heads": 1},
        {"rope_parameters": LLAMA3},
        {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10_000.0}},
        {"dtype": torch.bfloat16},
        {"dtype": torch.float16},
        {"shard": "200KB"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_logits_equal_those_of_transformers(tmp_path, changes):
    expected = save_random(tmp_path, **changes)
    logits = load_model(str(tmp_path)).model(IDS)
    assert expected.abs().max() > 1  # the comparison means something
    assert (logits - expected).abs().max() < 1e-4


def test_the_sharded_folder_of_that_test_really_has_several_files(tmp_path):
    save_random(tmp_path, shard="200KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1


def test_old_and_new_keys_of_the_rotation_mean_the_same(tmp_path):
    expected = save_random(tmp_path, rope_parameters=LLAMA3)
    scaling = {name: value for name, value in LLAMA3.items() if name != "rope_theta"}
    edit_config(tmp_path, rope_parameters=None, rope_theta=500_000.0, rope_scaling=scaling)
    assert (load_model(str(tmp_path)).model(IDS) - expected).abs().max() < 1e-4


def test_a_configuration_without_head_dim_divides_the_hidden_size(tmp_path):
    expected = save_random(tmp_path)
    edit_config(tmp_path, head_dim=None)
    assert (load_model(str(tmp_path)).model(IDS) - expected).abs().max() < 1e-4


def test_transformers_reads_the_embedded_checkpoint_and_agrees(tiny):
    theirs = transformers.AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32).eval()
    with torch.inference_mode():
        expected = theirs(IDS).logits
    assert (tiny.model(IDS) - expected).abs().max() < 1e-4


def test_what_is_saved_loads_as_the_same_model(tmp_path, tiny):
    from vizkv.model.checkpoint import save_checkpoint

    save_checkpoint(tiny.model, tmp_path)
    shutil.copy(TINY / "tokenizer.json", tmp_path)
    again = load_model(str(tmp_path))
    assert again.config == tiny.config
    assert torch.equal(again.model(IDS), tiny.model(IDS))


def test_every_id_that_ends_a_text_is_known(tmp_path):
    save_random(tmp_path)
    edit_config(tmp_path, eos_token_id=7)
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [9, 8]}')
    assert load_model(str(tmp_path)).tokenizer.eos_ids == (7, 8, 9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A good folder, to be copied and spoiled."""
    made = tmp_path_factory.mktemp("good")
    save_random(made)
    return made


@pytest.fixture
def spoiled(folder, tmp_path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "model"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "gpt2"}, "model of type 'gpt2'; only the Llama architecture"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 2.0}}, "rope type 'yarn' cannot be run; default, linear"),
        ({"rope_parameters": {"rope_type": "linear"}}, "factor is None, not a positive number"),
        ({"hidden_act": "gelu"}, "hidden_act = 'gelu'"),
        ({"hidden_size": "64"}, "hidden_size is '64', not a positive whole number"),
        ({"num_key_value_heads": 3}, "4 query heads cannot share 3"),
        ({"quantization_config": {"bits": 4}}, "quantised weights"),
        ({"intermediate_size": 100}, "has the shape [96, 64], but the configuration asks for [100, 64]"),
        ({"num_hidden_layers": 3}, "has no tensor 'model.layers.2.input_layernorm.weight'"),
        ({"vocab_size": 300}, "the tokenizer has 4096 tokens, but the model knows only 300"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_configuration_that_cannot_be_run_is_refused(spoiled, changes, says):
    edit_config(spoiled, **changes)
    with pytest.raises(ModelError) as refused:
        load_model(str(spoiled))
    assert says in str(refused.value)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(spoiled, name):
    (spoiled / name).unlink()
    with pytest.raises(ModelError, match=f"has no {name}"):
        load_model(str(spoiled))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("keep", [0, 5, 1000, -10])
def test_a_truncated_file_is_named(spoiled, name, keep):
    content = (spoiled / name).read_bytes()
    (spoiled / name).write_bytes(content[:keep] if len(content) > abs(keep) else content[:-2])
    with pytest.raises(ModelError, match=name):
        load_model(str(spoiled))


def test_a_missing_shard_is_named(tmp_path):
    save_random(tmp_path, shard="200KB")
    lost = sorted(tmp_path.glob("*.safetensors"))[1]
    lost.unlink()
    with pytest.raises(ModelError, match=f"lacks {lost.name}"):
        load_model(str(tmp_path))


def test_whole_numbers_are_not_weights(spoiled):
    from safetensors.torch import load_file, save_file

    weights = load_file(spoiled / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"].to(torch.int8)
    save_file(weights, spoiled / "model.safetensors")
    with pytest.raises(ModelError, match="stored as I8"):
        load_model(str(spoiled))
