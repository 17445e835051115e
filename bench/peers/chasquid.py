"""chasquid from an unpacked package. It relays only for users who log in over TLS, and finds hosts by MX
records alone: a small DNS server (knot) leads it to the sink, which it sees in place of /etc/resolv.conf.

This version signs nothing itself: a hook runs python3-dkim for each message.
"""
import shutil
import subprocess

from dns import LOCAL_DNS
from peers.peer import DOMAIN, HOST, SELECTOR, TREES, USER, Peer, own_view, resolv_conf, root_needed, tree_needed
from programs import Trouble

TREE = TREES / "chasquid"
HOOK = """#!/bin/sh
[ "$AUTH_AS" != "" ] || exit 0
exec /usr/bin/python3 -c '
import sys, dkim
key = open("{key}", "rb").read()
signature = dkim.sign(sys.stdin.buffer.read(), b"{selector}", b"{domain}", key)
sys.stdout.write(signature.decode().replace("\\r\\n", "\\n"))
'
"""


class Chasquid(Peer):
    name, title = "chasquid", "chasquid"
    login_always = True
    tls_in = "implicit"
    backlog = 200  # the size of its queue

    def missing(self):
        if not LOCAL_DNS.available():
            return "knot is not installed: ./dev setup test"
        return root_needed() or tree_needed("chasquid")

    def cannot(self, case):
        return "listens under TLS only, with logins" if case == "idle" else ""

    def start(self, work):
        folder, config = work.folder, work.folder / "config"
        if not config.exists():
            (config / "domains" / DOMAIN).mkdir(parents=True)
            certificates = config / "certs" / HOST
            certificates.mkdir(parents=True)
            shutil.copy(work.certificate, certificates / "fullchain.pem")
            shutil.copy(work.key, certificates / "privkey.pem")
            (folder / "data").mkdir()
            (config / "chasquid.conf").write_text(
                f'hostname: "{HOST}"\nsubmission_over_tls_address: "127.0.0.1:{work.port}"\n'
                f'smtp_address: "127.0.0.1:0"\nsubmission_address: "127.0.0.1:0"\n'
                f'data_dir: "{folder}/data"\nmail_log_path: "{folder}/log.mail"\n')
            done = subprocess.run([TREE / "usr/bin/chasquid-util", f"-C={config}", "user-add", USER,
                                   f"--password={work.password}"], capture_output=True, text=True)
            if done.returncode:
                raise Trouble(f"chasquid-util: {done.stdout}{done.stderr}")
            if work.submission:
                (config / "hooks").mkdir()
                hook = config / "hooks/post-data"
                hook.write_text(HOOK.format(key=work.dkim_key, selector=SELECTOR, domain=DOMAIN))
                hook.chmod(0o755)
        command = [TREE / "usr/bin/chasquid", f"-config_dir={config}", f"-testing__outgoing_smtp_port={work.sink_port}"]
        work.group.start([*own_view(resolv_conf(work), [*work.trace, *command])], folder / "log")
