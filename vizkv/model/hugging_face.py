"""``config.json`` of a Llama-architecture folder, both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vizkv.messages.reasons import reason
from vizkv.messages.sentence import joined, told
from vizkv.model.errors import ModelError
from vizkv.model.llama import LlamaConfig

_SCALING_FIELDS = {
    "default": (),
    "linear": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"),
}


def config_to_hugging_face(config: LlamaConfig, dtype: str = "float16") -> dict[str, Any]:
    """config.json of a Llama-architecture model."""
    eos = list(config.eos_ids)
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": config.max_positions,
        "rms_norm_eps": config.rms_eps,
        "rope_theta": config.rope_theta,
        "rope_scaling": config.rope_scaling or None,
        "tie_word_embeddings": config.tied,
        "attention_bias": config.bias,
        "mlp_bias": config.mlp_bias,
        "bos_token_id": eos[0] if eos else None,
        "eos_token_id": eos[0] if len(eos) == 1 else eos or None,
        "torch_dtype": dtype,
    }


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object from a file, or ModelError."""
    if not file.is_file():
        raise ModelError(told("{parent} has no {name}.", parent=file.parent, name=file.name))
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(told("{file} is not valid JSON: {error}.", file=file, error=reason(error))) from error
    if not isinstance(found, dict):
        raise ModelError(told("{file} is not a JSON object.", file=file))
    return found


def read_config(folder: Path) -> LlamaConfig:
    """The configuration of a folder; ids that end a text also from ``generation_config.json``, where there is one."""
    file = folder / "config.json"
    raw = read_json(file)
    generation = folder / "generation_config.json"
    also_ends = read_json(generation).get("eos_token_id") if generation.is_file() else None
    return config_from_hugging_face(raw, str(file), also_ends)


def config_from_hugging_face(raw: dict[str, Any], source: str, also_ends: Any = None) -> LlamaConfig:
    """Check a ``config.json`` and take from it what the model needs. Raises ModelError, which names ``source``."""
    kind = raw.get("model_type") or next(iter(raw.get("architectures") or ()), None)
    if kind not in ("llama", "LlamaForCausalLM"):
        raise ModelError(
            told(
                "{source} describes a model of type {kind!r}; only the Llama architecture can be run.",
                source=source,
                kind=kind,
            )
        )
    if raw.get("quantization_config"):
        raise ModelError(
            told("{source} describes quantised weights; give the unquantised folder, or a GGUF file.", source=source)
        )
    if raw.get("hidden_act", "silu") != "silu":
        raise ModelError(
            told(
                "{source}: hidden_act = {hidden_act!r} is not Llama's; only 'silu' can be run.",
                source=source,
                hidden_act=raw["hidden_act"],
            )
        )
    hidden = _count(raw, "hidden_size", source)
    heads = _count(raw, "num_attention_heads", source)
    head_dim = _count(raw, "head_dim", source, hidden // heads)
    kv_heads = _count(raw, "num_key_value_heads", source, heads)
    if heads % kv_heads or head_dim % 2:
        raise ModelError(
            told(
                "{source}: {heads} query heads cannot share {kv_heads} key/value heads of {head_dim} numbers "
                "each; the first must be a multiple of the second, and the third even.",
                source=source,
                heads=heads,
                kv_heads=kv_heads,
                head_dim=head_dim,
            )
        )
    theta, scaling = _rotation(raw, source)
    ends = {i for value in (raw.get("eos_token_id"), also_ends) for i in _ids(value)}
    return LlamaConfig(
        vocab_size=_count(raw, "vocab_size", source),
        hidden_size=hidden,
        layers=_count(raw, "num_hidden_layers", source),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate_size=_count(raw, "intermediate_size", source),
        rms_eps=_number(raw, "rms_norm_eps", source, 1e-6),
        rope_theta=theta,
        max_positions=_count(raw, "max_position_embeddings", source, 2048),
        tied=bool(raw.get("tie_word_embeddings", False)),
        bias=bool(raw.get("attention_bias", False)),
        mlp_bias=bool(raw.get("mlp_bias", False)),
        eos_ids=tuple(sorted(ends)),
        rope_scaling=scaling,
    )


def _rotation(raw: dict[str, Any], source: str) -> tuple[float, dict[str, Any]]:
    """Base and scaling of the rotary positions, from ``rope_parameters`` (new) or ``rope_theta``, ``rope_scaling``."""
    parameters = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    if not isinstance(parameters, dict):
        raise ModelError(
            told(
                "{source}: the rope parameters are {parameters!r}, not an object.", source=source, parameters=parameters
            )
        )
    theta = _number({"rope_theta": raw.get("rope_theta", 10_000.0)} | parameters, "rope_theta", source, 10_000.0)
    kind = parameters.get("rope_type", parameters.get("type", "default"))
    if kind not in _SCALING_FIELDS:
        raise ModelError(
            told(
                "{source}: rope type {kind!r} cannot be run; {scaling_fields} can.",
                source=source,
                kind=kind,
                scaling_fields=joined(_SCALING_FIELDS),
            )
        )
    if kind == "default":
        return theta, {}
    return theta, {"rope_type": kind} | {n: _number(parameters, n, source) for n in _SCALING_FIELDS[kind]}


def _ids(value: Any) -> list[int]:
    return [i for i in (value if isinstance(value, list) else [value]) if isinstance(i, int)]


def _count(raw: dict[str, Any], name: str, source: str, default: int | None = None) -> int:
    value = default if raw.get(name) is None else raw[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ModelError(
            told("{source}: {name} is {value!r}, not a positive whole number.", source=source, name=name, value=value)
        )
    return value


def _number(raw: dict[str, Any], name: str, source: str, default: float | None = None) -> float:
    value = default if raw.get(name) is None else raw[name]
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise ModelError(
            told("{source}: {name} is {value!r}, not a positive number.", source=source, name=name, value=value)
        )
    return float(value)
