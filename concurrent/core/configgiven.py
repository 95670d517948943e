"""Settings that are in no file: those of environment variables and of the command line; and where files are."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from concurrent.core.config import Setting
from concurrent.core.errors import ConfigurationError

__all__ = ["MASTER_VARIABLE", "read_overrides", "read_variables", "system_file"]

PREFIX = "CONCURRENT_"
SYSTEM_FILE_VARIABLE = "CONCURRENT_SYSTEM_FILE"

MASTER_VARIABLE: Final = "CONCURRENT_MASTER"
"""Says where the master is, to whatever looks for one."""


def read_variables(variables: Mapping[str, str]) -> list[Setting]:
    """Return the settings in environment variables named ``CONCURRENT_SECTION__OPTION``.

    ``CONCURRENT_MASTER`` is short for the options that say where the master is, and stronger than their own.
    """
    settings = []
    if master := variables.get(MASTER_VARIABLE):
        origin = f"environment variable {MASTER_VARIABLE}"
        settings += [Setting(one, "master", master, origin, Path.cwd()) for one in ("application", "slave")]
    for name, text in sorted(variables.items()):
        section, separator, option = name.removeprefix(PREFIX).partition("__")
        if name.startswith(PREFIX) and section and separator and option:
            origin = f"environment variable {name}"
            settings.append(Setting(section.lower(), option.lower(), text, origin, Path.cwd()))
    return settings


def read_overrides(overrides: Mapping[str, str]) -> list[Setting]:
    """Return the settings given on the command line.

    :param overrides: ``section.option`` to text.
    :raises ConfigurationError: if a name has no dot.
    """
    settings = []
    for name, text in overrides.items():
        section, separator, option = name.partition(".")
        if not (section and separator and option):
            raise ConfigurationError(
                f"{name!r} on the command line does not name an option",
                thing=name,
                value=text,
                remedy="Write -o section.option=value",
            )
        settings.append(Setting(section, option, text, "command line", Path.cwd()))
    return settings


def system_file(variables: Mapping[str, str] = os.environ) -> Path:
    """Return where the configuration file of this machine is, whether it exists or not.

    The environment variable ``CONCURRENT_SYSTEM_FILE`` names another one.
    """
    named = variables.get(SYSTEM_FILE_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(variables.get("PROGRAMDATA", r"C:\ProgramData"), "concurrent", "concurrent.ini")
    if sys.platform == "darwin":
        return Path("/Library/Application Support/concurrent/concurrent.ini")
    return Path("/etc/concurrent/concurrent.ini")
