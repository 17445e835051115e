"""Exim from an unpacked package. Its built-in user Debian-exim is made up by libnss_wrapper as another
name of nobody's: no user is made on the system.
"""
import os
import pathlib

from peers.peer import DOMAIN, HOST, SELECTOR, TREES, USER, Peer, copy_for, root_needed, tree_needed

NOBODY, NO_GROUP = 65534, 65534
TREE = TREES / "exim"


class Exim(Peer):
    name, title = "exim", "Exim"
    idle_max = 1000  # a process each
    backlog = 2000

    def missing(self):
        if not self.wrapper():
            return "libnss-wrapper is not installed: ./dev setup test"
        return root_needed() or tree_needed("exim")

    def wrapper(self):
        return next(pathlib.Path("/usr/lib").glob("*/libnss_wrapper.so"), None)

    def environment(self, work):
        return {**os.environ, "LD_PRELOAD": str(self.wrapper()), "NSS_WRAPPER_PASSWD": f"{work.folder}/passwd",
                "NSS_WRAPPER_GROUP": f"{work.folder}/group", "LANG": "C"}

    def command(self, work, *words):
        return [TREE / "usr/sbin/exim4", "-C", work.folder / "exim.conf", *words]

    def start(self, work):
        folder = work.folder
        for name in ("spool", "log"):
            (folder / name).mkdir(exist_ok=True)
            os.chown(folder / name, NOBODY, NO_GROUP)
        for source, target in ((work.dkim_key, "dkim.pem"), (work.key, "key.pem")):
            copy_for("nobody", source, folder / target)
        (folder / "passwd").write_text(f"root:x:0:0::/root:/bin/sh\nDebian-exim:x:{NOBODY}:{NO_GROUP}::/:/bin/false\n"
                                       f"nobody:x:{NOBODY}:{NO_GROUP}::/:/bin/false\n")
        (folder / "group").write_text(f"root:x:0:\nDebian-exim:x:{NO_GROUP}:\nmail:x:8:\nnogroup:x:{NO_GROUP}:\n")
        (folder / "exim.conf").write_text(self.configuration(work))
        work.group.start([*work.trace, *self.command(work, "-bdf", "-q5m")], folder / "log.daemon",
                         env=self.environment(work))

    def configuration(self, work):
        relay = ("accept authenticated = *" if work.submission else "accept hosts = 127.0.0.0/8")
        login = f"""
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{work.password}}}}}}}}}
  server_set_id = $auth2
""" if work.submission else ""
        signing = f"""
  dkim_domain = {DOMAIN}
  dkim_selector = {SELECTOR}
  dkim_private_key = {work.folder}/dkim.pem
  dkim_canon = relaxed""" if work.submission else ""
        return f"""
primary_hostname = {HOST}
exim_path = {TREE}/usr/sbin/exim4
keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
exim_user = {NOBODY}
exim_group = {NO_GROUP}
deliver_drop_privilege
never_users =
spool_directory = {work.folder}/spool
log_file_path = {work.folder}/log/%s
pid_file_path = {work.folder}/spool/pid
local_interfaces = 127.0.0.1.{work.port}
daemon_smtp_ports = {work.port}
disable_ipv6 = true
host_lookup =
rfc1413_hosts =
split_spool_directory
smtp_accept_max = {max(100, work.idle + 50)}
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = 1024
tls_advertise_hosts = {"*" if work.submission or work.idle_tls else ""}
tls_certificate = {work.certificate}
tls_privatekey = {work.folder}/key.pem
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept_all
begin acl
check_rcpt:
  {relay}
  deny   message = no relaying
accept_all:
  accept
begin routers
onward:
  driver = manualroute
  transport = onward
  self = send
  route_list = * 127.0.0.1::{work.sink_port} byname
begin transports
onward:
  driver = smtp
  allow_localhost
  hosts_try_dane ={signing}
begin retry
* * F,5d,15m
{login}"""

    def flush(self, work):
        # Four runners at a time, as an operator in a hurry would.
        for _ in range(4):
            work.group.start(self.command(work, "-qff"), work.folder / "log.runner", env=self.environment(work))
