"""Names: which are valid, where they lead, what is said about the others."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
import torch

from vizkv.model import ModelError, available_models, load_model
from vizkv.model.registry import TINY


def test_the_embedded_model_is_always_there(tiny):
    assert available_models()[0].name == "tiny" and available_models()[0].installed
    assert tiny.name == "tiny" and tiny.config == tiny.model.config


def test_a_model_is_float32_and_for_inference_only(tiny):
    assert {p.dtype for p in tiny.model.parameters()} == {torch.float32}
    assert not tiny.model.training and not any(p.requires_grad for p in tiny.model.parameters())


def test_a_folder_in_the_cache_is_a_name(own_cache):
    assert [m.name for m in available_models()] == ["tiny", "smollm2"]
    shutil.copytree(TINY, own_cache / "mine")
    assert ("mine", True) in {(m.name, m.installed) for m in available_models()}
    assert load_model("mine").config.layers == 4


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("huge", "There is no model 'huge'; valid are 'tiny', 'smollm2', a Llama folder, or a GGUF file."),
        ("", "There is no model ''; valid are"),
        ("smollm2", "is not installed yet: run `vizkv model add smollm2`."),
        ("somewhere/else", "There is no model file or folder 'somewhere/else'; valid is"),
        ("lost.gguf", "There is no model file or folder 'lost.gguf'; valid is"),
    ],
)
def test_an_unknown_name_is_told_what_is_valid(name, says):
    with pytest.raises(ModelError) as refused:
        load_model(name)
    assert says in str(refused.value)


def test_a_weights_file_is_told_to_come_with_its_folder():
    with pytest.raises(ModelError, match="give the folder"):
        load_model(str(TINY / "model.safetensors"))


def test_of_several_gguf_files_one_must_be_named(tmp_path):
    (tmp_path / "a.gguf").touch()
    (tmp_path / "b.gguf").touch()
    with pytest.raises(ModelError, match="holds 2 GGUF files"):
        load_model(str(tmp_path))


def test_an_empty_folder_has_no_configuration(tmp_path):
    with pytest.raises(ModelError, match=r"has no config\.json"):
        load_model(str(tmp_path))


def test_naming_models_does_not_load_torch():
    code = (
        "import sys, vizkv.model, vizkv.model.add; vizkv.model.available_models(); "
        "sys.exit(bool({'torch', 'gguf', 'tokenizers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("environment", "threads"), [({}, 1), ({"OMP_NUM_THREADS": "2"}, 2), ({"TORCH_NUM_THREADS": "3"}, 3)]
)
def test_one_thread_unless_the_environment_says_otherwise(monkeypatch, environment, threads):
    for name in ("OMP_NUM_THREADS", "TORCH_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    load_model("tiny")
    found = torch.get_num_threads()
    torch.set_num_threads(before)
    assert found == threads


def test_a_wrong_number_of_threads_is_refused(monkeypatch):
    monkeypatch.setenv("TORCH_NUM_THREADS", "many")
    with pytest.raises(ModelError, match="TORCH_NUM_THREADS is 'many'"):
        load_model("tiny")
