"""Which application a command runs: a file, a module, a sample, or one of a plug-in."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from concurrent.apps import samples
from concurrent.apps.api import IApp
from concurrent.apps.application import ApplicationNode
from concurrent.apps.layouts import load_application
from concurrent.core.component import Component
from concurrent.core.environment import Environment
from concurrent.core.errors import PluginError
from concurrent.core.nearest import did_you_mean
from concurrent.core.plugins import installed_plugins

__all__ = ["application_class", "plugin_applications", "sample_names"]


def sample_names() -> list[str]:
    """Return the names of the bundled samples."""
    folders = [Path(path) for path in samples.__path__]
    return sorted({app.parent.name for folder in folders for app in folder.glob("*/app.py")})


def application_class(env: Environment, name: str) -> type[ApplicationNode]:
    """Return the class of an application.

    :param name: a file, ``FILE:CLASS``, a module or ``MODULE:CLASS``, the name of a bundled sample, that
        of an application class of a loaded plug-in, or that of the entry point of an installed one.
    :raises PluginError: if there is none, more than one to choose from, or the only one is disabled.
    """
    source, _, class_name = name.partition(":") if not Path(name).exists() else (name, "", "")
    is_path = Path(source).suffix == ".py" or Path(source).exists()
    if not is_path and not class_name:
        loaded = _applications(env.classes_of(IApp), name)
        if len(loaded) == 1:
            return loaded[0]
    if not is_path:
        source = _module_of(env, source)
        if importlib.util.find_spec(source.partition(".")[0]) is None:
            raise _no_application(env, name)
    if is_path:
        classes = load_application(env, Path(source), lambda some: bool(_applications(some, class_name)))
    else:
        classes = env.load_plugin(source).components
    found = _applications(classes, class_name)
    if len(found) == 1:
        return found[0]
    names = ", ".join(cls.__name__ for cls in _applications(classes, ""))
    raise PluginError(
        f"{source} has {len(found)} applications{f' named {class_name}' if class_name else ''}",
        thing=source,
        value=names,
        remedy=f"Name one of them: {source}:CLASS with CLASS one of {names}"
        if names
        else "Derive a class from ApplicationNode in it",
    )


def plugin_applications(env: Environment) -> list[type[ApplicationNode]]:
    """Return the enabled application classes of the plug-ins that are loaded."""
    return [
        cls for cls in _applications(env.classes_of(IApp), "") if not cls.__module__.startswith("concurrent.")
    ]


def _module_of(env: Environment, source: str) -> str:
    """Return the module of a sample or of an installed plug-in; any other name is that of a module.

    :raises PluginError: if all of it is disabled.
    """
    module = source
    if source in sample_names():
        module = f"{samples.__name__}.{source}.app"
    else:
        points = [point for point in installed_plugins() if point.name == source]
        if points:
            module = points[0].value.partition(":")[0]
    if module in env.switched_off:
        raise PluginError(
            f"the plug-in {module} is disabled",
            thing=module,
            remedy="Change the rule for it in section [components]",
        )
    return module


def _no_application(env: Environment, name: str) -> PluginError:
    """Return the error for a name that nothing has."""
    disabled = [cls for cls in env.known_classes() if not env.is_enabled(cls)]
    hidden = _applications(disabled, name)
    if hidden:
        return PluginError(
            f"the application {env.name_of(hidden[0])} is disabled",
            thing=name,
            remedy=f"Change the rule {env.rule_of(hidden[0])} in section [components]",
        )
    own = [cls.__name__ for cls in plugin_applications(env)]
    failed = [one.component for one in env.troubles.status() if one.rule == "import"]
    plugins = f", an application of a plug-in: {', '.join(own)}" if own else ""
    problem = f", and plug-ins could not be imported: {', '.join(failed)}" if failed else ""
    if env.switched_off:
        problem += f", and plug-ins are disabled: {', '.join(env.switched_off)}"
    beside = f"{name.replace('.', '/')}.py"
    near = f"Write {beside}. " if Path(beside).is_file() else did_you_mean(name, [*own, *sample_names()])
    return PluginError(
        f"there is no application {name!r}{problem}",
        thing=name,
        remedy=f"{near}Give a file, the name of an installed module{plugins}, or one of the samples: "
        + ", ".join(sample_names()),
    )


def _applications(classes: list[type[Component]], name: str) -> list[type[ApplicationNode]]:
    return [
        cls
        for cls in classes
        if issubclass(cls, ApplicationNode)
        and not cls.is_abstract()
        and (not name or cls.__name__.lower() == name.lower())
    ]
