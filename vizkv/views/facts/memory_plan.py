"""What a model needs and where a card's memory goes, in sentences and rows: for the page and the command line."""

from __future__ import annotations

from itertools import groupby

from vizkv.messages.catalogue import Messages
from vizkv.scenario.hardware import CARD_TYPES, GIB, MIB
from vizkv.scenario.memory_plan import MAX_LENGTH, Hardware, hardware

_LENGTH = 131_072  # tokens of the request whose bytes are told, where the model can have it
PARTS = ("weights", "activations", "graphs", "kv", "outside")  # of the bar, from left to right


def gib(count: float) -> float:
    """Bytes as GiB, to two places."""
    return round(count / GIB, 2)


def needs(plan: Hardware, say: Messages) -> list[str]:
    """What K and V of the model take: layers, bytes of a token, of a request, groups."""
    model, windows = plan.model, plan.fixed_after > 0
    kinds = say("plan.list").join(
        say(f"plan.kind.{k.kind}", layers=k.layers, window=k.window or 0) for k in model.attention
    )
    told = [
        say("plan.layers", model=model.model_type or "?", layers=sum(k.layers for k in model.attention), kinds=kinds)
    ]
    layer = {"bits": plan.kv.bits, "bytes": plan.token_bytes}
    if model.latent:
        told.append(say("plan.layer.latent", latent=model.latent[0], rotary=model.latent[1], **layer))
    else:
        key = "plan.layer.scales" if plan.kv.scales else "plan.layer.heads"
        told.append(say(key, kv_heads=model.kv_heads, head_dim=model.head_dim, **layer))
    size = {"bytes": plan.bytes_per_token, "kib": round(plan.bytes_per_token / 1024, 2)}
    if windows:
        told.append(
            say(
                "plan.bytes.windows", fixed=round(plan.fixed_bytes / MIB, 1), window=plan.fixed_after,
                before=plan.request_bytes(1), **size,
            )
        )  # fmt: skip
    else:
        told.append(say("plan.bytes.plain", **size))
    length = min(_LENGTH, model.positions or _LENGTH)
    held = {"tokens": length, "gib": gib(plan.request_bytes(length))}
    if windows:
        told.append(say("plan.request.windows", full=gib(plan.request_bytes_if_full(length)), **held))
    else:
        told.append(say("plan.request.plain", **held))
    groups = plan.groups
    block = {"block": plan.block_size, "bytes": plan.block_bytes}
    if len(groups) == 1:
        told.append(say("plan.groups.one", **block))
    elif groups:
        # equal ones stand together: 4 × 9 sliding, 2 × 8 sliding, 1 × 10 full
        names = say("plan.list").join(
            say(f"plan.group.{g.kind}", count=len(list(same)), layers=g.layers) for g, same in groupby(groups)
        )
        told.append(
            say("plan.groups", n=len(groups), size=plan.group_size, groups=names, padding=plan.padding, **block)
        )
    return told


def rows(plan: Hardware, say: Messages) -> list[tuple[str, str, float, float]]:
    """(part, its name, GiB, share of the card) of each part of the bar."""
    return [(part, say(f"plan.part.{part}"), size / GIB, size / plan.memory) for part, size in plan.parts().items()]


def total(plan: Hardware, say: Messages) -> str:
    """What the engine may take of a card, as a sum."""
    return say(
        "plan.sum", share=say.percent(plan.utilisation), memory=gib(plan.memory), usable=gib(plan.usable),
        cards=f"{plan.cards} × {plan.card.name}", weights=gib(plan.weights or 0), activations=gib(plan.activations),
        graphs=gib(plan.graphs), kv=gib(max(0, plan.kv_bytes or 0)),
    )  # fmt: skip


def outcome(plan: Hardware, say: Messages) -> list[str]:
    """What comes of it: blocks, vLLM's log line in words, the largest max_model_len."""
    kv, blocks, slots, longest = plan.kv_bytes, plan.blocks, plan.slots, plan.largest_max_model_len
    if kv is not None and kv <= 0:
        taken = (plan.weights or 0) + plan.activations + plan.graphs
        return [say("plan.nothing", taken=gib(taken), usable=gib(plan.usable))]
    if kv is None or blocks is None or slots is None or longest is None:
        return []
    told = [say("plan.log", blocks=blocks, block=plan.block_size, gib=gib(kv), line=plan.log_lines[0])]
    if plan.copies > 1:
        told.append(say("plan.copies", copies=plan.copies))
    length = plan.max_model_len or longest
    if len(plan.groups) == 1:
        told.append(say("plan.log.one", block=plan.block_size))
    else:
        told.append(say("plan.log.groups", groups=len(plan.groups), block=plan.block_size))
    if plan.limited_by == "memory":
        told.append(say("plan.longest.memory", length=longest))
    elif plan.longest in (None, MAX_LENGTH):
        told.append(say("plan.longest.windows", length=longest) if longest < MAX_LENGTH else say("plan.longest.none"))
    else:
        told.append(say("plan.longest.model", length=longest, memory=plan.longest))
    if 0 < length < MAX_LENGTH and plan.concurrency is not None and plan.concurrency >= 1:
        told.append(say("plan.concurrency", line=plan.log_lines[1]))
    return told


def fit(plan: Hardware, length: int, say: Messages) -> str:
    """Whether vLLM starts with this max_model_len, and what it needs; nothing where it cannot be told."""
    blocks, longest = plan.blocks, plan.largest_max_model_len
    if not blocks or longest is None:
        return ""
    fact = {"length": length, "need": plan.blocks_of(length), "blocks": blocks}
    if not plan.holds(length):
        return say("plan.fits.no", longest=longest, **fact)
    if plan.fits(length):
        return say("plan.fits.yes", **fact)
    return say("plan.fits.model", length=length, longest=longest)


def assumed(plan: Hardware, say: Messages) -> list[str]:
    """What of it is no fact of this card: estimates and other people's measurements; and what is not counted."""
    told = []
    if plan.weights is not None and plan.model.parameters is not None and plan.model.weight_bits is not None:
        estimated = round(plan.model.parameters * plan.model.weight_bits / 8 / plan.cards)
        if plan.weights == estimated:
            told.append(
                say("plan.weights", parameters=round(plan.model.parameters / 1e9, 2), bits=plan.model.weight_bits)
            )
    told.append(say("plan.assumed"))
    told.append(say("plan.card", source=say.error(plan.card.source)))
    return told + [say.error(note) for note in plan.notes]


def cards(plan: Hardware, say: Messages) -> list[list[str]]:
    """The same model and settings on every card that is known, each with its own memory: a table with its titles."""
    table = [[say(f"plan.table.{name}") for name in ("card", "memory", "kv", "blocks", "slots", "longest")]]
    for card in CARD_TYPES:
        other = hardware(
            plan.model, card=card, cards=plan.cards, utilisation=plan.utilisation,
            weights=None if plan.weights is None else plan.weights / GIB, activations=plan.activations / GIB,
            graphs=plan.graphs / GIB, kv_type=plan.kv.id, block_size=plan.block_size,
            max_num_batched_tokens=plan.in_flight,
        )  # fmt: skip
        left, longest = other.kv_bytes, other.largest_max_model_len
        table.append([
            other.card.name, say.fixed(other.memory / GIB, 2),
            "–" if left is None else say.fixed(max(0, left) / GIB, 2),
            *("–" if n is None or n == MAX_LENGTH else say.number(n) for n in (other.blocks, other.slots, longest)),
        ])  # fmt: skip
    return table


def bar(plan: Hardware, width: int) -> str:
    """The bar as letters: W weights, A activations, G graphs, K for K and V, a dot for what is not taken."""
    letters = dict(zip(PARTS, "WAGK.", strict=True))
    parts = plan.parts()
    whole = max(plan.memory, sum(parts.values()))
    drawn, reached = "", 0
    for part, size in parts.items():
        reached += size
        drawn += letters[part] * (round(width * reached / whole) - len(drawn))
    return drawn
