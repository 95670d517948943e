"""The code of applications as it comes to a slave: in order, and behind a project only when that is unpacked.

A project that this machine has not unpacked yet is asked for part by part. It is unpacked on a thread of its
own; what its application sends meanwhile waits, and so do its tasks. If it cannot be unpacked its tasks are
handed back, and it is tried again when the master sends some once more. So it is with the environment of an
application that has requirements, which is made first of all. For what tasks wait, and why they cannot run
here, is told.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from concurrent.core.callthread import CallThread
from concurrent.core.errors import ConcurrentError, LoopClosed
from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.launcher import Launcher
from concurrent.scheduling.slave.environments import Environments, OnEnvironment
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

NO_PROJECT: Final = Manifest("", 0, 0, "")
"""In the place of a project, while an environment is waited for."""

NO_PROJECT_HERE: Final = "cannot have its project: {}"
"""To go on behind the name of a slave."""

WORDS_MAX: Final = 600
"""So much is told of why tasks cannot run here."""

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
        self.has_failed = False
        self.is_told = False

    @property
    def is_environment(self) -> bool:
        """Whether it is an environment, of which ``blob`` has the requirements."""
        return self.manifest is NO_PROJECT


class CodeIntake:
    """See the module. Loop thread only.

    :param new_cache: makes what has the projects, when there is the first; it belongs to the thread.
    :param new_environments: makes what has the environments, and tells the intake.
    :param define: keeps a blob of an owner's code.
    :param use: has the workers of an owner started by the launcher of its environment.
    :param on_wait: called with an owner, and for what its tasks wait; with an empty text when that is here.
    :param on_failed: called with an owner whose tasks cannot run here for now, and why.
    """

    def __init__(
        self,
        loop: NodeLoop,
        new_cache: Callable[[], ProjectCache],
        new_environments: Callable[[OnEnvironment], Environments],
        *,
        define: Callable[[int, int, bytes], object],
        use: Callable[[int, Launcher], object],
        on_wait: Callable[[int, str], object],
        on_failed: Callable[[int, str], object],
    ) -> None:
        self._loop = loop
        self._new_cache = new_cache
        self._cache: ProjectCache
        self._environments = new_environments(self)
        self._define = define
        self._use = use
        self._on_wait = on_wait
        self._on_failed = on_failed
        self._coming_by_owner: dict[int, _Coming] = {}
        self._digests_by_owner: dict[int, set[str]] = {}  # what is held for them
        self._thread: CallThread | None = None

    def take(self, handler: TCPHandler, owner: int, index: int, blob: Payload, known_count: int) -> None:
        """Take the next blob of an owner's code.

        :param known_count: how many are defined; a master that comes back sends them once more.
        :raises InvalidArguments: if it says that it is a project, and is none; masters have seen to that.
        """
        coming = self._coming_by_owner.get(owner)
        if coming is not None:
            if index > coming.index:
                coming.behind.append((index, bytes(blob)))
        elif index >= known_count and is_manifest(blob):
            coming = _Coming(handler, owner, index, bytes(blob), Manifest.of(blob))
            self._coming_by_owner[owner] = coming
            self._look(coming)
        elif index >= known_count and is_requirements(blob):
            coming = _Coming(handler, owner, index, bytes(blob), NO_PROJECT)
            self._coming_by_owner[owner] = coming
            self._environments.want(owner, requirements_of(blob))
        else:
            self._define(owner, index, bytes(blob))

    def look_again(self, owner: int) -> None:
        """Try once more to have what has failed: there are tasks for it."""
        coming = self._coming_by_owner.get(owner)
        if coming is not None and coming.has_failed:
            coming.has_failed = False
            if coming.is_environment:
                self._environments.want(owner, requirements_of(coming.blob))
            else:
                self._look(coming)

    def environment_words(self, owner: int, words: str) -> None:
        """Tell for what the tasks of an owner wait: its environment is made."""
        coming = self._coming_by_owner.get(owner)
        if coming is not None and coming.is_environment:
            self._tell(coming, words)

    def environment_ready(self, owner: int, launcher: Launcher) -> None:
        """Go on with the code of an owner: its workers are of its environment from now on."""
        self._use(owner, launcher)
        coming = self._coming_by_owner.get(owner)
        if coming is not None and coming.is_environment:
            self._go_on(coming, coming.blob)

    def environment_failed(self, owner: int, words: str) -> None:
        """Hand back the tasks of an owner whose environment cannot be made."""
        coming = self._coming_by_owner.get(owner)
        if coming is not None and coming.is_environment:
            self._failed(coming, words)

    def lines(self) -> tuple[str, ...]:
        """Return what is being made, for the status."""
        return self._environments.lines()

    def forget(self, owner: int) -> None:
        """Drop what an owner has sent; its project stays in the cache, and its environment on the disk."""
        coming = self._coming_by_owner.pop(owner, None)
        self._environments.forget(owner)
        digests = self._digests_by_owner.pop(owner, set())
        self._release(digests if coming is None else digests | {coming.manifest.digest})

    def left(self) -> None:
        """The master is lost: the next session sends again what is not defined."""
        self._coming_by_owner.clear()

    def close(self) -> None:
        """Use no project and no environment any more."""
        self._coming_by_owner.clear()
        self._environments.close()
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
                after = partial(self._failed, coming, NO_PROJECT_HERE.format(error))
            else:
                after = partial(then, coming, folder)
            with suppress(LoopClosed):  # then nobody does
                self._loop.post(after)

        self._thread.put(made)

    def _found(self, coming: _Coming, folder: str) -> None:
        if folder:
            self._ready(coming, folder)
        else:
            from concurrent.scheduling.projects.collecting import size_text  # most slaves never meet one

            log.info("a project of %d bytes is not here yet", coming.manifest.size_bytes)
            self._tell(coming, f"fetches its project of {size_text(coming.manifest.size_bytes)}")
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
            self._failed(coming, NO_PROJECT_HERE.format(error))
            return
        if coming.has_failed:
            return
        coming.data_by_part[number] = part_data(answer.result())
        if len(coming.data_by_part) < coming.manifest.parts:
            self._ask(coming)
            return
        parts = [coming.data_by_part[each] for each in range(coming.manifest.parts)]
        self._do(coming, lambda: self._cache.unpack(coming.manifest, parts), self._ready)

    def _ready(self, coming: _Coming, folder: str) -> None:
        """Define a project, which is there now, and what came behind it."""
        if self._coming_by_owner.get(coming.owner) is not coming:
            self._release({coming.manifest.digest})  # nobody waits for it any more
            return
        manifest = coming.manifest._replace(folder=folder)
        self._digests_by_owner.setdefault(coming.owner, set()).add(manifest.digest)
        self._go_on(coming, manifest.blob())

    def _release(self, digests: set[str]) -> None:
        """Hold those of these projects no more that nobody uses, or waits for."""
        used = set().union(*self._digests_by_owner.values())
        used.update(coming.manifest.digest for coming in self._coming_by_owner.values())
        for digest in digests - used:
            if self._thread is not None:
                self._thread.put(partial(self._cache.release, digest))

    def _go_on(self, coming: _Coming, blob: bytes) -> None:
        """Define a blob that was waited for, and what came behind it."""
        if coming.is_told:
            self._on_wait(coming.owner, "")
        del self._coming_by_owner[coming.owner]
        self._define(coming.owner, coming.index, blob)
        for index, blob in coming.behind:
            self.take(coming.handler, coming.owner, index, blob, index)

    def _tell(self, coming: _Coming, words: str) -> None:
        coming.is_told = True
        self._on_wait(coming.owner, words)

    def _failed(self, coming: _Coming, words: str) -> None:
        if self._coming_by_owner.get(coming.owner) is not coming or coming.has_failed:
            return
        words = words[:WORDS_MAX]
        coming.has_failed = coming.is_told = True
        coming.data_by_part.clear()
        coming.asked_count = 0
        log.error("for application %d this slave %s", coming.owner, words)
        self._on_failed(coming.owner, words)
