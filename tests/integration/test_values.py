"""Values of parameters on their way into commands and scripts."""

import json
import sys

import pytest

from integration.live import Service


def words(service: Service, **values: object) -> list[str]:
    """The words that the command got, as it saw them."""
    done = service.run("words", json={"inputs": {"text": "T"}, "parameters": {"label": "L", **values}})
    assert done["status"] == "COMPLETE", done["message"]
    return [line.strip("[]") for line in service.results(done)["words_words"].decode().splitlines()]


def test_defaults_and_absent_values(service: Service) -> None:
    assert words(service) == ["--label", "L", "4", "-r", "0.5", "fast", "stored", "run-4.1", "text.txt"]


def test_values_of_all_kinds(service: Service) -> None:
    given = words(
        service,
        count=10,
        words_ratio=1e-7,
        words_loud=True,
        words_mode="exact",
        words_sites=[3, 1, 2],
        words_joined="-a=b c",
        words_absent="here",
    )
    assert given == [
        *("--label", "L", "10", "-r", "1e-07", "--loud", "exact", "-s", "3", "-s", "1", "-s", "2"),
        *("--joined=-a=b c", "--absent", "here", "stored", "run-10.1", "text.txt"),
    ]


def test_no_value_meets_a_shell(service: Service) -> None:
    assert words(service, label="$HOME; echo $PATH")[:2] == ["--label", "$HOME; echo $PATH"]


def test_a_form_carries_values_as_text(service: Service) -> None:
    fields = {
        "label": "L",
        "count": "7",
        "words_ratio": "0.25",
        "words_loud": "true",
        "words_sites": ["5", "6"],
        "words_mode": "exact",
    }
    done = service.run("words", files={"text": "T"}, data=fields)
    assert done["parameters"] == {
        "label": "L",
        "count": 7,
        "words_ratio": 0.25,
        "words_loud": True,
        "words_mode": "exact",
        "words_sites": [5, 6],
    }


@pytest.mark.parametrize("name", ["label", "words_label", "tag"])
def test_a_parameter_is_known_by_its_aliases(service: Service, name: str) -> None:
    by_form = service.run("words", files={"text": "T"}, data={name: "called"})
    by_json = service.run("words", json={"inputs": {"text": "T"}, "parameters": {name: "called"}})
    assert by_form["parameters"]["label"] == by_json["parameters"]["label"] == "called"


def test_the_schema_tells_what_callers_may_set(service: Service) -> None:
    schema = service.get("/api/v1/jobs/words").json()["parameters"]
    assert schema["required"] == ["label"]
    assert schema["properties"]["label"]["title"] == "What to call it"
    assert schema["properties"]["count"] == {"type": "integer", "minimum": 1, "maximum": 10, "default": 4}
    assert schema["properties"]["words_mode"]["enum"] == ["fast", "exact"]
    assert schema["properties"]["words_sites"]["maxItems"] == 3
    assert "words_fixed" not in schema["properties"]


def test_a_bash_script_finds_its_values_in_its_environment(service: Service) -> None:
    done = service.run("in_bash", files={"text": "the text"}, data={"in_bash_label": '$(id) "quoted"'})
    assert done["status"] == "COMPLETE", done["message"]
    assert service.results(done)["in_bash_seen"].decode().splitlines() == [
        '3|$(id) "quoted"|true|unset|unset',
        f'01|$(id) "quoted" of {done["id"]}|{done["id"]}',
        "{param.count}",
        "the text",
    ]


def test_a_python_script_finds_all_values_in_the_task_file(service: Service) -> None:
    done = service.run("in_python", files={"text": "T"}, data={"in_python_sites": ["7"]})
    seen = json.loads(service.results(done)["in_python_seen"])
    values, environment = seen["values"], seen["environment"]
    assert values["param.ratio"] == 0.001
    assert values["param.sites"] == [7]
    assert values["submission.id"] == done["id"]
    assert values["resources.cpus"] == 1
    assert values["input.text"] == environment["input_text"] == f"{values['workdir']}/text.txt"
    assert environment["param_ratio"] == "0.001"
    assert environment["param_sites"] == "7"


def test_nothing_of_the_servers_environment_is_passed_on(service: Service) -> None:
    done = service.run("surroundings", files={"text": "T"})
    lines = service.results(done)["surroundings_seen"].decode().splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    assert set(environment) - {"LANG", "LC_ALL", "LC_CTYPE", "TZ"} == {
        *("PATH", "HOME", "TMPDIR", "AA_ATTEMPT", "task_file", "message_file", "progress_file", "input_text"),
        "OWN",
    }
    assert environment["OWN"] == "1"
    assert environment["HOME"] != environment["TMPDIR"]


def test_the_python_of_a_script_is_never_the_services_own(service: Service) -> None:
    done = service.run("in_python", files={"text": "T"})
    assert json.loads(service.results(done)["in_python_seen"])["program"] != sys.executable
