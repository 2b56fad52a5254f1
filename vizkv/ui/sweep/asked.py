"""Read what the page "Sweeps" is asked for: the preset's sweep, changed by link and controls, and checked here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from vizkv import sweeps as sweep
from vizkv.messages.catalogue import Messages
from vizkv.messages.sentence import told
from vizkv.messages.validation import either, shorten
from vizkv.replay.metrics import METRICS
from vizkv.scenario.schema import Scenario, ScenarioError
from vizkv.sweeps import Axis, Parameter, Point, Value, parse_values, said
from vizkv.ui import outside
from vizkv.ui.link import Open
from vizkv.views.charts.sweeps import READY, Ready

MAX_SEEDS = 10
MAX_ON_PAGE = 1000  # runs of one sweep on the page
WORDS = ("x", "xs", "y", "ys", "metric", "seeds", "systems", "point")
NONE = "-"  # in the link: no second parameter although the preset has one

# default values of a newly chosen parameter; others get their words, or half, once and twice their current value
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
    """A valid sweep. ``systems``: indices in the scenario. ``point``: the chosen (system, point)."""

    x: Axis
    y: Axis | None
    metric: str
    seeds: int
    systems: tuple[int, ...]
    point: tuple[int, Point] | None
    xs: str  # the values as the user typed them
    ys: str

    @property
    def axes(self) -> list[Axis]:
        """Return the one or two axes."""
        return [self.x] if self.y is None else [self.x, self.y]


def ready(state: Open) -> Ready:
    """Return the sweep that the open preset offers."""
    return READY.get(state.preset.id) or next(iter(READY.values()))


def asked(state: Open) -> Asked:
    """Return what is asked for now. An invalid word is replaced by the preset's and leaves an error sentence."""
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
            except ScenarioError:  # the preset's own axis does not apply to this scenario
                return None

    applies = applicable(state.scenario)

    def values(which: str, name: str) -> str:
        """Return the values of an axis as they were typed."""
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
            for value in made.values:  # a link must not make this server read a file that its author names
                outside.refuse_files(sweep.put(state.scenario, ((name, value),)))
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
    """Parse a chosen point as :func:`word_of` writes it."""
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
    """Return all points; the y parameter varies fastest."""
    ys: tuple[Value, ...] = wanted.y.values if wanted.y else ()
    if not wanted.y:
        return [((wanted.x.name, x),) for x in wanted.x.values]
    return [((wanted.x.name, x), (wanted.y.name, y)) for x in wanted.x.values for y in ys]


def word_of(index: int, point: Point) -> str:
    """Return a system's point as a word for the link, as in ``3:block_size=16``."""
    return f"{index}:{said(point)}"


def applicable(scenario: Scenario) -> dict[str, Parameter]:
    """Return the parameters that can be varied in a scenario, by name."""
    found = {}
    for name, parameter in sweep.parameters().items():
        here = parameter.table == "scenario" or (parameter.table == "workload" and scenario.workload is not None)
        here |= parameter.table == "system" and any(system.affected_by(name) for system in scenario.systems)
        if here and (parameter.table != "workload" or _says_something(name, scenario)):
            found[name] = parameter
    return found


def _says_something(name: str, scenario: Scenario) -> bool:
    """Return whether a workload field has an effect: each kind of synthetic lengths uses its own fields."""
    workload = scenario.workload
    assert workload is not None
    others = {field for fields in workload.MADE_UP.values() for field in fields}
    return name not in others or name in workload.MADE_UP.get(workload.lengths, ())


def offered(name: str, scenario: Scenario) -> str:
    """Return the default values of a newly chosen parameter."""
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
    """Return a parameter's value in a scenario, or None if its systems differ in it."""
    table = sweep.parameter(name).table
    if table == "scenario":
        return getattr(scenario, name)
    if table == "workload":
        return getattr(scenario.workload, name, None)
    values = {getattr(s, name) for s in scenario.systems if s.affected_by(name)}
    return values.pop() if len(values) == 1 else None


def parameter_name(name: str, say: Messages) -> str:
    """Return a parameter's label, or its name in the scenario file if it has none."""
    key = f"parameter.{name}"
    return say(key) if key in say else name
