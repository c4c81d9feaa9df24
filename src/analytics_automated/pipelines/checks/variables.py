"""Variables of a command's environment that are not like others."""

import re

PRIVATE_VARIABLES = frozenset({"HOME", "TMPDIR", "PATH", "AA_ATTEMPT"})
"""Variables that A_A sets for every command."""

OWN_VARIABLES = frozenset(
    {"task_file", "message_file", "progress_file", "workdir", "submission_id", "resources_cpus", "resources_memory_mb"}
    | {"scatter_index", "scatter_stem"}
)
"""Variables that A_A sets for scripts, whatever the Task."""

SERVERS_SECRETS = frozenset({"KEY", "KEY_FILE"})
"""Names that no secret of a task may have: `AA_SECRET_KEY` is a setting of A_A itself."""

_CODE = re.compile(
    r"BASH_\w+|ENV|IFS|PS[0-4]|PROMPT_COMMAND|SHELL|SHELLOPTS|BASHOPTS|ZDOTDIR|"
    r"(LD|DYLD|NODE|JAVA|JULIA|LUA|R|GIT|SSH|RSYNC|OCTAVE|GUILE|ERL|GEM|BUNDLE|NPM_CONFIG|PIP|UV|NXF)_\w+|"
    r"(PYTHON|PERL|RUBY|PHP)\w+|(_|JDK_)JAVA_OPTIONS|CLASSPATH|AWK(LIB)?PATH|TCLLIBPATH|MAKE(FLAGS|FILES)|"
    r"EDITOR|VISUAL|PAGER|MANPAGER|BROWSER|LESS(OPEN|CLOSE|KEY)|VIMINIT|EXINIT|INPUTRC|TAR_OPTIONS|"
    r"GCONV_PATH|GLIBC_TUNABLES|LOCPATH|NLSPATH|TERMINFO|OPENSSL_(CONF|ENGINES|MODULES)|CURL_HOME|WGETRC|"
    r"(SINGULARITY|SINGULARITYENV|APPTAINER|APPTAINERENV|DOCKER|CONDA|XDG)_\w+|M4PATH|"
    r"MAGICK_\w+|GDAL_DRIVER_PATH|HDF5_PLUGIN_PATH"
)


def loads_code(variable: str) -> bool:
    """True for a variable by which programs load code or options: no text or file of a caller may reach it."""
    return _CODE.fullmatch(variable) is not None
