"""Haraka from npm, with outbound delivery to the sink by a plugin of four lines in place of the MX lookup."""
import shutil

from peers.peer import DOMAIN, HOST, SELECTOR, USER, Peer
from programs import ROOT

HOME = ROOT / "bench/haraka/node_modules"


class Haraka(Peer):
    name, title = "haraka", "Haraka"

    def missing(self):
        if not shutil.which("node"):
            return "node is not installed: tools/test_peers bench"
        return "" if (HOME / "Haraka").exists() else "Haraka is not installed: tools/test_peers bench"

    def start(self, work):
        folder = work.folder
        if not (folder / "config").exists():
            shutil.copytree(HOME / "Haraka/config", folder / "config")
        if not (folder / "node_modules").exists():
            (folder / "node_modules").symlink_to(HOME)
        for name, text in self.files(work).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        work.group.start([*work.trace, shutil.which("node"), HOME / "Haraka/bin/haraka", "-c", folder],
                         folder / "log", cwd=folder)

    def files(self, work):
        plugins = ["to_sink"]
        files = {
            "plugins/to_sink.js": "exports.hook_get_mx = function (next) {\n"
                                  f"  next(OK, {{ priority: 0, exchange: '127.0.0.1', port: {work.sink_port} }})\n}}\n",
            "config/smtp.ini": f"listen=127.0.0.1:{work.port}\nnodes=0\n",
            "config/me": HOST + "\n", "config/host_list": "", "config/log.ini": "[main]\nlevel=warn\n",
            "config/outbound.ini": "local_mx_ok=true\n",
        }
        if work.submission or work.idle_tls:
            plugins.append("tls")
            files["config/tls.ini"] = f"key={work.key}\ncert={work.certificate}\n"
        if work.submission:
            plugins += ["auth/flat_file", "dkim"]
            files |= {
                "config/auth_flat_file.ini": f"[core]\nmethods=PLAIN\n[users]\n{USER}={work.password}\n",
                "config/dkim.ini": f"[sign]\nenabled=true\nselector={SELECTOR}\ndomain={DOMAIN}\n[verify]\nenabled=false\n",
                f"config/dkim/{DOMAIN}/private": work.dkim_key.read_text(),
                f"config/dkim/{DOMAIN}/selector": SELECTOR + "\n",
            }
        else:
            plugins.append("relay")
            files |= {"config/relay.ini": "[relay]\nacl=true\n", "config/relay_acl_allow": "127.0.0.0/8\n"}
        files["config/plugins"] = "\n".join(plugins) + "\n"
        return files
