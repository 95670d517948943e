from collections.abc import Mapping, Sequence
from types import CellType, FunctionType
from typing import Any

class Glance:
    def __init__(
        self,
        names: Sequence[tuple[dict[str, Any], tuple[str, ...], Any]],
        wholes: Sequence[Mapping[str, Any]],
        functions: Sequence[FunctionType],
        cells: Sequence[CellType],
    ) -> None: ...
    def is_same(self) -> bool: ...
