"""What the page "Sweeps" is asked for: from the preset, changed by the link and the controls; checked here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from vizkv import sweep
from vizkv.complaints import either, shorten
from vizkv.link import to_code
from vizkv.messages import Messages
from vizkv.metrics import METRICS
from vizkv.scenario import Scenario, ScenarioError
from vizkv.sweep import Axis, Parameter, Point, Value, parse_values, said
from vizkv.told import told
from vizkv.ui.link import Open
from vizkv.views.sweeps import READY, Ready

MAX_SEEDS = 10
MAX_ON_PAGE = 1000  # runs of one sweep on a page
WORDS = ("x", "xs", "y", "ys", "metric", "seeds", "systems", "point")
NONE = "-"  # in the link: no second parameter, where the preset has one

# what is offered where a parameter is chosen anew; the others get their words, or half, once and twice their value
_OFFERED = {
    "block_size": "8..256*2",
    "rate": "0.5..6:0.5",
    "slots": "4096..32768*2",
    "max_model_len": "512..4096*2",
    "multiple": "1..1024*2",
    "unit": "1,16,64,256",
    "watermark": "0,0.01,0.05,0.1",
    "max_num_seqs": "4..256*2",
    "max_num_batched_tokens": "256..8192*2",
    "seed": "0..4:1",
    "lengths": "sharegpt,azure2023_conv,azure2023_code",
    "iteration_ms": "10..50:10",
    "token_ms": "0..0.4:0.1",
    "duration": "300,600,900",
    "warmup": "0,100,200,300",
}


@dataclass(frozen=True)
class Asked:
    """A sweep that can be made. ``systems``: places in the scenario. ``point``: the chosen (system, point)."""

    x: Axis
    y: Axis | None
    metric: str
    seeds: int
    systems: tuple[int, ...]
    point: tuple[int, Point] | None
    xs: str  # the values as they were written
    ys: str

    @property
    def axes(self) -> list[Axis]:
        """One or two."""
        return [self.x] if self.y is None else [self.x, self.y]


def ready(state: Open) -> Ready:
    """What the open preset offers."""
    return READY.get(state.preset.id) or next(iter(READY.values()))


def asked(state: Open) -> Asked:
    """What is asked for now. Nonsense leaves a sentence, and the preset's own word in its place."""
    own = ready(state)
    more = state.more

    def read(names: tuple[str, ...], make: Callable[[], object]) -> object:
        try:
            return make()
        except ScenarioError as error:
            state.problem = str(error)
            for name in names:
                more.pop(name, None)
            try:
                return make()
            except ScenarioError:  # the preset's own axis, and a scenario to which it says nothing
                return None

    applies = applicable(state.scenario)

    def values(which: str, name: str) -> str:
        """The values of an axis as they are written."""
        own_name, own_values = getattr(own, which), getattr(own, f"{which}s")
        return more.get(f"{which}s", own_values if name == own_name else offered(name, state.scenario))

    def axis(which: str, name: str) -> Axis:
        if name not in applies:
            raise ScenarioError(
                told(
                    "The parameter {name} changes nothing in this scenario; valid is {applies}.",
                    name=shorten(name),
                    applies=either(list(applies)),
                )
            )
        made = parse_values(name, values(which, name))
        if name == "lengths":
            for value in made.values:  # a link must not make this machine read a file of the sender's choice
                to_code(sweep.put(state.scenario, ((name, value),)))
        return made

    def first() -> Axis:
        return axis("x", more.get("x", own.x))

    x = read(("x", "xs"), first)
    if not isinstance(x, Axis):
        name = next(iter(applies))
        x = parse_values(name, offered(name, state.scenario))

    def second() -> Axis | None:
        name = more.get("y", own.y)
        if name in ("", NONE):
            return None
        if name == x.name:
            raise ScenarioError(
                told("Both parameters are {name}; valid is another one, or none, for the second.", name=name)
            )
        return axis("y", name)

    y = read(("y", "ys"), second)
    metric = read(("metric",), lambda: _one_of("metric", more.get("metric", own.metric), METRICS))
    seeds = read(("seeds",), lambda: _count(more.get("seeds", "1")))
    systems = read(("systems",), lambda: _systems(more.get("systems", ""), state.scenario))
    assert isinstance(metric, str) and isinstance(seeds, int) and isinstance(systems, tuple)
    y = y if isinstance(y, Axis) else None
    written = (values("x", x.name), values("y", y.name) if y else "")
    wanted = Asked(x, y, metric, seeds, systems, None, *written)
    point = read(("point",), lambda: _point(more.get("point", ""), wanted))
    return replace(wanted, point=point) if isinstance(point, tuple) else wanted


def _one_of(field: str, word: str, known: Iterable[str]) -> str:
    names = list(known)
    if word not in names:
        raise ScenarioError(
            told("The field {field} is {word}; valid is {names}.", field=field, word=shorten(word), names=either(names))
        )
    return word


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 3 or not 1 <= int(text) <= MAX_SEEDS:
        raise ScenarioError(
            told(
                "The field seeds is {text}; valid is a whole number from 1 to {max_seeds}.",
                text=shorten(text),
                max_seeds=MAX_SEEDS,
            )
        )
    return int(text)


def _systems(text: str, scenario: Scenario) -> tuple[int, ...]:
    count = len(scenario.systems)
    parts = [part for part in text.split(",") if part]
    if any(not part.isdecimal() or len(part) > 3 or int(part) >= count for part in parts):
        raise ScenarioError(
            told(
                "The field systems is {text}; valid are places of systems from 0 to {last}, with commas.",
                text=shorten(text),
                last=count - 1,
            )
        )
    return tuple(sorted({int(part) for part in parts})) or tuple(range(count))


def _point(text: str, wanted: Asked) -> tuple[int, Point] | None:
    """A chosen point as :func:`word_of` writes it."""
    if not text:
        return None
    known = {word_of(i, point): (i, point) for i in wanted.systems for point in grid(wanted)}
    if text not in known:
        raise ScenarioError(
            told(
                "The field point is {text}; valid is a point of the picture: {known}, ...",
                text=shorten(text),
                known=shorten(next(iter(known))),
            )
        )
    return known[text]


def grid(wanted: Asked) -> list[Point]:
    """All points, x moving slowest."""
    ys: tuple[Value, ...] = wanted.y.values if wanted.y else ()
    if not wanted.y:
        return [((wanted.x.name, x),) for x in wanted.x.values]
    return [((wanted.x.name, x), (wanted.y.name, y)) for x in wanted.x.values for y in ys]


def word_of(index: int, point: Point) -> str:
    """A system's point in a word: ``3:block_size=16``."""
    return f"{index}:{said(point)}"


def applicable(scenario: Scenario) -> dict[str, Parameter]:
    """What can be varied in a scenario, by name."""
    kinds = {system.kind for system in scenario.systems}
    reserves = {getattr(system, "reserve", "") for system in scenario.systems}
    found = {}
    for name, parameter in sweep.parameters().items():
        here = parameter.table == "scenario" or parameter.table in kinds
        here |= parameter.table == "workload" and scenario.workload is not None
        if name == "multiple":
            here = "multiple" in reserves
        if here and (parameter.table != "workload" or _says_something(name, scenario)):
            found[name] = parameter
    return found


def _says_something(name: str, scenario: Scenario) -> bool:
    """Whether a field of the workload decides anything beside the others: each kind of made-up lengths has its own."""
    workload = scenario.workload
    assert workload is not None
    others = {field for fields in workload.MADE_UP.values() for field in fields}
    return name not in others or name in workload.MADE_UP.get(workload.lengths, ())


def offered(name: str, scenario: Scenario) -> str:
    """The values that stand there where a parameter is chosen anew."""
    if name in _OFFERED:
        return _OFFERED[name]
    parameter = sweep.parameter(name)
    if parameter.words:
        return ",".join(parameter.words)
    if parameter.type is bool:
        return "false,true"
    value = value_in(name, scenario)
    if not isinstance(value, (int, float)):
        return "" if value is None else str(value)
    return ",".join(sweep.written(parameter.type(value * times)) for times in (0.5, 1, 2))


def value_in(name: str, scenario: Scenario) -> Value | None:
    """A parameter's value in a scenario; None where its systems differ in it."""
    table = sweep.parameter(name).table
    if table == "scenario":
        return getattr(scenario, name)
    if table == "workload":
        return getattr(scenario.workload, name, None)
    systems = [s for s in scenario.systems if s.kind == table]
    if name == "multiple":
        systems = [s for s in systems if getattr(s, "reserve", "") == "multiple"]
    values = {getattr(s, name) for s in systems}
    return values.pop() if len(values) == 1 else None


def parameter_name(name: str, say: Messages) -> str:
    """A parameter in words; its name in the scenario file where there are none."""
    key = f"parameter.{name}"
    return say(key) if key in say else name
