"""Wrong configurations, each with what is said of it: the same table is held against files and against pages.

Each text is a whole pipeline file with one thing wrong in it. Where `pages` is true, the configuration pages can be
given the same thing, and refuse it in the same words.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bad:
    """A wrong configuration."""

    id: str
    text: str
    line: int
    """Where the reader of the file is sent, from 1."""
    where: str
    """The path that is told: `jobs.j.steps[0].task`."""
    message: str
    pages: bool = True
    """Whether it can be said on the configuration pages, too: it is not about YAML, the file itself, or its header."""

    @property
    def section(self) -> str:
        """`backends`, `tasks` or `jobs`: the kind of page that refuses it."""
        return self.where.split(".")[0]

    @property
    def name(self) -> str:
        """The name of what is refused."""
        return self.where.split(".")[1]


BAD = [
    # Backends
    Bad(
        "backend-unknown-executor",
        """\
format: 1
pipeline: p
backends:
  b:
    executor: slrum
""",
        5,
        "backends.b.executor",
        "there is no executor 'slrum' (did you mean 'slurm'?)",
    ),
    Bad(
        "backend-unknown-option",
        """\
format: 1
pipeline: p
backends:
  b:
    executor: local
    options: {partition: main}
""",
        6,
        "backends.b.options.partition",
        "is no option of the executor 'local'; known: cpu_time, processes, open_files, file_size, output, readable",
    ),
    Bad(
        "backend-relative-root",
        """\
format: 1
pipeline: p
backends:
  b:
    root: shared/aa
""",
        5,
        "backends.b.root",
        "must be an absolute path",
    ),
    Bad(
        "backend-relative-path",
        """\
format: 1
pipeline: p
backends:
  b:
    path:
      - /opt/bin
      - opt/psipred
""",
        7,
        "backends.b.path[1]",
        "'opt/psipred' is no absolute path",
    ),
    Bad(
        "backend-colon-in-path",
        """\
format: 1
pipeline: p
backends:
  b:
    path: ['/opt/bin:/opt/sbin']
""",
        5,
        "backends.b.path[0]",
        "'/opt/bin:/opt/sbin' holds a ':', which stands between the folders of PATH",
    ),
    Bad(
        "backend-relative-data",
        """\
format: 1
pipeline: p
backends:
  b:
    data:
      db: {path: data/db, version: '1'}
""",
        6,
        "backends.b.data.db.path",
        "'data/db' is no absolute path",
    ),
    Bad(
        "backend-data-twice",
        """\
format: 1
pipeline: p
backends:
  b:
    data:
      db: /data/db
      DB: /data/db2
""",
        7,
        "backends.b.data.DB",
        "differs from 'db' only by its case",
    ),
    Bad(
        "backend-sets-path-variable",
        """\
format: 1
pipeline: p
backends:
  b:
    environment:
      PATH: /opt/bin
""",
        6,
        "backends.b.environment.PATH",
        "is set by A_A for every command: use the backend's `path`",
    ),
    Bad(
        "backend-sets-own-variable",
        """\
format: 1
pipeline: p
backends:
  b:
    environment:
      task_file: x
""",
        6,
        "backends.b.environment.task_file",
        "is the variable in which A_A gives this value: choose another name",
    ),
    Bad(
        "backend-sets-data-variable",
        """\
format: 1
pipeline: p
backends:
  b:
    data: {db: /data/db}
    environment:
      data_db: x
""",
        7,
        "backends.b.environment.data_db",
        "is the variable in which A_A gives this value: choose another name",
    ),
    Bad(
        "backend-placeholder-in-setup",
        """\
format: 1
pipeline: p
backends:
  b:
    setup: cd {workdir}
""",
        5,
        "backends.b.setup",
        "holds {workdir}, and nothing is replaced in `setup`: use it in the command or the script",
    ),
    Bad(
        "backend-default-time-beyond-limit",
        """\
format: 1
pipeline: p
backends:
  b:
    limits: {timeout: 1h}
    defaults:
      timeout: 2h
""",
        7,
        "backends.b.defaults.timeout",
        "is 2h, and `limits` allows 1h",
    ),
    Bad(
        "backend-default-memory-beyond-limit",
        """\
format: 1
pipeline: p
backends:
  b:
    limits: {resources: {memory: 1GB}}
    defaults:
      resources:
        memory: 2GB
""",
        8,
        "backends.b.defaults.resources.memory",
        "is 2GB, and `limits` allows 1GB",
    ),
    Bad(
        "backend-queue-taken",
        """\
format: 1
pipeline: p
backends:
  a: {queue: fast}
  b:
    queue: fast
""",
        6,
        "backends.b.queue",
        "the queue 'fast' is already that of the backend 'a'",
    ),
    Bad(
        "backend-queue-of-local",
        """\
format: 1
pipeline: p
backends:
  b:
    queue: LOCALHOST
""",
        5,
        "backends.b.queue",
        "the queue 'LOCALHOST' is already that of the backend 'local'",
    ),
    Bad(
        "backend-user",
        """\
format: 1
pipeline: p
backends:
  b:
    user: Domain User
""",
        5,
        "backends.b.user",
        "is no system user: small letters, digits, _ - . (at most 32)",
    ),
    # Tasks
    Bad(
        "task-nothing-to-execute",
        """\
format: 1
pipeline: p
tasks:
  t:
    title: Nothing
""",
        4,
        "tasks.t",
        "needs either `command` or `script`, one of the two",
    ),
    Bad(
        "task-command-and-script",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    script: tool
""",
        6,
        "tasks.t.script",
        "needs either `command` or `script`, one of the two",
    ),
    Bad(
        "task-interpreter-of-command",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    interpreter: bash
""",
        6,
        "tasks.t.interpreter",
        "belongs to a `script`: a command names its program itself",
    ),
    Bad(
        "task-pipe",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: sort in.txt | uniq
""",
        5,
        "tasks.t.command",
        "holds a pipe or || outside quotes, which only a shell understands: put the sign in quotes, or write the command as a `script`",
    ),
    Bad(
        "task-open-quote",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool 'x
""",
        5,
        "tasks.t.command",
        "cannot be split into words: no closing quotation",
    ),
    Bad(
        "task-unknown-backend",
        """\
format: 1
pipeline: p
backends:
  cluster: {executor: local}
tasks:
  t:
    command: tool
    backend: clustr
""",
        8,
        "tasks.t.backend",
        "there is no backend 'clustr' (did you mean 'cluster'?)",
    ),
    Bad(
        "task-unknown-input",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.dta} {input.data} {output.out}
""",
        7,
        "tasks.t.command",
        "{input.dta} names no input of this task (did you mean 'data'?)",
    ),
    Bad(
        "task-unknown-output",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.ot}
""",
        7,
        "tasks.t.command",
        "{output.ot} names no output of this task (did you mean 'out'?)",
    ),
    Bad(
        "task-unknown-parameter",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {param.size} {output.out}
""",
        7,
        "tasks.t.command",
        "{param.size} names no parameter of this task; known: none",
    ),
    Bad(
        "task-unknown-resource",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {resources.cpu} {output.out}
""",
        7,
        "tasks.t.command",
        "{resources.cpu} names no resource of this task (did you mean 'cpus'?)",
    ),
    Bad(
        "task-unused-input",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {output.out}
""",
        5,
        "tasks.t.inputs.data",
        "the command does not use it: write {input.data} in the command, or `env_only: true` here",
    ),
    Bad(
        "task-unused-parameter",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    parameters:
      x: {type: integer, default: 1}
""",
        7,
        "tasks.t.parameters.x",
        "the command does not use it: write {param.x} in the command, or `env_only: true` here",
    ),
    Bad(
        "task-code-from-a-caller",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: sh -c 'echo {param.x}'
    parameters:
      x: {type: string, default: a}
""",
        5,
        "tasks.t.command",
        "sh -c runs text of its command line, and a parameter inside it would be run too: write a `script`, where the value is in the environment",
    ),
    Bad(
        "task-list-within-word",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool a{param.x}
    parameters:
      x: {type: integer, many: true, default: [1]}
""",
        5,
        "tasks.t.command",
        "{param.x} is a list, so it must be a word of its own",
    ),
    Bad(
        "task-flag-within-word",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool a{param.x}
    parameters:
      x: {type: integer, flag: -x, default: 1}
""",
        5,
        "tasks.t.command",
        "{param.x} has a flag, so it must be a word of its own",
    ),
    Bad(
        "task-output-glob-in-command",
        """\
format: 1
pipeline: p
tasks:
  t:
    outputs: {out: '*.txt'}
    command: tool {output.out}
""",
        6,
        "tasks.t.command",
        "{output.out} stands for one file, but the output 'out' is a glob or `many`",
    ),
    Bad(
        "task-inputs-differ-by-case",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs:
      data: a.txt
      Data: b.txt
    command: tool {input.data} {input.Data}
""",
        7,
        "tasks.t.inputs.Data",
        "differs from 'data' only by its case",
    ),
    Bad(
        "task-same-file",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: a.txt}
    outputs:
      out: a.txt
    command: tool {input.data}
""",
        7,
        "tasks.t.outputs.out",
        "has the same file name as 'data'",
    ),
    Bad(
        "task-glob-as-input",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs:
      data: '*.txt'
    command: tool {input.data}
""",
        6,
        "tasks.t.inputs.data",
        "is a file name, which holds no *, ? or [",
    ),
    Bad(
        "task-many-without-glob",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    outputs:
      out: {file: out.txt, many: true}
""",
        7,
        "tasks.t.outputs.out",
        "is `many`, so its file is a glob, such as 'out/*.png'",
    ),
    Bad(
        "task-separator-without-flag",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: {file: in.txt, separator: '='}}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out}
""",
        5,
        "tasks.t.inputs.data.separator",
        "stands between `flag` and file, and there is no flag",
    ),
    Bad(
        "task-media-type",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    outputs:
      out: {file: out.png, media_type: png}
""",
        7,
        "tasks.t.outputs.out.media_type",
        "'png' is no media type, such as image/png",
    ),
    Bad(
        "task-stdin-unknown",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out}
    stdin: dta
""",
        8,
        "tasks.t.stdin",
        "names no input of this task (did you mean 'data'?)",
    ),
    Bad(
        "task-stdout-unknown",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out}
    stdout: ot
""",
        8,
        "tasks.t.stdout",
        "names no output of this task (did you mean 'out'?)",
    ),
    Bad(
        "task-shipped-twice",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    files:
      - helpers.R
      - helpers.R
""",
        8,
        "tasks.t.files[1]",
        "names 'helpers.R' twice",
    ),
    Bad(
        "task-shipped-glob",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    files:
      - '*.R'
""",
        7,
        "tasks.t.files[0]",
        "'*.R' names no single file: write every file out, without *, ? or [",
    ),
    Bad(
        "task-shipped-over-input",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out}
    files:
      - in.txt
""",
        9,
        "tasks.t.files[0]",
        "'in.txt' is also where the input 'data' lies: give one of the two another name",
    ),
    Bad(
        "task-shipped-into-folder",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {pages: {file: pages, many: true}}
    command: tool {input.pages}
    files:
      - pages/first.txt
""",
        8,
        "tasks.t.files[0]",
        "'pages/first.txt' lies in 'pages', the folder of the input 'pages'",
    ),
    Bad(
        "task-sets-home",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    environment:
      HOME: /tmp
""",
        7,
        "tasks.t.environment.HOME",
        "is set by A_A for every command",
    ),
    Bad(
        "task-sets-own-variable",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out}
    environment:
      input_data: x
""",
        9,
        "tasks.t.environment.input_data",
        "is the variable in which A_A gives this value: choose another name",
    ),
    Bad(
        "task-secret-in-environment",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    environment: {TOKEN: x}
    secrets:
      - TOKEN
""",
        8,
        "tasks.t.secrets[0]",
        "'TOKEN' is also in `environment`: leave one of the two out",
    ),
    Bad(
        "task-secret-is-own-variable",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    secrets:
      - workdir
""",
        7,
        "tasks.t.secrets[0]",
        "'workdir' is the variable in which A_A gives a value: choose another name",
    ),
    Bad(
        "task-secret-twice",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    secrets:
      - TOKEN
      - TOKEN
""",
        8,
        "tasks.t.secrets[1]",
        "names 'TOKEN' twice",
    ),
    Bad(
        "task-secret-of-backend",
        """\
format: 1
pipeline: p
backends:
  b: {environment: {TOKEN: x}}
tasks:
  t:
    command: tool
    backend: b
    secrets:
      - TOKEN
""",
        10,
        "tasks.t.secrets[0]",
        "'TOKEN' is also a variable of the backend 'b': rename one",
    ),
    Bad(
        "task-placeholder-in-setup",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out}
    setup: cp {input.data} copy.txt
""",
        8,
        "tasks.t.setup",
        "holds {input.data}, and nothing is replaced in `setup`: use it in the command or the script",
    ),
    Bad(
        "task-exit-code-means-two-things",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    exit_codes:
      stop: [3]
      fail: ['1-9']
""",
        8,
        "tasks.t.exit_codes.fail",
        "names 3, and so does `stop`: a code means one thing",
    ),
    Bad(
        "task-two-messages-for-a-code",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    exit_codes:
      messages:
        '3': No hits.
        '1-9': It failed.
""",
        9,
        "tasks.t.exit_codes.messages.1-9",
        "is about 3, and so is '3': a code has one message",
    ),
    Bad(
        "task-long-message",
        "format: 1\npipeline: p\ntasks:\n  t:\n    command: tool\n    exit_codes:\n      messages:\n        '3': "
        + "x" * 1001
        + "\n",
        8,
        "tasks.t.exit_codes.messages.3",
        "is longer than 1000 characters",
    ),
    Bad(
        "task-unknown-cause",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    retries:
      on:
        - lost
        - timeuot
""",
        9,
        "tasks.t.retries.on[1]",
        "'timeuot' is no cause (did you mean 'timeout'?)",
    ),
    Bad(
        "task-retry-of-cancelled",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    retries:
      on: [cancelled]
""",
        7,
        "tasks.t.retries.on[0]",
        "is no reason to try again: what somebody cancelled stays so",
    ),
    Bad(
        "task-unknown-data",
        """\
format: 1
pipeline: p
backends:
  b: {data: {uniref90: /data/uniref90}}
tasks:
  t:
    backend: b
    command: tool {data.uniref}
""",
        8,
        "tasks.t.command",
        "{data.uniref} names no data of the backend 'b' (did you mean 'uniref90'?)",
    ),
    Bad(
        "task-data-of-local",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {data.uniref90}
""",
        5,
        "tasks.t.command",
        "{data.uniref90} names no data of the backend 'local'; it has none",
    ),
    Bad(
        "task-software-data-unknown",
        """\
format: 1
pipeline: p
backends:
  b: {data: {uniref90: /data/uniref90}}
tasks:
  t:
    command: tool
    backend: b
    software:
      - {name: UniRef, type: dataset, data: uniref9}
""",
        10,
        "tasks.t.software[0].data",
        "'uniref9' names no data of the backend 'b' (did you mean 'uniref90'?)",
    ),
    Bad(
        "task-software-data-type",
        """\
format: 1
pipeline: p
backends:
  b: {data: {uniref90: /data/uniref90}}
tasks:
  t:
    command: tool
    backend: b
    software:
      - {name: UniRef, data: uniref90}
""",
        10,
        "tasks.t.software[0].data",
        "belongs to software of `type: dataset`",
    ),
    Bad(
        "task-time-beyond-limit",
        """\
format: 1
pipeline: p
backends:
  b: {limits: {timeout: 1h}}
tasks:
  t:
    command: tool
    backend: b
    timeout: 90m
""",
        9,
        "tasks.t.timeout",
        "is 90m, and the backend 'b' allows 1h",
    ),
    Bad(
        "task-cpus-beyond-limit",
        """\
format: 1
pipeline: p
backends:
  b: {limits: {resources: {cpus: 4}}}
tasks:
  t:
    command: tool
    backend: b
    resources:
      cpus: 8
""",
        10,
        "tasks.t.resources.cpus",
        "is 8, and the backend 'b' allows 4",
    ),
    Bad(
        "task-memory-beyond-limit",
        """\
format: 1
pipeline: p
backends:
  b: {limits: {resources: {memory: 4GB}}}
tasks:
  t:
    command: tool
    backend: b
    resources:
      memory: 4GiB
""",
        10,
        "tasks.t.resources.memory",
        "is 4GiB, and the backend 'b' allows 4GB",
    ),
    Bad(
        "task-gpus-beyond-limit",
        """\
format: 1
pipeline: p
backends:
  b: {limits: {resources: {gpus: 0}}}
tasks:
  t:
    command: tool
    backend: b
    resources:
      gpus: 1
""",
        10,
        "tasks.t.resources.gpus",
        "is 1, and the backend 'b' allows 0",
    ),
    Bad(
        "task-container-without-runtime",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    container: blast.sif
""",
        6,
        "tasks.t.container",
        "the backend 'local' runs no containers: it needs `container`, or the task another backend",
    ),
    Bad(
        "task-caller-names-image",
        """\
format: 1
pipeline: p
backends:
  b: {container: podman}
tasks:
  t:
    backend: b
    command: tool
    container:
      image: 'blast:{param.tag}'
    parameters:
      tag: {type: string, default: latest}
""",
        10,
        "tasks.t.container.image",
        "holds {param.tag}, by which a caller would name the image: make it a choice",
    ),
    Bad(
        "task-network-denied",
        """\
format: 1
pipeline: p
backends:
  b: {network: deny}
tasks:
  t:
    command: tool
    backend: b
    network: true
""",
        9,
        "tasks.t.network",
        "the backend 'b' lets no task into the network",
    ),
    # Parameters of tasks
    Bad(
        "parameter-without-type",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {default: 1}
""",
        7,
        "tasks.t.parameters.x",
        "needs a `type` (string, integer, number, boolean, choice) or a stored `value`",
    ),
    Bad(
        "parameter-choice-without-choices",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: choice}
""",
        7,
        "tasks.t.parameters.x",
        "needs `choices`: a list, or each with its title",
    ),
    Bad(
        "parameter-default-too-small",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: integer, default: 0, minimum: 1}
""",
        7,
        "tasks.t.parameters.x.default",
        "must be at least 1",
    ),
    Bad(
        "parameter-default-wrong-type",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: integer, default: many}
""",
        7,
        "tasks.t.parameters.x.default",
        "must be a whole number",
    ),
    Bad(
        "parameter-default-no-choice",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: choice, choices: [red, blue], default: green}
""",
        7,
        "tasks.t.parameters.x.default",
        "must be one of red, blue",
    ),
    Bad(
        "parameter-minimum-of-text",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: string, default: a, minimum: 1}
""",
        7,
        "tasks.t.parameters.x.minimum",
        "belongs to a number",
    ),
    Bad(
        "parameter-pattern-of-number",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: integer, default: 1, pattern: a}
""",
        7,
        "tasks.t.parameters.x.pattern",
        "belongs to a string",
    ),
    Bad(
        "parameter-pattern-recursion",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: string, default: a, pattern: '((?1)?a)+b'}
""",
        7,
        "tasks.t.parameters.x.pattern",
        "calls a part of itself by (?1), which may take memory without bound: write it without recursion",
    ),
    Bad(
        "parameter-wrong-pattern",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: string, default: a, pattern: '('}
""",
        7,
        "tasks.t.parameters.x.pattern",
        "is no regular expression: missing ) at position 1",
    ),
    Bad(
        "parameter-minimum-above-maximum",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: number, optional: true, minimum: 2, maximum: 1}
""",
        7,
        "tasks.t.parameters.x.minimum",
        "is above `maximum`",
    ),
    Bad(
        "parameter-value-and-default",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: integer, value: 1, default: 2}
""",
        7,
        "tasks.t.parameters.x.default",
        "is of no use beside a stored `value`",
    ),
    Bad(
        "parameter-separator-without-flag",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: integer, default: 1, separator: '='}
""",
        7,
        "tasks.t.parameters.x.separator",
        "stands between `flag` and value, and there is no flag",
    ),
    Bad(
        "parameter-flag-of-env-only",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    parameters:
      x: {type: integer, default: 1, flag: -x, env_only: true}
""",
        7,
        "tasks.t.parameters.x.flag",
        "is of no use with `env_only`",
    ),
    Bad(
        "parameter-max-items-of-one",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: integer, default: 1, max_items: 3}
""",
        7,
        "tasks.t.parameters.x.max_items",
        "belongs to a parameter with `many`",
    ),
    Bad(
        "parameter-negative",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: integer, default: -1}
""",
        7,
        "tasks.t.parameters.x.default",
        "is negative, which the command would read as an option: set a `flag`, or `allow_dash: true`",
    ),
    Bad(
        "parameter-list-item",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool {param.x}
    parameters:
      x: {type: integer, many: true, default: [1, two]}
""",
        7,
        "tasks.t.parameters.x.default[1]",
        "must be a whole number",
    ),
    # Steps
    Bad(
        "step-unknown-task",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: tt
""",
        15,
        "jobs.j.steps[0].task",
        "there is no task 'tt' (did you mean 't'?)",
    ),
    Bad(
        "step-reserved-name",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        name: input
""",
        16,
        "jobs.j.steps[0].name",
        "'input' is a reserved word: give the step another `name`",
    ),
    Bad(
        "step-name-twice",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - t
      - task: t
""",
        16,
        "jobs.j.steps[1].task",
        "two steps are called 't': give one of them a `name` of its own",
    ),
    Bad(
        "step-unknown-input",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        inputs:
          dta: data
""",
        17,
        "jobs.j.steps[0].inputs.dta",
        "is no input of the task 't' (did you mean 'data'?)",
    ),
    Bad(
        "step-unknown-source",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: read
        inputs:
          table: mak.table
""",
        21,
        "jobs.j.steps[1].inputs.table",
        "'mak' is no step of this job (did you mean 'make'?)",
    ),
    Bad(
        "step-unknown-output",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: read
        inputs:
          table: make.tabel
""",
        21,
        "jobs.j.steps[1].inputs.table",
        "the step 'make' has no output 'tabel' (did you mean 'table'?)",
    ),
    Bad(
        "step-source-not-ended",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - {task: make, ordering: 1}
      - task: read
        ordering: 1
        inputs:
          table: make.table
""",
        22,
        "jobs.j.steps[1].inputs.table",
        "the step 'make' has not surely ended before 'read' starts",
    ),
    Bad(
        "step-one-from-many",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: read
        inputs:
          table: make.pages
""",
        21,
        "jobs.j.steps[1].inputs.table",
        "is a single file, but make.pages may be many: set `many: true` on the task's input",
    ),
    Bad(
        "step-needs-unknown",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: read
        needs: [mke]
        inputs: {table: extra}
""",
        20,
        "jobs.j.steps[1].needs[0]",
        "'mke' is no step of this job (did you mean 'make'?)",
    ),
    Bad(
        "step-needs-itself",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
        needs: [read]
      - task: read
        needs: [make]
""",
        18,
        "jobs.j.steps[0]",
        "waits for itself in a circle: make -> read -> make",
    ),
    Bad(
        "step-unknown-parameter",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        parameters:
          sise: 3
""",
        17,
        "jobs.j.steps[0].parameters.sise",
        "is no parameter of the task 't' (did you mean 'size'?)",
    ),
    Bad(
        "step-stored-parameter",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        parameters:
          stored: 3
""",
        17,
        "jobs.j.steps[0].parameters.stored",
        "is stored in the task 't', so a step cannot set it",
    ),
    Bad(
        "step-parameter-value",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        parameters:
          size: 0
""",
        17,
        "jobs.j.steps[0].parameters.size",
        "must be at least 1",
    ),
    Bad(
        "step-when-syntax",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        when: param.t_size = 3
""",
        16,
        "jobs.j.steps[0].when",
        "has '=' where no such sign can stand: compare with ==",
    ),
    Bad(
        "step-when-unknown-parameter",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        when: param.t_sise > 3
""",
        16,
        "jobs.j.steps[0].when",
        "'t_sise' is no parameter of this job (did you mean 't_size'?)",
    ),
    Bad(
        "step-when-unknown-input",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        when: input.dta
""",
        16,
        "jobs.j.steps[0].when",
        "'dta' is no input of this job (did you mean 'data'?)",
    ),
    Bad(
        "step-when-unknown-step",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: read
        when: mak.table.size > 0
""",
        20,
        "jobs.j.steps[1].when",
        "'mak' is no step of this job (did you mean 'make'?)",
    ),
    Bad(
        "step-when-unknown-output",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: read
        when: make.tabel.size > 0
""",
        20,
        "jobs.j.steps[1].when",
        "the step 'make' has no output 'tabel' (did you mean 'table'?)",
    ),
    Bad(
        "step-when-not-ended",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - {task: make, ordering: 1}
      - task: read
        ordering: 1
        inputs: {table: extra}
        when: make.exit_code == 2
""",
        22,
        "jobs.j.steps[1].when",
        "the step 'make' has not surely ended before 'read' starts",
    ),
    Bad(
        "step-when-no-choice",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        when: param.t_colour == 'green'
""",
        16,
        "jobs.j.steps[0].when",
        "'green' is no choice of param.t_colour: red, blue",
    ),
    Bad(
        "step-when-never-equal",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps:
      - task: t
        when: param.t_size == 'big'
""",
        16,
        "jobs.j.steps[0].when",
        "a number and a text are never equal: param.t_size == 'big'",
    ),
    Bad(
        "step-when-presence-compared",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: read
        when: make.table > 0
""",
        20,
        "jobs.j.steps[1].when",
        "make.table says only whether it is there: compare make.table.count or make.table.size",
    ),
    Bad(
        "step-scatter-unknown-input",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: each
        inputs: {page: make.pages}
        scatter: {over: pge}
""",
        21,
        "jobs.j.steps[1].scatter.over",
        "'pge' is no input of the task 'each' (did you mean 'page'?)",
    ),
    Bad(
        "step-scatter-over-one-file",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: each
        inputs: {page: make.table}
        scatter:
          over: page
""",
        22,
        "jobs.j.steps[1].scatter.over",
        "'page' is fed from make.table, which is one file: there is nothing to take apart",
    ),
    Bad(
        "step-scatter-over-all-at-once",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
  t:
    inputs: {pages: {file: pages, many: true}}
    command: t {input.pages}
jobs:
  j:
    steps:
      - task: make
      - task: t
        inputs: {pages: make.pages}
        scatter:
          over: pages
""",
        25,
        "jobs.j.steps[1].scatter.over",
        "the input 'pages' of the task 't' takes all files at once: leave out `many` there",
    ),
    Bad(
        "step-scatter-missing",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps:
      - task: make
      - task: each
        inputs: {page: make.table}
""",
        19,
        "jobs.j.steps[1].task",
        "the task 'each' uses {scatter.stem}, so the step needs `scatter`",
    ),
    # Jobs
    Bad(
        "job-unused-input",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    inputs:
      data: {title: Data}
      more: {title: More}
""",
        17,
        "jobs.j.inputs.more",
        "no step uses it",
    ),
    Bad(
        "job-input-not-provided",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    inputs: {}
""",
        14,
        "jobs.j.steps[0].inputs.data",
        "is provided by nothing: no step before 't' has an output 'data', and the job has no input of that name (its inputs: none). Bind it in the step's `inputs`",
    ),
    Bad(
        "job-input-reserved",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {email: in.txt}
    outputs: {out: out.txt}
    command: tool {input.email} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    inputs: {email: {}}
""",
        15,
        "jobs.j.inputs.email",
        "the job's input 'email' has the name of the reserved field 'email': give it another, and bind it in `inputs`",
    ),
    Bad(
        "input-max-size-zero",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    inputs:
      data: {max_size: 0}
""",
        16,
        "jobs.j.inputs.data.max_size",
        "takes no file at all: write at least 1, or leave it out for the service's own bound",
    ),
    Bad(
        "job-max-files-of-one",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    inputs:
      data: {max_files: 2}
""",
        16,
        "jobs.j.inputs.data.max_files",
        "belongs to an input with `many: true`",
    ),
    Bad(
        "job-unpack-of-one",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    inputs:
      data:
        unpack: [zip]
""",
        17,
        "jobs.j.inputs.data.unpack",
        "belongs to an input with `many: true`",
    ),
    Bad(
        "job-unknown-validator",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    validators: [fsta]
""",
        15,
        "jobs.j.validators[0].fsta",
        "there is no validator 'fsta' (did you mean 'fasta'?)",
    ),
    Bad(
        "job-validator-option",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    inputs:
      data:
        validators:
          - fasta:
              alphabt: protein
""",
        19,
        "jobs.j.inputs.data.validators[0].fasta.alphabt",
        "is no option of this validator (did you mean 'alphabet'?)",
    ),
    Bad(
        "job-validator-option-value",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    validators:
      - size:
          max: lots
""",
        17,
        "jobs.j.validators[0].size.max",
        "'lots' is no size: write a number and a unit, such as 500KB, 10MB or 1GiB",
    ),
    Bad(
        "job-parameter-unknown-step",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      size: {sets: tt.size}
""",
        16,
        "jobs.j.parameters.size.sets",
        "'tt' is no step of this job (did you mean 't'?)",
    ),
    Bad(
        "job-parameter-unknown",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      size: {sets: t.sise}
""",
        16,
        "jobs.j.parameters.size.sets",
        "the step 't' has no parameter 'sise' (did you mean 'size'?)",
    ),
    Bad(
        "job-parameter-stored",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      size: {sets: t.stored}
""",
        16,
        "jobs.j.parameters.size.sets",
        "t.stored is stored in the task, so callers cannot set it",
    ),
    Bad(
        "job-parameter-without-type",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      engine: {title: Engine}
""",
        16,
        "jobs.j.parameters.engine",
        "needs `sets: step.parameter`, or a `type` of its own",
    ),
    Bad(
        "job-parameter-of-the-task",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      size: {sets: t.size, minimum: 2}
""",
        16,
        "jobs.j.parameters.size.minimum",
        "is the task's to say where the parameter `sets` it",
    ),
    Bad(
        "job-parameter-default",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      size: {sets: t.size, default: 0}
""",
        16,
        "jobs.j.parameters.size.default",
        "must be at least 1",
    ),
    Bad(
        "job-parameter-has-an-inputs-name",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      data: {sets: t.size}
""",
        16,
        "jobs.j.parameters.data",
        "the public name 'data' is also that of the input 'data'",
    ),
    Bad(
        "job-parameter-reserved",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      webhook: {sets: t.size}
""",
        16,
        "jobs.j.parameters.webhook",
        "the public name 'webhook' is also that of the reserved field 'webhook'",
    ),
    Bad(
        "job-parameter-alias-taken",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      size: {sets: t.size, aliases: [t_colour]}
""",
        14,
        "jobs.j.steps[0]",
        "callers set t.colour as 't_colour', which is also the name of the parameter 'size': name it in `parameters`",
    ),
    Bad(
        "job-own-parameter-with-flag",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    parameters:
      engine: {type: string, optional: true, flag: -e}
""",
        16,
        "jobs.j.parameters.engine.flag",
        "belongs to a task's parameter: a job's own meets no command",
    ),
    Bad(
        "job-result-unknown-step",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    results:
      out: tt.out
""",
        16,
        "jobs.j.results.out",
        "'tt' is no step of this job (did you mean 't'?)",
    ),
    Bad(
        "job-result-unknown-output",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    results:
      out: t.ot
""",
        16,
        "jobs.j.results.out",
        "the step 't' has no output 'ot' (did you mean 'out'?)",
    ),
    Bad(
        "job-result-twice",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    results:
      one: t.out
      two: t.out
""",
        17,
        "jobs.j.results.two",
        "t.out is already the result 'one'",
    ),
    Bad(
        "job-result-differs-by-case",
        """\
format: 1
pipeline: p
tasks:
  make:
    inputs: {data: in.txt}
    outputs: {table: table.tsv, pages: {file: "pages/*", many: true}}
    command: make {input.data} {output.table}
  read:
    inputs: {table: table.tsv}
    outputs: {note: note.txt}
    command: read {input.table} {output.note}
  each:
    inputs: {page: page.txt}
    command: each {input.page} {scatter.stem}
jobs:
  j:
    steps: [make]
    results:
      out: make.table
      Out: make.pages
""",
        20,
        "jobs.j.results.Out",
        "differs from 'out' only by its case",
    ),
    Bad(
        "job-access",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    access: pulic
""",
        15,
        "jobs.j.access",
        "must be public, login, or a list of groups, not 'pulic' (did you mean 'public'?)",
    ),
    Bad(
        "job-access-of-nobody",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    access: []
""",
        15,
        "jobs.j.access",
        "names no group: write public, login, or a list of groups",
    ),
    Bad(
        "job-alias-of-another",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    aliases:
      - K
  k:
    steps: [t]
""",
        17,
        "jobs.k",
        "is already an alias of the job 'j'",
    ),
    Bad(
        "job-alias-twice",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    aliases: [blast]
  k:
    steps: [t]
    aliases: [Blast]
""",
        18,
        "jobs.k.aliases[0]",
        "'Blast' is already an alias of the job 'j'",
    ),
    Bad(
        "job-alias-of-itself",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    aliases: [J]
""",
        15,
        "jobs.j.aliases[0]",
        "'J' is the name of this job itself",
    ),
    Bad(
        "job-alias-name",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    aliases:
      - my blast
""",
        16,
        "jobs.j.aliases[0]",
        "is no name: letters, digits, _ - . (at most 64), a letter first",
    ),
    Bad(
        "job-deprecated-date",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    deprecated: {since: 2026-02-30}
""",
        15,
        "jobs.j.deprecated.since",
        "is no date: write year, month and day, such as 2026-12-01",
    ),
    Bad(
        "job-deprecated-successor",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    deprecated:
      since: 2026-02-03
      successor: j2
""",
        17,
        "jobs.j.deprecated.successor",
        "there is no job 'j2'",
    ),
    Bad(
        "job-deprecated-for-itself",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    deprecated:
      since: 2026-02-03
      successor: j
""",
        17,
        "jobs.j.deprecated.successor",
        "is this job itself: name the one that callers should use instead",
    ),
    # Schedules
    Bad(
        "schedule-fields",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    schedule:
      cron: 0 3 * *
      inputs: {data: a.txt}
""",
        16,
        "jobs.j.schedule.cron",
        "has 4 fields, and needs five: minute, hour, day of the month, month, weekday",
    ),
    Bad(
        "schedule-hour",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    schedule:
      cron: 0 25 * * *
      inputs: {data: a.txt}
""",
        16,
        "jobs.j.schedule.cron",
        "'0 25 * * *' has a wrong hour; '0 3 * * 1' is Mondays at 3:00",
    ),
    Bad(
        "schedule-timezone",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    schedule:
      cron: 0 3 * * 1
      timezone: Europe/Lodnon
      inputs: {data: a.txt}
""",
        17,
        "jobs.j.schedule.timezone",
        "'Europe/Lodnon' is no time zone of IANA's list (did you mean 'Europe/London'?)",
    ),
    Bad(
        "schedule-input-missing",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    schedule:
      cron: 0 3 * * 1
""",
        15,
        "jobs.j.schedule.inputs",
        "names no file for the input 'data', which is required",
    ),
    Bad(
        "schedule-input-unknown",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    schedule:
      cron: 0 3 * * 1
      inputs:
        data: a.txt
        dta: b.txt
""",
        19,
        "jobs.j.schedule.inputs.dta",
        "is no input of this job (did you mean 'data'?)",
    ),
    Bad(
        "schedule-input-absolute",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    schedule:
      cron: 0 3 * * 1
      inputs:
        data: /home/a.txt
""",
        18,
        "jobs.j.schedule.inputs.data",
        "must be a path from the pipeline file's folder, without a leading /",
    ),
    Bad(
        "schedule-parameter-value",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    schedule:
      cron: 0 3 * * 1
      inputs: {data: a.txt}
      parameters:
        t_colour: green
""",
        19,
        "jobs.j.schedule.parameters.t_colour",
        "must be one of red, blue",
    ),
    # Examples
    Bad(
        "example-input-unknown",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
      - inputs:
          data: a.txt
          dta: a.txt
""",
        19,
        "jobs.j.examples[1].inputs.dta",
        "is no input of this job (did you mean 'data'?)",
    ),
    Bad(
        "example-input-missing",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - title: Without
""",
        16,
        "jobs.j.examples[0].inputs",
        "names no file for the input 'data', which is required",
    ),
    Bad(
        "example-input-outside",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs:
          data: ../a.txt
""",
        17,
        "jobs.j.examples[0].inputs.data",
        "must be a plain path below the pipeline file's folder, without empty parts, '.' or '..'",
    ),
    Bad(
        "example-two-files-for-one",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs:
          data: [a.txt, b.txt]
""",
        17,
        "jobs.j.examples[0].inputs.data",
        "takes one file",
    ),
    Bad(
        "example-parameter-unknown",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
        parameters:
          t_sise: 3
""",
        18,
        "jobs.j.examples[0].parameters.t_sise",
        "is no parameter of this job (did you mean 't_size'?)",
    ),
    Bad(
        "example-parameter-value",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
        parameters:
          t_size: three
""",
        18,
        "jobs.j.examples[0].parameters.t_size",
        "must be a whole number",
    ),
    Bad(
        "example-parameter-missing",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
""",
        16,
        "jobs.j.examples[0].parameters",
        "gives no value for the parameter 't_size', which is required",
    ),
    Bad(
        "example-result-unknown",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
        expect:
          results:
            - t_ot
""",
        19,
        "jobs.j.examples[0].expect.results[0]",
        "'t_ot' is no result of this job (did you mean 't_out'?)",
    ),
    Bad(
        "example-result-compared-twice",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
        expect:
          results:
            t_out: {file: out.txt, contains: x}
""",
        19,
        "jobs.j.examples[0].expect.results.t_out.contains",
        "stands beside `file`: one of the two is enough",
    ),
    Bad(
        "example-tolerance-alone",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
        expect:
          results:
            t_out: {tolerance: 0.1}
""",
        19,
        "jobs.j.examples[0].expect.results.t_out.tolerance",
        "belongs to `file`, whose numbers it is about",
    ),
    Bad(
        "example-digest",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
        expect:
          results:
            t_out: {sha256: abc}
""",
        19,
        "jobs.j.examples[0].expect.results.t_out.sha256",
        "is no SHA-256: 64 of the signs 0-9 and a-f",
    ),
    Bad(
        "example-stopped-at-unknown",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
        expect:
          stopped: tt
""",
        18,
        "jobs.j.examples[0].expect.stopped",
        "'tt' is no step of this job (did you mean 't'?)",
    ),
    Bad(
        "example-stopped-and-error",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
        expect: {status: ERROR, stopped: t}
""",
        17,
        "jobs.j.examples[0].expect.stopped",
        "a job that stops at a step is COMPLETE, not ERROR",
    ),
    Bad(
        "example-status",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: in.txt}
    outputs: {out: out.txt}
    command: tool {input.data} {output.out} {param.size} {param.colour}
    parameters:
      size: {type: integer, default: 3, minimum: 1}
      colour: {type: choice, choices: [red, blue], default: red}
      stored: {value: 5, env_only: true}
jobs:
  j:
    steps: [t]
    examples:
      - inputs: {data: a.txt}
        expect:
          status: FAILED
""",
        18,
        "jobs.j.examples[0].expect.status",
        "must be 'COMPLETE', 'ERROR', 'CRASH' or 'CANCELLED', not 'FAILED'",
    ),
    # What only a file can get wrong
    Bad(
        "file-format",
        """\
format: 2
pipeline: p
""",
        1,
        "format",
        "is not a format that this version reads; it reads 1",
        pages=False,
    ),
    Bad(
        "file-no-format",
        """\
pipeline: p
""",
        1,
        "format",
        "is missing",
        pages=False,
    ),
    Bad(
        "file-no-pipeline",
        """\
format: 1
tasks: {t: {command: tool}}
""",
        1,
        "pipeline",
        "is missing: a file with tasks or jobs says which pipeline owns them",
        pages=False,
    ),
    Bad(
        "file-unknown-section",
        """\
format: 1
pipeline: p
taks: {}
""",
        3,
        "taks",
        "is no key here (did you mean 'tasks'?)",
        pages=False,
    ),
    Bad(
        "file-no-yaml",
        """\
format: 1
pipeline: [
""",
        3,
        "",
        "is no YAML: while parsing a flow node, expected the node content, but found '<stream end>'",
        pages=False,
    ),
    Bad(
        "file-key-twice",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    command: other
""",
        6,
        "tasks.t.command",
        "is here twice (first in line 5)",
        pages=False,
    ),
    Bad(
        "file-name-twice",
        """\
format: 1
pipeline: p
tasks:
  t: {command: tool}
  T: {command: tool}
""",
        5,
        "tasks.T",
        "is defined twice: also in p.yaml:4, as 't'",
        pages=False,
    ),
    Bad(
        "file-brace",
        """\
format: 1
pipeline: p
tasks:
  t:
    inputs: {data: a.txt}
    command: {input.data}
""",
        6,
        "tasks.t.command",
        "a value that begins with { is a mapping to YAML: put quotes around it, such as command: '{input.tool} x'",
        pages=False,
    ),
    Bad(
        "file-command-in-braces",
        """\
format: 1
pipeline: p
tasks:
  t: {command: cut -f 1,2 in.txt}
""",
        4,
        "tasks.t.2 in.txt",
        'is no key here: inside {…} a command must be in quotes, such as {command: "cp {input.a} {output.b}"}, because its { and , mean something to YAML',
        pages=False,
    ),
    Bad(
        "file-unknown-key",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    timout: 5m
""",
        6,
        "tasks.t.timout",
        "is no key here (did you mean 'timeout'?)",
        pages=False,
    ),
    Bad(
        "file-mapping-for-text",
        """\
format: 1
pipeline: p
tasks:
  t:
    command: tool
    title: {a: b}
""",
        6,
        "tasks.t.title",
        "must be text, not a mapping",
        pages=False,
    ),
    Bad(
        "file-tag",
        """\
format: 1
pipeline: !name p
""",
        2,
        "pipeline",
        "has the tag !name, which means nothing here: leave it out",
        pages=False,
    ),
    Bad(
        "file-empty",
        "",
        1,
        "",
        "is empty",
        pages=False,
    ),
]
