"""The jobs of the storm, and what must come of each."""

import random
from pathlib import Path

SMALL = "small"
"""The backend whose work folders are on a disk that is filled."""
QUEUES = ("LOCALHOST", "aside_queue", "small_queue")
_PIPELINE = """\
format: 1
pipeline: storm
backends:
  aside: {queue: aside_queue}
  small: {queue: small_queue, root: ROOT}
tasks:
  copy: {inputs: {data: in.txt}, outputs: {copied: out.txt}, command: "cp {input.data} {output.copied}"}
  upper:
    inputs: {copied: in.txt}
    outputs: {upper: out.txt}
    script: tr a-z A-Z < "$input_copied" > "$output_upper"
  count: {backend: aside, inputs: {copied: in.txt}, outputs: {number: n.txt}, command: "wc -c {input.copied}", stdout: number}
  join: {inputs: {upper: a.txt, number: b.txt}, outputs: {joined: out.txt}, command: "cat {input.upper} {input.number}", stdout: joined}
  tree:                          # a daemon holds no pipe and lives for long: somebody has to end it
    inputs: {data: in.txt}
    outputs: {done: out.txt}
    script: |
      (sleep 0.1 & sleep 0.2 & wait) &
      setsid sleep 3000 < /dev/null > /dev/null 2>&1 &
      sleep 0.2
      cp "$input_data" "$output_done"
  linger: {inputs: {data: in.txt}, outputs: {done: out.txt}, script: sleep 1.5; cp "$input_data" "$output_done"}
  fail: {inputs: {data: in.txt}, script: "exit 7"}
  third:                         # no message tells of its next try: workers have to look
    inputs: {data: in.txt}
    outputs: {done: out.txt}
    retries: {max: 50, on: ["exit:9", signal, lost, backend_unavailable], delay: 1s}
    script: |
      [ $((RANDOM % 3)) = 0 ] || exit 9
      cp "$input_data" "$output_done"
  deal:
    inputs: {data: in.txt}
    outputs: {parts: {file: "part-*.txt", many: true, publish: false}}
    script: split --lines=1 --numeric-suffixes --suffix-length=3 --additional-suffix=.txt "$input_data" part-
  shout:
    inputs: {part: part.txt}
    outputs: {loud: {file: loud.txt, publish: false}}
    script: tr a-z A-Z < "$input_part" > "$output_loud"
  gather:
    inputs: {parts: {file: parts, many: true}}
    outputs: {all: all.txt}
    script: cat "$input_parts"/*/* > "$output_all"
  conclude:
    inputs: {copied: in.txt, upper: {file: upper.txt, optional: true}}
    outputs: {end: end.txt}
    script: cat "$input_copied" ${input_upper:+"$input_upper"} > "$output_end"
  place: {backend: small, inputs: {data: in.txt}, outputs: {placed: out.txt}, command: "cp {input.data} {output.placed}"}
  greedy:                        # fills its disk by itself
    backend: small
    inputs: {data: in.txt}
    outputs: {much: {file: much, publish: false}}
    script: head -c 200M /dev/zero > "$output_much"
jobs:
  one: {runnable: true, steps: [copy]}
  diamond:
    runnable: true
    steps: [{task: copy, ordering: 1}, {task: upper, ordering: 2}, {task: count, ordering: 2}, {task: join, ordering: 3}]
    results: {joined: join.joined}
  tree: {runnable: true, steps: [tree]}
  linger: {runnable: true, steps: [linger]}
  fail: {runnable: true, steps: [fail, copy]}
  third: {runnable: true, steps: [third]}
  wide:
    runnable: true
    steps: [deal, {task: shout, inputs: {part: deal.parts}, scatter: part}, {task: gather, inputs: {parts: shout.loud}}]
  perhaps:
    runnable: true
    steps: [copy, {task: upper, when: "copy.copied.size > 500"}, conclude]
    results: {end: conclude.end}
  placed: {runnable: true, steps: [place, {name: again, task: place, inputs: {data: place.placed}}]}
  greedy: {runnable: true, steps: [greedy]}
"""
_WEIGHTS = {
    "one": 8,
    "diamond": 6,
    "tree": 3,
    "linger": 2,
    "fail": 2,
    "third": 2,
    "wide": 2,
    "perhaps": 4,
    "placed": 4,
    "greedy": 1,
}
FAILING = frozenset({"fail", "greedy"})
"""Jobs that never are COMPLETE."""


def pipeline(root: Path) -> str:
    """The pipeline file; `root` is where the work folders of the small backend are."""
    return _PIPELINE.replace("ROOT", str(root))


def choose(chance: random.Random) -> str:
    """The next job."""
    return chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]


def make_data(job: str, token: str, chance: random.Random) -> bytes:
    """Data for the job that no other submission sends; each line of it differs from all others."""
    if job == "wide":
        return "".join(f"line {number} of {token}\n" for number in range(chance.randint(20, 50))).encode()
    return f"{job} {token} ".encode() * chance.choice([1, 10, 500])


def right_results(job: str, data: bytes) -> dict[str, bytes]:
    """The results that a COMPLETE submission must have, by public name."""
    match job:
        case "diamond":
            return {"joined": data.upper() + f"{len(data)} in.txt\n".encode()}
        case "wide":
            return {"gather_all": data.upper()}
        case "perhaps":
            return {"end": data + (data.upper() if len(data) > 500 else b"")}
        case "placed":
            return {"place_placed": data, "again_placed": data}
        case "one":
            return {"copy_copied": data}
        case "tree" | "linger" | "third":
            return {f"{job}_done": data}
    return {}
