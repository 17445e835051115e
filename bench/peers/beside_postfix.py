"""What stands beside Postfix, from unpacked packages: opendkim signs or verifies, opendmarc judges (SPF by itself), both as
milters on unix sockets; postsrsd answers what return path mail leaves with, over its TCP tables."""
import os
import pwd

from dns import LOCAL_DNS
from peers.peer import DOMAIN, HOST, SELECTOR, TREES, copy_for, own_view, resolv_conf
from programs import answers_at_all, free_port, wait_until

# From where nothing comes: without a name these programs make an exception of 127.0.0.1.
NOWHERE = "192.0.2.1"


def milter_folder(work):
    folder = work.folder / "milter"
    if not folder.exists():
        folder.mkdir()
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return folder


def start_milter(work, name, flags, settings, view=None):
    """Waits until its socket is there, below milter_folder()."""
    folder, socket = milter_folder(work), milter_folder(work) / name
    conf = work.folder / f"{name}.conf"
    common = {"Socket": f"local:{socket}", "UserID": "nobody", "UMask": "000", "Syslog": "no", "Background": "no",
              "PidFile": folder / f"{name}.pid"}
    conf.write_text("".join(f"{key} {value}\n" for key, value in (common | settings).items()))
    socket.unlink(missing_ok=True)
    command = [TREES / name / "usr/sbin" / name, "-f", *flags, conf]
    work.group.start(own_view(view, command) if view else command, work.folder / f"log.{name}")
    wait_until(socket.exists, f"{name} listens")


def start_signing(work):
    key = copy_for("nobody", work.dkim_key, milter_folder(work) / "key.pem")
    start_milter(work, "opendkim", ["-x"], {
        "Domain": DOMAIN, "Selector": SELECTOR, "KeyFile": key, "Mode": "s", "Canonicalization": "relaxed/simple",
        "SignatureAlgorithm": "rsa-sha256", "RequireSafeKeys": "no"})


def start_checking(work):
    """opendkim's libunbound keeps what DNS has answered, and asks no server in 127/8 unless a ResolverConfiguration says so;
    but that file is read anew by each thread, with a reader that is not safe between threads and ends the program."""
    view = resolv_conf(work)
    exceptions = work.folder / "exceptions"
    exceptions.write_text(NOWHERE + "\n")
    start_milter(work, "opendkim", ["-x"], {
        "Mode": "v", "AuthservID": HOST, "InternalHosts": exceptions, "Nameservers": LOCAL_DNS.other_address,
        "On-DNSError": "tempfail"}, view)
    start_milter(work, "opendmarc", ["-c"], {
        "AuthservID": HOST, "TrustedAuthservIDs": HOST, "IgnoreHosts": exceptions, "SPFSelfValidate": "true",
        "SPFIgnoreResults": "true", "RejectFailures": "true"}, view)


def start_rewriting(work):
    """Gives Postfix's settings that ask postsrsd, which forks for each of Postfix's processes."""
    secret = work.folder / "srs.secret"
    secret.write_text("not-so-secret-9\n")
    forward, reverse = free_port(), free_port()
    work.group.start([TREES / "postsrsd/usr/sbin/postsrsd", "-4", f"-s{secret}", f"-d{DOMAIN}", f"-f{forward}", f"-r{reverse}",
                      "-unobody"], work.folder / "log.postsrsd")
    wait_until(lambda: answers_at_all(forward) and answers_at_all(reverse), "postsrsd listens")
    return {"sender_canonical_maps": f"tcp:127.0.0.1:{forward}", "sender_canonical_classes": "envelope_sender",
            "recipient_canonical_maps": f"tcp:127.0.0.1:{reverse}",
            "recipient_canonical_classes": "envelope_recipient, header_recipient"}
