"""Filters that are not ours: rspamd (its normal worker and its milter proxy) and opendkim, from the packages
that tools/test_peers unpacked; and filters that say anything, for the worst case."""
import contextlib
import http.server
import os
import socket
import struct
import threading
import unittest

from harness import PEERS, Server, ask_tool, free_port, new_address, wait_until


def listens(address, port):
    with contextlib.suppress(OSError):
        socket.create_connection((address, port), 5).close()
        return True
    return False


# Tells what it knows of the client in a field, takes one out and puts off whom it is asked to.
RULES = """
rspamd_config:register_symbol({ name = 'FACTS', type = 'normal', score = 1.5, callback = function(task)
  local to = {}
  for _, rcpt in ipairs(task:get_recipients('smtp') or {}) do table.insert(to, rcpt.addr) end
  local from = task:get_from('smtp')
  local facts = table.concat({ tostring(task:get_from_ip()), task:get_helo() or '-', task:get_hostname() or '-',
    from and from[1].addr or '-', table.concat(to, '+'), task:get_user() or '-' }, ' ')
  task:set_milter_reply({ add_headers = { ['X-Facts'] = { value = facts, order = 0 } },
    remove_headers = { ['X-Secret'] = 0 } })
  if task:get_helo() == 'later.example' then task:set_pre_result('soft reject', 'come back later', 'facts') end
  return true
end })
"""


class Rspamd:
    def __init__(self, case):
        tree = PEERS / "rspamd"
        if not (tree / ".complete").exists():
            raise unittest.SkipTest("rspamd is not unpacked: ./dev setup test")
        self.address = new_address()
        self.port, self.milter_port = free_port(self.address), free_port(self.address)
        folder = case.folder / "rspamd"
        (folder / "db").mkdir(parents=True)
        (folder / "tld").write_text("com\nexample\norg\n")
        (folder / "rules.lua").write_text(RULES)
        (folder / "rspamd.conf").write_text(
            f'options {{ pidfile = false; filters = ""; url_tld = "{folder}/tld"; disable_hyperscan = true;\n'
            '  gtube_patterns = "all"; enable_test_patterns = true; local_addrs = []; tempdir = "/tmp";\n'
            '  dns { nameserver = ["127.0.0.1"]; timeout = 0.1s; retransmits = 1; } }\n'
            'logging { type = "console"; level = "info"; }\n'
            "actions { reject = 15; add_header = 6; greylist = 4; }\n"
            f'worker "normal" {{ bind_socket = "{self.address}:{self.port}"; count = 1; mime = true; }}\n'
            f'worker "rspamd_proxy" {{ bind_socket = "{self.address}:{self.milter_port}"; milter = yes; count = 1;\n'
            '  timeout = 10s; upstream "local" { default = yes; self_scan = yes; } }\n'
            f'lua = "{folder}/rules.lua";\n')
        share, config = tree / "usr/share/rspamd", tree / "etc/rspamd"
        places = {"DBDIR": folder / "db", "RUNDIR": folder, "LOGDIR": folder, "CONFDIR": config,
                  "LOCAL_CONFDIR": config, "SHAREDIR": share, "LUALIBDIR": share / "lualib",
                  "RULESDIR": share / "rules", "PLUGINSDIR": share / "plugins", "WWWDIR": share / "www"}
        self.server = Server("rspamd", [tree / "usr/bin/rspamd", "-f", "-i", "-c", folder / "rspamd.conf",
                                        *(f"--var={name}={path}" for name, path in places.items())],
                             env={**os.environ, "LD_LIBRARY_PATH": str(tree / "usr/lib/rspamd")})
        case.keep_log(self.server)
        for port in (self.port, self.milter_port):
            wait_until(lambda p=port: listens(self.address, p) or not self.server.running(), "rspamd listens")
        if not self.server.running():
            raise AssertionError("rspamd did not start:\n" + self.server.log())

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    @property
    def milter(self):
        return f"{self.address}:{self.milter_port}"


class Opendkim:
    """The milter, with `settings` of its own."""

    def __init__(self, case, settings):
        tree = PEERS / "opendkim"
        if not (tree / ".complete").exists():
            raise unittest.SkipTest("opendkim is not unpacked: ./dev setup test")
        self.folder = folder = case.folder / "opendkim"
        folder.mkdir(exist_ok=True)
        self.milter = f"unix:{folder}/sock"
        (folder / "conf").write_text(f"Socket local:{folder}/sock\nSyslog no\n{settings}")
        self.server = Server("opendkim", [tree / "usr/sbin/opendkim", "-f", "-x", folder / "conf"])
        case.keep_log(self.server)
        wait_until(lambda: (folder / "sock").exists() or not self.server.running(), "opendkim listens")
        if not self.server.running():
            raise AssertionError("opendkim did not start:\n" + self.server.log())


class SigningOpendkim(Opendkim):
    """Signs what comes from `domain`."""

    def __init__(self, case, domain):
        folder = case.folder / "opendkim"
        folder.mkdir()
        key = folder / "key.pem"
        made = ask_tool("openssl", "genrsa", "-out", key, "2048")
        if made.returncode:
            raise AssertionError(made.stderr)
        key.chmod(0o600)
        public = ask_tool("openssl", "rsa", "-in", key, "-pubout").stdout
        self.record = "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])
        super().__init__(case, f"Domain {domain}\nSelector s1\nKeyFile {key}\nMode s\nInternalHosts 0.0.0.0/0\n"
                               "RequireSafeKeys no\nCanonicalization simple/simple\n")


class CheckingOpendkim(Opendkim):
    """Writes what it finds as `name` into Authentication-Results."""

    def __init__(self, case, name, dns_server):
        super().__init__(case, f"Mode v\nAuthservID {name}\nAlwaysAddARHeader yes\nNameservers {dns_server}\nUMask 000\n")


class Accepting:
    """Takes connections one after the other and gives each to serve(connection)."""

    def __init__(self, case):
        self.address = new_address()
        self.port = free_port(self.address)
        self.listener = socket.create_server((self.address, self.port))
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        case.addClassCleanup(self.listener.close)

    @property
    def place(self):
        return f"{self.address}:{self.port}"

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(3)
                self.serve(connection)


class OddMilter(Accepting):
    """Answers like a good one up to the command `stage`, then with `says` (None: it hangs up; "": nothing)."""
    stage, says = "E", None

    def serve(self, connection):
        file = connection.makefile("rb")
        while head := file.read(5):
            size, command = struct.unpack("!Ic", head)
            file.read(size - 1)
            letter = command.decode()
            if letter == self.stage:
                if self.says is None:
                    return
                connection.sendall(self.says)
            elif letter == "O":
                connection.sendall(struct.pack("!IcIII", 13, b"O", 6, 0x1FF, 0))
            elif letter not in "DAQ":
                connection.sendall(struct.pack("!Ic", 1, b"c"))


class OddHttp(http.server.BaseHTTPRequestHandler):
    """An HTTP server of Python's own that answers with `answer`, in chunks; remembers what it was asked."""
    protocol_version = "HTTP/1.1"
    answer, asked = b"", []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).asked.append((self.path, self.headers, body))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(self.answer), 7):
            piece = self.answer[at:at + 7]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass

    @classmethod
    def start(cls, case):
        address = new_address()
        server = http.server.ThreadingHTTPServer((address, free_port(address)), cls)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        case.addClassCleanup(server.server_close)
        case.addClassCleanup(server.shutdown)
        return f"http://{address}:{server.server_port}"
