"""Mail servers that are not ours: Postfix, Exim and Dovecot, from the packages that tools/test_peers unpacked,
each with a configuration folder of its own below the test's folder. Nothing of the machine's own mail
is read or written; no users are made.
"""
import contextlib
import os
import pathlib
import pwd
import socket
import unittest

from harness import PEERS, Mailboxes, Server, free_port, new_address, wait_until
from sink import test_certificate


def answers(address, port):
    with contextlib.suppress(OSError):
        with socket.create_connection((address, port), 5) as probe:
            return probe.recv(4) == b"220 "
    return False


class Postfix(Mailboxes):
    """Postfix that takes mail for `domain` (users: `users`), and hands all other mail to `relay`.

    Its daemons drop root's rights to the existing users nobody and daemon: without root it refuses to
    start, so the tests that need it are skipped then.
    """

    def __init__(self, case, domain, port, users=("bob",), relay=None, settings=None, addresses=()):
        if os.getuid() != 0:
            raise unittest.SkipTest("Postfix starts as root only")
        root = PEERS / "postfix"
        if not (root / ".complete").exists():
            raise unittest.SkipTest("Postfix is not unpacked: ./dev setup test")
        self.domain, self.host = domain, f"mx.{domain}"
        addresses = addresses or (new_address(),)
        self.address, self.port = addresses[0], port
        folder = case.folder / f"postfix-{domain}"
        self.folder, self.boxes = folder, folder / "boxes"
        libraries = root / "usr/lib/postfix"
        nobody = pwd.getpwnam("nobody")
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved",
                     "trace", "maildrop", "public", "pid"):
            (folder / "queue" / name).mkdir(parents=True)
            if name != "pid":
                os.chown(folder / "queue" / name, nobody.pw_uid, 8 if name in ("maildrop", "public") else nobody.pw_gid)
        for path in (self.boxes, folder / "data"):
            path.mkdir()
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        config = folder / "config"
        config.mkdir()
        certificate = config / "tls.pem"
        certificate.write_bytes(pathlib.Path(test_certificate(self.host)).read_bytes())
        certificate.chmod(0o600)
        (config / "boxes").write_text("".join(f"{u}@{domain} {domain}/{u}/\n" for u in users))
        values = {
            "compatibility_level": "3.6", "queue_directory": f"{folder}/queue", "data_directory": f"{folder}/data",
            "daemon_directory": f"{libraries}/sbin", "command_directory": f"{root}/usr/sbin",
            "meta_directory": f"{root}/etc/postfix", "shlib_directory": libraries,
            "import_environment": f"LD_LIBRARY_PATH={libraries} MAIL_CONFIG TZ LANG=C",
            "mail_owner": "nobody", "default_privs": "daemon", "setgid_group": "mail",
            "myhostname": self.host, "mydestination": "", "mynetworks": "127.0.0.0/8", "inet_interfaces": "127.0.0.1",  # of master.cf none counts: it names its own
            "inet_protocols": "all" if len(addresses) > 1 else "ipv4", "smtp_bind_address": self.address,
            "virtual_mailbox_domains": domain, "virtual_mailbox_base": self.boxes,
            "virtual_mailbox_maps": f"texthash:{config}/boxes", "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534", "virtual_minimum_uid": "1",
            "smtpd_tls_cert_file": certificate, "smtpd_tls_key_file": certificate, "smtpd_tls_security_level": "may",
            "smtp_tls_security_level": "may", "smtpd_tls_received_header": "yes", "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native", "relayhost": f"[{relay[0]}]:{relay[1]}" if relay else "",
            "maillog_file": "/dev/stdout", "maillog_file_prefixes": "/dev", "alias_maps": "", "alias_database": "",
            "minimal_backoff_time": "2s", "maximal_backoff_time": "2s", "queue_run_delay": "2s",
            "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination",
            "notify_classes": "", "smtputf8_enable": "yes", **(settings or {}),
        }
        (config / "main.cf").write_text("".join(f"{k} = {v}\n" for k, v in values.items()))
        (config / "master.cf").write_text(
            "".join(f"{f'[{a}]' if ':' in a else a}:{port} inet n - n - - smtpd\n" for a in addresses) +
            "postlog unix-dgram n - n - 1 postlogd\npickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n"
            "qmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n"
            "bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
            "verify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\n"
            "proxywrite unix - - n - 1 proxymap\nsmtp unix - - n - - smtp\nrelay unix - - n - - smtp\n"
            "showq unix n - n - - showq\nerror unix - - n - - error\nretry unix - - n - - error\n"
            "discard unix - - n - - discard\nvirtual unix - n n - - virtual\nanvil unix - - n - 1 anvil\n"
            "scache unix - - n - 1 scache\n")
        environment = {"MAIL_CONFIG": str(config), "LD_LIBRARY_PATH": str(libraries), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                       "LANG": "C"}
        self.server = Server(f"postfix {self.host}", [libraries / "sbin/master", "-c", config, "-d"], env=environment)
        case.keep_log(self.server)
        wait_until(lambda: answers(self.address, port) or not self.server.running(), "Postfix answers")
        if not self.server.running():
            raise AssertionError("Postfix did not start:\n" + self.server.log())

    def mailbox(self, user):
        return [f.read_bytes() for f in (self.boxes / self.domain / user / "new").glob("*")]


class Exim(Mailboxes):
    """Exim, likewise. Its built-in user Debian-exim is made up for it alone by libnss_wrapper, as another
    name of whoever runs the test: no root is needed.
    """

    def __init__(self, case, domain, port, users=("bob",), relay=None):
        root = PEERS / "exim"
        if not (root / ".complete").exists():
            raise unittest.SkipTest("Exim is not unpacked: ./dev setup test")
        wrapper = next(pathlib.Path("/usr/lib").glob("*/libnss_wrapper.so"), None)
        if wrapper is None:
            raise unittest.SkipTest("libnss-wrapper is not installed: ./dev setup test")
        self.domain, self.host = domain, f"mx.{domain}"
        self.address, self.port = new_address(), port
        folder = case.folder / f"exim-{domain}"
        self.boxes = folder / "boxes"
        for path in (folder, folder / "spool", folder / "log", self.boxes):
            path.mkdir()
        uid, gid = os.getuid() or 65534, os.getgid() or 65534
        if os.getuid() == 0:
            for path in (folder / "spool", folder / "log", self.boxes):
                os.chown(path, uid, gid)
        (folder / "passwd").write_text(
            f"root:x:0:0::/root:/bin/sh\nDebian-exim:x:{uid}:{gid}::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n")
        (folder / "group").write_text(f"root:x:0:\nDebian-exim:x:{gid}:\nmail:x:8:\nnogroup:x:65534:\n")
        certificate = folder / "tls.pem"
        certificate.write_bytes(pathlib.Path(test_certificate(self.host)).read_bytes())
        if os.getuid() == 0:
            os.chown(certificate, uid, gid)
        environment = {"LD_PRELOAD": str(wrapper), "NSS_WRAPPER_PASSWD": f"{folder}/passwd",
                       "NSS_WRAPPER_GROUP": f"{folder}/group", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"}
        onward = (f"onward:\n  driver = manualroute\n  domains = ! +own\n  transport = onward\n  self = send\n"
                  f"  route_list = * {relay[0]}::{relay[1]} byname\n" if relay else "")
        configuration = folder / "exim.conf"
        configuration.write_text(f"""
primary_hostname = {self.host}
domainlist own = {domain}
hostlist near = 127.0.0.0/8
exim_path = {root}/usr/sbin/exim4
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
exim_user = {uid}
exim_group = {gid}
never_users =
spool_directory = {folder}/spool
log_file_path = {folder}/log/%s
pid_file_path = {folder}/spool/pid
deliver_drop_privilege = true
local_interfaces = {self.address}.{port}
daemon_smtp_ports = {port}
disable_ipv6 = true
host_lookup =
rfc1413_hosts =
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {certificate}
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept_all
begin acl
check_rcpt:
  accept domains = +own
         verify = recipient
  deny   domains = +own
         message = 5.1.1 nobody of that name here
  accept hosts = +near
  deny   message = 5.7.1 no relaying
accept_all:
  accept
begin routers
{onward}
box:
  driver = accept
  domains = +own
  local_parts = {" : ".join(users)}
  transport = box
begin transports
box:
  driver = appendfile
  directory = {self.boxes}/$local_part_data
  maildir_format
  create_directory
  user = {uid}
  group = {gid}
onward:
  driver = smtp
  interface = {self.address}
  allow_localhost
  hosts_try_dane =
begin retry
* * F,1h,2s
""")
        if os.getuid() == 0:
            os.chown(configuration, 0, 0)
        self.server = Server(f"exim {self.host}", [root / "usr/sbin/exim4", "-C", configuration, "-bdf", "-q2s"],
                             env=environment)
        case.keep_log(self.server)
        wait_until(lambda: answers(self.address, port) or not self.server.running(), "Exim answers")
        if not self.server.running():
            raise AssertionError("Exim did not start:\n" + self.server.log())

    def mailbox(self, user):
        return [f.read_bytes() for f in (self.boxes / user / "new").glob("*")]


class Dovecot(Mailboxes):
    """Dovecot's LMTP server for `users` of `domain` at a unix socket, mail kept in Maildir folders.

    It looks for its modules below /usr/lib, whatever it is told: there it sees its own folders laid over
    the machine's, in a mount namespace that goes with it. That, and becoming nobody, takes root.
    """

    def __init__(self, case, domain, users=("ann",)):
        if os.getuid() != 0:
            raise unittest.SkipTest("Dovecot starts as root only")
        root = PEERS / "dovecot"
        if not (root / ".complete").exists():
            raise unittest.SkipTest("Dovecot is not unpacked: ./dev setup test")
        self.domain, self.host = domain, f"lmtp.{domain}"
        folder = case.folder / f"dovecot-{domain}"
        self.boxes, self.socket = folder / "boxes", folder / "lmtp"
        for path in (folder, folder / "run", folder / "state", self.boxes):
            path.mkdir()
        nobody = pwd.getpwnam("nobody")
        for user in users:
            (self.boxes / user).mkdir()
            os.chown(self.boxes / user, nobody.pw_uid, nobody.pw_gid)
        (folder / "users").write_text("".join(
            f"{user}@{domain}::{nobody.pw_uid}:{nobody.pw_gid}::{self.boxes}/{user}::\n" for user in users))
        libraries = root / "usr/lib/dovecot"
        configuration = folder / "dovecot.conf"
        configuration.write_text(f"""
base_dir = {folder}/run
state_dir = {folder}/state
libexec_dir = {libraries}
import_environment = LD_LIBRARY_PATH={libraries}
protocols = lmtp
log_path = /dev/stderr
ssl = no
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = daemon
first_valid_uid = 1
mail_location = maildir:~/Maildir
postmaster_address = postmaster@{domain}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service lmtp {{
  unix_listener {self.socket} {{
    mode = 0600
  }}
}}
""")
        start = ('mount -t overlay overlay -o "lowerdir=$1/usr/lib:/usr/lib" /usr/lib && '
                 'exec "$1/usr/bin/doveconf" -f service=master -c "$2" -m master -p -e "$1/usr/sbin/dovecot" -F -c "$2"')
        self.server = Server(f"dovecot {self.host}",
                             ["unshare", "-m", "--propagation", "private", "sh", "-c", start, "sh", root, configuration],
                             env={"LD_LIBRARY_PATH": str(libraries), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        case.keep_log(self.server)
        wait_until(lambda: self.answers() or not self.server.running(), "Dovecot answers")
        if not self.server.running():
            raise AssertionError("Dovecot did not start:\n" + self.server.log())

    def answers(self):
        with contextlib.suppress(OSError):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(10)
                probe.connect(str(self.socket))
                return probe.recv(4) == b"220 "
        return False

    def lock(self, user):
        """From now on mail for that user cannot be kept."""
        os.chown(self.boxes / user, 0, 0)

    def unlock(self, user):
        nobody = pwd.getpwnam("nobody")
        os.chown(self.boxes / user, nobody.pw_uid, nobody.pw_gid)

    def mailbox(self, user):
        return [f.read_bytes() for f in (self.boxes / user / "Maildir/new").glob("*")]
