from pathlib import Path

import pytest

from concurrent.core import (
    BoolItem,
    ChoiceItem,
    Component,
    ConfigItem,
    Environment,
    ExtensionPointItem,
    FloatItem,
    Host,
    HostItem,
    Interface,
    IntItem,
    ListItem,
    OrderedExtensionsItem,
    PathItem,
    implements,
)
from concurrent.core.config import describe
from concurrent.core.errors import ConfigurationError


class IColour(Interface):
    """A colour."""

    def shade(self):
        """Return its name."""


class Red(Component):
    """Red."""

    implements(IColour)

    def shade(self):
        return "red"


class Blue(Red):
    """Blue."""

    def shade(self):
        return "blue"


class Painter(Component):
    """Has one option of each type."""

    name = ConfigItem("painter", "name", "Ann", "Who paints.")
    brushes = IntItem("painter", "brushes", 3, "How many brushes.", minimum=1, maximum=9)
    pause_s = FloatItem("painter", "pause_s", 0.5, "Rest.", minimum=0.0, unit="seconds")
    is_fast = BoolItem("painter", "is_fast", False, "Hurries.")
    tools = ListItem("painter", "tools", ("pen", "ink"), "Tools.")
    style = ChoiceItem("painter", "style", "flat", "Style.", choices=("flat", "Deep"))
    canvas = PathItem("painter", "canvas", "", "Canvas.")
    studio = HostItem("painter", "studio", "localhost:80", "Studio.", port_default=8080)
    colour = ExtensionPointItem("painter", "colour", IColour, "Red", "First colour.")
    pen = ExtensionPointItem(
        "painter", "pen", IColour, "red", "Its colour.", short_names={"red": "Red", "blue": "Blue"}
    )
    colours = OrderedExtensionsItem("painter", "colours", IColour, ("Blue", "Red"), "Colours.")


COMPONENTS = (Red, Blue, Painter)


@pytest.fixture
def make(tmp_path):
    """Return a function that opens an environment with this text in its file."""

    def open_with(text="", *, variables=None, overrides=None):
        folder = tmp_path / "env"
        if not folder.exists():
            Environment.create(folder)
        (folder / "conf" / "concurrent.ini").write_text(text, encoding="utf-8")
        environment = Environment(folder, overrides=overrides, variables=variables or {})
        environment.register(*COMPONENTS)
        return environment

    return open_with


def test_options_have_their_defaults(make) -> None:
    painter = make()[Painter]
    assert (painter.name, painter.brushes, painter.pause_s, painter.is_fast) == ("Ann", 3, 0.5, False)
    assert (painter.tools, painter.style, painter.canvas) == (("pen", "ink"), "flat", None)
    assert painter.studio == Host("localhost", 80)
    assert painter.colour.shade() == "red"
    assert [each.shade() for each in painter.colours] == ["blue", "red"]


@pytest.mark.parametrize("text", ["blue", " BLUE ", "Blue"])
def test_a_short_name_stands_for_a_component(make, text: str) -> None:
    environment = make(f"[painter]\npen = {text}\n")
    assert environment[Painter].pen.shade() == "blue"
    assert environment.config.value(Painter.pen) == "blue"


def test_a_short_name_that_there_is_not_is_answered_with_those_that_there_are(make) -> None:
    with pytest.raises(ConfigurationError, match=r"no enabled component is an IColour .*Use one of: blue, red"):
        make("[painter]\npen = green\n")[Painter].pen  # noqa: B018


def test_files_set_options_of_every_type(make, tmp_path) -> None:
    painter = make(
        "[painter]\nname = Bob # him\nbrushes = 4\npause-s = 2\nis_fast = on\ntools = a, b,\n"
        "style = deep\ncanvas = ../pic.png\nstudio = [::1]\ncolour = Blue\ncolours = Red\n"
    )[Painter]
    assert (painter.name, painter.brushes, painter.pause_s, painter.is_fast) == ("Bob", 4, 2.0, True)
    assert (painter.tools, painter.style) == (("a", "b"), "Deep")
    assert painter.canvas is not None
    assert painter.canvas.resolve() == (tmp_path / "env" / "pic.png").resolve()
    assert painter.studio == Host("::1", 8080)
    assert painter.colour.shade() == "blue"
    assert len(painter.colours) == 1


def test_the_command_line_beats_variables_beat_files_beat_what_they_inherit(make, tmp_path) -> None:
    (tmp_path / "base.ini").write_text("[painter]\nname = base\nbrushes = 5\nstyle = deep\n")
    text = f"[inherit]\nfile = {tmp_path / 'base.ini'}\n[painter]\nname = file\nbrushes = 6\n"
    variables = {"CONCURRENT_PAINTER__NAME": "variable"}
    environment = make(text, variables=variables)
    painter = environment[Painter]
    assert (painter.name, painter.brushes, painter.style) == ("variable", 6, "Deep")
    assert environment.config.origin("painter", "name") == ("environment variable CONCURRENT_PAINTER__NAME")
    assert environment.config.origin("painter", "style") == f"{tmp_path / 'base.ini'}:4"
    assert environment.config.origin("painter", "tools") == "default"
    overridden = make(text, variables=variables, overrides={"painter.name": "line"})
    assert overridden[Painter].name == "line"


def test_the_file_of_the_machine_is_the_weakest(make, tmp_path) -> None:
    (tmp_path / "machine.ini").write_text("[painter]\nname = machine\nbrushes = 7\n")
    variables = {"CONCURRENT_SYSTEM_FILE": str(tmp_path / "machine.ini")}
    painter = make("[painter]\nname = file\n", variables=variables)[Painter]
    assert (painter.name, painter.brushes) == ("file", 7)


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("brushes = 0", "a whole number from 1 to 9"),
        ("brushes = many", "a whole number from 1 to 9"),
        ("pause_s = nan", "a number of at least 0.0 in seconds"),
        ("is_fast = perhaps", "one of true"),
        ("style = round", "one of flat, Deep"),
        ("studio = a:b", "HOST:PORT"),
        ("studio = a:70000", "HOST:PORT"),
        ("colour = Green", "Blue, .*Red"),
    ],
)
def test_a_bad_value_names_file_section_option_value_and_what_is_allowed(make, line, allowed) -> None:
    environment = make(f"[painter]\n{line}\n")
    option, _, value = line.partition(" = ")
    with pytest.raises(ConfigurationError, match=allowed) as caught:
        getattr(environment[Painter], option)
    assert f"[painter] {option} = {value!r}" in str(caught.value)
    if option != "colour":
        assert "concurrent.ini:2" in str(caught.value)


def test_unknown_names_are_warned_of_with_the_nearest_known(make) -> None:
    warnings = make("[painter]\nbrush = 1\n[painters]\nname = x\n[zzz]\nbrushes = y\n").warn_of_unknown()
    assert [warning.partition(": ")[2] for warning in warnings] == [
        "unknown option brush in [painter] is ignored. Did you mean brushes?",
        "unknown section [painters] of option name is ignored. Did you mean section [painter]?",
        "unknown section [zzz] of option brushes is ignored. Did you mean [painter] brushes?",
    ]


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_only_line_ends_end_a_line(make, mark) -> None:
    env = make(f"# a{mark}b\n[painter]\nname = a{mark}b\nbrushes = 5\n")
    assert env[Painter].name == f"a{mark}b"
    assert env.config.origin("painter", "brushes").endswith(":4")


@pytest.mark.parametrize(
    "text",
    ["loose = 1\n", "[a\n", "[a]\n[[b]]\nc = 1\n", "[a]\nb = 1\nb = 2\n", "[inherit]\nfile = gone.ini\n"],
)
def test_a_broken_file_is_named(make, text) -> None:
    with pytest.raises(ConfigurationError, match=r"\.ini"):
        make(text)


def test_files_that_inherit_one_another_are_refused(make) -> None:
    with pytest.raises(ConfigurationError, match="inherit one another"):
        make("[inherit]\nfile = concurrent.ini\n")


def test_an_override_must_name_section_and_option(make) -> None:
    with pytest.raises(ConfigurationError, match=r"section\.option=value"):
        make(overrides={"name": "x"})


def test_options_can_not_be_assigned(make) -> None:
    with pytest.raises(ConfigurationError, match="cannot be assigned"):
        make()[Painter].brushes = 4


@pytest.mark.parametrize(("section", "name", "default"), [("A b", "c", 1), ("a", "C", 1), ("a", "c", -1)])
def test_a_declaration_that_can_not_be_is_refused(section, name, default) -> None:
    with pytest.raises(ConfigurationError):
        IntItem(section, name, default, minimum=0)


def test_the_described_configuration_reads_back_as_the_defaults(make) -> None:
    items = [item for item in make().config.items() if item.section == "painter"]
    text = describe(items)
    for item in items:
        assert f"#{item.name} = {item.default_text}".rstrip() in text
        assert item.doc in text
    uncommented = "\n".join(line.removeprefix("#") for line in text.splitlines() if line[:2] != "# ")
    environment = make(uncommented)
    assert environment.warn_of_unknown() == []
    assert environment[Painter].tools == ("pen", "ink")


def test_each_value_is_explained_by_its_origin(make) -> None:
    environment = make("[painter]\nbrushes = 4\n")
    line = next(each for each in environment.config.explain() if each.option == "brushes")
    assert (line.section, line.value) == ("painter", "4")
    assert Path(line.origin.rpartition(":")[0]).name == "concurrent.ini"


def test_rules_of_the_configuration_disable_components(make) -> None:
    environment = make("[components]\n*.Red = enabled\n*test_config.Blue = disabled\n")
    name = environment.name_of(Blue)
    environment = make(f"[components]\n{name} = disabled\n")
    assert not environment.is_enabled(Blue)
    assert environment.is_enabled(Red)
    with pytest.raises(ConfigurationError, match="enabled or disabled"):
        make("[components]\nx.* = perhaps\n")
