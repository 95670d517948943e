"""The work: two tasks that differ in the data that they move, and the task system that runs either.

Both tasks compute the same counts with the same kernel, and both come home with their result
(``returns_task``), so that the price of what they carry shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from concurrent.apps.samples.mandelbrot.counts import BlockResult
from concurrent.apps.samples.mandelbrot.kernel import count_rows, escape_count
from concurrent.apps.samples.mandelbrot.view import View
from concurrent.scheduling import ISystemMaster, ITaskSystem, Task

__all__ = ["MandelbrotSystem", "OptimizedRows", "PlainRows", "RowsTask", "TASK_BY_DATA", "make_tasks"]


class RowsTask(Task):
    """Counts a block of rows of the picture.

    :param rows: the rows, counted from the top.
    """

    returns_task = True

    def __init__(self, view: View, rows: range) -> None:
        super().__init__(f"rows {rows.start} to {rows.stop - 1}")
        self.first_row = rows.start

    def __call__(self) -> BlockResult:
        """Return the counts of the block's pixels, row by row."""
        raise NotImplementedError


class OptimizedRows(RowsTask):
    """Takes a few numbers along and returns two bytes for each pixel."""

    def __init__(self, view: View, rows: range) -> None:
        super().__init__(view, rows)
        self.view = view
        self.rows = rows

    def __call__(self) -> bytes:
        """Return packed counts."""
        return count_rows(self.view.xs(), self.view.ys(self.rows), self.view.iterations)

    def clean_up(self) -> None:
        """Drop the input: the first row is all that matters from here on."""
        del self.view, self.rows


class PlainRows(RowsTask):
    """What to avoid: takes the point of each pixel along, brings them all back, and returns a list."""

    def __init__(self, view: View, rows: range) -> None:
        super().__init__(view, rows)
        self.points = view.points(rows)
        self.iterations = view.iterations

    def __call__(self) -> list[int]:
        """Return the counts as Python numbers."""
        return [escape_count(x, y, self.iterations) for x, y in self.points]


TASK_BY_DATA: dict[str, type[RowsTask]] = {"optimized": OptimizedRows, "plain": PlainRows}


def make_tasks(view: View, rows_per_task: int, data: str) -> Iterator[RowsTask]:
    """Make the tasks of a picture one after the other, for plain ones are large.

    :param data: ``optimized`` or ``plain``.
    """
    task_class = TASK_BY_DATA[data]
    return (task_class(view, rows) for rows in view.blocks(rows_per_task))


class MandelbrotSystem(ITaskSystem):
    """Makes the tasks at the master, collects their results there and sends them home together."""

    def __init__(self, view: View, rows_per_task: int, data: str) -> None:
        self.view = view
        self.rows_per_task = rows_per_task
        self.data = data
        self.blocks_left = view.block_count(rows_per_task)
        self.result_by_row: dict[int, BlockResult] = {}

    def generate_tasks(self, master: ISystemMaster) -> Sequence[Task]:
        """Return all tasks."""
        return list(make_tasks(self.view, self.rows_per_task, self.data))

    def task_finished(
        self, master: ISystemMaster, task: Task, result: BlockResult, error: BaseException | None
    ) -> None:
        """Keep one result; an error ends the system and is reported by the application."""
        if error is not None:
            raise error
        assert isinstance(task, RowsTask)
        self.result_by_row[task.first_row] = result
        self.blocks_left -= 1
        count = self.view.block_count(self.rows_per_task)
        master.progress(count - self.blocks_left, count)

    def is_complete(self, master: ISystemMaster) -> bool:
        """Return whether all results are there."""
        return self.blocks_left == 0

    def gather_result(self, master: ISystemMaster) -> dict[int, BlockResult]:
        """Return the results of the blocks, by their first row."""
        return self.result_by_row
