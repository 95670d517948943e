"""The work: two tasks that differ in the data that they move, and the task system that runs either.

Both tasks compute the same counts with the same kernel, and both come home with their result
(``returns_task``), so that the price of what they carry shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pickle import PickleBuffer

from concurrent.scheduling import ISystemMaster, ITaskSystem, Task

from .counts import Picture, TileResult
from .kernel import count_points, smooth_count
from .view import Tile, View

__all__ = ["TASK_BY_DATA", "MandelbrotSystem", "OptimizedTile", "PlainTile", "TileTask", "make_tasks"]


class TileTask(Task):
    """Counts a tile of the picture."""

    returns_task = True

    def __init__(self, view: View, tile: Tile) -> None:
        super().__init__(f"tile at row {tile.rows.start}, column {tile.columns.start}")
        self.tile = tile

    def __call__(self) -> TileResult:
        """Return the counts of the tile's pixels, row by row."""
        raise NotImplementedError


class OptimizedTile(TileTask):
    """Takes a few numbers along and returns four bytes for each pixel."""

    def __init__(self, view: View, tile: Tile) -> None:
        super().__init__(view, tile)
        self.view = view

    def __call__(self) -> bytes:
        """Return packed counts."""
        rows, columns = self.tile
        return count_points(self.view.xs(columns), self.view.ys(rows), self.view.iterations)

    def clean_up(self) -> None:
        """Drop the input: the tile is all that matters from here on."""
        del self.view


class PlainTile(TileTask):
    """What to avoid: takes the point of each pixel along, brings them all back, and returns a list."""

    def __init__(self, view: View, tile: Tile) -> None:
        super().__init__(view, tile)
        self.points = view.points(tile)
        self.iterations = view.iterations

    def __call__(self) -> list[int]:
        """Return the counts as Python numbers."""
        return [smooth_count(x, y, self.iterations) for x, y in self.points]


TASK_BY_DATA: dict[str, type[TileTask]] = {"optimized": OptimizedTile, "plain": PlainTile}


def make_tasks(view: View, tiles: Sequence[Tile], data: str) -> Iterator[TileTask]:
    """Make the tasks of a picture one after the other, for plain ones are large.

    :param data: ``optimized`` or ``plain``.
    """
    task_class = TASK_BY_DATA[data]
    return (task_class(view, tile) for tile in tiles)


class MandelbrotSystem(ITaskSystem):
    """Makes the tasks beside the master, puts their results together there and sends the picture home."""

    def __init__(self, view: View, tiles: Sequence[Tile], data: str) -> None:
        self.view = view
        self.tiles = tiles
        self.data = data
        self.picture = Picture(view)

    def generate_tasks(self, master: ISystemMaster) -> None:
        """Push all tasks."""
        master.push_tasks(make_tasks(self.view, self.tiles, self.data))

    def task_finished(
        self, master: ISystemMaster, task: Task, result: TileResult, error: BaseException | None
    ) -> None:
        """Keep one result; an error ends the system and is reported by the application."""
        if error is not None:
            raise error
        assert isinstance(task, TileTask)
        self.picture.put(task.tile, result)
        master.progress(self.picture.tile_count, len(self.tiles))

    def is_complete(self, master: ISystemMaster) -> bool:
        """Return whether all results are there."""
        return self.picture.tile_count == len(self.tiles)

    def gather_result(self, master: ISystemMaster) -> PickleBuffer:
        """Return the counts of the picture, as a buffer that nobody copies when it is unpickled."""
        return PickleBuffer(self.picture.counts)
