"""The place of a node: a folder with its sockets for processes of the same user.

``RUN/PORT`` has the sockets of the node whose JSON API listens at that port. Only the user can enter it; who is
at the other end of such a socket is compared all the same.
"""

from __future__ import annotations

import ipaddress
import os
import pwd
import socket
import stat
import struct
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from concurrent.core.errors import AddressError, ConfigurationError, NotAllowed
from concurrent.transport.security.hosts import is_loopback

__all__ = ["Place", "check_peer", "is_of_this_machine", "keys_base", "place_of", "private_folder", "run_folder"]

PATH_BYTES_MAX: Final = 104
"""The longest path that a socket may have, on every system."""

FOLDER_BYTES_MAX: Final = PATH_BYTES_MAX - len("/65535/compute")
"""The longest path of the folder that places are in."""

SOCKETS: Final = ("http", "compute", "work")
"""What may be in a place."""

FOLDER_MODE: Final = 0o700
SOCKET_MODE: Final = 0o600
ELSEWHERE: Final = "set XDG_RUNTIME_DIR to a folder that only you can enter"
SYSTEM_FOLDERS: Final = Path("/run/user")
"""Where the system has a folder for each user that is logged in."""

BACKLOG: Final = 1024
_CREDENTIALS: Final = struct.Struct("3i")


class Place:
    """One such folder. Any thread.

    :param folder: where it is, or will be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._inode_by_name: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Place {self.folder}>"

    def path(self, name: str) -> str:
        """Return the path of a socket: ``http``, ``compute`` or ``work``.

        :raises ConfigurationError: if it is longer than sockets allow.
        """
        path = str(self.folder / name)
        if len(os.fsencode(path)) > PATH_BYTES_MAX:
            raise ConfigurationError(
                f"the path of a socket has {len(os.fsencode(path))} bytes, and {PATH_BYTES_MAX} are allowed",
                thing="path",
                value=path,
                remedy="Set XDG_RUNTIME_DIR to a folder with a shorter path",
            )
        return path

    def has(self, name: str) -> bool:
        """Whether there is a socket of that name in a folder that only this user can enter."""
        try:
            return not any(_why_not_private(self.folder)) and stat.S_ISSOCK(os.lstat(self.path(name)).st_mode)
        except OSError:
            return False

    def listen(self, name: str, backlog: int = BACKLOG) -> socket.socket:
        """Return a socket that listens here for this user alone, and does not block; the folder has been made.

        Whoever closes it calls ``forget`` before.

        :param backlog: so many may wait to be accepted; above that they are refused.
        :raises AddressError: if it cannot, for example because another one listens there.
        """
        path = self.path(name)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(path)
            os.chmod(path, SOCKET_MODE)
            self._inode_by_name[name] = os.lstat(path).st_ino
            listener.listen(backlog)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise AddressError(
                f"cannot listen at {path}: {error.strerror or error}",
                thing=str(self.folder),
                value=name,
                remedy="End the node that uses this place, or have this one use another port",
            ) from error
        return listener

    def forget(self, name: str) -> None:
        """Remove the path of a socket that ``listen`` has returned, while that is still open.

        What another node has put there by then stays: it may have this one's port, and so its place.
        """
        inode = self._inode_by_name.pop(name, None)
        path = Path(self.path(name))
        with suppress(OSError):  # it is gone
            if path.lstat().st_ino == inode:
                path.unlink()

    def make(self) -> None:
        """Make the folder, empty of sockets that a former node has left.

        :raises ConfigurationError: if it, or the one that it is in, is not this user's alone.
        :raises AddressError: if a node listens there, which has the same port in another network.
        """
        private_folder(self.folder.parent, instead=ELSEWHERE)
        private_folder(self.folder)
        for name in SOCKETS:
            if self._is_listened_on(name):
                raise AddressError(
                    f"another node of this user listens in {self.folder}, in another network of this machine",
                    thing=str(self.folder),
                    value=name,
                    remedy="Use another port, or set XDG_RUNTIME_DIR to a folder for this network",
                )
        for name in SOCKETS:
            Path(self.path(name)).unlink(missing_ok=True)

    def _is_listened_on(self, name: str) -> bool:
        """Tell whether somebody has a socket open that was made here; a full queue is one, too."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            try:
                probe.connect(self.path(name))
            except BlockingIOError:
                return True
            except OSError:
                return False
        return True

    def remove(self) -> None:
        """Remove the folder and what is in it, as far as that is there."""
        try:
            for path in self.folder.iterdir():
                path.unlink(missing_ok=True)
            self.folder.rmdir()
        except OSError:  # it is gone, or another node has made it anew
            pass


def run_folder(variables: Mapping[str, str] | None = None) -> Path:
    """Return the folder in which places are; it may have to be made.

    It is in ``XDG_RUNTIME_DIR``, unless that is not a folder of this user or its path is too long for sockets.
    Else it is in that for temporary files, unless another user has put something of that name there; else in
    that of the system for this user. If there is none, making it fails and says who is in the way.

    :param variables: environment variables; those of the process if None.
    """
    variables = os.environ if variables is None else variables
    base = variables.get("XDG_RUNTIME_DIR", "")
    folder = Path(base, "concurrent")
    if os.path.isabs(base) and len(os.fsencode(folder)) <= FOLDER_BYTES_MAX and _is_own(base):
        return folder
    common = Path(tempfile.gettempdir(), f"concurrent-{os.getuid()}")
    system = SYSTEM_FOLDERS / str(os.getuid())
    return system / "concurrent" if _is_of_another(common) and _is_own(system) else common


def _is_of_another(path: Path) -> bool:
    """Tell whether there is something of another user."""
    try:
        return os.lstat(path).st_uid != os.getuid()
    except OSError:
        return False


def _is_own(base: str | Path) -> bool:
    """Tell whether a folder is this user's to write; ``su`` may leave a variable that names another's."""
    try:
        return os.stat(base).st_uid == os.getuid() and os.access(base, os.W_OK | os.X_OK)
    except OSError:
        return False


def is_of_this_machine(host: str) -> bool:
    """Tell whether an address is one of this machine's own; of names only its own are looked at."""
    if is_loopback(host) or host == socket.gethostname():
        return True
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        return False
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def keys_base(variables: Mapping[str, str] | None = None) -> Path:
    """Return the folder in which the key folders of this user are; it may have to be made.

    :param variables: environment variables; those of the process if None.
    :raises ConfigurationError: if this user has no home, so that there is no such folder.
    """
    variables = os.environ if variables is None else variables
    config = variables.get("XDG_CONFIG_HOME", "")
    try:
        base = Path(config) if os.path.isabs(config) else Path.home() / ".config"
    except RuntimeError:
        raise ConfigurationError(
            f"user {os.getuid()} has no home folder, so there is no place for keys",
            thing="keys.folder",
            remedy="Name one with -o keys.folder=FOLDER, or set HOME",
        ) from None
    return base / "concurrent" / "keys"


def place_of(port: int) -> Place:
    """Return the place of the node of this user whose JSON API is at a port of this machine."""
    return Place(run_folder() / str(port))


def private_folder(folder: Path, instead: str = "") -> None:
    """Make a folder that only this user can enter, unless there is one.

    :param instead: what else helps than to see to that folder.
    :raises ConfigurationError: if there is something else of that name, or it cannot be made.
    """
    try:
        _make_folders(folder)
        reason, remedy = _why_not_private(folder)
    except OSError as error:
        reason, remedy = error.strerror or str(error), "Make a folder there that only you can enter"
    if reason:
        raise ConfigurationError(
            f"{folder} cannot be used: {reason}",
            thing="folder",
            value=str(folder),
            remedy=f"{remedy}, or {instead}" if instead else remedy,
        )


def check_peer(sock: socket.socket) -> None:
    """Raise NotAllowed unless the other end of a Unix socket is a process of this user, or of root.

    Where the system does not say who it is, the folder of the socket has to do.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return
    _pid, user, _group = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    if user not in (os.getuid(), 0):
        raise NotAllowed(
            f"user {user} is at the other end of a socket of user {os.getuid()}",
            thing="socket",
            value=user,
            remedy="Join the cluster with a key of your own",
        )


def _make_folders(folder: Path) -> None:
    """Make a folder and those above it that are missing, for this user only. Raises OSError.

    Who may write in a folder above may put another one into the place of this.
    """
    if not folder.parent.is_dir():
        _make_folders(folder.parent)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def _why_not_private(folder: Path) -> tuple[str, str]:
    """Return why others may enter a folder, and what helps; both empty if they cannot. Raises OSError."""
    status = os.lstat(folder)
    if status.st_uid != os.getuid():
        owner = _user(status.st_uid)
        return f"it belongs to {owner}", f"Have {owner} remove it"
    if not stat.S_ISDIR(status.st_mode):
        return "it is not a folder", "Remove it"
    if status.st_mode & 0o077:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        return f"its mode is {mode}, so other users can enter it", f"Type 'chmod 700 {folder}'"
    return "", ""


def _user(number: int) -> str:
    """Return a user as people know it."""
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"
