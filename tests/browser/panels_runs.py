"""Small scenarios in which something can be seen in the panels: sharing, a copy, a wrong entry, swapping, a cache."""

PAGED = {"kind": "paged", "block_size": 4}
PROMPT = "It was the best of times, it was the"
OWN = {
    "samples": {
        "slots": 64, "max_model_len": 40, "systems": [PAGED],
        "requests": [{"id": "A", "prompt": PROMPT, "output_tokens": 8, "samples": 3, "temperature": 1.0}],
    },
    "beams": {
        "slots": 64, "max_model_len": 40, "systems": [PAGED],
        "requests": [{"id": "A", "prompt": PROMPT, "output_tokens": 8, "beam_width": 3}],
    },
    "swap": {
        "slots": 36, "max_model_len": 32, "model": "none", "systems": [PAGED | {"recovery": "swap"}, PAGED],
        "requests": [{"prompt_tokens": 14, "output_tokens": 12}, {"prompt_tokens": 14, "output_tokens": 12}],
    },
    "broken": {
        "slots": 36, "max_model_len": 32, "systems": [PAGED],
        "requests": [{"id": "A", "prompt": PROMPT, "output_tokens": 10}],
        "actions": [{"step": 3, "do": "repoint", "request": "A", "index": 1, "block": 7}, {"step": 6, "do": "shuffle"}],
    },
    "cache": {
        "slots": 128, "max_model_len": 64, "systems": [PAGED | {"prefix_caching": True, "null_block": True}],
        "requests": [
            {"id": "A", "prompt": PROMPT, "output_tokens": 4},
            {"id": "B", "prompt": PROMPT + " worst of times", "output_tokens": 6, "arrival_step": 3},
            {"id": "C", "prompt": PROMPT + " age of wisdom", "output_tokens": 6, "arrival_step": 4},
        ],
    },
}  # fmt: skip
