"""What a pool has for claims: how much, who takes what of it now, and what a worker is told.

Memory, licences and the like are taken while a worker has tasks. A device is a worker's for life, since its
process is told once which it has, and may keep memory there when its task has ended. So an idle worker of
another crew has to end before its device is free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from concurrent.scheduling.processes.cgroups import Group, Groups
from concurrent.scheduling.slave.offer import NOTHING, Offer
from concurrent.scheduling.tasks.claim import CPU, GPU, UNIT, Claim

if TYPE_CHECKING:
    from concurrent.scheduling.slave.workerlink import WorkerLink

__all__ = ["NO_RESOURCES", "THREADS", "Resources", "Room", "chosen_devices"]

THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What tells libraries how many threads they may use."""


NOTHING_TAKEN: Final[Mapping[str, int]] = MappingProxyType({})
"""What a task takes that asks for nothing: one object, so that crews are alike at a glance."""


class Resources:
    """See the module. ``totals`` has how much there is of each resource but places, in units by name.

    :param offer: what there is.
    :param places: how many tasks of one processor each may run at once.
    :param groups: makes the control groups that bound memory; None: there are none.
    """

    def __init__(self, offer: Offer = NOTHING, places: int = 1, groups: Groups | None = None) -> None:
        self.totals: Mapping[str, int] = offer.units
        self._places = places
        self._groups = groups
        self._gpus = offer.gpus
        self._within: dict[Claim, Claim] = {}

    def within(self, claim: Claim) -> Claim:
        """Return what of a claim counts here.

        What this slave does not offer is counted by the master. More than there is comes by mistake: then all
        of it is taken, so that the task runs.
        """
        known = self._within.get(claim)
        if known is None:
            most = {**self.totals, CPU: self._places * UNIT}
            known = Claim((name, min(units, most[name])) for name, units in claim if name in most)
            if len(self._within) < 1000:
                self._within[claim] = known
        return known

    def takes(self, claim: Claim) -> Mapping[str, int]:
        """Return what each worker with a claim takes besides places: of a device what no equal one can have."""
        taken = {name: units for name, units in claim if name != CPU}
        if 0 < (part := taken.get(GPU, 0)) < UNIT:
            taken[GPU] = UNIT // (UNIT // part)
        return MappingProxyType(taken) if taken else NOTHING_TAKEN

    def environment(self, claim: Claim, devices: Sequence[int]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the variables of a worker: those that are set, and those that are set unless the user did.

        The first ones name its devices; the others tell libraries how many threads they may use.

        :param devices: those that are its own.
        """
        names = ",".join(self._gpus.ids[device] for device in devices)
        own = dict.fromkeys(self._gpus.variables, names) if devices else {}
        return own, dict.fromkeys(THREADS, str(claim.cpu)) if claim else {}

    def new_group(self, claim: Claim) -> Group | None:
        """Return a control group for a worker with a claim; None if it needs none or there can be none."""
        return self._groups.new(claim.memory) if self._groups is not None and claim.memory else None

    def device_count(self) -> int:
        """Return how many devices there are."""
        return len(self._gpus.ids)


NO_RESOURCES: Final = Resources()
"""Nothing but places."""


class Room:
    """What is free now. ``devices`` has how much of each one belongs to no worker.

    ``closed`` has the workers that get nothing more, so that their devices are free soon.

    :param links: the workers that have not ended.
    """

    def __init__(self, resources: Resources, links: Iterable[WorkerLink]) -> None:
        self.amounts = {name: units for name, units in resources.totals.items() if name != GPU}
        self.devices = [UNIT] * resources.device_count()
        self.closed: set[WorkerLink | None] = set()
        for link in links:
            crew = link.crew
            if crew is not None and crew.takes:
                if link.outstanding:
                    self.take(crew.takes)
                for device in link.devices:
                    self.devices[device] -= _part_of(link)

    def fits(self, takes: Mapping[str, int]) -> bool:
        """Tell whether so much is free, but for devices."""
        return all(units <= self.amounts[name] for name, units in takes.items() if name != GPU)

    def take(self, takes: Mapping[str, int]) -> None:
        """Take so much, but for devices."""
        for name, units in takes.items():
            if name != GPU:
                self.amounts[name] -= units

    def devices_for(self, claim: Claim) -> tuple[int, ...] | None:
        """Take the devices for a worker, parts of one where others have parts; None if they are not free."""
        asked = claim.units(GPU)
        chosen = chosen_devices(self.devices, asked)
        if chosen is not None:
            for device in chosen:
                self.devices[device] -= min(UNIT, asked)
        return chosen

    def devices_to_free(self, claim: Claim, links: Iterable[WorkerLink]) -> set[int]:
        """Return the devices that a claim shall have which are not free: those where least runs.

        :param links: the workers that have not ended.
        """
        running = [0] * len(self.devices)
        for link in links:
            for device in link.devices:
                running[device] += _part_of(link) if link.outstanding else 0
        asked = claim.units(GPU)
        idle = chosen_devices([UNIT - units for units in running], asked)
        if idle is not None:
            return set(idle)
        ordered = sorted(range(len(running)), key=running.__getitem__)
        return set(ordered[: max(1, asked // UNIT)])


def _part_of(link: WorkerLink) -> int:
    """Return how much of each of its devices belongs to a worker."""
    return min(UNIT, link.crew.claim.units(GPU)) if link.crew is not None else 0


def chosen_devices(free: Sequence[int], asked: int) -> tuple[int, ...] | None:
    """Return devices that are free enough, None if there are too few.

    :param free: how much of each is free, in thousandths.
    :param asked: whole ones, or a part of one, which is taken from the fullest.
    """
    if not asked:
        return ()
    if asked >= UNIT:
        whole = [device for device, units in enumerate(free) if units == UNIT]
        return tuple(whole[: asked // UNIT]) if len(whole) >= asked // UNIT else None
    fitting = [device for device, units in enumerate(free) if units >= asked]
    return (min(fitting, key=lambda device: free[device]),) if fitting else None
