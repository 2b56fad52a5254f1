"""Parameter sweeps: one or more parameters of a scenario vary; each system runs at each point with each seed."""

from __future__ import annotations

from vizkv.sweeps.axes import Axis, Parameter, Value, parameter, parameters, parse_axis, parse_values, written
from vizkv.sweeps.tasks import Point, Task, distinct, points, put, said
from vizkv.sweeps.work import ClusterError, Outcome, Stop, cores, known, run

__all__ = [
    "Axis",
    "ClusterError",
    "Outcome",
    "Parameter",
    "Point",
    "Stop",
    "Task",
    "Value",
    "cores",
    "distinct",
    "known",
    "parameter",
    "parameters",
    "parse_axis",
    "parse_values",
    "points",
    "put",
    "run",
    "said",
    "written",
]
