"""The configuration: which text each option has, where that came from, and what it means.

A :class:`Configuration` is made of settings in order of strength (command line, environment variables,
files, ...; ``configfile.py`` and ``configgiven.py`` read them) and of the options that classes declare
(``items.py``). It reads no file and no clock. Everything here belongs to the thread that owns the
environment, but values may be read from any thread.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from concurrent.core.errors import ConfigurationError
from concurrent.core.filemodules import shown_name
from concurrent.core.items import ConfigItem, RefusedText, SectionItem, parse_bool
from concurrent.core.nearest import nearest

__all__ = ["Configuration", "Explanation", "Setting", "describe", "items_of"]

COMPONENTS = "components"
INHERIT = "inherit"
DEFAULT = "default"
DOC_WIDTH = 96


@dataclass(frozen=True)
class Setting:
    """One option as somebody set it.

    :param section: the section as written.
    :param option: the option as written.
    :param origin: where it was written, for messages: ``FILE:LINE``, ``command line``, ...
    :param folder: what a relative path in it is relative to.
    """

    section: str
    option: str
    text: str
    origin: str
    folder: Path

    @property
    def key(self) -> tuple[str, str]:
        """Section and option in the form that declarations have."""
        return _key(self.section, self.option)


class Explanation(NamedTuple):
    """One line of :meth:`Configuration.explain`."""

    section: str
    option: str
    value: str
    origin: str


def _key(section: str, option: str) -> tuple[str, str]:
    return section.strip().lower().replace("-", "_"), option.strip().lower().replace("-", "_")


def items_of(classes: Iterable[type]) -> list[ConfigItem[Any]]:
    """Return the options that classes and their bases declare, each once, sorted by their names."""
    found = {
        item: None
        for cls in classes
        for base in cls.__mro__
        for item in vars(base).values()
        if isinstance(item, ConfigItem)
    }
    return sorted(found, key=lambda item: (item.section, item.name))


class Configuration:
    """The values of all options of one environment.

    :param settings: what was set, the strongest first.
    :param folder: what a relative path in a default is relative to; the current folder if None.
    :param classes: returns the classes whose options are known; asked whenever that matters, since
        plug-ins bring more of them.
    """

    def __init__(
        self,
        settings: Iterable[Setting] = (),
        *,
        folder: Path | None = None,
        classes: Callable[[], Iterable[type]] = tuple,
    ) -> None:
        self._setting_by_key: dict[tuple[str, str], Setting] = {}
        for setting in settings:
            self._setting_by_key.setdefault(setting.key, setting)
        self._folder = folder or Path.cwd()
        self._classes = classes
        self._value_by_item: dict[ConfigItem[Any], Any] = {}

    def value(self, item: ConfigItem[Any]) -> Any:
        """Return the parsed value of an option; it is parsed once.

        :raises ConfigurationError: if what was set is not allowed.
        """
        try:
            return self._value_by_item[item]
        except KeyError:
            value = self._value_by_item[item] = self._parsed(item)
            return value

    def get(self, section: str, option: str) -> Any:
        """Return the parsed value of a declared option, or the text of an undeclared one.

        :raises ConfigurationError: if it is neither declared nor set, or its value is not allowed.
        """
        key = _key(section, option)
        item = self._item_by_key().get(key)
        if item is not None:
            return self.value(item)
        if key in self._setting_by_key:
            return self._setting_by_key[key].text
        raise ConfigurationError(
            f"there is no option [{section}] {option}",
            thing=f"{section}.{option}",
            remedy=self._advice(key) or "See 'concurrent config' for all of them",
        )

    def is_set(self, section: str, option: str) -> bool:
        """Return whether somebody set the option, be it to its default."""
        return _key(section, option) in self._setting_by_key

    def origin(self, section: str, option: str) -> str:
        """Return where the value came from: ``FILE:LINE``, ``command line``, ..., ``default``."""
        setting = self._setting_by_key.get(_key(section, option))
        return setting.origin if setting is not None else DEFAULT

    def items(self) -> list[ConfigItem[Any]]:
        """Return the declared options, sorted by section and name."""
        return items_of(self._classes())

    def component_rules(self) -> dict[str, bool]:
        """Return section ``[components]``: patterns of class names, and whether they are enabled.

        :raises ConfigurationError: if a rule is neither ``enabled`` nor ``disabled``.
        """
        rules = {}
        for (section, _), setting in self._setting_by_key.items():
            if section == COMPONENTS:
                try:
                    rules[setting.option] = parse_bool(setting.text)
                except ValueError as error:
                    raise _not_allowed(setting, "enabled or disabled") from error
        return rules

    def check(self) -> list[str]:
        """Return a warning for each setting of an unknown section or option.

        :raises ConfigurationError: for the first value that is not allowed.
        """
        for item in self._declared().values():
            self.value(item)
        return self.unknown()

    def unknown(self) -> list[str]:
        """Return a warning for each setting of an unknown section or option."""
        declared = self._declared()
        return [self._warning(key) for key in self._options_set() if key not in declared]

    def _warning(self, key: tuple[str, str]) -> str:
        """Say that a setting has no effect."""
        setting = self._setting_by_key[key]
        is_known = any(section == key[0] for section, _ in self._item_by_key())
        thing = f"option {setting.option} in [{setting.section}]"
        if not is_known:
            thing = f"section [{setting.section}] of option {setting.option}"
        advice = self._advice(key)
        return f"{setting.origin}: unknown {thing} is ignored{'. ' + advice if advice else ''}"

    def _options_set(self) -> list[tuple[str, str]]:
        return [key for key in self._setting_by_key if key[0] not in (COMPONENTS, INHERIT)]

    def _declared(self) -> dict[tuple[str, str], ConfigItem[Any]]:
        """Return the options that are set and that a class declares.

        Once all are found no more classes are looked at, so that these need not be imported.
        """
        keys = self._options_set()
        item_by_key: dict[tuple[str, str], ConfigItem[Any]] = {}
        classes = iter(self._classes())
        while any(key not in item_by_key for key in keys) and (cls := next(classes, None)) is not None:
            for item in items_of([cls]):
                is_any = isinstance(item, SectionItem)
                found = [key for key in keys if is_any and key[0] == item.section]
                for key in found or [(item.section, item.name)]:
                    item_by_key.setdefault(key, item)
        return {key: item_by_key[key] for key in keys if key in item_by_key}

    def conflicts(self) -> list[str]:
        """Return a warning for each option that two classes declare, but not alike."""
        declared_by_key: dict[tuple[str, str], dict[type, str]] = {}
        for cls in {base: None for known in self._classes() for base in known.__mro__}:
            for item in vars(cls).values():
                if isinstance(item, ConfigItem):
                    how = f"{item.allowed}, {item.default_text!r} by default"
                    declared_by_key.setdefault((item.section, item.name), {})[cls] = how
        return [
            f"option {name} in [{section}] is declared in different ways: "
            + "; ".join(f"{_name_of(cls)} takes {how}" for cls, how in declared.items())
            + ". Use the same declaration, or another name"
            for (section, name), declared in declared_by_key.items()
            if _is_conflict(declared)
        ]

    def explain(self) -> list[Explanation]:
        """Return each option, declared or set, with its text and where that came from."""
        text_by_key = {key: (item.default_text, DEFAULT) for key, item in self._item_by_key().items()}
        for key, setting in self._setting_by_key.items():
            shown = key if key in text_by_key else (key[0], setting.option)
            text_by_key[shown] = (setting.text, setting.origin)
        return [Explanation(*key, *text_by_key[key]) for key in sorted(text_by_key)]

    def _parsed(self, item: ConfigItem[Any]) -> Any:
        if isinstance(item, SectionItem):
            settings = [one for (section, _), one in self._setting_by_key.items() if section == item.section]
            return {one.option.strip().lower(): _parsed_text(item, one) for one in settings}
        setting = self._setting_by_key.get((item.section, item.name))
        if setting is None:
            return item.parse(item.default_text, self._folder)
        return _parsed_text(item, setting)

    def _item_by_key(self) -> dict[tuple[str, str], ConfigItem[Any]]:
        """Return the options by section and name, but for those whose names are up to the user."""
        return {
            (item.section, item.name): item
            for item in reversed(self.items())
            if not isinstance(item, SectionItem)
        }

    def _advice(self, key: tuple[str, str]) -> str:
        """Return a sentence with the nearest known name, or nothing."""
        known = list(self._item_by_key())
        section, option = key
        sections = {each for each, _ in known}
        if section not in sections:
            near = nearest(section, sections)
            if near:
                return f"Did you mean section [{near}]?"
        near = nearest(option, [name for each, name in known if each == section])
        if near:
            return f"Did you mean {near}?"
        elsewhere = [each for each, name in known if name == option]
        return f"Did you mean [{elsewhere[0]}] {option}?" if elsewhere else ""


def _parsed_text(item: ConfigItem[Any], setting: Setting) -> Any:
    try:
        return item.parse(setting.text, setting.folder)
    except ValueError as error:
        why = str(error) if isinstance(error, RefusedText) else ""
        raise _not_allowed(setting, item.allowed, why) from error


def _is_conflict(declared: dict[type, str]) -> bool:
    """Return whether classes that do not derive from one another declare an option in different ways."""
    return any(
        how != other_how and not issubclass(cls, other) and not issubclass(other, cls)
        for cls, how in declared.items()
        for other, other_how in declared.items()
    )


def _name_of(cls: type) -> str:
    return f"{shown_name(cls.__module__)}.{cls.__qualname__}"


def _not_allowed(setting: Setting, allowed: str, why: str = "") -> ConfigurationError:
    because = f": {why}" if why else ""
    return ConfigurationError(
        f"{setting.origin}: [{setting.section}] {setting.option} = {setting.text!r} is not allowed{because}",
        thing=f"{setting.section}.{setting.option}",
        value=setting.text,
        remedy=f"Use {allowed}",
    )


def describe(items: Iterable[ConfigItem[Any]]) -> str:
    """Return a configuration file with each option documented and commented out.

    :param items: the options; those of one section must follow one another.
    """
    lines: list[str] = []
    section = ""
    for item in items:
        if item.section != section:
            section = item.section
            lines += [f"[{section}]", ""]
        text = f"{item.doc}{'' if item.doc.endswith('.') or not item.doc else '.'}"
        for paragraph in (text, f"Allowed: {item.allowed}."):
            lines += [f"# {line}" for line in textwrap.wrap(paragraph, DOC_WIDTH)]
        lines += [f"#{item.name} = {quoted(item.default_text)}".rstrip(), ""]
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return a text as a configuration file must have it: in quotes where it would be misread."""
    is_plain = text == text.strip() and "#" not in text and text[:1] not in ("'", '"')
    if is_plain:
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'
