"""How far the work is, on a terminal and anywhere else."""

from __future__ import annotations

import io
import logging
import os
import re
import sys
import threading
import types
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from concurrent.apps.progress.bars import Bar, Figures, bar_line, plain_line
from concurrent.apps.progress.board import Board, Progress
from concurrent.apps.progress.screen import AboveBars, Screen
from concurrent.apps.progress.views import OVER_MAX, LinesView, NotebookView, TerminalView, view_for
from concurrent.core.logs import CLEAR_LINE, NodeLog
from tests.terminal import Emulator

SLOW = Figures("slow", 15, 60, 0, 0.5, 30.0)


class Terminal(io.StringIO):
    """A terminal that shows what is written to it."""

    patch: pytest.MonkeyPatch

    def isatty(self) -> bool:
        return True

    def take(self) -> None:
        """Be standard error from now on; before the test itself begins that would be undone."""
        self.patch.setattr("sys.stderr", self)

    def lines(self, columns: int = 80, rows: int = 24) -> list[str]:
        """Return what is on it."""
        emulator = Emulator(columns, rows)
        emulator.feed(self.getvalue())
        return emulator.lines()


def size_of(columns: int = 80, rows: int = 24) -> Any:
    return lambda: os.terminal_size((columns, rows))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    made.patch = monkeypatch
    return made


@pytest.mark.parametrize("columns", [1, 10, 20, 30, 48, 80, 200])
@pytest.mark.parametrize(
    "figures",
    [
        Figures("an application", 0, 60),
        Figures("an application", 7, 60, 3, 0.1, 90.0),
        Figures("an application", 60, 60, 0, 9.0, 4000.0),
        Figures("計算する計算する", 7, 60),
        Figures("\x1b[2J\nevil" * 20, 7, 60),
    ],
)
def test_a_bar_fits_its_line(columns: int, figures: Figures) -> None:
    line = bar_line(figures, columns)
    emulator = Emulator(columns, 5)
    emulator.feed(line)
    assert emulator.row == 0
    assert line.isprintable()


def test_a_bar_says_share_count_rate_and_what_is_left() -> None:
    assert bar_line(SLOW, 80) == f"slow [{'#' * 10}{'.' * 30}]  25% 15/60 0.5/s, 1:30 left"
    assert bar_line(Figures("slow", 60, 60, 2, 0.0, 3700.0), 80).endswith("] 100% 60/60, 2 failed in 1:01:40")
    assert plain_line(SLOW) == "slow: 15 of 60 (25%), 0.5/s, 1:30 left"


def test_what_is_cancelled_is_not_done_and_not_waited_for() -> None:
    bar = Bar(0.0, 0)
    assert not bar.look("", 15, 60, 0, 10.0, cancelled=40).is_complete
    figures = bar.look("sums", 15, 60, 0, 20.0, cancelled=45)
    assert figures.is_complete
    assert plain_line(figures) == "sums: 15 of 60, 45 cancelled (25%), in 0:20"


def test_a_narrow_terminal_has_the_share_first() -> None:
    assert bar_line(SLOW, 30) == "slow [###.........]  25% 15/60"
    assert bar_line(SLOW, 16) == "slow   25% 15/60"


def test_a_share_is_full_only_when_all_is_done() -> None:
    assert Figures("", 999, 1000).percent == 99
    assert Figures("", 1000, 1000).percent == 100


def test_what_was_done_before_says_nothing_about_the_rate() -> None:
    bar = Bar(0.0, 500)
    assert bar.look("", 520, 1000, 0, 10.0).rate == 2.0


def test_the_rate_is_that_of_the_last_minute() -> None:
    bar = Bar(0.0, 0)
    for second in range(100):
        bar.look("", second, 10_000, 0, float(second))
    for second in range(100, 200):
        figures = bar.look("", 100 + 10 * (second - 100), 10_000, 0, float(second))
    assert figures.rate == pytest.approx(10.0)


def test_time_does_not_go_on_for_what_is_complete() -> None:
    bar = Bar(0.0, 0)
    bar.look("", 10, 10, 0, 5.0)
    assert bar.look("", 10, 10, 0, 50.0).elapsed_s == 5.0


class Seen:
    """A view that remembers what it is told."""

    def __init__(self) -> None:
        self.bars: list[str] = []
        self.over: list[str] = []

    def begin(self) -> None:
        pass

    def show(self, bars: Sequence[Figures], over: Sequence[Figures]) -> None:
        self.bars = [f"{one.name} {one.count_words}" for one in bars]
        self.over += [f"{one.name} {one.count_words}" for one in over]

    def close(self) -> None:
        pass


class Time:
    now = 0.0


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def board(seen: Seen, clock: Time) -> Board:
    return Board("app", seen, lambda: clock.now)


def test_a_source_that_is_alone_goes_by_the_name_of_the_application(board: Board, seen: Seen) -> None:
    board.show(5, 10, source=1, name="sums")
    board.draw()
    assert seen.bars == ["app 5/10"]
    assert board.latest == {"app": (5, 10)}


def test_each_source_has_a_bar(board: Board, seen: Seen) -> None:
    board.show(200, 300)
    board.show(80, 100, source=1, name="sums", failed=2)
    board.draw()
    assert seen.bars == ["app 200/300", "sums 80/100, 2 failed"]
    assert board.latest == {"app": (200, 300), "sums": (80, 100)}


def test_a_bar_is_over_when_nothing_was_added_for_a_while(board: Board, seen: Seen, clock: Time) -> None:
    board.show(10, 10)
    board.draw()
    board.show(10, 20)
    clock.now = 5.0
    board.draw()
    assert (seen.bars, seen.over) == (["app 10/20"], [])
    board.show(20, 20)
    board.draw()
    clock.now = 6.5
    board.draw()
    board.draw()
    assert (seen.bars, seen.over) == ([], ["app 20/20"])


def test_what_begins_again_has_a_new_bar(board: Board, seen: Seen, clock: Time) -> None:
    board.show(10, 10)
    board.draw()
    clock.now = 2.0
    board.draw()
    board.show(1, 4)
    board.draw()
    assert (seen.bars, seen.over) == (["app 1/4"], ["app 10/10"])


def test_in_the_end_all_are_over(board: Board, seen: Seen) -> None:
    board.show(3, 10)
    board.draw(is_last=True)
    assert seen.over == ["app 3/10"]


def test_where_nothing_is_drawn_there_is_a_line_for_each_tenth(clock: Time) -> None:
    stream = io.StringIO()
    board = Board("app", LinesView(stream), lambda: clock.now)
    for done in range(301):
        board.show(done, 300)
        board.draw()
    board.draw(is_last=True)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "app: 30 of 300 (10%)"
    assert lines[-1] == "app: 300 of 300 (100%)"
    assert len(lines) == 10


def test_what_goes_on_slowly_has_a_line_now_and_then(clock: Time) -> None:
    stream = io.StringIO()
    board = Board("app", LinesView(stream), lambda: clock.now)
    for done in range(10):
        clock.now += 200.0
        board.show(done, 10_000)
        board.draw()
    assert 4 <= len(stream.getvalue().splitlines()) <= 5


def shown_on(terminal: Terminal, *bars: Figures, columns: int = 80, rows: int = 24) -> TerminalView:
    if sys.stderr is not terminal:
        terminal.take()
    view = TerminalView(Screen(terminal, size_of(columns, rows)))
    view.begin()
    view.show(bars, [])
    return view


def test_bars_are_lines_of_their_own_and_drawn_in_their_place(terminal: Terminal) -> None:
    view = shown_on(terminal, SLOW, SLOW._replace(name="other"))
    view.show([SLOW._replace(done=30), SLOW._replace(name="other", done=60)], [])
    first, second = terminal.lines()
    assert first.startswith("slow [####################....................]  50%")
    assert second.startswith("other [########################################] 100%")
    view.close()


def test_what_the_program_prints_appears_above_the_bars(terminal: Terminal) -> None:
    view = shown_on(terminal, SLOW, SLOW._replace(name="other"))
    for number in range(30):
        print("line", number, "x" * number, file=sys.stderr)
    sys.stderr.writelines(["two\n", "lines\n"])
    lines = terminal.lines()
    assert lines[-2].startswith("slow [")
    assert lines[-1].startswith("other [")
    assert lines[-4:-2] == ["two", "lines"]
    assert lines[-5] == f"line 29 {'x' * 29}"
    assert [line for line in lines if "[" in line] == lines[-2:]
    view.close()
    assert sys.stderr is terminal
    assert terminal.lines()[-1] == "lines"


def test_a_line_that_is_not_ended_is_left_alone(terminal: Terminal) -> None:
    view = shown_on(terminal, SLOW)
    sys.stderr.write("go on")
    sys.stderr.write("? ")
    assert terminal.lines()[0].startswith("slow [")
    sys.stderr.flush()
    view.show([SLOW], [])
    assert terminal.lines() == ["go on?"]
    sys.stderr.write("yes\n")
    assert terminal.lines()[0] == "go on? yes"
    assert terminal.lines()[1].startswith("slow [")
    view.close()


def test_lines_of_several_threads_are_whole(terminal: Terminal) -> None:
    view = shown_on(terminal, SLOW)
    sys.stderr.write("begun ")
    other = threading.Thread(target=print, args=("of another thread",), kwargs={"file": sys.stderr})
    other.start()
    other.join()
    sys.stderr.write("and ended\n")
    assert terminal.lines()[:2] == ["of another thread", "begun and ended"]
    view.close()


def test_a_forked_copy_writes_above_the_bars_too(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    view = shown_on(terminal, SLOW)
    with monkeypatch.context() as patched:
        patched.setattr("os.getpid", lambda: -1)
        print("of a copy", file=sys.stderr)
        print("more of it", file=sys.stderr)
    assert terminal.lines() == ["of a copy", "more of it"]
    view.close()


def test_what_is_drawn_again_and_again_on_one_line_keeps_the_bars_away(terminal: Terminal) -> None:
    view = shown_on(terminal, SLOW)
    for number in range(3):
        sys.stderr.write(f"\rstep {number}")
        assert terminal.lines() == [f"step {number}"]
    sys.stderr.write("\nleft")
    assert terminal.lines()[1].startswith("slow [")
    view.close()
    assert terminal.lines() == ["step 2", "left"]


def test_the_log_appears_above_the_bars_and_so_does_that_of_other_processes(terminal: Terminal) -> None:
    terminal.take()
    log = NodeLog("slave-1", "info")
    log.start()
    mine = logging.StreamHandler(terminal)
    logging.getLogger().addHandler(mine)
    try:
        view = shown_on(terminal, SLOW, SLOW._replace(name="other"))
        logging.getLogger("concurrent.task").info("hello")
        logging.getLogger("of.the.program").warning("beware")
        terminal.write(f"{CLEAR_LINE}of another process\nand more of it\n")
        view.show([SLOW, SLOW._replace(name="other")], [])
        sys.stderr.write("unfinished ")
        sys.stderr.flush()
        logging.getLogger("concurrent.task").info("again")
        view.close()
    finally:
        log.stop()
        logging.getLogger().removeHandler(mine)
    lines = terminal.lines()
    assert lines[0].endswith("concurrent.task: hello")
    assert lines[1:5] == ["beware", "of another process", "and more of it", "unfinished"]
    assert lines[5].endswith("concurrent.task: again")
    assert len(lines) == 6
    assert mine.stream is terminal


def test_bars_that_are_over_stay_above_the_others(terminal: Terminal) -> None:
    view = shown_on(terminal, SLOW, SLOW._replace(name="other"))
    view.show([SLOW], [SLOW._replace(name="other", done=60)])
    view.close()
    (line,) = terminal.lines()
    assert line.startswith("other [########################################] 100%")


def test_a_small_terminal_shows_as_many_bars_as_it_can(terminal: Terminal) -> None:
    bars = [SLOW._replace(name=f"bar {number}") for number in range(30)]
    view = shown_on(terminal, *bars, columns=20, rows=5)
    view.show(bars, [])
    lines = terminal.lines(20, 5)
    assert lines[0].startswith("bar 0")
    assert lines[-1] == "... and 27 more"
    assert len(lines) == 4
    view.close()


def test_two_programs_in_one_share_the_terminal(terminal: Terminal) -> None:
    first = shown_on(terminal, SLOW)
    assert isinstance(sys.stderr, AboveBars)
    second = TerminalView(Screen.of(sys.stderr))
    second.begin()
    second.show([SLOW._replace(name="other")], [])
    assert [line.split()[0] for line in terminal.lines()] == ["slow", "other"]
    first.close()
    assert [line.split()[0] for line in terminal.lines()] == ["other"]
    second.close()
    assert sys.stderr is terminal


def test_a_dumb_terminal_and_a_file_get_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(view_for(io.StringIO()), LinesView)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(view_for(Terminal()), TerminalView)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(view_for(Terminal()), LinesView)


def test_nothing_has_a_colour(terminal: Terminal) -> None:
    shown_on(terminal, SLOW).close()
    assert not re.search(r"\x1b\[[0-9;]*m", terminal.getvalue())


def test_progress_is_shown_by_a_thread_of_its_own_until_it_is_closed(terminal: Terminal) -> None:
    terminal.take()
    progress = Progress("app")
    progress.close()
    assert progress.latest == {}
    progress.show(3, 10)
    assert progress.latest == {"app": (3, 10)}
    progress.close()
    progress.close()
    assert terminal.lines()[-1].startswith("app [############....")
    assert sys.stderr is terminal


def test_progress_that_is_hidden_is_counted_all_the_same(terminal: Terminal) -> None:
    terminal.take()
    progress = Progress("app")
    progress.is_hidden = True
    progress.show(3, 10)
    progress.close()
    assert progress.latest == {"app": (3, 10)}
    assert terminal.getvalue() == ""


class Notebook(types.ModuleType):
    """Stands for IPython in the kernel of a notebook."""

    kernel = object()

    def __init__(self) -> None:
        super().__init__("IPython")
        self.shown: list[Any] = []

    def get_ipython(self) -> Notebook:
        return self

    def display(self, shown: Any, *, display_id: bool) -> Notebook:
        assert display_id
        self.shown.append(shown)
        return self

    def update(self, shown: Any) -> None:
        self.shown.append(shown)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    made = Notebook()
    monkeypatch.setitem(sys.modules, "IPython", made)
    monkeypatch.setitem(sys.modules, "IPython.display", made)
    return made


def test_a_notebook_has_one_display_that_is_brought_up_to_date(notebook: Notebook) -> None:
    view = view_for(None)
    assert isinstance(view, NotebookView)
    view.begin()
    view.show([SLOW, SLOW._replace(name="<b>x</b>")], [])
    shown = notebook.shown[-1]
    assert "<b>" not in shown._repr_html_()
    assert '<progress value="15" max="60"></progress>' in shown._repr_html_()
    assert repr(shown).splitlines()[0] == bar_line(SLOW, 100)
    view.show([], [SLOW])
    view.show([SLOW._replace(name="next")], [])
    assert [line.split()[0] for line in repr(notebook.shown[-1]).splitlines()] == ["slow", "next"]


def test_of_bars_that_are_over_a_notebook_shows_the_latest(notebook: Notebook) -> None:
    view = view_for(None)
    view.begin()
    for number in range(OVER_MAX + 1):
        view.show([], [SLOW._replace(name=f"call-{number}")])
    shown = [line.split()[0] for line in repr(notebook.shown[-1]).splitlines()]
    assert shown == [f"call-{number}" for number in range(1, OVER_MAX + 1)]


def test_ipython_on_a_terminal_is_no_notebook(notebook: Notebook, terminal: Terminal) -> None:
    notebook.kernel = None  # type: ignore[assignment]
    terminal.take()
    assert isinstance(view_for(None), TerminalView)
