"""Variables of a command's environment that are not like others."""

import re

PRIVATE_VARIABLES = frozenset({"HOME", "TMPDIR", "PATH", "AA_ATTEMPT"})
"""Variables that A_A sets for every command."""

OWN_VARIABLES = frozenset(
    {"task_file", "message_file", "progress_file", "workdir", "submission_id", "resources_cpus", "resources_memory_mb"}
    | {"scatter_index", "scatter_stem"}
)
"""Variables that A_A sets for scripts, whatever the Task."""

_CODE = re.compile(
    r"BASH_.*|ENV|IFS|PS[0-4]|PROMPT_COMMAND|SHELL|SHELLOPTS|BASHOPTS|ZDOTDIR|CDPATH|"
    r"(LD|DYLD|PYTHON|PERL|RUBY|NODE|JAVA|JULIA|LUA|PHP|R|GIT|SSH|RSYNC|MAKE|AWK|OCTAVE|GUILE|TCL|ERL)[_A-Z0-9]*|"
    r"_?(JDK_)?JAVA_(TOOL_)?OPTIONS|CLASSPATH|GEM_(HOME|PATH)|BUNDLE_\w+|NPM_CONFIG_\w+|npm_config_\w+|"
    r"EDITOR|VISUAL|PAGER|MANPAGER|BROWSER|LESS(OPEN|CLOSE|KEY)?|VIM\w*|EXINIT|INPUTRC|"
    r"TAR_OPTIONS|GREP_OPTIONS|MAKEFLAGS|GCONV_PATH|GLIBC_TUNABLES|LOCPATH|NLSPATH|TERMINFO|OPENSSL_CONF|"
    r"SSL_ENGINE\w*|CURL_HOME|WGETRC|(SINGULARITY|APPTAINER|DOCKER|PODMAN|CONDA|VIRTUAL|XDG)_\w+|M4PATH|GNUPLOT\w*|"
    r"MAGICK_\w+|GDAL_DRIVER_PATH|HDF5_PLUGIN_PATH|NXF_\w+|SNAKEMAKE_\w+|PIP_\w+|UV_\w+"
)


def loads_code(variable: str) -> bool:
    """True for a variable by which programs load code or options: no text or file of a caller may reach it."""
    return _CODE.fullmatch(variable) is not None
