"""Postfix from an unpacked package. Its daemons run as users that every system has.

Passwords are Cyrus SASL's, in a sasldb; signing, checking and SRS are other programs' (beside_postfix.py).
"""
import grp
import os
import pwd
import subprocess

from dns import LOCAL_DNS
from peers import beside_postfix
from peers.peer import DOMAIN, HOST, TARGET, TREES, USER, Peer, copy_for, root_needed, tree_needed
from programs import Trouble

TREE = TREES / "postfix"
LIBRARIES = TREE / "usr/lib/postfix"
QUEUE_FOLDERS = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved",
                 "trace", "maildrop", "public")


class Postfix(Peer):
    name, title = "postfix", "Postfix"
    idle_max = 1000  # a process each
    forwards = True

    def missing(self):
        return root_needed() or tree_needed("postfix") or tree_needed("opendkim") or tree_needed("sasl")

    def cannot(self, case):
        if case != "forward":
            return ""
        return tree_needed("opendmarc") or tree_needed("postsrsd") or ("" if LOCAL_DNS.available() else tree_needed("knot"))

    def environment(self, work):
        return {**os.environ, "MAIL_CONFIG": str(work.folder / "config"), "LD_LIBRARY_PATH": str(LIBRARIES)}

    def start(self, work):
        config = work.folder / "config"
        if not config.exists():
            config.mkdir()
            self.make_folders(work.folder)
            if work.submission:
                self.make_login(work)
        settings = self.settings(work)
        if work.submission:
            beside_postfix.start_signing(work)
        if work.forwarding:
            beside_postfix.start_checking(work)
            settings |= beside_postfix.start_rewriting(work)
        (config / "main.cf").write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
        (config / "master.cf").write_text(self.services(work))
        work.group.start([*work.trace, LIBRARIES / "sbin/master", "-c", config, "-d"], work.folder / "log.master",
                         env=self.environment(work))

    def make_folders(self, folder):
        nobody, mail = pwd.getpwnam("nobody"), grp.getgrnam("mail")
        for name in QUEUE_FOLDERS:
            (folder / "queue" / name).mkdir(parents=True)
            group = mail.gr_gid if name in ("maildrop", "public") else nobody.pw_gid
            os.chown(folder / "queue" / name, nobody.pw_uid, group)
        (folder / "queue/pid").mkdir()
        (folder / "data").mkdir()
        os.chown(folder / "data", nobody.pw_uid, nobody.pw_gid)

    def settings(self, work):
        folder = work.folder
        values = {
            "compatibility_level": "3.6", "queue_directory": f"{folder}/queue", "data_directory": f"{folder}/data",
            "daemon_directory": f"{LIBRARIES}/sbin", "command_directory": f"{TREE}/usr/sbin",
            "meta_directory": f"{TREE}/etc/postfix", "shlib_directory": LIBRARIES,
            "import_environment": f"LD_LIBRARY_PATH={LIBRARIES} MAIL_CONFIG TZ LANG=C",
            "mail_owner": "nobody", "default_privs": "daemon", "setgid_group": "mail",
            "myhostname": HOST, "mydestination": "", "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "relayhost": f"[127.0.0.1]:{work.sink_port}",
            "maillog_file": f"{folder}/log", "maillog_file_prefixes": folder, "alias_maps": "", "alias_database": "",
        }
        if work.idle:
            values |= {"default_process_limit": work.idle + 50, "smtpd_client_connection_count_limit": 0,
                       "smtpd_client_connection_rate_limit": 0, "smtpd_timeout": "300s"}
        if work.submission or work.idle_tls:
            values |= {"smtpd_tls_chain_files": f"{work.key}, {work.certificate}", "smtpd_tls_security_level": "may"}
        if work.submission:
            values |= {
                "smtp_tls_security_level": "may", "smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "yes",
                "mynetworks": "192.0.2.1/32", "smtpd_sasl_local_domain": DOMAIN,
                "smtpd_milters": f"unix:{folder}/milter/opendkim", "milter_default_action": "tempfail",
            }
        if work.forwarding:
            values |= {
                "mynetworks": "192.0.2.1/32", "virtual_alias_domains": DOMAIN,
                "virtual_alias_maps": f"inline:{{@{DOMAIN}={TARGET}}}", "milter_default_action": "tempfail",
                "smtpd_milters": f"unix:{folder}/milter/opendkim, unix:{folder}/milter/opendmarc",
            }
        return values

    def services(self, work):
        lines = [f"127.0.0.1:{work.port} inet n - n - - smtpd"]
        for line in (TREE / "usr/share/postfix/master.cf.dist").read_text().splitlines():
            fields = line.split()
            if len(fields) > 7 and not line.startswith(("#", " ")) and fields[1] != "inet":
                lines.append(" ".join([*fields[:4], "n", *fields[5:]]))  # no chroot
        lines.append("tlsproxy unix - - n - 0 tlsproxy")  # connections under TLS are kept by it
        return "\n".join(lines) + "\n"

    def make_login(self, work):
        sasl = work.folder / "config/sasl"  # where Debian's build looks
        sasl.mkdir()
        database = sasl / "sasldb2"
        done = subprocess.run([TREES / "sasl/usr/sbin/saslpasswd2", "-p", "-c", "-f", database, "-u", DOMAIN,
                               USER.split("@")[0]], input=work.password + "\n", text=True, capture_output=True)
        if done.returncode:
            raise Trouble(f"saslpasswd2: {done.stderr.strip()}")
        copy_for("nobody", database, sasl / "users")
        (sasl / "smtpd.conf").write_text(
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\nsasldb_path: {sasl}/users\n")

    def flush(self, work):
        subprocess.run([TREE / "usr/sbin/postqueue", "-c", work.folder / "config", "-f"], env=self.environment(work),
                       check=True)


class TunedPostfix(Postfix):
    """For throughput: no pause when mail comes in faster than it goes out, more processes, more connections."""
    name, title = "postfix-tuned", "Postfix, tuned"

    def cannot(self, case):
        idle = "as Postfix: nothing of its tuning matters here" if case.startswith("idle") else ""
        return idle or super().cannot(case)

    def settings(self, work):
        return super().settings(work) | {
            "in_flow_delay": "0", "default_process_limit": "300", "default_destination_concurrency_limit": "100",
            "initial_destination_concurrency": "20", "qmgr_message_active_limit": "60000",
            "qmgr_message_recipient_limit": "60000", "smtp_connection_cache_destinations": "[127.0.0.1]",
            "smtp_tls_connection_reuse": "yes",
        }
