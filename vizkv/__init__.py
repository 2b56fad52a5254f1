"""vizkv: see where an LLM server's KV-cache memory goes, slot by slot, and how PagedAttention gets it back.

    import vizkv

    run = vizkv.run("readers-question")
    run.ledger(300)["PagedAttention"]      # slots by category
    run.to_frame()                         # every step of every system
    run.figure(300, path="step-300.svg")

``__all__`` is the public interface. Modules of the package that it does not name may change in any version.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vizkv.api.hardware import hardware
    from vizkv.api.runs import Request, Run, RunError, State, run
    from vizkv.api.scenarios import load
    from vizkv.api.sweeps import sweep
    from vizkv.scenario.hardware import HardwareError
    from vizkv.scenario.schema import Scenario, ScenarioError
    from vizkv.systems.own.blocks import BlockManager
    from vizkv.systems.own.calls import OwnSystemError
    from vizkv.systems.own.placement import Placement
    from vizkv.trace.trace import TraceError

__all__ = [
    "BlockManager",
    "HardwareError",
    "OwnSystemError",
    "Placement",
    "Request",
    "Run",
    "RunError",
    "Scenario",
    "ScenarioError",
    "State",
    "TraceError",
    "__version__",
    "hardware",
    "load",
    "run",
    "sweep",
]

# imported on first use: `import vizkv` alone loads neither torch nor pandas
_MODULES = {
    "BlockManager": "vizkv.systems.own.blocks",
    "HardwareError": "vizkv.scenario.hardware",
    "OwnSystemError": "vizkv.systems.own.calls",
    "Placement": "vizkv.systems.own.placement",
    "Request": "vizkv.api.runs",
    "Run": "vizkv.api.runs",
    "RunError": "vizkv.api.runs",
    "Scenario": "vizkv.scenario.schema",
    "ScenarioError": "vizkv.scenario.schema",
    "State": "vizkv.api.runs",
    "TraceError": "vizkv.trace.trace",
    "hardware": "vizkv.api.hardware",
    "load": "vizkv.api.scenarios",
    "run": "vizkv.api.runs",
    "sweep": "vizkv.api.sweeps",
}


def __getattr__(name: str) -> Any:
    """Import a public name on its first use. Raises AttributeError."""
    if name not in _MODULES:
        raise AttributeError(f"module 'vizkv' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    """Return the public names, also those that are not imported yet."""
    return sorted({*globals(), *__all__})
