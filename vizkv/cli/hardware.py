"""``vizkv hardware CONFIG.json``: what a model's K and V take, and where the memory of a card goes."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

from vizkv.cli.language import option
from vizkv.cli.text import aligned, whole
from vizkv.messages.catalogue import Messages
from vizkv.scenario import memory_plan
from vizkv.scenario.hardware import BLOCK, CARD_TYPES, KV_TYPES, UTILISATION
from vizkv.views.facts import memory_plan as facts

_WIDTH = 72  # letters of the bar
_LETTERS = dict(zip(facts.PARTS, "WAGK.", strict=True))
_SIZES = ("memory", "weights", "activations", "graphs", "kv")  # options in GiB


def add(commands: Any, say: Messages) -> None:
    """The command and its options."""
    command = commands.add_parser("hardware", help=say("cli.hardware"), description=say("cli.hardware"))
    command.add_argument("file", type=Path, metavar="CONFIG.json", help=say("cli.hardware.file"))
    number, count = partial(_number, say), partial(_count, say)
    command.add_argument("--card", default=memory_plan.CARD, metavar="NAME",
                         help=say("cli.hardware.card", cards=", ".join(CARD_TYPES)))  # fmt: skip
    command.add_argument("--cards", type=count, default=1, metavar="COUNT", help=say("cli.hardware.cards"))
    command.add_argument("--utilisation", "--gpu-memory-utilization", type=number, default=UTILISATION, metavar="SHARE",
                         help=say("cli.hardware.utilisation"))  # fmt: skip
    for name in _SIZES:
        command.add_argument(f"--{name}", type=number, metavar="GIB", help=say(f"cli.hardware.{name}"))
    command.add_argument("--kv-type", default="16bit", metavar="NAME",
                         help=say("cli.hardware.kv_type", types=", ".join(KV_TYPES)))  # fmt: skip
    command.add_argument("--block-size", type=count, default=BLOCK, metavar="TOKENS",
                         help=say("cli.hardware.block_size"))  # fmt: skip
    command.add_argument("--max-model-len", type=count, metavar="TOKENS", help=say("cli.hardware.max_model_len"))
    command.add_argument("--max-num-batched-tokens", type=count, default=memory_plan.IN_FLIGHT, metavar="TOKENS",
                         help=say("cli.hardware.max_num_batched_tokens"))  # fmt: skip
    command.add_argument("--json", action="store_true", help=say("cli.hardware.json"))
    option(command, say)
    command.set_defaults(action=_hardware)


def _number(say: Messages, text: str) -> float:
    """A number; which ones are valid is told where they are used."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(say("cli.hardware.number", value=text[:60])) from None


def _count(say: Messages, text: str) -> int:
    number = whole(text)
    if number is None:
        raise argparse.ArgumentTypeError(say("cli.hardware.count", value=text[:60]))
    return number


def _hardware(arguments: argparse.Namespace, say: Messages) -> int:
    sizes = {name: value for name in _SIZES if (value := getattr(arguments, name)) is not None}
    plan = memory_plan.hardware(
        arguments.file, card=arguments.card, cards=arguments.cards, utilisation=arguments.utilisation,
        kv_type=arguments.kv_type, block_size=arguments.block_size, max_model_len=arguments.max_model_len,
        max_num_batched_tokens=arguments.max_num_batched_tokens, **sizes,
    )  # fmt: skip
    if arguments.json:
        print(json.dumps(memory_plan.to_json(plan), indent=2))
        return 0
    lines = [*facts.needs(plan, say), "", facts.total(plan, say), "", facts.bar(plan, _WIDTH)]
    lines += aligned([
        [_LETTERS[part], name, say.fixed(size, 2) + " GiB", say.percent(share)]
        for part, name, size, share in facts.rows(plan, say)
    ], left=2)  # fmt: skip
    asked = [facts.fit(plan, plan.max_model_len, say)] if plan.max_model_len else []
    lines += ["", *facts.outcome(plan, say), *asked, "", *facts.assumed(plan, say)]
    lines += ["", say("plan.table"), *aligned(facts.cards(plan, say))]
    print("\n".join(lines))
    return 0
