"""tapal, as `tapal init` sets it up."""
import json
import os
import pathlib
import shutil
import subprocess

from dns import LOCAL_DNS
from peers.peer import DOMAIN, HOST, TARGET, Peer
from programs import ROOT, Trouble


class Tapal(Peer):
    name = title = "tapal"
    tls_in = "implicit"
    backlog = 100000
    many_domains = forwards = True
    binary = pathlib.Path(os.environ.get("TAPAL_BINARY") or ROOT / "build/release/tapal")

    def missing(self):
        return "" if os.access(self.binary, os.X_OK) else f"{self.binary} is not there: ./dev build"

    def command(self, work, *words):
        done = subprocess.run([self.binary, *words, "--config", work.folder / "config"], capture_output=True, text=True,
                              timeout=600)
        if done.returncode:
            raise Trouble(f"tapal {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    def start(self, work):
        config, state = work.folder / "config", work.folder / "state"
        if not config.exists():
            self.command(work, "init", DOMAIN, "--hostname", HOST, "--user", "ann", "--state-folder", state,
                         "--password-file", work.password_file)
            for ours, theirs in ((work.certificate, "fullchain.pem"), (work.key, "privkey.pem")):
                shutil.copy(ours, config / "certs" / HOST / theirs)
            if work.forwarding:
                (config / "domains" / DOMAIN / "aliases").write_text(f"*: {TARGET}\n")
        (config / "tapal.toml").write_text(self.settings(work, state))
        work.group.start([*work.trace, self.binary, "--config", config, "serve"], work.folder / "log")

    def settings(self, work, state):
        tls = work.submission or work.idle_tls
        here = f'["127.0.0.1:{work.port}"]'
        lines = [f'hostname = "{HOST}"', f'state_folder = "{state}"', "[listen]", f"smtp = {'[]' if tls else here}",
                 "submission = []", f"submissions = {here if tls else '[]'}"]
        if not work.submission and not work.forwarding:
            lines += ["[relay]", 'trusted_networks = ["127.0.0.0/8"]']
        if work.idle:
            lines += ["[limits]", f"connections_max = {work.idle + 100}",
                      f"connections_per_address_max = {work.idle + 100}"]
        dns = f"{LOCAL_DNS.start()}:53" if work.forwarding else work.dns
        if dns:
            lines += ["[resolver]", f'servers = ["{dns}"]', 'trust_anchor_file = ""']
        if work.dns:
            lines += ["[delivery]", f"port = {work.sink_port}", "allow_private_addresses = true", "[queue]",
                      "messages_max = 2000000"]
        else:
            lines += ["[routes]", f'"*" = "127.0.0.1:{work.sink_port}"']
        return "\n".join(lines) + "\n"

    def flush(self, work):
        self.command(work, "queue", "retry", "--all")

    def waiting(self, work):
        return json.loads(self.command(work, "queue", "list", "--limit", "1", "--json"))["total"]
