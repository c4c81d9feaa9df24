"""The whole system in one go: serve, apply a pipeline, submit a real FASTA file over HTTP, fetch the results.

With a terminal it serves on until Ctrl-C; without one it stops everything that it started. Exit code 0 when all went
well. Uses nothing but Python's standard library, as any caller could.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
AA = Path(sys.executable).with_name("aa")
PIPELINE, JOB, DATA = HERE / "protein_report.yaml", "protein_report", HERE / "globins.fasta"
LONGEST = 60
"""Seconds that any part may take."""


class DemoError(Exception):
    """Something went wrong; the message says what."""


def main() -> int:
    """Run the demo; its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="aa-demo-") as folder, Path(folder, "log").open("w+") as log:
        subprocess.run([AA, "apply", "--data", folder, PIPELINE], check=True, stdout=log)
        served = subprocess.Popen(
            [AA, "up", "--data", folder, "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            address = announced_address(served)
            show(submit(address), address)
            if sys.stdin.isatty():
                print("\nServing until Ctrl-C.")
                served.wait()
        except KeyboardInterrupt:
            print()
        except (DemoError, urllib.error.URLError) as error:
            log.seek(0)
            print(f"The demo failed: {error}\n\n{log.read()}", file=sys.stderr)
            return 1
        finally:
            code = stop(served)
    if code:
        print(f"aa up ended with exit code {code}", file=sys.stderr)
    return 1 if code else 0


def announced_address(served: subprocess.Popen[str]) -> str:
    """What `aa up` says that it serves, once it answers."""
    assert served.stdout is not None
    line = served.stdout.readline()
    if "http://" not in line:
        raise DemoError(f"`aa up` did not start: {line.strip() or 'it said nothing'}")
    address = "http://" + line.split("http://")[1].split("/")[0]
    print(f"A_A serves {address}")
    deadline = time.monotonic() + LONGEST
    while True:
        try:
            read(f"{address}/api/v1/jobs")
            return address
        except urllib.error.URLError:
            if time.monotonic() > deadline or served.poll() is not None:
                raise DemoError("the service does not answer") from None
            time.sleep(0.05)


def submit(address: str) -> dict[str, Any]:
    """POST the file as a form, poll to the end, and return the submission."""
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="sequences"; filename="{DATA.name}"\r\n\r\n'
    body = head.encode() + DATA.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(  # noqa: S310 -- the address is our own
        f"{address}/api/v1/jobs/{JOB}/submissions",
        data=body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        submission: dict[str, Any] = json.load(answer)
    print(f"POST {DATA.name} ({DATA.stat().st_size} bytes) to {JOB}: {answer.status}, {submission['id']}")
    line, deadline = progress(submission), time.monotonic() + LONGEST
    while submission["status"] in {"SUBMITTED", "RUNNING"}:
        if time.monotonic() > deadline:
            raise DemoError(f"the submission is still {submission['status']}")
        time.sleep(0.05)
        submission = json.loads(read(submission["links"]["self"]))
        line = progress(submission, line)
    print()
    if submission["status"] != "COMPLETE":
        raise DemoError(f"the submission ended with {submission['status']}: {submission['message']}")
    return submission


def progress(submission: dict[str, Any], before: str = "") -> str:
    """Show how far it is: on a terminal one line that is written over, else a line per change; returns the line."""
    signs = {"COMPLETE": "done", "RUNNING": "running", "QUEUED": "queued", "PENDING": "waits"}
    steps = "  ".join(f"{step['name']}: {signs.get(step['status'], step['status'])}" for step in submission["steps"])
    line = f"{submission['status']:9}  {steps}"
    if line != before:
        print(f"\r{line:100}" if sys.stdout.isatty() else line, end="" if sys.stdout.isatty() else "\n", flush=True)
    return line


def show(submission: dict[str, Any], address: str) -> None:
    """The results' names, sizes and addresses, and the first lines of the table."""
    for result in submission["results"]:
        print(f"{result['name']:24} {result['size']:7} bytes  {result['url']}")
    table = next(result for result in submission["results"] if result["name"] == "composition_table")
    print()
    for line in read(table["url"]).decode().splitlines()[:4]:
        print(line.expandtabs(5).replace(line.split("\t")[0], f"{line.split(chr(9))[0]:24}", 1))
    print(f"\nPages: {address}/ (start), {submission['links']['page']} (this submission),")
    print(f"       {address}/api/docs (the service), {address}/admin/ (configuration; make an account by")
    print("       `.venv/bin/aa manage createsuperuser`)")


def read(address: str) -> bytes:
    """GET."""
    with urllib.request.urlopen(address, timeout=LONGEST) as answer:  # noqa: S310 -- the address is our own
        return bytes(answer.read())


def stop(served: subprocess.Popen[str]) -> int:
    """Stop `aa up` and all that it started; its exit code."""
    if served.poll() is None:
        served.send_signal(signal.SIGTERM)
    try:
        return served.wait(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        served.kill()
        return served.wait()


if __name__ == "__main__":
    sys.exit(main())
