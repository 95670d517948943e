"""The code of applications as it comes to a slave: in order, and behind a project only when that is unpacked.

A project that this machine has not unpacked yet is asked for part by part. It is unpacked on a thread of its
own; what its application sends meanwhile waits, and so do its tasks. If it cannot be unpacked its tasks are
handed back, and it is tried again when the master sends some once more. So it is with the environment of an
application that has requirements, which is made first of all.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from concurrent.core.callthread import CallThread
from concurrent.core.errors import ConcurrentError, InvalidArguments, LoopClosed, NodeError
from concurrent.core.loggers import get_log
from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.messages import to_master
from concurrent.scheduling.wire.projectblobs import Manifest, is_manifest, part_data
from concurrent.scheduling.wire.requirementsblob import is_requirements, requirements_of
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.loop.loop import NodeLoop

if TYPE_CHECKING:
    from concurrent.scheduling.projects.cache import ProjectCache

__all__ = ["CodeIntake"]

ASKED_MAX: Final = 4
"""For so many parts a slave asks at once."""

PART_TIMEOUT_S: Final = 60.0
PARTS_MAX: Final = 4096

NO_PROJECT: Final = Manifest("", 0, 0, "")
"""In the place of a project, while an environment is waited for."""

log = get_log(__name__)


class _Coming:
    """A project that is not ready yet, and what came behind it."""

    def __init__(self, handler: TCPHandler, owner: int, index: int, blob: bytes, manifest: Manifest) -> None:
        self.handler = handler
        self.owner = owner
        self.index = index
        self.blob = blob
        self.manifest = manifest
        self.behind: list[tuple[int, bytes]] = []
        self.data_by_part: dict[int, bytes] = {}
        self.asked_count = 0
        self.failure: ConcurrentError | None = None


class CodeIntake:
    """See the module. Loop thread only.

    :param new_cache: makes what has the projects, when there is the first; it belongs to the thread.
    :param define: keeps a blob of an owner's code.
    :param on_failed: called with an owner whose tasks cannot run here for now.
    :param want_environment: called with an owner and its requirements; answered by :meth:`environment_ready` or
        :meth:`environment_failed`.
    """

    def __init__(
        self,
        loop: NodeLoop,
        new_cache: Callable[[], ProjectCache],
        define: Callable[[int, int, bytes], object],
        on_failed: Callable[[int], object],
        want_environment: Callable[[int, str], object],
    ) -> None:
        self._loop = loop
        self._new_cache = new_cache
        self._cache: ProjectCache
        self._define = define
        self._on_failed = on_failed
        self._want_environment = want_environment
        self._coming_by_owner: dict[int, _Coming] = {}
        self._digests_by_owner: dict[int, set[str]] = {}  # what is held for them
        self._thread: CallThread | None = None

    def take(self, handler: TCPHandler, owner: int, index: int, blob: Payload, known_count: int) -> None:
        """Take the next blob of an owner's code.

        :param known_count: how many are defined; a master that comes back sends them once more.
        :raises InvalidArguments: if it says that it is a project, and is none.
        """
        coming = self._coming_by_owner.get(owner)
        if coming is not None:
            if index > coming.index:
                coming.behind.append((index, bytes(blob)))
        elif index >= known_count and is_manifest(blob):
            manifest = Manifest.of(blob)
            if not 0 < manifest.parts <= PARTS_MAX:
                raise InvalidArguments(
                    "a project has no parts, or too many", thing="blob", value=manifest.parts
                )
            coming = self._coming_by_owner[owner] = _Coming(handler, owner, index, bytes(blob), manifest)
            self._look(coming)
        elif index >= known_count and is_requirements(blob):
            coming = _Coming(handler, owner, index, bytes(blob), NO_PROJECT)
            self._coming_by_owner[owner] = coming
            self._want_environment(owner, requirements_of(blob))
        else:
            self._define(owner, index, bytes(blob))

    def look_again(self, owner: int) -> None:
        """Try once more to unpack a project, if that has failed: there are tasks for it."""
        coming = self._coming_by_owner.get(owner)
        if coming is not None and coming.failure is not None:
            coming.failure = None
            if coming.manifest is NO_PROJECT:
                self._want_environment(owner, requirements_of(coming.blob))
            else:
                self._look(coming)

    def waits_for(self, owner: int) -> str:
        """Return for what the tasks of an owner wait; empty if for nothing."""
        coming = self._coming_by_owner.get(owner)
        if coming is None:
            return ""
        if coming.failure is not None:
            return coming.failure.message
        return (
            "its environment is being made"
            if coming.manifest is NO_PROJECT
            else "its project is being unpacked"
        )

    def environment_ready(self, owner: int) -> None:
        """Go on with the code of an owner: its workers are of its environment from now on."""
        coming = self._coming_by_owner.get(owner)
        if coming is not None and coming.manifest is NO_PROJECT:
            self._go_on(coming, coming.blob)

    def environment_failed(self, owner: int, words: str) -> None:
        """Hand back the tasks of an owner whose environment cannot be made."""
        coming = self._coming_by_owner.get(owner)
        if coming is not None and coming.manifest is NO_PROJECT:
            self._failed(coming, NodeError(words, thing="application.requirements"))

    def forget(self, owner: int) -> None:
        """Drop what an owner has sent; its project stays in the cache."""
        self._coming_by_owner.pop(owner, None)
        digests = self._digests_by_owner.pop(owner, set())
        unused = digests.difference(*self._digests_by_owner.values())
        if self._thread is not None:
            for digest in unused:
                self._thread.put(partial(self._cache.release, digest))

    def left(self) -> None:
        """The master is lost: the next session sends again what is not defined."""
        self._coming_by_owner.clear()

    def close(self) -> None:
        """Use no project any more."""
        self._coming_by_owner.clear()
        if self._thread is not None:
            self._thread.put(self._cache.close)
            self._thread.end()
            self._thread = None

    def _look(self, coming: _Coming) -> None:
        """See whether a project is here already."""
        self._do(coming, lambda: self._cache.find(coming.manifest), self._found)

    def _do(self, coming: _Coming, call: Callable[[], str], then: Callable[[_Coming, str], object]) -> None:
        """Call something on the thread, and go on here with what it returns."""
        if self._thread is None:
            self._cache = self._new_cache()
            self._thread = CallThread("projects")
            self._thread.start()

        def made() -> None:
            after: Callable[[], object]
            try:
                folder = call()
            except Exception as error:  # boundary: whatever it is, somebody waits
                problem = (
                    error if isinstance(error, ConcurrentError) else NodeError(str(error), thing="project")
                )
                after = partial(self._failed, coming, problem)
            else:
                after = partial(then, coming, folder)
            with suppress(LoopClosed):  # then nobody does
                self._loop.post(after)

        self._thread.put(made)

    def _found(self, coming: _Coming, folder: str) -> None:
        if folder:
            self._ready(coming, folder)
        else:
            log.info("a project of %d bytes is not here yet", coming.manifest.size_bytes)
            for _ in range(ASKED_MAX):
                self._ask(coming)

    def _ask(self, coming: _Coming) -> None:
        """Ask for the next part."""
        number = coming.asked_count
        if self._coming_by_owner.get(coming.owner) is not coming or number == coming.manifest.parts:
            return
        coming.asked_count += 1
        message = to_master.project_part.within(PART_TIMEOUT_S)
        answer = coming.handler.call(message, coming.owner, coming.index + 1 + number)
        answer.add_done_callback(partial(self._came, coming, number))

    def _came(self, coming: _Coming, number: int, answer: Future[Payload]) -> None:
        """Take a part."""
        error = answer.exception()
        if isinstance(error, ConcurrentError):
            self._failed(coming, error)
            return
        if coming.failure is not None:
            return
        coming.data_by_part[number] = part_data(answer.result())
        if len(coming.data_by_part) < coming.manifest.parts:
            self._ask(coming)
            return
        parts = [coming.data_by_part[each] for each in range(coming.manifest.parts)]
        self._do(coming, lambda: self._cache.unpack(coming.manifest, parts), self._ready)

    def _ready(self, coming: _Coming, folder: str) -> None:
        """Define a project, which is there now, and what came behind it."""
        if self._coming_by_owner.get(coming.owner) is coming:
            manifest = coming.manifest._replace(folder=folder)
            self._digests_by_owner.setdefault(coming.owner, set()).add(manifest.digest)
            self._go_on(coming, manifest.blob())

    def _go_on(self, coming: _Coming, blob: bytes) -> None:
        """Define a blob that was waited for, and what came behind it."""
        del self._coming_by_owner[coming.owner]
        self._define(coming.owner, coming.index, blob)
        for index, blob in coming.behind:
            self.take(coming.handler, coming.owner, index, blob, index)

    def _failed(self, coming: _Coming, error: ConcurrentError) -> None:
        if self._coming_by_owner.get(coming.owner) is not coming or coming.failure is not None:
            return
        coming.failure = error
        coming.data_by_part.clear()
        coming.asked_count = 0
        log.error("tasks of owner %d cannot run here: %s", coming.owner, error)
        self._on_failed(coming.owner)
