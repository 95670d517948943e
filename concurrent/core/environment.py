"""An environment: the configuration, the plug-ins and the components of one node.

A folder made by ``concurrent init`` holds ``conf/concurrent.ini``, ``plugins/``, ``log/`` and
``data/``. An environment without a folder has the configuration of the machine and no plug-in folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from concurrent.core.builtin import BUILT_IN, WITHOUT_OPTIONS
from concurrent.core.check import warnings_of
from concurrent.core.classes import classes_with
from concurrent.core.component import Component, ComponentManager
from concurrent.core.config import Configuration, Setting, describe, items_of
from concurrent.core.configgiven import read_overrides, read_variables, system_file
from concurrent.core.errors import EnvironmentFolderError, PluginError
from concurrent.core.filemodules import shown_name
from concurrent.core.items import ListItem
from concurrent.core.loggers import get_log
from concurrent.core.plugins import LoadedPlugin, installed_plugins, load_anew, load_plugin, plugin_files

__all__ = ["Environment", "PluginSettings"]

CONFIGURATION_FILE = Path("conf", "concurrent.ini")
FOLDERS = ("conf", "plugins", "log", "data")

log = get_log(__name__)


class PluginSettings(Component):
    """The options of section ``[plugins]``."""

    load = ListItem(
        "plugins", "load", (), "Plug-ins to load at the start: paths of files, or names of modules."
    )


class Environment(ComponentManager):
    """A component manager with a configuration. Owned by the thread that made it.

    It knows the components of the framework (``builtin.py``), of the plug-ins that it loads, and those that are
    registered; what another environment of the process knows does not matter. The configuration is, from
    strong to weak: ``overrides``, environment variables ``CONCURRENT_SECTION__OPTION``, ``config_files``, the
    file of the environment, the file of the machine, defaults.

    ``plugins`` are those that were loaded, ``switched_off`` the modules of those that were not, because all of
    their components are disabled.

    :param folder: an environment folder; use :meth:`open` to have it checked.
    :param overrides: ``section.option`` to text.
    :param config_files: more files, the strongest first.
    :param variables: environment variables; those of the process if None.
    :raises ConfigurationError: if a file cannot be read or is not in the ini format.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        overrides: Mapping[str, str] | None = None,
        config_files: Iterable[str | Path] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.absolute() if folder is not None else None
        self._overrides = dict(overrides or {})
        self._config_files = [str(Path(file).absolute()) for file in config_files]
        variables = os.environ if variables is None else variables
        files = [Path(file) for file in self._config_files]
        if self.folder is not None:
            files.append(self.folder / CONFIGURATION_FILE)
        system = system_file(variables)
        if system.is_file():
            files.append(system)
        settings = [*read_overrides(self._overrides), *read_variables(variables), *_settings_in(files)]
        self.config = Configuration(settings, folder=self.folder, classes=self.classes_with_options)
        self.plugins: list[LoadedPlugin] = []
        self.switched_off: list[str] = []
        self._installed: list[str] | None = None
        self._program: list[str] = []
        self._classes_by_module: dict[str, list[type[Component]]] = {}
        super().__init__(self.config.component_rules(), BUILT_IN)

    @classmethod
    def create(cls, folder: Path) -> Environment:
        """Make an environment folder with a documented configuration and return it opened.

        :raises EnvironmentFolderError: if there is one already, or the folder cannot be made.
        """
        folder = folder.absolute()
        file = folder / CONFIGURATION_FILE
        if file.exists():
            raise EnvironmentFolderError(
                f"{folder} is an environment already",
                thing=str(folder),
                remedy="Use it with --env, or choose another folder",
            )
        try:
            for name in FOLDERS:
                (folder / name).mkdir(parents=True, exist_ok=True)
            file.write_text(describe(cls().config.items()) + "\n", encoding="utf-8")
        except OSError as error:
            raise EnvironmentFolderError(
                f"the environment {folder} cannot be made: {error.strerror or error}",
                thing=str(folder),
                remedy="Check the path and its rights",
            ) from error
        return cls.open(folder)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        overrides: Mapping[str, str] | None = None,
        config_files: Iterable[str | Path] = (),
    ) -> Environment:
        """Open an environment folder.

        :raises EnvironmentFolderError: if it is none.
        :raises ConfigurationError: as for the constructor.
        """
        if not (folder / CONFIGURATION_FILE).is_file():
            raise EnvironmentFolderError(
                f"{folder} is not an environment: it has no {CONFIGURATION_FILE}",
                thing=str(folder),
                remedy=f"Make one with 'concurrent init {folder}'",
            )
        return cls(folder, overrides=overrides, config_files=config_files)

    def recipe(self, overrides: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return plain values from which :meth:`from_recipe` makes an equal one in another process.

        :param overrides: options that the other one has otherwise, ``section.option`` to text.
        """
        return {
            "folder": str(self.folder) if self.folder is not None else "",
            "overrides": {**self._overrides, **(overrides or {})},
            "config_files": self._config_files,
            "installed": self._installed,
            "plugins": [plugin.source for plugin in self.plugins],
            "program": self._program,
        }

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any], overrides: Mapping[str, str] | None = None) -> Environment:
        """Make an environment after a recipe and load its plug-ins.

        :param overrides: as for :meth:`recipe`.
        """
        env = cls(
            Path(recipe["folder"]) if recipe["folder"] else None,
            overrides={**recipe["overrides"], **(overrides or {})},
            config_files=recipe["config_files"],
        )
        env._installed = recipe["installed"]
        env.load_plugins()
        for source in recipe["plugins"]:
            env.load_plugin(source)
        env.register_program(*recipe["program"])
        return env

    def classes_with_options(self) -> Iterator[type[Component]]:
        """Yield the known classes that may declare options; those last that have to be imported for it."""
        return self._known.without(WITHOUT_OPTIONS)

    @property
    def has_options_of_others(self) -> bool:
        """Whether components that are not the framework's declare options."""
        return bool(items_of(self._known.added()))

    def load_plugins(self) -> list[PluginError]:
        """Load what entry points, ``[plugins] load`` and the plug-in folder name, in this order.

        A plug-in that fails is logged and noted in ``troubles``, and does not stop the others. An installed
        plug-in, or one of the folder, of which section ``[components]`` disables all is not imported.

        :returns: what went wrong.
        """
        if self._installed is None:  # else whoever has started this process has looked already
            self._installed = [point.value.partition(":")[0] for point in installed_plugins()]
        sources: list[str | Path] = [one for one in self._installed if not self._is_switched_off(one)]
        sources += self[PluginSettings].load
        if self.folder is not None:
            files = plugin_files(self.folder / "plugins")
            sources += [file for file in files if not self._is_switched_off(file.stem)]
        failures = []
        for source in sources:
            try:
                self.load_plugin(source)
            except PluginError as error:
                name = str(source)
                rest = error.message.partition(f"plug-in {name} cannot be imported")[2]
                problem = f"failed{rest or f': {error.message}'}"
                self.troubles.note(name, "import", problem, action="it is left out", error=error)
                failures.append(error)
        return failures

    def _is_switched_off(self, module: str) -> bool:
        """Return whether all components of a module are disabled, and take note of it."""
        is_off = not self.rules.enables_part_of(module)
        if is_off and module not in self.switched_off:
            self.switched_off.append(module)
        return is_off

    def load_plugin(self, source: str | Path) -> LoadedPlugin:
        """Load one plug-in; its components are known from then on.

        If it was loaded here before, those that it has now take the place of those that it had.

        :param source: a file, a package folder, or the name of an installed module.
        :raises PluginError: if that fails.
        """
        plugin = load_plugin(source)
        self._register_those_of(plugin.module)
        if all(plugin.module is not known.module for known in self.plugins):
            self.plugins.append(plugin)
        return plugin

    def reload_plugin(self, plugin: LoadedPlugin) -> LoadedPlugin:
        """Import a plug-in of this environment once more; its new components take the place of the old ones.

        Other environments keep the old ones until they load it again.

        :raises PluginError: if that fails; then all is as it was.
        """
        anew = load_anew(plugin)
        self._register_those_of(anew.module)
        self.plugins[self.plugins.index(plugin)] = anew
        return anew

    def register_program(self, *modules: str) -> None:
        """Register the components of modules of the program that runs, as far as they are imported.

        A node that this program starts has them too, if it is forked.

        :param modules: their names, such as ``__main__``.
        """
        self._program = list(dict.fromkeys([*self._program, *modules]))
        for name in modules:
            if name in sys.modules:
                self._register_those_of(sys.modules[name])

    def _register_those_of(self, module: ModuleType) -> None:
        classes = classes_with(module)
        for cls in self._classes_by_module.get(module.__name__, ()):
            if cls not in classes:
                self.deregister(cls)
        self._classes_by_module[module.__name__] = classes
        self.register(*classes)

    def warn_of_unknown(self) -> list[str]:
        """Log a warning for each unknown section, option or component that is set, and return them.

        :raises ConfigurationError: for the first value that is not allowed.
        """
        self.config.check()
        warnings = warnings_of(self)
        for warning in warnings:
            log.warning("%s", warning)
        return warnings

    def name_of(self, cls: type) -> str:
        """Return the name of a class for enabling rules; a plug-in file's module is its stem."""
        return f"{shown_name(cls.__module__)}.{cls.__qualname__}"

    def component_activated(self, component: Component) -> None:
        """Give a new component the environment, its configuration and a logger."""
        component.env = self
        component.config = self.config
        name = shown_name(type(component).__module__).removeprefix("concurrent.")
        component.log = get_log(f"concurrent.{name}")


def _settings_in(files: Iterable[Path]) -> Iterator[Setting]:
    """Yield the settings of files, the strongest first.

    :raises ConfigurationError: as for :class:`Environment`.
    """
    for file in files:
        from concurrent.core.configfile import read_file  # few have a file, and its parser is large

        yield from read_file(file)
