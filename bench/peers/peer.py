"""What the benchmark asks of a mail server, and what it tells it."""
import dataclasses
import os
import pathlib
import pwd
import shutil

from dns import LOCAL_DNS
from programs import ROOT, Trouble

TREES = ROOT / "build/peers"
DOMAIN, HOST, USER, SELECTOR = "bench.example", "mail.bench.example", "ann@bench.example", "bench"
TARGET = "someone@d0.bench.example"  # where forwarded mail goes; its domain is the sink's


@dataclasses.dataclass
class Work:
    """One server's place in one case. All files are below `folder`, which every user may enter."""
    folder: pathlib.Path
    group: object            # ProcessGroup
    port: int                # where the server listens
    sink_port: int           # where it sends everything
    certificate: pathlib.Path
    key: pathlib.Path
    dkim_key: pathlib.Path   # RSA-2048, PEM
    password: str
    password_file: pathlib.Path
    forwarding: bool = False  # strangers' mail to DOMAIN is checked by SPF, DKIM and DMARC and goes on to TARGET under SRS
    submission: bool = False  # TLS and AUTH on the way in, DKIM signatures, STARTTLS on the way out
    idle: int = 0            # connections that will come at a time, when more than usual
    idle_tls: bool = False   # under TLS from the first byte
    dns: str = ""            # address:port of a DNS server that leads every domain to the sink
    trace: tuple = ()        # words before the server's command


class Peer:
    name = ""
    title = ""
    # Relays only for users who have logged in over TLS: all of its cases have both on the way in.
    login_always = False
    tls_in = "starttls"      # as smtp_load has it, when there is TLS
    idle_max = 10000         # connections that it can be asked to hold
    backlog = 20000          # messages
    greeting_patience = 60   # seconds
    forwards = False         # has all that checks and rewrites forwarded mail
    many_domains = False     # the backlog goes to as many domains as DNS leads to the sink

    def missing(self):
        """What is not there that it needs, or nothing."""
        return ""

    def cannot(self, case):
        """Why it has no part in a case, or nothing."""
        return ""

    def start(self, work):
        raise NotImplementedError

    def flush(self, work):
        """Makes it try at once what waits."""

    def waiting(self, work):
        """How many messages are in its queue, or None where that is not asked."""
        return None


def root_needed():
    return "" if os.geteuid() == 0 else "needs root"


def tree_needed(name):
    if not (TREES / name / ".complete").exists():
        return f"build/peers/{name} is not unpacked: tools/test_peers bench"
    return ""


def copy_for(user, source, target):
    """A file's copy that belongs to a user alone, as servers want their keys."""
    shutil.copy(source, target)
    entry = pwd.getpwnam(user)
    os.chown(target, entry.pw_uid, entry.pw_gid)
    os.chmod(target, 0o600)
    return target


def resolv_conf(work):
    """For own_view: the server asks the small DNS server, which is started."""
    ours = work.folder / "resolv.conf"
    ours.write_text(f"nameserver {LOCAL_DNS.start()}\n")
    return {ours: pathlib.Path("/etc/resolv.conf").resolve()}


def own_view(binds, command):
    """The command, with files or folders of ours in place of the system's, for it and its children alone."""
    lines = []
    for ours, theirs in binds.items():
        if not pathlib.Path(theirs).exists():
            raise Trouble(f"{theirs} is not there to be covered")
        lines.append(f"mount --bind '{ours}' '{theirs}'")
    return ["unshare", "--mount", "/bin/sh", "-ec", "\n".join([*lines, 'exec "$@"']), "view", *command]
