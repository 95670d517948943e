"""Reads settings from configuration files. It is imported where there is one.

They are in the ini format of configobj, in UTF-8. ``[inherit] file = a.ini, b.ini`` adds other files,
each weaker than the one that names it and than those named before it. Runs in the thread that opens
the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from concurrent.core.config import INHERIT, Setting
from concurrent.core.dependencies import installed_first
from concurrent.core.errors import ConfigurationError

with installed_first("configobj"):
    import configobj

__all__ = ["read_file"]

_SECTION = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_OPTION = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^'"#=][^=]*?))\s*=""")


def read_file(path: Path) -> list[Setting]:
    """Return the settings of a file and of those that it inherits, the strongest first.

    :raises ConfigurationError: if a file is missing, is not in the ini format, sets an option outside
        of a section or twice, or inherits itself.
    """
    return _read(path.absolute(), ())


def _read(path: Path, heirs: tuple[Path, ...]) -> list[Setting]:
    resolved = path.resolve()
    if resolved in heirs:
        chain = " -> ".join(str(each) for each in (*heirs, resolved))
        raise ConfigurationError(
            f"configuration files inherit one another: {chain}",
            thing=str(path),
            remedy=f"Remove a 'file =' line from a section [{INHERIT}]",
        )
    settings = _settings_of(path, heirs)
    inherited = [
        text.strip()
        for setting in settings
        if setting.key == (INHERIT, "file")
        for text in setting.text.split(",")
        if text.strip()
    ]
    for name in inherited:
        parent = Path(path.parent, Path(name).expanduser())
        settings += _read(parent, (*heirs, resolved))
    return [setting for setting in settings if setting.key[0] != INHERIT]


def _settings_of(path: Path, heirs: tuple[Path, ...]) -> list[Setting]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        parsed = configobj.ConfigObj(
            text.split("\n"), interpolation=False, list_values=False, raise_errors=True
        )
    except OSError as error:
        because = f", which {heirs[-1]} inherits," if heirs else ""
        raise ConfigurationError(
            f"configuration file {path}{because} cannot be read: {error.strerror or error}",
            thing=str(path),
            remedy="Check the path and the rights of the file",
        ) from error
    except (configobj.ConfigObjError, UnicodeDecodeError) as error:
        line = getattr(error, "line_number", None)
        raise ConfigurationError(
            f"configuration file {path}{f':{line}' if line else ''} is not in the ini format: {error}",
            thing=str(path),
            remedy="Write [section], 'option = value' and '# comment' lines, in UTF-8",
        ) from error
    line_by_key = _lines_of(text)
    settings = []
    for section, content in parsed.items():
        nested = section if not isinstance(content, dict) else _nested_section(content)
        if nested is not None:
            line = line_by_key.get(("", nested.lower()))
            raise ConfigurationError(
                f"{path}{f':{line}' if line else ''}: {nested!r} is not an option of a section",
                thing=str(path),
                value=nested,
                remedy="Put each option below one [section]; there are no sections in sections",
            )
        for option, value in content.items():
            line = line_by_key.get((section.lower(), option.lower()))
            origin = f"{path}:{line}" if line else str(path)
            settings.append(Setting(section, option, _unquoted(value), origin, path.parent))
    return settings


def _nested_section(content: Mapping[str, object]) -> str | None:
    return next((name for name, value in content.items() if isinstance(value, dict)), None)


def _unquoted(text: str) -> str:
    is_quoted = len(text) >= 2 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if is_quoted else text


def _lines_of(text: str) -> dict[tuple[str, str], int]:
    """Return the line numbers of options, by section and option in lower case; configobj keeps none."""
    line_by_key: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        heading = _SECTION.match(line)
        if heading:
            section = heading[1].strip("'\"").lower()
            continue
        option = _OPTION.match(line)
        if option:
            name = next(group for group in option.groups() if group is not None)
            line_by_key.setdefault((section, name.lower()), number)
    return line_by_key
