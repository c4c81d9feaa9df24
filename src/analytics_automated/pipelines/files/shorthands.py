"""The short forms of a pipeline file: what the reader expands, contracted again."""

from collections.abc import Callable, Mapping
from typing import Any

_Entry = dict[str, Any]


def shortened(section: str, data: Mapping[str, Any]) -> _Entry:
    """A definition's data, as its model dumps it, as a person would write it."""
    return {"backends": _backend, "tasks": _task, "jobs": _job}[section](dict(data))


def _backend(data: _Entry) -> _Entry:
    _each(data, "data", _lone("path"))
    return data


def _task(data: _Entry) -> _Entry:
    _each(data, "inputs", _lone("file"))
    _each(data, "outputs", _lone("file"))
    _each(data, "parameters", _parameter)
    if "container" in data:
        data["container"] = _lone("image")(data["container"])
    if "exit_codes" in data:
        codes = dict(data["exit_codes"])
        for key in ("stop", "continue", "fail"):
            if key in codes:
                codes[key] = [_number(code) for code in codes[key]]
        if "messages" in codes:
            codes["messages"] = {_number(code): text for code, text in codes["messages"].items()}
        data["exit_codes"] = codes
    return data


def _job(data: _Entry) -> _Entry:
    _each(data, "inputs", _with_validators)
    _each(data, "parameters", _job_parameter)
    data = _with_validators(data)
    data["steps"] = [_step(step) for step in data["steps"]]
    _each(data, "results", _lone("from"))
    return data


def _step(data: Mapping[str, Any]) -> _Entry:
    step = dict(data)
    name = {"name": step.pop("name")} if "name" in step else {}
    _each(step, "inputs", _one)
    if "scatter" in step:
        step["scatter"] = _lone("over")(step["scatter"])
    return name | step


def _job_parameter(data: Mapping[str, Any]) -> _Entry:
    parameter = _parameter(data)
    first = {"sets": _one(parameter.pop("sets"))} if "sets" in parameter else {}
    return first | parameter


def _parameter(data: Mapping[str, Any]) -> _Entry:
    parameter = dict(data)
    choices = parameter.get("choices")
    if choices and all(choice == title for choice, title in choices.items()):
        parameter["choices"] = list(choices)
    return parameter


def _with_validators(data: Mapping[str, Any]) -> _Entry:
    entry = dict(data)
    if "validators" in entry:
        entry["validators"] = [
            {use["name"]: use["options"]} if use.get("options") else use["name"] for use in entry["validators"]
        ]
    return entry


def _each(data: _Entry, key: str, short: Callable[[Any], Any]) -> None:
    """Shorten each entry of the mapping under that key, where there is one."""
    if data.get(key):
        data[key] = {name: short(entry) for name, entry in data[key].items()}


def _lone(key: str) -> Callable[[Any], Any]:
    """A mapping that holds just this key is its value."""
    return lambda entry: entry[key] if set(entry) == {key} else entry


def _one(items: Any) -> Any:
    """A list of one is its item."""
    return items[0] if isinstance(items, list) and len(items) == 1 else items


def _number(code: str) -> int | str:
    return int(code) if code.isdigit() else code
