"""Typed options, declared once as attributes of a component.

``port = IntItem("master", "port", 8080, "Where the master listens", minimum=0, maximum=65535)`` in the
body of a component gives ``self.port``, its default, its checks, its line in the documentation and its
error message. Reading needs only that the object has ``self.config``. An item holds no value itself:
values belong to a :class:`~concurrent.core.config.Configuration`. A pure module.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar, cast, overload

from concurrent.core.errors import ConfigurationError

__all__ = [
    "BoolItem",
    "ChoiceItem",
    "ConfigItem",
    "FloatItem",
    "Host",
    "HostItem",
    "IntItem",
    "ListItem",
    "PathItem",
    "RefusedText",
    "SectionItem",
]

Value = TypeVar("Value")
Number = TypeVar("Number", bound=float)
AnyItem = TypeVar("AnyItem", bound="ConfigItem[Any]")

PORT_MAX = 65535
TRUE_WORDS = ("true", "yes", "on", "1", "enabled")
FALSE_WORDS = ("false", "no", "off", "0", "disabled")

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:\[\]/]+))(?::([0-9]{1,5}))?")


class RefusedText(ValueError):
    """What ``parse`` of an item raises that can say more than what is allowed: its text is for people."""


class ConfigItem(Generic[Value]):
    """An option whose value is text, and the base of the typed options.

    :param section: its section in configuration files, in lower case.
    :param name: its name in that section, in lower case; a unit comes last (``timeout_s``).
    :param default: its value where no configuration sets it.
    :param doc: what it does, for whoever edits a configuration file.
    :raises ConfigurationError: if the section, the name or the default is not possible.
    """

    def __init__(self, section: str, name: str, default: Value, doc: str = "") -> None:
        self.section = section
        self.name = name
        self.default = default
        self.doc = " ".join(doc.split())
        for part in (section, name):
            if not _NAME.fullmatch(part):
                raise ConfigurationError(
                    f"{part!r} cannot be the name of a section or an option",
                    thing=f"{section}.{name}",
                    value=part,
                    remedy="Use lower case letters, digits and single underscores",
                )
        try:
            self.parse(self.default_text, Path())
        except ValueError as error:
            raise ConfigurationError(
                f"the default {self.default_text!r} of [{section}] {name} is not allowed",
                thing=f"{section}.{name}",
                value=default,
                remedy=f"Use {self.allowed}",
            ) from error

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.section}] {self.name}>"

    @property
    def default_text(self) -> str:
        """The default as it would stand in a configuration file."""
        return self.format(self.default)

    @property
    def allowed(self) -> str:
        """What may be written, as a noun phrase."""
        return "any text"

    def parse(self, text: str, folder: Path) -> Any:
        """Return the value that a text stands for.

        :param folder: what relative paths are relative to.
        :raises ValueError: if the text is not :attr:`allowed`.
        """
        return text

    def format(self, value: Any) -> str:
        """Return the text that :meth:`parse` would read as the value."""
        return str(value)

    def read(self, owner: Any) -> Value:
        """Return the value that the option has for an object with a ``config``."""
        return cast(Value, owner.config.value(self))

    @overload
    def __get__(self: AnyItem, instance: None, owner: type) -> AnyItem: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        return self.read(instance)

    def __set__(self, instance: object, value: Value) -> None:
        raise ConfigurationError(
            f"[{self.section}] {self.name} cannot be assigned",
            thing=f"{self.section}.{self.name}",
            value=value,
            remedy="Set it in a configuration file or with -o section.option=value",
        )


class _NumberItem(ConfigItem[Number], Generic[Number]):
    """What whole and decimal numbers share: bounds and a unit."""

    noun = "a number"

    def __init__(
        self,
        section: str,
        name: str,
        default: Number,
        doc: str = "",
        *,
        minimum: Number | None = None,
        maximum: Number | None = None,
        unit: str = "",
    ) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.unit = unit
        super().__init__(section, name, default, doc)

    @property
    def allowed(self) -> str:
        """The kind of number, its bounds and its unit."""
        words = [self.noun]
        if self.minimum is not None and self.maximum is not None:
            words.append(f"from {self.minimum} to {self.maximum}")
        elif self.minimum is not None:
            words.append(f"of at least {self.minimum}")
        elif self.maximum is not None:
            words.append(f"of at most {self.maximum}")
        if self.unit:
            words.append(f"in {self.unit}")
        return " ".join(words)

    def _checked(self, number: Number) -> Number:
        too_small = self.minimum is not None and number < self.minimum
        too_large = self.maximum is not None and number > self.maximum
        if too_small or too_large or not math.isfinite(number):
            raise ValueError(number)
        return number


class IntItem(_NumberItem[int]):
    """A whole number with optional bounds (both inclusive) and a unit for the documentation."""

    noun = "a whole number"

    def parse(self, text: str, folder: Path) -> int:
        """Return the number, checked against the bounds."""
        return self._checked(int(text))


class FloatItem(_NumberItem[float]):
    """A finite number with optional bounds (both inclusive) and a unit for the documentation."""

    def parse(self, text: str, folder: Path) -> float:
        """Return the number, checked against the bounds."""
        return self._checked(float(text))


class BoolItem(ConfigItem[bool]):
    """A truth value."""

    @property
    def allowed(self) -> str:
        """The words that are understood."""
        return f"one of {', '.join((*TRUE_WORDS, *FALSE_WORDS))}"

    def parse(self, text: str, folder: Path) -> bool:
        """Return the truth value that a word stands for."""
        return parse_bool(text)

    def format(self, value: Any) -> str:
        """Return ``true`` or ``false``."""
        return "true" if value else "false"


def parse_bool(text: str) -> bool:
    """Return the truth value that a word such as ``yes`` or ``disabled`` stands for.

    :raises ValueError: if it is no such word.
    """
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError(text)


class ListItem(ConfigItem["tuple[str, ...]"]):
    """Texts separated by commas; the value is a tuple, without empty parts."""

    def __init__(self, section: str, name: str, default: Sequence[str], doc: str = "") -> None:
        super().__init__(section, name, tuple(default), doc)

    @property
    def allowed(self) -> str:
        """A list of texts."""
        return "a list separated by commas"

    def parse(self, text: str, folder: Path) -> tuple[str, ...]:
        """Return the parts of the list."""
        return split_list(text)

    def format(self, value: Any) -> str:
        """Return the parts joined by commas."""
        return ", ".join(value)


def split_list(text: str) -> tuple[str, ...]:
    """Return the parts of a text between commas, but for empty ones."""
    return tuple(part for part in (raw.strip() for raw in text.split(",")) if part)


class ChoiceItem(ConfigItem[str]):
    """One of a few words; the case does not matter where it is written."""

    def __init__(self, section: str, name: str, default: str, doc: str = "", *, choices: Sequence[str]) -> None:
        self.choices = tuple(choices)
        super().__init__(section, name, default, doc)

    @property
    def allowed(self) -> str:
        """The words."""
        return f"one of {', '.join(self.choices)}"

    def parse(self, text: str, folder: Path) -> str:
        """Return the word as it was declared."""
        word = text.strip().lower()
        for choice in self.choices:
            if choice.lower() == word:
                return choice
        raise ValueError(text)


class SectionItem(ConfigItem["Mapping[str, int]"]):
    """All options of a section whose names are up to whoever writes it; each is a whole number from 1.

    The value is that of each name, in lower case; without any there is none.

    :param example: an option as it may be written, for the documentation: a name and a number.
    """

    def __init__(self, section: str, doc: str, *, example: tuple[str, int]) -> None:
        super().__init__(section, example[0], {example[0]: example[1]}, doc)

    @property
    def allowed(self) -> str:
        """The form of each number."""
        return "any names, each with a whole number from 1"

    def parse(self, text: str, folder: Path) -> int:
        """Return the number of one name."""
        number = int(text.strip())
        if number < 1:
            raise ValueError(text)
        return number

    def format(self, value: Mapping[str, int]) -> str:
        """Return the number of the only name."""
        (number,) = value.values()
        return str(number)


class PathItem(ConfigItem["Path | None"]):
    """A file or folder; the value is absolute, or None where the text is empty.

    A relative path is relative to the folder of the file that sets it; on the command line and in
    environment variables to the current folder; as a default to the environment's folder. ``~`` is the
    home folder.
    """

    def __init__(self, section: str, name: str, default: str | Path, doc: str = "") -> None:
        super().__init__(section, name, Path(default) if str(default) else None, doc)

    @property
    def allowed(self) -> str:
        """A path."""
        return "a path, or nothing for none"

    def parse(self, text: str, folder: Path) -> Path | None:
        """Return the absolute path."""
        if "\0" in text:
            raise ValueError(text)
        return Path(folder, Path(text).expanduser()).absolute() if text else None

    def format(self, value: Any) -> str:
        """Return the path as text."""
        return str(value) if value is not None else ""


class Host(NamedTuple):
    """Where a server listens: a name or address, and a port."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"

    @classmethod
    def parse(cls, text: str, port_default: int | None = None) -> Host:
        """Return the host of ``HOST:PORT``, ``[IPV6]:PORT``, or ``http://HOST:PORT/`` as nodes log it.

        :param port_default: the port where the text has none; without it a port is required.
        :raises ValueError: if the text is neither.
        """
        address = text.strip()
        if address.startswith("http://"):
            address = address.removeprefix("http://").removesuffix("/")
        found = _HOST.fullmatch(address)
        if found is None or not text.isprintable():
            raise ValueError(text)
        v6_address, name, port_text = found.groups()
        if name is not None:
            name.encode("idna")  # the error is a ValueError: a part is empty or too long
        if name is not None and name.isdigit():  # a port, of which the host was forgotten
            raise ValueError(text)
        port = int(port_text) if port_text is not None else port_default
        if port is None or port > PORT_MAX:
            raise ValueError(text)
        return cls(v6_address or name, port)


class HostItem(ConfigItem[Host]):
    """A host and its port.

    :param port_default: the port where only a host is written; without it a port is required.
    """

    def __init__(
        self,
        section: str,
        name: str,
        default: Host | str,
        doc: str = "",
        *,
        port_default: int | None = None,
    ) -> None:
        self.port_default = port_default
        super().__init__(section, name, cast(Host, default), doc)
        self.default = self.parse(self.default_text, Path())

    @property
    def allowed(self) -> str:
        """The ways to write a host."""
        without = f"; HOST alone means port {self.port_default}" if self.port_default else ""
        return f"HOST:PORT or [IPV6]:PORT with a port from 0 to {PORT_MAX}{without}"

    def parse(self, text: str, folder: Path) -> Host:
        """Return the host."""
        return Host.parse(text, self.port_default)
