"""Scripts by which shells complete ``concurrent``, made of its parser. A pure module.

A script knows all commands and options, so nothing of ours runs when somebody presses TAB.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["SHELLS", "Spoken", "completed", "script_for", "spoken"]

SHELLS: Final = ("bash", "zsh", "fish")

EMPTY: Final = "''"

FILES: Final = frozenset({"FILE", "DIR", "PLUGIN"})
"""What stands for a file in usage texts."""

WORDS: Final = "words"

MASTER: Final = "HOST:PORT"
"""What stands for the address of a node: @ begins the name of a file there."""


@dataclass(frozen=True)
class Option:
    """An option of a command.

    :param flags: how it may be written.
    :param value: what its value is called; empty if it has none.
    :param words: what the value may be, as far as that is known.
    """

    flags: tuple[str, ...]
    help: str
    value: str
    words: tuple[str, ...]
    is_file: bool


@dataclass(frozen=True)
class Spoken:
    """A command as the words that may follow it: its options, and commands or arguments of its own."""

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...] = ()
    takes_files: bool = False
    commands: tuple[Spoken, ...] = field(default=())

    def walk(self, path: str = "") -> Iterator[tuple[str, Spoken]]:
        """Yield it and all commands below it, each with its path."""
        yield path, self
        for one in self.commands:
            yield from one.walk(f"{path}/{one.name}")


def completed(action: argparse.Action, words: Iterable[str]) -> None:
    """Say what the value of an option may be, where its parser does not check that."""
    setattr(action, WORDS, tuple(words))


def spoken(parser: argparse.ArgumentParser, name: str = "", text: str = "") -> Spoken:
    """Return what a parser knows."""
    options: list[Option] = []
    words: list[str] = []
    commands: list[Spoken] = []
    takes_files = False
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help or "" for one in action._choices_actions}
            commands += [spoken(one, name, helps.get(name, "")) for name, one in action.choices.items()]
        elif action.help == argparse.SUPPRESS:
            continue
        elif action.option_strings:
            options.append(_option_of(action))
        else:
            words += _words_of(action)
            takes_files = takes_files or _is_file(action) or action.metavar == "NAME"
    return Spoken(name, text, tuple(options), tuple(words), takes_files, tuple(commands))


def _option_of(action: argparse.Action) -> Option:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest).upper()
    text = (action.help or "").replace("%%", "%")
    return Option(tuple(action.option_strings), text, value, _words_of(action), _is_file(action))


def _words_of(action: argparse.Action) -> tuple[str, ...]:
    words = getattr(action, WORDS, None) or action.choices or ()
    return tuple(word for word in map(str, words) if " " not in word)


def _is_file(action: argparse.Action) -> bool:
    return action.type is Path or action.metavar in FILES


def script_for(shell: str, command: Spoken) -> str:
    """Return the script for a shell.

    :param shell: one of ``SHELLS``.
    :param command: the whole program.
    """
    make = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    return "\n".join(make(command)) + "\n"


def _bash(program: Spoken) -> Iterator[str]:
    paths = dict(program.walk())
    yield "# bash completion of concurrent. For all shells to come, add to ~/.bashrc:"
    yield "#     source <(concurrent completion bash)"
    yield "_concurrent() {"
    yield "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= i IFS=$'\\n'"
    yield '    if [[ $cur == "=" ]]; then cur=; fi'
    yield '    if [[ $prev == "=" ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi'
    yield "    COMPREPLY=()"
    yield "    for ((i = 1; i < COMP_CWORD; i++)); do"
    yield '        case "$path/${COMP_WORDS[i]}" in'
    yield f"            {'|'.join(path for path in paths if path)}) path=$path/${{COMP_WORDS[i]}} ;;"
    yield "        esac"
    yield "    done"
    yield '    case "$path $prev" in'
    for path, command in paths.items():
        for option in command.options:
            if option.value:
                pattern = "|".join(shlex.quote(f"{path} {flag}") for flag in option.flags)
                yield f"        {pattern}) {_bash_value(option)}; return ;;"
    yield "    esac"
    yield '    case "$path" in'
    for path, command in paths.items():
        flags = [flag for option in command.options for flag in option.flags]
        yield f"        {path or EMPTY})"
        yield f"            if [[ $cur == -* ]]; then {_bash_words(flags)}"
        words = [one.name for one in command.commands] or list(command.words)
        if words:
            yield f"            else {_bash_words(words)}"
        elif command.takes_files:
            yield f"            else {BASH_FILES}"
        yield "            fi ;;"
    yield "    esac"
    yield "}"
    yield "complete -F _concurrent concurrent"


BASH_FILES: Final = 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))'
BASH_MASTER: Final = (
    'if [[ $cur == @* ]]; then compopt -o nospace 2>/dev/null; COMPREPLY=($(compgen -P @ -f -- "${cur#@}")); fi'
)


def _bash_words(words: list[str]) -> str:
    lines = "\\n".join(words)
    return f"COMPREPLY=($(compgen -W $'{lines}' -- \"$cur\"))"


def _bash_value(option: Option) -> str:
    if option.words:
        return _bash_words(list(option.words))
    if option.value == MASTER:
        return BASH_MASTER
    return BASH_FILES if option.is_file else ":"


def _zsh(program: Spoken) -> Iterator[str]:
    yield "#compdef concurrent"
    yield "# zsh completion of concurrent: put this into a file _concurrent in a folder of $fpath."
    yield "_concurrent() {"
    yield from _zsh_command(program, "    ")
    yield "}"
    yield 'if [[ $funcstack[1] == _concurrent ]]; then _concurrent "$@"'
    yield "else compdef _concurrent concurrent; fi"


def _zsh_command(command: Spoken, indent: str) -> Iterator[str]:
    options = [_zsh_option(option) for option in command.options]
    if not command.commands:
        rest = "'*: :_files'" if command.takes_files else "'*: : '"
        if command.words:
            rest = f"'*: :({' '.join(command.words)})'"
        yield f"{indent}_arguments -s -S \\"
        yield from (f"{indent}    {one} \\" for one in options)
        yield f"{indent}    {rest}"
        return
    yield f"{indent}local -a commands=("
    for one in command.commands:
        yield f"{indent}    {_zsh_quoted(f'{one.name}:{one.help}')}"
    yield f"{indent})"
    yield f"{indent}if (( CURRENT == 2 )); then"
    yield f"{indent}    if [[ $PREFIX == -* ]]; then _arguments {' '.join(options)}"
    yield f"{indent}    else _describe command commands; fi"
    yield f"{indent}    return"
    yield f"{indent}fi"
    yield f"{indent}shift words; (( CURRENT-- ))"
    yield f"{indent}case $words[1] in"
    for one in command.commands:
        yield f"{indent}{one.name})"
        yield from _zsh_command(one, indent + "    ")
        yield f"{indent};;"
    yield f"{indent}esac"


def _zsh_option(option: Option) -> str:
    text = _zsh_text(option.help.replace("[", "(").replace("]", ")"))
    value = ""
    if option.value:
        what = f"({' '.join(option.words)})" if option.words else "_files" if option.is_file else " "
        value = f":{_zsh_text(option.value)}:{what}"
    return " ".join(_zsh_quoted(f"{flag}[{text}]{value}") for flag in option.flags)


def _zsh_text(text: str) -> str:
    return text.replace(":", "\\:")


def _zsh_quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(program: Spoken) -> Iterator[str]:
    yield "# fish completion of concurrent: put this into ~/.config/fish/completions/concurrent.fish."
    yield "complete -c concurrent -f"
    for path, command in program.walk():
        parts = path.split("/")[1:]
        seen = [f"__fish_seen_subcommand_from {part}" for part in parts]
        names = " ".join(one.name for one in command.commands)
        if names:
            at = " ; and ".join([*seen, f"not __fish_seen_subcommand_from {names}"])
            for one in command.commands:
                yield f"complete -c concurrent -n {_fish_quoted(at)} -a {one.name} -d {_fish_quoted(one.help)}"
        condition = f"-n {_fish_quoted(' ; and '.join(seen))}" if seen else "-n __fish_use_subcommand"
        if command.words:
            yield f"complete -c concurrent {condition} -a {_fish_quoted(' '.join(command.words))}"
        elif command.takes_files:
            yield f"complete -c concurrent {condition} -F"
        yield from (f"complete -c concurrent {condition} {_fish_option(one)}" for one in command.options)


def _fish_option(option: Option) -> str:
    flags = [f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags]
    takes = "-r -F" if option.is_file else "-x" if option.value else ""
    words = f"-a {_fish_quoted(' '.join(option.words))}" if option.words else ""
    return " ".join(filter(None, [*flags, takes, words, f"-d {_fish_quoted(option.help)}"]))


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
