"""Small modules and functions, marked boundaries, no locks, no sleeping, no loose ends."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable

import pytest

from tests.style.source import Source, all_sources, functions_of, shipped_sources

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
POSITIONAL_MAX = 5
LOCKS = ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Barrier")

# Functions with more positional parameters than allowed, each with the reason.
MANY_PARAMETERS: dict[str, str] = {}

# Files of ``concurrent/`` that may lock, each with the reason.
MAY_LOCK = {
    "concurrent/apps/progress/screen.py": "any thread may print while bars are shown",
    "concurrent/apps/taskfuture.py": "a future of the standard library has a lock, and any thread waits for it",
    "concurrent/core/stats.py": "web threads and the loop thread count in the same numbers",
    "concurrent/scheduling/pickling/byvalue.py": "cloudpickle has one list of modules for the whole process",
    "concurrent/scheduling/owner/consumption.py": "any thread may consume what the loop gives back",
    "concurrent/scheduling/owner/taskclient.py": "any thread may push: it covers pickling and numbering",
}

# Files of ``concurrent/`` that log under another name than their own, each with the reason.
MAY_LOG_AS_OTHERS = {"concurrent/scheduling/slave/outputlog.py": "what tasks print has a level of its own"}

# Files that talk to a person on standard output, each with the reason.
MAY_PRINT = {
    "benchmarks": "they print what they measured",
    "concurrent/apps/commands": "the commands",
    "concurrent/apps/main.py": "the command line",
    "concurrent_framework.py": "python -m concurrent_framework prints a report",
    "dev.py": "a command",
    "samples": "they print their results",
}


def module_length(source: Source) -> list[str]:
    """Return the module if it is too long."""
    count = len(source.text.splitlines())
    return [f"{source.path}: {count} lines"] if count > MODULE_LINES_MAX else []


def function_length(source: Source) -> list[str]:
    """Return the functions that are too long."""
    return [
        f"{source.path}:{node.lineno}: {node.name} has {length} lines"
        for node in functions_of(source.tree)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def positional_parameters(source: Source) -> list[str]:
    """Return the functions that take too many arguments by position.

    ``self``, ``cls`` and what a function is given but ignores (``_name``) do not count.
    """
    problems = []
    for node in functions_of(source.tree):
        names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
        names = [name for name in names if name not in ("self", "cls") and name[0] != "_"]
        is_listed = f"{source.module}.{node.name}" in MANY_PARAMETERS
        if len(names) > POSITIONAL_MAX and not is_listed:
            problems.append(f"{source.path}:{node.lineno}: {node.name}({', '.join(names)})")
    return problems


def broad_handlers(source: Source) -> list[str]:
    """Return the bare ``except:`` lines, and those for any error without ``# boundary:`` and a reason."""
    lines = source.text.splitlines()
    problems = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {ast.unparse(kind) if kind is not None else "" for kind in kinds}
        is_marked = re.search(r"# boundary: \w", lines[node.lineno - 1])
        if "" in names or (names & {"Exception", "BaseException"} and not is_marked):
            problems.append(f"{source.path}:{node.lineno}: {lines[node.lineno - 1].strip()}")
    return problems


def prints(source: Source) -> list[str]:
    """Return the calls of print."""
    return [
        f"{source.path}:{node.lineno}: print"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def sleeps(source: Source) -> list[str]:
    """Return the uses of ``time.sleep``."""
    lines = [each.line for each in source.imports() if (each.module, each.name) == ("time", "sleep")]
    lines += [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep"
    ]
    return [f"{source.path}:{line}: time.sleep" for line in lines]


def locks(source: Source) -> list[str]:
    """Return where locks and their kin are made."""
    return [
        f"{source.path}:{node.lineno}: {ast.unparse(node.func)}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in LOCKS
    ]


def foreign_loggers(source: Source) -> list[str]:
    """Return where a module logs under a name that is not its own, or past ``get_log``."""
    return [
        f"{source.path}:{node.lineno}: {ast.unparse(node)}"
        for node in source.tree.body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "log"
        and ast.unparse(node.value) != "get_log(__name__)"
    ]


def promises(source: Source) -> list[str]:
    """Return the comments that put work off."""
    return [
        f"{source.path}:{token.start[0]}: {token.string}"
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline)
        if token.type == tokenize.COMMENT and re.search(r"\b(TODO|FIXME|XXX|HACK)\b", token.string)
    ]


@pytest.mark.parametrize("check", [module_length, function_length, broad_handlers, promises])
def test_every_file_keeps_the_rule(check: Callable[[Source], list[str]]) -> None:
    found = [problem for source in all_sources() for problem in check(source)]
    assert not found, "\n".join(found)


def test_functions_take_few_arguments_by_position() -> None:
    found = [problem for source in shipped_sources() for problem in positional_parameters(source)]
    assert not found, "\n".join(found)


def test_only_commands_print() -> None:
    silent = [source for source in shipped_sources() if not source.is_below(*MAY_PRINT)]
    found = [problem for source in silent for problem in prints(source)]
    assert not found, "\n".join(found)


def test_nothing_sleeps_to_wait_for_something() -> None:
    ours = [source for source in all_sources() if source.is_below("concurrent")]
    found = [problem for source in ours for problem in sleeps(source)]
    assert not found, "\n".join(found)


def test_modules_log_under_their_own_names() -> None:
    ours = [s for s in all_sources() if s.is_below("concurrent") and s.path not in MAY_LOG_AS_OTHERS]
    found = [problem for source in ours for problem in foreign_loggers(source)]
    assert not found, "\n".join(found)


def test_state_is_owned_by_one_thread_so_that_nothing_locks() -> None:
    ours = [s for s in all_sources() if s.is_below("concurrent") and s.path not in MAY_LOCK]
    found = [problem for source in ours for problem in locks(source)]
    assert not found, "\n".join(found)


def test_files_that_are_listed_as_locking_do_so() -> None:
    assert {source.path for source in all_sources() if locks(source)} >= set(MAY_LOCK)


SIX = "a, b, c, d, e, f"


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (module_length, "x = 1\n" * (MODULE_LINES_MAX + 1)),
        (function_length, "def long():\n" + "    x = 1\n" * FUNCTION_LINES_MAX),
        (positional_parameters, f"def many({SIX}): pass"),
        (positional_parameters, f"class Some:\n    def many(self, {SIX}): pass"),
        (broad_handlers, "try:\n    x = 1\nexcept:\n    pass"),
        (broad_handlers, "try:\n    x = 1\nexcept Exception:\n    pass"),
        (broad_handlers, "try:\n    x = 1\nexcept (OSError, BaseException):  # boundary:\n    pass"),
        (prints, "print(1)"),
        (sleeps, "import time\ntime.sleep(1)"),
        (sleeps, "from time import sleep"),
        (locks, "import threading\nthreading.Lock()"),
        (locks, "from threading import Condition\nCondition()"),
        (foreign_loggers, 'log = get_log("concurrent.core.other")'),
        (foreign_loggers, "log = logging.getLogger(__name__)"),
        (promises, "x = 1  # TODO: more"),
    ],
)
def test_a_breach_is_found(check: Callable[[Source], list[str]], text: str) -> None:
    assert len(check(Source("concurrent/core/bad.py", text))) == 1


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (module_length, "x = 1\n" * MODULE_LINES_MAX),
        (function_length, "def long():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)),
        (positional_parameters, "class Some:\n    def few(self, _kind, a, b, c, d, e, *, f): pass"),
        (broad_handlers, "try:\n    x = 1\nexcept Exception:  # boundary: foreign code\n    pass"),
        (broad_handlers, "try:\n    x = 1\nexcept OSError:\n    pass"),
        (locks, "import threading\nthreading.Event()"),
        (foreign_loggers, "log = get_log(__name__)"),
        (promises, 'x = "TODO"'),
    ],
)
def test_what_the_rule_allows_passes(check: Callable[[Source], list[str]], text: str) -> None:
    assert check(Source("concurrent/core/good.py", text)) == []
