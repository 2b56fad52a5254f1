"""What the core complains of in English is said in every other language, with the same values."""

import ast
import pickle
import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from vizkv.messages.catalogue import CONTEXTS, FOLDER, LANGUAGES, messages
from vizkv.messages.sentence import Told, renamed, told
from vizkv.scenario import code as link
from vizkv.scenario import hardware
from vizkv.scenario import schema as scenario
from vizkv.scenario.presets import list_presets
from vizkv.scenario.schema import ScenarioError
from vizkv.sweeps import parse_axis
from vizkv.trace import trace

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "vizkv").rglob("*.py"))
OTHERS = [language for language in LANGUAGES if language != "en"]


def calls(path: Path, *names: str) -> list[ast.Call]:
    """Calls of one of these functions in a file."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in names]


def templates() -> set[str]:
    """Every template that the source tells with."""
    found = set()
    for path in SOURCES:
        for call in calls(path, "told"):
            assert isinstance(call.args[0], ast.Constant), f"{path.name}:{call.lineno}: a template is literal"
            found.add(call.args[0].value)
    return found


def entries(language: str, context: str) -> dict[str, str]:
    """English template -> the language's."""
    with open(FOLDER / f"{language}.po", "rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=language) if m.context == context}


def fields(template: str) -> set[tuple[str | None, ...]]:
    """Placeholders with how they are written: {rate:g} must stay {rate:g}."""
    return {(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_every_complaint_of_the_core_is_translated_and_no_other(language):
    known = entries(language, "error")
    assert {"missing": templates() - set(known), "unused": set(known) - templates()} == {
        "missing": set(),
        "unused": set(),
    }


@pytest.mark.parametrize("language", OTHERS)
def test_a_translated_complaint_has_the_same_placeholders(language):
    for english, other in entries(language, "error").items():
        assert other
        assert fields(other) == fields(english), english
        assert [fields(part) for part in (english, other)].count(set()) in (0, 2)
    for english, other in entries(language, "argparse").items():
        assert sorted(re.findall(r"%[(\w)]*[rs]", other)) == sorted(re.findall(r"%[(\w)]*[rs]", english)), english


def test_only_known_contexts_stand_in_a_catalogue():
    for language in LANGUAGES:
        with open(FOLDER / f"{language}.po", "rb") as file:
            assert {m.context for m in read_po(file, locale=language) if m.context} <= set(CONTEXTS)


def test_nothing_that_a_reader_can_cause_is_raised_as_bare_english():
    raised = ("ScenarioError", "ModelError", "HardwareError", "TraceError", "ClusterError")
    wrong = []
    for path in SOURCES:
        validators = path.name in ("requests.py", "scenario.py")  # their ValueErrors are parts of sentences
        for call in calls(path, *raised, *["ValueError"] * validators):
            if call.args and isinstance(call.args[0], ast.Constant | ast.JoinedStr):
                wrong.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert wrong == []


BAD = {
    "slots = 0": ("slots", "0", "1", "4194304"),
    'slots = 8\n[[systems]]\nkind = "pagd"': ("systems[0].kind", "'pagd'", "'contiguous'", "'paged'"),
    'slots = 8\n[[systems]]\nkind = "paged"\nblock_sise = 4': ("systems[0].block_sise", "4", "block_size"),
    'slots = 64\n[[systems]]\nkind = "paged"\nwatermark = 3.5': ("systems[0].watermark", "3.5"),
    'slots = 64\n[[systems]]\nkind = "paged"\n[[requests]]\nprompt_tokens = 9\nfinal_slots = 4': ("final_slots", "9"),
    'slots = 64\n[[systems]]\nkind = "paged"\n[[requests]]\nid = "x "': ("requests[0].id", "'x '"),
    "slots = x": ("第 1 行第 9 列", "Invalid value"),
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_scenario_is_answered_in_chinese_with_the_field_and_its_value(text):
    with pytest.raises(ScenarioError) as caught:
        scenario.from_toml(text)
    assert messages().error(caught.value) == str(caught.value)
    said = messages("zh").error(caught.value)
    assert re.search(r"[\u4e00-\u9fff].*。$", said)
    assert not re.search(r"[\u4e00-\u9fff] [\u4e00-\u9fff]", said)
    assert all(word in said for word in BAD[text])
    assert not re.search(r"\b(valid|field|the|is|are)\b", said)


@pytest.mark.parametrize(
    "make",
    [
        lambda: link.from_code("?"), lambda: hardware.from_word("a:b"), lambda: hardware.from_word("opt-13b:x:1:16bit"),
        lambda: parse_axis("block_sise=1"), lambda: parse_axis("block_size"), lambda: trace.load(b""),
        lambda: trace.read("/nowhere/at/all"), lambda: scenario.load("/nowhere/at/all"),
    ],
)  # fmt: skip
def test_other_complaints_are_said_in_chinese_too(make):
    with pytest.raises(ValueError, match=r"\w") as caught:
        make()
    assert re.search(r"[\u4e00-\u9fff].*。$", messages("zh").error(caught.value))


def test_a_sentence_within_a_message_is_translated_with_it():
    inner = told("The axis {name} has no value; valid is {valid}.", name="x", valid=told("true or false"))
    assert messages("zh")("problem.kept", problem=inner).count("轴 x 没有取值；应为 true 或 false。") == 1
    assert str(inner) in messages()("problem.kept", problem=inner)


def test_what_is_told_is_text_that_survives_processes_and_exceptions():
    inner = told("a {what}", what=told("{low} to {high}", low=1, high=2))
    assert inner == "a 1 to 2"
    for text in (pickle.loads(pickle.dumps(inner)), str(ValueError(inner)), told("{error}", error=ValueError(inner))):
        assert isinstance(text, Told)
        assert text.said(lambda t: t.replace(" to ", "–")) == "a 1–2"


def test_braces_in_a_value_or_from_the_operating_system_are_text():
    assert told("is {value!r}", value="{x}").said(lambda t: t) == "is '{x}'"
    assert told("{why}", why=OSError(2, "no {x}")).said(lambda t: t) == "no {x}"


def test_a_complaint_about_something_else_says_so_in_every_language():
    text = renamed(told("The field {where} {error}.", where="systems[0].unit", error=told("none")), "[0]", "[3]")
    assert text == "The field systems[3].unit none."
    assert "systems[3].unit" in messages("zh").error(text)
    assert renamed("a[0]", "[0]", "[1]") == "a[1]"


def test_what_nobody_told_stays_as_it_is():
    assert messages("zh").error(ValueError("plain")) == "plain"
    assert messages("zh").error("") == ""


SYSTEMS = [system for preset in list_presets() for system in preset.scenario.systems]


def test_a_part_of_a_systems_name_that_has_a_translation_is_one_of_ours():
    systems = [{"kind": "paged"}, {"kind": "paged", "recovery": "swap", "prefix_caching": True, "null_block": True}]
    systems += [{"kind": "paged", "block_size": 32, "watermark": 0.25}, {"kind": "contiguous", "reserve": "pow2-total"}]
    for placement in ("buddy", "first-fit", "best-fit", "ideal"):
        systems += [{"kind": "contiguous", "reserve": "multiple", "placement": placement, "batching": "static"}]
    made = scenario.from_dict({"slots": 64, "systems": systems, "requests": [{"prompt_tokens": 1, "output_tokens": 1}]})
    names = {f"{s.label}, {s.details}" for s in made.systems} | {s.label for s in SYSTEMS}
    parts = {re.sub(r"\d+(\.\d+)?", "{n}", part, count=1) for name in names for part in name.split(", ")}
    known = entries("zh", "name")
    assert set(known) - parts == set()
    assert all(fields(said) == fields(name) for name, said in known.items())


def test_the_papers_names_stay_and_a_policy_is_translated():
    say = messages("zh")
    assert [say.name(n) for n in ("Orca (Max)", "vLLM (PagedAttention)", "Ours, theirs")] == [
        "Orca (Max)", "vLLM (PagedAttention)", "Ours, theirs",
    ]  # fmt: skip
    assert say.name("Multiple of 3") == "3 的倍数"
    assert say.name("PagedAttention, swap") == "PagedAttention，换出"
    assert messages().name("PagedAttention, swap") == "PagedAttention, swap"
