"""``concurrent keys``: make the keys of a cluster, invite machines and people, and end the trust in them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from concurrent.apps.api import EXIT_FAILED, EXIT_OK, parse_address, printable
from concurrent.apps.columns import duration
from concurrent.apps.commands.common import Subparsers, common_parser, make_environment
from concurrent.apps.commands.keyparts import described_members, duration_s, facts_of, key_folder, keys_place
from concurrent.apps.commands.output import add_json_argument, listed, print_json
from concurrent.core.errors import ConfigurationError
from concurrent.core.items import Host
from concurrent.core.nearest import nearest
from concurrent.transport.security.audit import AuditLog, audit_files, read_audit
from concurrent.transport.security.fingerprint import compare_fingerprint, fingerprint_of
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.security.identity import THIS_USER
from concurrent.transport.security.joinline import JoinLine
from concurrent.transport.security.keyfolder import AUTHORITY_KEY, MEMBERS, KeyFolder
from concurrent.transport.security.members import INVITED, Members
from concurrent.transport.security.newkeys import make_cluster, rotate
from concurrent.transport.security.ownaddress import far_address, is_known, is_listened_on, own_address
from concurrent.transport.security.roles import Role
from concurrent.transport.security.tokens import TOKEN_ROLES, Tokens

__all__ = ["add_parser", "run"]

USES_MAX: Final = 10_000
ENDED_SHOWN_S: Final = 30 * 86400.0
"""How long ``list`` shows those whose trust has ended."""

NO_OTHER_MASTERS: Final = (
    "nobody else can be a master: only the machine with ca.key knows whom to trust. To move the master, end "
    "it, copy its key folder to the other machine ('concurrent keys show' says where it is), and start it there"
)
JSON_HELP: Final = "print one object of JSON"
LINE_FORM: Final = "{time}  {identity:<20} {address:<16} {action} {object}: {result}"


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Say what the command takes."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "keys",
        help="make keys, invite machines and people, end trust",
        description="Make the keys of a cluster, on the machine of its master; invite other machines and "
        "people, and end the trust in them.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add(actions, _init, "init", "make the keys of a new cluster", cluster="what it is called (HOSTNAME-xxxx)")
    _add_invite(actions)
    listing = _add(actions, _list, "list", "list who has a key, a token or an invitation")
    listing.add_argument("--all", action="store_true", help="show also whose trust ended long ago")
    revoking = _add(actions, _revoke, "revoke", "end the trust in a member, a token or an invitation")
    revoking.add_argument(
        "what", metavar="NAME", help="a name, ROLE/NAME, or the id of a token or an invitation"
    )
    rotating = _add(actions, _rotate, "rotate", "make new keys: everybody has to join again")
    rotating.add_argument("--yes", action="store_true", help="do not ask")
    showing = _add(actions, _show, "show", "show the keys of this machine, and the fingerprint of the cluster")
    showing.add_argument(
        "fingerprint", metavar="FINGERPRINT", nargs="?", help="compare it with what was read out"
    )
    token = _add(actions, _token, "token", "print a token, for scripts and for the pages")
    token.add_argument("role", metavar="ROLE", type=_role_of(TOKEN_ROLES), help=", ".join(TOKEN_ROLES))
    token.add_argument("--ttl", type=duration_s, default="30d", metavar="TIME", help="for how long (30d)")
    token.add_argument("--name", default="", help="what its holder is called")
    auditing = _add(actions, _audit, "audit", "show an audit log, and check that nobody has changed it")
    auditing.add_argument("file", metavar="FILE", nargs="?", type=Path, help="the log (that of the cluster)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do what is asked."""
    code: int = args.act(args)
    return code


def _add(
    actions: Subparsers,
    act: Callable[[argparse.Namespace], int],
    name: str,
    text: str,
    *,
    cluster: str = "which cluster, if there are keys of several",
) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", parents=[common_parser()]
    )
    action.set_defaults(act=act)
    add_json_argument(action, "print the lines as they are, which are JSON" if act is _audit else JSON_HELP)
    action.add_argument("--cluster", metavar="NAME", help=cluster)
    return action


def _add_invite(actions: Subparsers) -> None:
    action = _add(actions, _invite, "invite", "print the command by which another machine joins")
    action.add_argument("role", metavar="ROLE", type=_role_of(INVITED), help=", ".join(INVITED))
    action.add_argument("--uses", type=int, default=1, metavar="N", help="how many may join with it (1)")
    action.add_argument("--ttl", type=duration_s, default="1h", metavar="TIME", help="for how long (1h)")
    action.add_argument(
        "--ephemeral", action="store_true", help="members are forgotten ten minutes after they have left"
    )
    action.add_argument("--name", default="", help="what who joins is called (the name of its machine)")
    action.add_argument("--address", metavar="HOST:PORT", help="where others reach the master")


def _role_of(allowed: tuple[Role, ...]) -> Callable[[str], Role]:
    def role(text: str) -> Role:
        if text in tuple(map(str, allowed)):
            return Role(text)
        if text == Role.MASTER:
            raise argparse.ArgumentTypeError(NO_OTHER_MASTERS)
        near = nearest(text, map(str, allowed))
        meant = f"; did you mean {near}?" if near else ""
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(allowed)}{meant}")

    return role


def _init(args: argparse.Namespace) -> int:
    base, name = keys_place(args)
    if not name:
        own = [one.cluster for one in KeyFolder.all(base) if one.is_authority]
        if own:
            raise ConfigurationError(
                f"this machine has the keys of the cluster {own[0]} already",
                thing="cluster",
                value=own[0],
                remedy="Give another one a name with --cluster, or invite others: concurrent keys invite slave",
            )
    keys = make_cluster(base, name or None)
    _note(keys, "init", keys.cluster)
    if args.json:
        print_json(facts_of(keys, _fingerprint(keys)))
        return EXIT_OK
    print(f"cluster {keys.cluster}  fingerprint {_fingerprint(keys)}")
    print(f"the keys are in {keys.folder}")
    print("next: concurrent keys invite slave, here, and concurrent master --host 0.0.0.0", file=sys.stderr)
    return EXIT_OK


def _invite(args: argparse.Namespace) -> int:
    from concurrent.transport.security.authority import key_of_authority

    if not 1 <= args.uses <= USES_MAX:
        raise ConfigurationError(
            f"--uses {args.uses} is not from 1 to {USES_MAX}", thing="--uses", value=args.uses,
            remedy="Say how many machines may join with the line",
        )  # fmt: skip
    keys = key_folder(args)
    master, hint = _address(args)
    secret = Members(keys).invite(
        args.role, uses=args.uses, ttl_s=args.ttl, name=args.name, is_ephemeral=args.ephemeral
    )
    _note(keys, "invite", f"{args.uses} {args.role}{f' {args.name}' if args.name else ''}")
    line = JoinLine(keys.cluster, key_of_authority(keys.certificate), secret, master)
    if args.json:
        print_json(
            {
                "line": line.text,
                "role": args.role,
                "uses": args.uses,
                "ends_at": time.time() + args.ttl,
                "master": str(master),
                "note": hint,
            }
        )
        return EXIT_OK
    print(f"concurrent join {line.text}")
    if hint:
        print(hint, file=sys.stderr)
    who = "one machine" if args.uses == 1 else f"{args.uses} machines"
    print(f"good for {who} and {duration(args.ttl)}; it is not shown again", file=sys.stderr)
    return EXIT_OK


def _address(args: argparse.Namespace) -> tuple[Host, str]:
    """Return where others reach the master, and what a person has to do for it."""
    if args.address:
        return parse_address(args.address, "--address"), ""
    config = make_environment(args).config
    host, port = config.get("master", "host"), config.get("master", "port")
    is_near = is_loopback(host)
    master = Host(own_address() if is_near else far_address(host), port)
    if is_listened_on(master):
        return master, ""
    if not is_known(master):
        return (
            master,
            f"{master.name} cannot be found by this name: say its address with --address, so that others do",
        )
    where = "with 'concurrent master --host 0.0.0.0'" if is_near else "with 'concurrent master'"
    return master, f"no master listens at {master} now: start it {where}, or say where with --address"


def _list(args: argparse.Namespace) -> int:
    keys, now = Members(key_folder(args)), time.time()
    members, invitations = keys.all(), keys.invitations()
    if args.json:
        rows = [{"kind": "token" if one.is_token else "key", **asdict(one)} for one in members]
        rows += [{"kind": "invitation", **asdict(one), "hash": None, "id": one.id} for one in invitations]
        print_json(listed(rows))
        return EXIT_OK
    shown = [one for one in members if args.all or one.ended_at > now - ENDED_SHOWN_S]
    print(described_members(shown, invitations, now))
    if len(shown) < len(members):
        left_out = f"{len(members) - len(shown)} whose trust ended more than {duration(ENDED_SHOWN_S)} ago"
        print(f"not shown: {left_out}; see them with --all", file=sys.stderr)
    return EXIT_OK


def _revoke(args: argparse.Namespace) -> int:
    keys = key_folder(args)
    ended = Members(keys).revoke(args.what)
    for one in ended:
        _note(keys, "revoke", str(one))
        if not args.json:
            print(f"{one} is revoked; a master that runs refuses it within two seconds")
    if args.json:
        print_json(listed(map(str, ended)))
    return EXIT_OK


def _rotate(args: argparse.Namespace) -> int:
    keys = key_folder(args, is_authority=False)  # so that damaged ones can be made anew
    if not keys.path(AUTHORITY_KEY).exists() and not keys.path(MEMBERS).exists():
        keys.check_authority()
    question = f"All keys of {keys.cluster} end, and everybody has to join again. Go on?"
    if not args.yes and not _agrees(question):
        return EXIT_FAILED
    keys = rotate(keys)
    _note(keys, "rotate", keys.cluster)
    if args.json:
        print_json(facts_of(keys, _fingerprint(keys)))
        return EXIT_OK
    print(f"cluster {keys.cluster}  fingerprint {_fingerprint(keys)}")
    print("all keys, tokens and invitations from before have ended; restart the master", file=sys.stderr)
    return EXIT_OK


def _agrees(question: str) -> bool:
    """Ask the person; raises ConfigurationError where there is none."""
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "this ends all trust in the cluster, and there is no terminal to confirm it on", thing="--yes",
            remedy="If that is meant, add --yes",
        )  # fmt: skip
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _show(args: argparse.Namespace) -> int:
    keys = key_folder(args, is_authority=False)
    fingerprint = _fingerprint(keys)
    if args.fingerprint is not None:
        is_same = compare_fingerprint(args.fingerprint, fingerprint)
        if args.json:
            print_json({"cluster": keys.cluster, "fingerprint": fingerprint, "is_same": is_same})
            return EXIT_OK if is_same else EXIT_FAILED
        print(f"that is {'' if is_same else 'NOT '}the fingerprint of {keys.cluster}")
        return EXIT_OK if is_same else EXIT_FAILED
    for role in keys.roles:
        keys.tls(role)
    facts = facts_of(keys, fingerprint)
    if args.json:
        print_json(facts)
        return EXIT_OK
    print(f"cluster {keys.cluster}  fingerprint {fingerprint}")
    print(f"folder:   {keys.folder}")
    print(f"roles:    {', '.join(facts['roles'])}")
    print(f"masters:  {', '.join(facts['masters']) or 'this machine'}")
    return EXIT_OK


def _token(args: argparse.Namespace) -> int:
    keys = key_folder(args)
    token = Tokens(keys).make(args.role, ttl_s=args.ttl, name=args.name)
    _note(keys, "token", f"{args.role} {args.name}".strip())
    if args.json:
        ends_at = time.time() + args.ttl
        print_json({"token": token, "role": args.role, "name": args.name, "ends_at": ends_at})
        return EXIT_OK
    print(token)
    print(f"good for {duration(args.ttl)}; it is not shown again", file=sys.stderr)
    return EXIT_OK


def _audit(args: argparse.Namespace) -> int:
    if args.file is None:
        files = audit_files(key_folder(args).audit_path)
    else:
        files = audit_files(args.file)
        if not files:
            raise ConfigurationError(
                f"there is no file {args.file}", thing="FILE", value=str(args.file), remedy="Name an audit log"
            )
    count = wrong = 0
    for line in read_audit(files):
        count += 1
        if args.json:
            print(json.dumps(line.values))
        else:
            fields = {name: printable(str(line.values.get(name) or "-")) for name in AUDIT_FIELDS}
            print(LINE_FORM.format(**fields))
        if line.problem:
            wrong += 1
            print(f"{line.file}:{line.number}: {line.problem}", file=sys.stderr)
    print(f"{count} lines, {f'{wrong} not as they were written' if wrong else 'none changed'}", file=sys.stderr)
    return EXIT_FAILED if wrong else EXIT_OK


AUDIT_FIELDS: Final = ("time", "identity", "address", "action", "object", "result")


def _fingerprint(keys: KeyFolder) -> str:
    from concurrent.transport.security.authority import key_of_authority

    return fingerprint_of(key_of_authority(keys.certificate))


def _note(keys: KeyFolder, action: str, what: str) -> None:
    """Have the audit log say what was done here."""
    AuditLog(keys.audit_path).write(action, THIS_USER, "", what, "done")
