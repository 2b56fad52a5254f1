"""What a model's config.json, as Hugging Face publishes it, says of its K and V: layers, windows, heads, parameters.

Read are Llama, Mistral, Mixtral, Qwen2 and Qwen3, Gemma, gpt-oss, Llama 4, DeepSeek, Kimi, Phi and what names its
fields as they do. ``head_dim`` is read where it is given; hidden_size / heads counts only where it is not. What a
config cannot say is named in ``notes``; what would give a wrong number is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vizkv.limits.files import read_file
from vizkv.limits.limits import MAX_CONFIG
from vizkv.limits.readers import TooMuch, parse_json
from vizkv.messages.reasons import reason
from vizkv.messages.sentence import Told, told
from vizkv.messages.validation import either, listed, shorten
from vizkv.scenario.hardware import HardwareError

FULL, SLIDING, CHUNKED = "full", "sliding", "chunked"
MAX_LAYERS, MAX_HEADS, MAX_SIZE, MAX_TOKENS = 10_000, 65_536, 10_000_000, 10**9

# names of one number, in the order in which they are tried
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
_KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
_HIDDEN = ("hidden_size", "n_embd", "d_model")
_HEAD_DIM = ("head_dim", "kv_channels")
_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "model_max_length")
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
_INNER = ("text_config", "llm_config", "language_config")  # where a model that also sees or hears keeps its text part

# what transformers puts in where a published config.json leaves a field out
_DEFAULTS: dict[str, dict[str, Any]] = {
    "gemma": {"head_dim": 256},
    "gemma2": {"head_dim": 256, "sliding_window": 4096, "sliding_window_pattern": 2, "num_key_value_heads": 4},
    "gemma3_text": {
        "head_dim": 256, "num_attention_heads": 8, "num_key_value_heads": 4, "sliding_window": 4096,
        "sliding_window_pattern": 6, "vocab_size": 262_208, "max_position_embeddings": 131_072,
    },
    "cohere2": {"sliding_window_pattern": 4},
    "gpt_oss": {"sliding_window_pattern": 2},
    "mistral": {"num_key_value_heads": 8},
    "mixtral": {"num_key_value_heads": 8},
    "llama4_text": {"no_rope_layer_interval": 4, "attention_chunk_size": 8192, "head_dim": 128},
}  # fmt: skip
_DEFAULTS["gemma3"] = _DEFAULTS["gemma3_text"]
_DEFAULTS["llama4"] = _DEFAULTS["llama4_text"]
_TIED = ("gemma", "gemma2", "gemma3", "gemma3_text", "cohere", "cohere2")  # one table for input and output
_TWO_MATRICES = (
    "phi",
    "gpt2",
    "opt",
    "gpt_neox",
    "falcon",
    "gptj",
    "starcoder2",
    "gpt_bigcode",
)  # of an MLP, not three
# their layers are as the fields that are read here say; of another model a note says that nobody looked
_KNOWN = {
    "llama", "mistral", "mixtral", "ministral", "mistral3", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "gemma",
    "gemma2", "gemma3", "gemma3_text", "gpt_oss", "llama4", "llama4_text", "deepseek_v2", "deepseek_v3", "deepseek_v32",
    "kimi_k2", "phi", "phi3", "phimoe", "gpt2", "opt", "gpt_neox", "cohere", "cohere2", "olmo", "olmo2", "starcoder2",
    "stablelm", "qwen2_vl_text", "qwen2_5_vl_text", "qwen3_vl_text", "qwen3_vl_moe_text", "glm4", "glm4_moe", "granite",
    "smollm3", "exaone4", "gemma3n_text", "qwen3_next", "minimax_m2",
}  # fmt: skip
# they have no attention at all
_RECURRENT = ("mamba", "mamba2", "falcon_mamba", "rwkv", "rwkv5", "rwkv6", "rwkv7", "xlstm")
_STATE_FIELDS = ("mamba_", "ssm_", "linear_num_", "linear_key_", "linear_value_", "linear_attn", "rwkv_", "time_step_")
# they give layers K and V of different sizes, or leave some out
_UNEVEN = ("block_configs", "global_head_dim", "num_global_key_value_heads", "compress_ratios")
_KINDS = {
    "full_attention": FULL, "attention": FULL, "full": FULL, "global": FULL, "global_attention": FULL,
    "sliding_attention": SLIDING, "sliding_window": SLIDING, "local": SLIDING, "local_attention": SLIDING,
    "chunked_attention": CHUNKED,
}  # fmt: skip
_STATES = ("linear_attention", "mamba", "mamba2", "conv", "recurrent", "hybrid", "ssm")  # they keep a state
_NONE = ("moe", "mlp")  # they keep nothing


@dataclass(frozen=True)
class LayerKind:
    """Layers with the same attention. ``window``: tokens that they keep at most; None for all."""

    kind: str
    layers: int
    window: int | None = None


@dataclass(frozen=True)
class ModelConfig:
    """What a config.json says of the memory that its model needs.

    ``attention``: the kinds of layers, in the order in which they first come. ``latent``: of multi-head latent
    attention, the numbers of the compressed K and V and of the rotary key, for all heads. ``positions``: tokens that
    the model can tell apart; None where it does not say. ``parameters``: estimated from the sizes, without vision and
    biases; None where a size is missing. ``weight_bits``: of a parameter as it is published. ``notes``: sentences about
    what is not counted.
    """

    model_type: str
    layers: int
    attention: tuple[LayerKind, ...]
    heads: int
    kv_heads: int
    head_dim: int
    latent: tuple[int, int] | None
    positions: int | None
    parameters: int | None
    weight_bits: float | None
    grouped: bool  # whether every layer with a cache is known, so that groups and slots can be told
    notes: tuple[Told, ...]

    @property
    def elements(self) -> int:
        """Numbers that one token leaves in one layer."""
        return sum(self.latent) if self.latent else 2 * self.kv_heads * self.head_dim


def load_config(path: str | Path) -> ModelConfig:
    """Read a file. Raises HardwareError."""
    try:
        raw = read_file(path, MAX_CONFIG)
    except OSError as error:
        raise HardwareError(told("The file {path!r} cannot be read: {why}.", path=str(path), why=error)) from None
    except ValueError:
        raise HardwareError(
            told("The file name {path} is not one that a file can have.", path=shorten(str(path)))
        ) from None
    return parse_config(raw, str(path))


def parse_config(raw: bytes, name: str = "config.json") -> ModelConfig:
    """Read the text of a file. Raises HardwareError."""
    if len(raw) > MAX_CONFIG:
        raise HardwareError(
            told(
                "The file {name!r} is larger than {most:,} bytes; valid is a model's config.json, which has a few "
                "thousand.",
                name=name,
                most=MAX_CONFIG,
            )
        )
    try:
        config = parse_json(raw)
    except TooMuch as error:
        raise HardwareError(str(error)) from None
    except ValueError as error:
        raise HardwareError(told("{file} is not valid JSON: {error}.", file=name, error=reason(error))) from None
    return read_config(config)


def read_config(config: Any) -> ModelConfig:
    """Read what a config.json holds, as the ``dict`` that it is. Raises HardwareError."""
    fields = _text_part(config)
    model_type = _model_type(fields, config)
    if model_type in _RECURRENT:
        raise HardwareError(
            told(
                "The field {where} is {value}: a model that keeps a state of fixed size and no K and V; valid is a "
                "model with attention.",
                where=fields.place("model_type"),
                value=shorten(model_type),
            )
        )
    fields = fields.with_defaults(_DEFAULTS.get(model_type, {}))
    _refuse_uneven(fields)
    layers = fields.whole(_LAYERS, 1, MAX_LAYERS)
    heads, kv_heads, head_dim, latent = _heads(fields)
    positions = fields.whole_or_none(_POSITIONS, 1, MAX_TOKENS)
    notes: list[Told] = []
    kinds, all_known = _kinds(fields, layers, positions, notes)
    if fields.has("index_head_dim"):
        all_known = False
        notes.append(
            told(
                "The field {where} is of an index that picks what attention reads: its keys lie in a cache of their "
                "own, which is not counted here.",
                where=fields.place("index_head_dim"),
            )
        )
    if model_type not in _KNOWN:
        notes.append(
            told(
                "The model type {value} is not among those that were checked: the numbers follow from its fields as of "
                "any transformer.",
                value=shorten(model_type),
            )
        )
    return ModelConfig(
        model_type, layers, kinds, heads, kv_heads, head_dim, latent, positions,
        _parameters(fields, model_type, layers, heads, kv_heads, head_dim), _weight_bits(fields, config), all_known,
        tuple(notes),
    )  # fmt: skip


# ---- fields ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fields:
    """A table of a file with the place where it stands. Every value is checked when it is read."""

    values: Mapping[str, Any]
    prefix: str = ""

    def place(self, name: str) -> str:
        return self.prefix + name

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def with_defaults(self, defaults: Mapping[str, Any]) -> _Fields:
        given = {name: value for name, value in self.values.items() if value is not None or name not in defaults}
        return _Fields({**defaults, **given, **self._nulls(defaults)}, self.prefix)

    def _nulls(self, defaults: Mapping[str, Any]) -> dict[str, None]:
        """A window that is written as null is none, not the default."""
        return {n: None for n in ("sliding_window", "attention_chunk_size") if n in defaults and n in self.values
                and self.values[n] is None}  # fmt: skip

    def refuse(self, name: str, value: Any, valid: object) -> HardwareError:
        return HardwareError(
            told(
                "The field {where} is {value}; valid is {valid}.",
                where=self.place(name),
                value=shorten(value),
                valid=valid,
            )
        )

    def whole_or_none(self, names: Sequence[str] | str, low: int, high: int) -> int | None:
        """The first of these fields that is given. Raises HardwareError for one that is no such number."""
        for name in [names] if isinstance(names, str) else names:
            value = self.values.get(name)
            if value is None:
                continue
            if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
                value = int(value)
            if type(value) is not int or not low <= value <= high:
                raise self.refuse(name, value, _whole(low, high))
            return value
        return None

    def whole(self, names: Sequence[str] | str, low: int, high: int) -> int:
        value = self.whole_or_none(names, low, high)
        if value is None:
            first = names if isinstance(names, str) else names[0]
            raise HardwareError(
                told(
                    "The field {where} is missing; valid is {valid}.", where=self.place(first), valid=_whole(low, high)
                )
            )
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.refuse(name, value, told("true or false"))
        return value

    def list_or_none(self, name: str) -> list[Any] | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self.refuse(name, value, told("a list of {count} items", count=self.values.get(_LAYERS[0], 1)))
        return value


def _whole(low: int, high: int) -> Told:
    return told("a whole number from {low} to {high}", low=f"{low:,}", high=f"{high:,}")


def _text_part(config: Any) -> _Fields:
    """The part that describes the language model."""
    if not isinstance(config, dict):
        raise HardwareError(
            told(
                "The configuration is {value}; valid is a table of fields, as a model's config.json has it.",
                value=shorten(config),
            )
        )
    thinker = config.get("thinker_config")  # Qwen's models that hear and speak
    if isinstance(thinker, dict) and isinstance(thinker.get("text_config"), dict):
        return _Fields(thinker["text_config"], "thinker_config.text_config.")
    fields = _Fields(config)
    for name in _INNER:
        inner = config.get(name)
        if inner is None or (not isinstance(inner, dict) and any(fields.has(n) for n in _LAYERS)):
            continue
        if not isinstance(inner, dict):
            raise fields.refuse(name, inner, told("a table of fields"))
        if any(inner.get(n) is not None for n in _LAYERS) or not any(fields.has(n) for n in _LAYERS):
            return _Fields(inner, f"{name}.")
    return fields


def _model_type(fields: _Fields, config: Mapping[str, Any]) -> str:
    for table, place in ((fields, fields), (_Fields(config), _Fields(config))):
        value = table.values.get("model_type")
        if value is None:
            continue
        if not isinstance(value, str):
            raise place.refuse("model_type", value, told("text of characters"))
        return value
    return ""


def _refuse_uneven(fields: _Fields) -> None:
    """Fields by which a plain count would be wrong."""
    for name in _UNEVEN:
        if fields.has(name):
            raise HardwareError(
                told(
                    "The field {where} (value {value}) gives layers K and V of different sizes, which are not counted "
                    "here; valid is a model whose layers all have one size.",
                    where=fields.place(name),
                    value=shorten(fields.values[name]),
                )
            )
    if fields.flag("is_encoder_decoder", False):
        raise fields.refuse("is_encoder_decoder", True, told("a model that only decodes"))


def _heads(fields: _Fields) -> tuple[int, int, int, tuple[int, int] | None]:
    """Heads, KV heads, the size of a head, and of latent attention its two parts."""
    heads = fields.whole(_HEADS, 1, MAX_HEADS)
    rank = fields.whole_or_none("kv_lora_rank", 1, MAX_SIZE)
    if rank is not None:
        rotary = fields.whole("qk_rope_head_dim", 0, MAX_SIZE)
        return heads, 1, rank + rotary, (rank, rotary)
    kv_heads = fields.whole_or_none(_KV_HEADS, 1, MAX_HEADS)
    if fields.flag("multi_query", False) and not fields.flag("new_decoder_architecture", False):
        kv_heads = 1  # the first Falcons and StarCoder
    kv_heads = kv_heads or heads
    if heads % kv_heads:
        name = next((n for n in _KV_HEADS if fields.has(n)), _KV_HEADS[0])
        raise fields.refuse(name, kv_heads, told("a number that divides the {heads} heads", heads=heads))
    head_dim = fields.whole_or_none(_HEAD_DIM, 1, MAX_SIZE)
    if head_dim is None:
        hidden = fields.whole(_HIDDEN, 1, MAX_SIZE)
        if hidden % heads:
            name = next(n for n in _HIDDEN if fields.has(n))
            raise fields.refuse(
                name, hidden, told("a multiple of the {heads} heads, or a head_dim beside it", heads=heads)
            )
        head_dim = hidden // heads
    return heads, kv_heads, head_dim, None


# ---- which layers keep what ------------------------------------------------------------------------------------------


def _kinds(
    fields: _Fields, layers: int, positions: int | None, notes: list[Told]
) -> tuple[tuple[LayerKind, ...], bool]:
    """The kinds of layers with K and V, and whether no other layer keeps anything."""
    names, source = _layer_names(fields, layers)
    shared = fields.whole_or_none("num_kv_shared_layers", 0, layers - 1) or 0
    if shared:  # Gemma 3n: its last layers read what earlier ones wrote
        names = names[: layers - shared]
        notes.append(
            told(
                "The last {count} layers read the K and V of earlier layers (field {where}) and keep none of their "
                "own.",
                count=shared,
                where=fields.place("num_kv_shared_layers"),
            )
        )
    states = Counter(name for name in names if name in _STATES)
    attention = Counter(name for name in names if name not in (*_STATES, *_NONE))
    known = True
    if states:
        known = False
        notes.append(
            told(
                "{count} of {layers} layers are {names} (field {where}): they keep a state of fixed size, which a "
                "config.json does not say; groups and slots are left out.",
                count=sum(states.values()),
                layers=layers,
                names=listed(list(states)),
                where=fields.place(source),
            )
        )
    elif found := [name for name in fields.values if name.startswith(_STATE_FIELDS) and fields.has(name)]:
        known = False
        notes.append(
            told(
                "The field {where} is of Mamba or linear attention, whose state a config.json does not size; only "
                "attention is counted, and groups and slots are left out.",
                where=fields.place(found[0]),
            )
        )
    if not attention:
        raise HardwareError(
            told(
                "The field {where} names no layer with attention: there are no K and V; valid is a model with "
                "attention.",
                where=fields.place(source),
            )
        )
    kinds = []
    for kind, count in attention.items():
        window = _window(fields, kind)
        if window is not None and positions is not None and window >= positions:
            kinds.append(LayerKind(FULL, count))  # no request becomes long enough to leave it
        else:
            kinds.append(LayerKind(kind, count, window))
    if len(kinds) > 1 and len({k.kind for k in kinds}) == 1 and kinds[0].window is None:
        kinds = [LayerKind(FULL, sum(k.layers for k in kinds))]
    return tuple(kinds), known


def _window(fields: _Fields, kind: str) -> int | None:
    if kind == FULL:
        return None
    return fields.whole("sliding_window" if kind == SLIDING else "attention_chunk_size", 1, MAX_TOKENS)


def _layer_names(fields: _Fields, layers: int) -> tuple[list[str], str]:
    """What each layer is, and the field that says so."""
    for name in ("layer_types", "layers_block_type", "block_types"):
        given = fields.list_or_none(name)
        if given is not None:
            return _listed_names(fields, name, given, layers), name
    for name, read in _PLACED.items():
        if fields.has(name):
            return read(fields, layers), name
    return _windowed_names(fields, layers)


def _listed_names(fields: _Fields, name: str, given: list[Any], layers: int) -> list[str]:
    if name == "block_types" and given:  # of a period
        given = [given[i % len(given)] for i in range(layers)]
    if len(given) != layers:
        raise HardwareError(
            told(
                "The field {where} has {count} items; valid are {layers}, one for each layer.",
                where=fields.place(name),
                count=len(given),
                layers=layers,
            )
        )
    names = []
    for place, item in enumerate(given):
        if not isinstance(item, str) or item not in (*_KINDS, *_STATES, *_NONE):
            raise fields.refuse(f"{name}[{place}]", item, either(["full_attention", "sliding_attention",
                                "chunked_attention", "linear_attention", "mamba"]))  # fmt: skip
        names.append(_KINDS.get(item, item))
    return names


def _windowed_names(fields: _Fields, layers: int) -> tuple[list[str], str]:
    """Layers of a model with at most a window: all of them, every so many, or those behind the first so many."""
    if fields.whole_or_none("sliding_window", 0, MAX_TOKENS) in (None, 0) or not fields.flag(
        "use_sliding_window", True
    ):
        return [FULL] * layers, _LAYERS[0]
    for name in ("sliding_window_pattern", "_sliding_window_pattern"):
        pattern = fields.values.get(name)
        if isinstance(pattern, str):
            if not pattern or len(pattern) > layers or set(pattern) - {"L", "G"}:
                raise fields.refuse(name, pattern, told("a whole number, or letters L and G"))
            return [SLIDING if pattern[i % len(pattern)] == "L" else FULL for i in range(layers)], name
        every = fields.whole_or_none(name, 1, MAX_LAYERS)
        if every is not None:
            return [SLIDING if (i + 1) % every else FULL for i in range(layers)], name
    first = fields.whole_or_none("max_window_layers", 0, MAX_LAYERS)
    return [SLIDING if first is None or i >= first else FULL for i in range(layers)], "sliding_window"


def _chunked(fields: _Fields, layers: int) -> list[str]:
    """Llama 4: layers with rotary positions read their chunk only."""
    if fields.whole_or_none("attention_chunk_size", 1, MAX_TOKENS) is None:
        return [FULL] * layers
    given = fields.list_or_none("no_rope_layers") or []
    if not given:
        every = fields.whole("no_rope_layer_interval", 1, MAX_LAYERS)
        return [CHUNKED if (i + 1) % every else FULL for i in range(layers)]
    if len(given) != layers:
        _listed_names(fields, "no_rope_layers", given, layers)  # says so
    for place, item in enumerate(given):
        if type(item) is not int or item not in (0, 1):
            raise fields.refuse(f"no_rope_layers[{place}]", item, _whole(0, 1))
    return [CHUNKED if item else FULL for item in given]


def _by_letters(fields: _Fields, layers: int) -> list[str]:
    """Nemotron-H: M is Mamba, * attention, - an MLP, E experts."""
    pattern = fields.values["hybrid_override_pattern"]
    letters = {"M": "mamba", "*": FULL, "-": "mlp", "E": "moe"}
    if not isinstance(pattern, str) or set(pattern) - set(letters):
        raise fields.refuse("hybrid_override_pattern", pattern, told("letters M, *, - and E, one for each layer"))
    return _listed_names(fields, "hybrid_override_pattern", [
        "full_attention" if letters[c] == FULL else letters[c] for c in pattern
    ], layers)  # fmt: skip


def _by_interval(fields: _Fields, layers: int) -> list[str]:
    every = fields.whole("full_attention_interval", 1, MAX_LAYERS)
    return ["linear_attention" if (i + 1) % every else FULL for i in range(layers)]


def _by_period(fields: _Fields, layers: int) -> list[str]:
    every = fields.whole("attn_layer_period", 1, MAX_LAYERS)
    first = fields.whole_or_none("attn_layer_offset", 0, MAX_LAYERS) or 0
    return [FULL if i % every == first else "mamba" for i in range(layers)]


def _by_number(fields: _Fields, layers: int) -> list[str]:
    given = fields.list_or_none("attn_type_list") or []
    names = {0: "linear_attention", 1: "full_attention"}
    return _listed_names(fields, "attn_type_list", [
        names.get(item, item) if type(item) is int else item for item in given
    ], layers)  # fmt: skip


def _by_places(fields: _Fields, layers: int) -> list[str]:
    """Kimi Linear: a table with the numbers of the layers, from 1, that have full attention."""
    table = fields.values["linear_attn_config"]
    if not isinstance(table, dict) or not isinstance(table.get("full_attn_layers"), list):
        raise fields.refuse("linear_attn_config", table, told("a table of fields"))
    places = table["full_attn_layers"]
    for place, item in enumerate(places):
        if type(item) is not int or not 1 <= item <= layers:
            raise fields.refuse(f"linear_attn_config.full_attn_layers[{place}]", item, _whole(1, layers))
    return [FULL if i + 1 in set(places) else "linear_attention" for i in range(layers)]


_PLACED = {
    "hybrid_override_pattern": _by_letters, "linear_attn_config": _by_places, "full_attention_interval": _by_interval,
    "attn_type_list": _by_number, "attn_layer_period": _by_period, "no_rope_layers": _chunked,
    "no_rope_layer_interval": _chunked, "attention_chunk_size": _chunked,
}  # fmt: skip


# ---- weights ---------------------------------------------------------------------------------------------------------


def _parameters(
    fields: _Fields, model_type: str, layers: int, heads: int, kv_heads: int, head_dim: int
) -> int | None:  # fmt: skip
    """How many parameters the language model has, without biases and norms; None where a size is not given."""
    hidden = fields.whole_or_none(_HIDDEN, 1, MAX_SIZE)
    vocabulary = fields.whole_or_none("vocab_size", 1, 10**9)
    inner = fields.whole_or_none(("intermediate_size", "ffn_dim", "n_inner"), 1, MAX_SIZE)
    if hidden is None or vocabulary is None or (inner is None and model_type != "gpt2"):
        return None
    tied = fields.flag("tie_word_embeddings", model_type in (*_TIED, "gpt2", "opt"))
    matrices = 2 if model_type in _TWO_MATRICES else 3
    attention = _attention(fields, hidden, heads, kv_heads, head_dim)
    dense = matrices * hidden * (inner or 4 * hidden)
    experts = fields.whole_or_none(_EXPERTS, 0, 100_000) or 0
    if not experts:
        feed = layers * dense
    else:
        own = fields.whole_or_none("moe_intermediate_size", 1, MAX_SIZE) or inner or 0
        shared = fields.whole_or_none("n_shared_experts", 0, 10_000) or 0
        size = fields.whole_or_none("shared_expert_intermediate_size", 0, MAX_SIZE) or shared * own
        if model_type.startswith("llama4"):
            size = own
            plain = fields.whole_or_none("intermediate_size_mlp", 1, MAX_SIZE) or own
            dense = matrices * hidden * plain
        every = fields.whole_or_none(("interleave_moe_layer_step", "moe_layer_freq"), 1, MAX_LAYERS) or 1
        first = min(layers, fields.whole_or_none("first_k_dense_replace", 0, MAX_LAYERS) or 0)
        with_experts = (layers - first) // every
        each = matrices * hidden * (experts * own + size) + hidden * experts
        feed = with_experts * each + (layers - with_experts) * dense
    return layers * attention + feed + (1 if tied else 2) * vocabulary * hidden


def _attention(fields: _Fields, hidden: int, heads: int, kv_heads: int, head_dim: int) -> int:
    rank = fields.whole_or_none("kv_lora_rank", 1, MAX_SIZE)
    if rank is None:
        return 2 * hidden * heads * head_dim + 2 * hidden * kv_heads * head_dim
    rotary = fields.whole("qk_rope_head_dim", 0, MAX_SIZE)
    plain = fields.whole_or_none("qk_nope_head_dim", 1, MAX_SIZE) or 128
    value = fields.whole_or_none("v_head_dim", 1, MAX_SIZE) or plain
    query_rank = fields.whole_or_none("q_lora_rank", 1, MAX_SIZE)
    query = heads * (plain + rotary)
    queries = hidden * query if query_rank is None else query_rank * (hidden + query)
    return queries + hidden * (rank + rotary) + rank * heads * (plain + value) + heads * value * hidden


def _weight_bits(fields: _Fields, config: Mapping[str, Any]) -> float | None:
    """Bits of a parameter; None where it is quantised in a way that the file does not size."""
    table = fields.values.get("quantization_config") or config.get("quantization_config")
    if table is None:
        return 16  # also of a file in float32, which vLLM loads as 16-bit
    if not isinstance(table, dict):
        raise _Fields(config).refuse("quantization_config", table, told("a table of fields"))
    known = {"fp8": 8.0, "fbgemm_fp8": 8.0, "mxfp4": 4.25, "awq": 4.0, "gptq": 4.0}
    quantised = _Fields(table, "quantization_config.")
    bits = quantised.whole_or_none(("bits", "w_bit"), 1, 64)
    if bits is not None:
        return bits
    method = table.get("quant_method")
    return known.get(method) if isinstance(method, str) else None
