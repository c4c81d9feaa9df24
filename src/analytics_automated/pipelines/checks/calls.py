"""Calls that stand in a Job: its examples and its schedule, against what the Job takes and gives."""

import datetime
import functools
import zoneinfo
from collections.abc import Collection, Iterator, Mapping

from cronsim import CronSim, CronSimError

from analytics_automated.pipelines.definitions import (
    ExpectationDefinition,
    JobInputDefinition,
    ScheduleDefinition,
)
from analytics_automated.pipelines.definitions.call import CallDefinition
from analytics_automated.pipelines.parameters import is_required, value_problems
from analytics_automated.pipelines.plans import PlannedParameter
from analytics_automated.pipelines.problems import Problem, nearest


def input_problems(call: CallDefinition, inputs: Mapping[str, JobInputDefinition]) -> Iterator[Problem]:
    """Files for inputs that there are not, too many, or none where one is required; paths begin at the call."""
    for name in call.inputs:
        path = ("inputs", name)
        if name not in inputs:
            yield Problem(path, f"is no input of this job{nearest(name, inputs)}")
            continue
        definition, files = inputs[name], call.files(name)
        if len(files) > 1 and not definition.many:
            yield Problem(path, "takes one file")
        elif definition.max_files is not None and len(files) > definition.max_files:
            yield Problem(path, f"takes at most {definition.max_files} files")
    for name, definition in inputs.items():
        if name not in call.inputs and not definition.optional:
            yield Problem(("inputs",), f"names no file for the input {name!r}, which is required")


def parameter_problems(call: CallDefinition, parameters: Mapping[str, PlannedParameter]) -> Iterator[Problem]:
    """Values that the job would refuse; paths begin at the call."""
    names = {alias: name for name, parameter in parameters.items() for alias in (name, *parameter.aliases)}
    spelled: dict[str, str] = {}
    for given, value in call.parameters.items():
        name = names.get(given)
        path = ("parameters", given)
        if name is None:
            yield Problem(path, f"is no parameter of this job{nearest(given, names)}")
        elif name in spelled:
            yield Problem(path, f"sets the same parameter as {spelled[name]!r}")
        else:
            spelled[name] = given
            yield from (problem.below(*path) for problem in value_problems(parameters[name].definition, value))
    for name, parameter in parameters.items():
        if name not in spelled and is_required(parameter.definition):
            yield Problem(("parameters",), f"gives no value for the parameter {name!r}, which is required")


def expectation_problems(
    expectation: ExpectationDefinition, results: Collection[str], steps: Collection[str]
) -> Iterator[Problem]:
    """Expectations that nothing can meet; paths begin at the expectation."""
    listed = isinstance(expectation.results, list)
    seen: set[str] = set()
    for index, name in enumerate(expectation.results):
        path = ("results", index if listed else name)
        if name not in results:
            message = "is no result of this job"
            yield Problem(path, f"{name!r} {message}{nearest(name, results)}")
        elif name in seen:
            yield Problem(path, f"names {name!r} twice")
        seen.add(name)
    for name, result in () if isinstance(expectation.results, list) else expectation.results.items():
        said = [key for key in ("sha256", "file", "contains") if getattr(result, key) is not None]
        if len(said) > 1:
            yield Problem(("results", name, said[1]), f"stands beside `{said[0]}`: one of the two is enough")
        if result.tolerance is not None and result.file is None:
            yield Problem(("results", name, "tolerance"), "belongs to `file`, whose numbers it is about")
    if expectation.stopped is not None and expectation.stopped not in steps:
        message = f"{expectation.stopped!r} is no step of this job{nearest(expectation.stopped, steps)}"
        yield Problem(("stopped",), message)
    elif expectation.stopped is not None and expectation.status != "COMPLETE":
        yield Problem(("stopped",), f"a job that stops at a step is COMPLETE, not {expectation.status}")


def time_problems(schedule: ScheduleDefinition) -> Iterator[Problem]:
    """A moment that never comes, or a time zone that there is not; paths begin at the schedule."""
    fields = len(schedule.cron.split())
    if fields != 5:
        message = (
            f"has {fields} field{'s' * (fields != 1)}, and needs five: minute, hour, day of the month, month, weekday"
        )
        yield Problem(("cron",), message)
    else:
        try:
            next(CronSim(schedule.cron, datetime.datetime.now(datetime.UTC)))
        except CronSimError as error:
            field = str(error).removeprefix("Bad ")
            yield Problem(("cron",), f"{schedule.cron!r} has a wrong {field}; '0 3 * * 1' is Mondays at 3:00")
        except StopIteration:
            yield Problem(("cron",), f"{schedule.cron!r} never comes")
    if schedule.timezone not in _timezones():
        near = nearest(schedule.timezone, _timezones()) or ", such as Europe/London or UTC"
        yield Problem(("timezone",), f"{schedule.timezone!r} is no time zone of IANA's list{near}")


@functools.cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
