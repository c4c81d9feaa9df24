"""The service as HTTP has it: conditions, ranges, headers, pages of lists, and problems."""

import io
import uuid
import zipfile
from typing import Any

import pytest

from integration.live import Service

TEXT = b"0123456789" * 100


@pytest.fixture
def done(service: Service) -> dict[str, Any]:
    """A submission that is complete."""
    return service.run("three", files={"data": ("digits.txt", TEXT)})


def test_a_poll_costs_nothing_while_nothing_changes(service: Service, done: dict[str, Any]) -> None:
    first = service.get(done["links"]["self"])
    again = service.http.get(done["links"]["self"], headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Retry-After" not in first.headers
    other = service.http.get(done["links"]["self"], headers={"If-None-Match": '"another"'})
    assert other.status_code == 200


def test_a_poll_of_a_running_submission_says_when_to_ask_again(service: Service) -> None:
    response = service.post("noop", files={"data": TEXT})
    assert response.status_code == 201
    assert response.headers["Retry-After"] == str(response.json()["poll_after"]) == "1"
    service.finished(response.json())


def test_the_location_of_a_submission_is_its_address(service: Service) -> None:
    response = service.post("noop", files={"data": TEXT})
    location = response.headers["Location"]
    assert location == response.json()["links"]["self"]
    assert location == f"{service.address}/api/v1/submissions/{response.json()['id']}"
    assert service.get(location).json()["id"] == response.json()["id"]
    service.finished(response.json())


def test_events_tell_the_whole_history_in_order(service: Service, done: dict[str, Any]) -> None:
    events = service.get(done["links"]["events"]).json()["events"]
    assert [(event["step"], event["status"]) for event in events] == [
        (None, "SUBMITTED"),
        ("copy", "QUEUED"),
        (None, "RUNNING"),
        ("copy", "RUNNING"),
        ("copy", "COMPLETE"),
        ("again", "QUEUED"),
        ("again", "RUNNING"),
        ("again", "COMPLETE"),
        ("once_more", "QUEUED"),
        ("once_more", "RUNNING"),
        ("once_more", "COMPLETE"),
        (None, "COMPLETE"),
    ]
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)


def test_events_come_in_pages(service: Service, done: dict[str, Any]) -> None:
    whole = service.get(done["links"]["events"]).json()
    assert whole["next"] is None
    pages, address = [], f"{done['links']['events']}?limit=5"
    while address:
        page = service.get(address).json()
        pages.append(page["events"])
        address = page["next"]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert [event for page in pages for event in page] == whole["events"]


def test_results_come_in_pages(service: Service, done: dict[str, Any]) -> None:
    pages, address = [], f"{done['links']['results']}?limit=2"
    while address:
        page = service.get(address).json()
        pages.append(page["results"])
        address = page["next"]
    assert [len(page) for page in pages] == [2, 1]
    assert [result for page in pages for result in page] == done["results"]


def test_a_poll_lists_a_hundred_results_and_pages_list_all(service: Service) -> None:
    lines = "".join(f"{number}\n" for number in range(100))
    many = service.run("pieces", files={"lines": lines})  # a hundred pieces, and one result more
    assert len(many["results"]) == 100
    first = service.get(many["links"]["results"]).json()
    second = service.get(first["next"]).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (100, 1, None)


def test_the_archive_holds_every_result(service: Service, done: dict[str, Any]) -> None:
    response = service.get(done["links"]["archive"])
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == f'attachment; filename="three-{done["id"]}.zip"'
    assert int(response.headers["Content-Length"]) == len(response.content)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "copy_copied/out.txt": TEXT,
            "again_twice/out.txt": TEXT,
            "once_more_thrice/out.txt": TEXT,
        }


@pytest.mark.parametrize(
    ("wanted", "content", "shown"),
    [
        ("bytes=0-9", TEXT[:10], "bytes 0-9/1000"),
        ("bytes=990-", TEXT[990:], "bytes 990-999/1000"),
        ("bytes=-5", TEXT[-5:], "bytes 995-999/1000"),
        ("bytes=5-99999", TEXT[5:], "bytes 5-999/1000"),
    ],
)
def test_ranges_of_results(service: Service, done: dict[str, Any], wanted: str, content: bytes, shown: str) -> None:
    response = service.http.get(done["results"][0]["url"], headers={"Range": wanted})
    assert (response.status_code, response.content) == (206, content)
    assert response.headers["Content-Range"] == shown
    assert response.headers["Content-Length"] == str(len(content))


def test_a_range_behind_the_end_cannot_be_satisfied(service: Service, done: dict[str, Any]) -> None:
    response = service.http.get(done["results"][0]["url"], headers={"Range": "bytes=1000-"})
    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */1000"


def test_a_result_is_safe_to_show_and_to_keep(service: Service, done: dict[str, Any]) -> None:
    response = service.get(done["results"][0]["url"])
    assert response.headers["Content-Type"] == "text/plain"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert 'filename="out.txt"' in response.headers["Content-Disposition"]
    known = service.http.get(done["results"][0]["url"], headers={"If-None-Match": response.headers["ETag"]})
    assert known.status_code == 304


def test_head_is_get_without_the_body(service: Service, done: dict[str, Any]) -> None:
    for address in (done["links"]["self"], done["results"][0]["url"], done["links"]["archive"], "/api/v1/jobs"):
        head, get = service.http.head(address), service.get(address)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("Content-Type", "Content-Length", "ETag", "Content-Disposition"):
            assert head.headers.get(name) == get.headers.get(name), (address, name)


def test_every_answer_has_a_request_id(service: Service) -> None:
    made = service.get("/api/v1/jobs").headers["X-Request-Id"]
    assert made
    assert service.get("/api/v1/jobs").headers["X-Request-Id"] != made
    own = service.http.get("/api/v1/no-such", headers={"X-Request-Id": "my-own.1"})
    assert own.headers["X-Request-Id"] == "my-own.1"
    hostile = service.get("/api/v1/jobs", headers={"X-Request-Id": "a b" * 100})
    assert " " not in hostile.headers["X-Request-Id"]


def test_pages_of_any_origin_may_call(service: Service) -> None:
    origin = {"Origin": "https://page.example"}
    for response in (
        service.get("/api/v1/jobs", headers=origin),
        service.post("no-such-job", headers=origin),
        service.post("noop", headers=origin, json={"nonsense": 1}),
    ):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers
        exposed = {name.strip().lower() for name in response.headers["Access-Control-Expose-Headers"].split(",")}
        assert exposed >= {
            *("location", "etag", "retry-after", "content-disposition"),
            *("content-length", "content-range", "x-request-id"),
        }


def test_a_browser_that_asks_beforehand_may_send_json(service: Service) -> None:
    asked = {
        "Origin": "https://page.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    response = service.http.options("/api/v1/jobs/noop/submissions", headers=asked)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "content-type" in response.headers["Access-Control-Allow-Headers"]


NOBODY = uuid.uuid4()


@pytest.mark.parametrize(
    ("method", "address", "status", "kind"),
    [
        ("GET", "/api/v1/jobs/nop", 404, "unknown-job"),
        ("POST", "/api/v1/jobs/nop/submissions", 404, "unknown-job"),
        ("GET", f"/api/v1/submissions/{NOBODY}", 404, "not-found"),
        ("GET", f"/api/v1/submissions/{NOBODY}/events", 404, "not-found"),
        ("GET", f"/api/v1/submissions/{NOBODY}/results/a", 404, "not-found"),
        ("GET", f"/api/v1/submissions/{NOBODY}/results.zip", 404, "not-found"),
        ("GET", "/api/v1/submissions/not-an-id", 404, "not-found"),
        ("GET", "/api/v1/jobs/noop%00", 400, "malformed-request"),
        ("GET", "/api/v1/jobs?after=%00", 400, "malformed-request"),
        ("GET", "/api/v1/elsewhere", 404, "not-found"),
        ("GET", "/api/", 404, "not-found"),
        ("DELETE", "/api/v1/jobs/noop", 405, "method-not-allowed"),
        ("GET", "/api/v1/jobs/noop/submissions", 405, "method-not-allowed"),
        ("PUT", f"/api/v1/submissions/{NOBODY}", 405, "method-not-allowed"),
        ("GET", "/api/v1/jobs?limit=0", 422, "invalid-request"),
        ("GET", f"/api/v1/submissions/{NOBODY}/events?since=x", 422, "invalid-request"),
        ("GET", "/api/v1/jobs?limit=99999999999999999999999", 422, "invalid-request"),
    ],
)
def test_problems_are_problem_documents(service: Service, method: str, address: str, status: int, kind: str) -> None:
    response = service.http.request(method, address)
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == f"/api/problems/{kind}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    meaning = service.get(problem["type"]).json()
    assert (meaning["type"], meaning["status"]) == (problem["type"], status)
    if status == 405:
        assert response.headers["Allow"]


def test_an_unknown_jobs_nearest_name_is_told(service: Service) -> None:
    detail = service.http.get("/api/v1/jobs/protien_report").json()["detail"]
    assert "did you mean 'protein_report'?" in detail


def test_the_catalogue_lists_what_can_be_called(service: Service) -> None:
    jobs = service.get("/api/v1/jobs").json()["jobs"]
    names = [job["name"] for job in jobs]
    assert names == sorted(names)
    assert {"noop", "three", "protein_report", "words"} <= set(names)
    assert "idle" not in names
    first = service.get("/api/v1/jobs?limit=1").json()
    second = service.get(first["next"]).json()
    assert [first["jobs"][0]["name"], second["jobs"][0]["name"]] == names[:2]
    for job in jobs:
        assert service.get(job["url"]).json()["name"] == job["name"]


def test_the_service_describes_itself(service: Service) -> None:
    document = service.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/jobs/{job}/submissions" in document["paths"]
    assert service.get("/api/docs").headers["Content-Type"].startswith("text/html")
