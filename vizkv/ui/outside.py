"""Check what a link, an uploaded file or a class message contains before a page opens it.

Only the command line may name a path. A visitor may only name models and files that are installed on or uploaded to
this server; otherwise a visitor could make the server read any folder.
"""

from __future__ import annotations

from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.scenario.schema import LENGTH_SETS, Scenario, ScenarioError, Workload

NO_MODEL = "none"


def refuse_files(scenario: Scenario) -> None:
    """Raise ScenarioError if the scenario reads a file of this machine by its path."""
    given = scenario.workload
    if given is not None and given.is_file:
        raise ScenarioError(
            told(
                "The field workload.lengths is {lengths}, a file of the machine that serves the app; valid is {sets}, "
                "or a file that was uploaded.",
                lengths=shorten(given.lengths),
                sets=either([*LENGTH_SETS, *Workload.MADE_UP]),
            )
        )


def accept(scenario: Scenario) -> Scenario:
    """Return the scenario. Raises ScenarioError if it names a file, or a model that is not installed."""
    refuse_files(scenario)
    names = installed_models()
    if scenario.model not in (NO_MODEL, *names):
        raise ScenarioError(
            told(
                "The field model is {model}, which is not installed here; valid is {names}.",
                model=shorten(scenario.model),
                names=either([*names, NO_MODEL]),
            )
        )
    return scenario


def installed_models() -> list[str]:
    """List the names of the models that are installed here; none of them is a path."""
    from vizkv.model import available_models

    return [model.name for model in available_models() if model.installed]


def check_model(name: str) -> None:
    """Raise ScenarioError if no model of this name is installed. The disk is not searched for the name."""
    if name not in (names := installed_models()):
        raise ScenarioError(
            told("The model {name} is not installed here; valid is {names}.", name=shorten(name), names=either(names))
        )
