"""The result of a search for a person, for a program (JSON), and for a grader (JUnit XML)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as xml

from vizkv.check.search import Result
from vizkv.messages.catalogue import Messages


def as_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return what ``vizkv check --json`` prints."""
    return [
        {
            "kind": result.kind, "against": result.against, "seed": result.seed, "examples": result.examples,
            "ok": result.broken is None,
            "counterexample": None if result.broken is None else {
                "sentence": result.broken.sentence, "step": result.broken.step, "scenario": result.broken.scenario,
            },
        }
        for result in results
    ]  # fmt: skip


def as_junit(results: Sequence[Result]) -> bytes:
    """Return the results as JUnit XML: a test case for each system."""
    failed = sum(result.broken is not None for result in results)
    suite = xml.Element("testsuite", name="vizkv check", tests=str(len(results)), failures=str(failed))
    for result in results:
        case = xml.SubElement(
            suite, "testcase", classname="vizkv.check", name=f"{result.kind} against {result.against}",
            time=f"{result.seconds:.3f}",
        )  # fmt: skip
        if result.broken is not None:
            xml.SubElement(case, "failure", message=result.broken.sentence).text = result.broken.sentence
    return bytes(xml.tostring(suite, encoding="utf-8", xml_declaration=True))


def lines(result: Result, saved: str, say: Messages) -> list[str]:
    """Return the result in words. ``saved``: the file with the counterexample."""
    if result.broken is None:
        key = "cli.check.holds" if result.against == "none" else "cli.check.equal"
        return [say(key, kind=result.kind, against=result.against, n=result.examples, seed=result.seed)]
    return [
        say("cli.check.broken", kind=result.kind, n=result.examples, seed=result.seed),
        "  " + say.error(result.broken.sentence),
        say("cli.check.saved", path=saved, file=saved),
    ]
