"""What ran where, and figures in time, as a master remembers them, for who looks.

Copies are taken on the loop, which is quick; rows are made of them in the thread that answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from concurrent.apps.observed import Bar, FunctionRow, LaneRow, SeriesStatus, TimelineStatus
from concurrent.core.errors import InvalidArguments
from concurrent.scheduling.telemetry.series import MINUTE_S, SECOND_S, Series
from concurrent.scheduling.telemetry.timeline import BarsPart, Timeline

__all__ = ["BARS_PER_ANSWER", "series_of", "taken_part", "timeline_of"]

BARS_PER_ANSWER: Final = 10_000
"""So many bars come at a time."""


def taken_part(timeline: Timeline, after: int) -> BarsPart:
    """Return a copy of the bars behind one. Loop thread only.

    :param after: the number of the last bar that is known; 0: none is.
    """
    is_known = timeline.first_number - 1 <= after < timeline.next_number
    return timeline.part(after + 1 if is_known else timeline.first_number)


def timeline_of(part: BarsPart, after: int, start_at: float = 0.0, stop_at: float = 0.0) -> TimelineStatus:
    """Return the bars of a part that come first; of one that follows nothing those that come last. Any thread.

    :param after: what was asked for.
    :param start_at: where this and ``stop_at`` are not 0, only what lies at least partly between them.
    """
    columns = part.columns
    places: Sequence[int] = range(len(columns[0]))
    if start_at or stop_at:
        starts, durations = columns[3], columns[4]
        stop_at = stop_at or float("inf")
        places = [i for i in places if starts[i] < stop_at and starts[i] + durations[i] >= start_at]
    chosen = places[:BARS_PER_ANSWER] if after else places[-BARS_PER_ANSWER:]
    lanes: dict[tuple[int, int], int] = {}
    functions: dict[int, int] = {}
    items: list[Bar] = []
    for i in chosen:
        slave, worker, function, start, duration_s, busy_s, runs, failed = (column[i] for column in columns)
        lane = lanes.setdefault((slave, worker), len(lanes))
        place = functions.setdefault(function, len(functions))
        items.append((lane, place, start, duration_s, busy_s, runs, failed))
    last = part.first_number + (chosen[-1] if chosen else len(columns[0]) - 1)
    return TimelineStatus(
        lanes=tuple(LaneRow(part.slaves[slave], worker) for slave, worker in lanes),
        functions=tuple(
            FunctionRow(one.job, one.job_name, one.name) for one in map(part.functions.__getitem__, functions)
        ),
        items=tuple(items),
        total=len(places),
        left_out=len(places) - len(items),
        after=last,
        is_anew=part.first_number != after + 1,
    )


def series_of(series: Series, resolution_s: float, after: float) -> SeriesStatus:
    """Return figures in time, those behind a moment. Loop thread only.

    :raises InvalidArguments: if there is no such resolution.
    """
    if resolution_s not in (SECOND_S, MINUTE_S):
        raise InvalidArguments(
            f"resolution_s must be {SECOND_S} or {MINUTE_S}, but is {resolution_s}",
            thing="resolution_s",
            value=resolution_s,
        )
    points = series.points(int(resolution_s), after)
    items = tuple(zip(map(float, points.at), *points.values.values(), strict=True))
    last = float(points.at[-1]) if points.at else after
    return SeriesStatus(resolution_s, ("at", *points.values), items, len(items), 0, last)
