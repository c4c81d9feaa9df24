"""The text of a first pipeline file: every part with a comment that says what it is and what may be changed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from analytics_automated.pipelines.files.source import core_value

_PLAIN = re.compile(r"[A-Za-z0-9_./][\w./+-]*(?: [\w./+-]+)*", re.ASCII)
_PLAIN_LINE = re.compile(r"[A-Za-z0-9_./][\x20-\x7e]*")
_MORE_THAN_TEXT = re.compile(r": |:$| #|\s$")
_LONGEST_COMMENT = 100
_CHECKS = {
    "fasta": ("fa", "fas", "fasta", "faa", "fna"),
    "csv": ("csv",),
    "tsv": ("tsv", "tab"),
    "json": ("json",),
    "image": ("png", "jpg", "jpeg", "gif"),
    "text": ("txt",),
}
_CHECK_OF_EXTENSION = {extension: check for check, extensions in _CHECKS.items() for extension in extensions}


def write_file(
    name: str,
    command: str,
    task: Mapping[str, Any],
    paths: Mapping[str, Sequence[str]],
    example: Mapping[str, Any] | None,
) -> str:
    """The text of a pipeline file with that Task, and a Job that callers may use.

    `command` is what was typed, `paths` are the files that it named, by input, and `example` those of an example call.
    """
    lines = [
        *_comment("A pipeline file: what callers send, what is run on it, and what they get.", ""),
        *_comment(f"Made from: {_shortened(command)}", ""),
        "format: 1",
        f"pipeline: {name}  # owns the tasks and jobs of this file",
        "",
        "# A task says what is run.",
        "tasks:",
        f"  {name}:",
        *_task_lines(task),
        "",
        "# A job is what callers see. It has one step or several, and each step uses a task.",
        "jobs:",
        f"  {name}:",
        *_job_lines(name, task, paths, example),
    ]
    return "\n".join(lines) + "\n"


def _task_lines(task: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    if "inputs" in task:
        lines += ["    # Files that it reads: a name of your choice, and the file's name while the command runs."]
        lines += ["    inputs:", *(f"      {name}: {_file(each)}" for name, each in task["inputs"].items())]
    lines += ["    # Files that it writes. A step fails where one is missing, unless it is `optional: true`."]
    lines += ["    outputs:", *(f"      {name}: {_file(each)}" for name, each in task.get("outputs", {}).items())]
    if "files" in task:
        lines += ["    # Files of your own that it needs. They lie beside this file and are shipped with it."]
        lines += [f"    files: {_flow(task['files'])}"]
    lines += _execution_lines(task)
    for stream, comment in (
        ("stdin", "this input is its standard input"),
        ("stdout", "what it prints is this output"),
        ("stderr", "what it prints as errors is this output"),
    ):
        lines += [f"    {stream}: {task[stream]}  # {comment}"] if stream in task else []
    if "parameters" in task:
        lines += [
            "    # Options that callers may set. The type can also be choice, with `choices: [a, b]`. Bound numbers by",
            "    # `minimum` and `maximum`, texts by `pattern`. To fix one, write `value` in place of `default`.",
            "    parameters:",
            *(f"      {name}: {_flow(each)}" for name, each in task["parameters"].items()),
        ]
    return [*lines, "    # timeout: 30m  # end it when it runs longer"]


def _execution_lines(task: Mapping[str, Any]) -> list[str]:
    if "command" in task:
        return [
            "    # It is split into words once and never meets a shell. {input.NAME} and {output.NAME} become names of",
            "    # files, {param.NAME} a value, with its flag. For pipes and loops write a `script` in place of it.",
            f"    command: {_line(task['command'])}",
        ]
    language = task.get("interpreter")
    if language is not None:
        says = ["    # Values are in its environment: the files of inputs and outputs as input_NAME and output_NAME."]
        says += [f"    interpreter: {_line(language)}"]
    else:
        says = [
            "    # Run by bash, and ended by the first command that fails. Files are in $input_NAME and $output_NAME,"
        ]
        says += ["    # values in $param_NAME: keep them in double quotes."]
    return [*says, *_script_lines(task["script"])]


def _script_lines(script: str) -> list[str]:
    """The script as a block, where YAML keeps it so."""
    lines = script.removesuffix("\n").split("\n")
    is_printable = all(line.replace("\t", "").isprintable() for line in lines)
    if not is_printable or not lines[-1].strip() or script.startswith((" ", "\n", "\t")):
        return [f"    script: {_in_quotes(script)}"]
    return ["    script: |", *(f"      {line}" if line else "" for line in lines)]


def _job_lines(
    name: str, task: Mapping[str, Any], paths: Mapping[str, Sequence[str]], example: Mapping[str, Any] | None
) -> list[str]:
    lines = [f"    title: {_plain(name.replace('_', ' ').capitalize())}  # what people read"]
    lines += ["    runnable: true  # callers may use it"]
    if "inputs" in task:
        lines += ["    # What callers send. `max_size` bounds a file; validators check it before anything is run."]
        lines += ["    inputs:"]
    for each, definition in task.get("inputs", {}).items():
        many = {"many": True} if definition.get("many") else {}
        check = _CHECK_OF_EXTENSION.get(paths[each][0].rpartition(".")[2].lower())
        comment = f"  # add validators: [{check}] to let in nothing else" if check else ""
        title = each.replace("_", " ").capitalize()
        lines += [f"      {each}: {_flow({'title': title, 'max_size': '10MB', **many})}{comment}"]
    if "parameters" in task:
        lines += [
            "    # The names by which callers set the task's parameters. Those that are not here are STEP_PARAMETER."
        ]
        lines += ["    parameters:"]
        lines += [f"      {each}: {{sets: {name}.{each}}}" for each in task["parameters"]]
    lines += ["    steps:", f"      - {{task: {name}}}"]
    lines += ["    # What callers get, and under which name.", "    results:"]
    published = [each for each, output in task["outputs"].items() if output.get("publish", True)]
    lines += [f"      {each}: {name}.{each}" for each in published]
    if example is not None:
        call = {"title": "A first example", "inputs": example, "expect": {"status": "COMPLETE"}}
        lines += ["    # Example calls, for people and for `aa test`. The files lie beside this one."]
        lines += ["    examples:", f"      - {_flow(call)}"]
    return lines


def _file(definition: Mapping[str, Any]) -> str:
    return _plain(definition["file"]) if len(definition) == 1 else _flow(definition)


def _flow(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return _plain(value) if isinstance(value, str) else repr(value)


def _plain(text: str) -> str:
    """A text, in quotes where YAML would take it for something else."""
    is_text = isinstance(core_value(text), str)
    return text if is_text and _PLAIN.fullmatch(text) else _flag_or_quoted(text)


def _flag_or_quoted(text: str) -> str:
    return text if re.fullmatch(r"--?[A-Za-z][\w.-]*", text, re.ASCII) else _in_quotes(text)


def _line(text: str) -> str:
    """A text behind a key on a line of its own, where more signs are plain."""
    is_plain = _PLAIN_LINE.fullmatch(text) and not _MORE_THAN_TEXT.search(text) and isinstance(core_value(text), str)
    return text if is_plain else _in_quotes(text)


def _in_quotes(text: str) -> str:
    """The text in double quotes (YAML 1.2.2, section 5.7)."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(sign) or (sign if sign.isprintable() else _escaped(sign)) for sign in text) + '"'


def _escaped(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _shortened(text: str) -> str:
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    return line if len(line) <= _LONGEST_COMMENT else line[: _LONGEST_COMMENT - 3] + "..."


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {text}"]
