"""A receiving server that does as the test says: refuses, waits, hangs up, hangs."""
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import pathlib
import re

from harness import PATIENCE, free_port, new_address, wait_until

_certificate = {}


def test_certificate(name="sink.example"):
    """A self-signed certificate and its key in one file, made once a process."""
    if name not in _certificate:
        folder = tempfile.TemporaryDirectory(prefix="tapal-e2e-cert-")
        path = pathlib.Path(folder.name) / "both.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                        "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
        path.write_bytes(path.read_bytes() + pathlib.Path(f"{path}.crt").read_bytes())
        _certificate[name] = (folder, path)
    return _certificate[name][1]


class Received:
    def __init__(self, sender, options, recipients, data, tls, helo, peer):
        self.sender, self.options, self.recipients, self.data = sender, options, recipients, data
        self.tls, self.helo, self.peer, self.at = tls, helo, peer, time.monotonic()


class Sink:
    """An SMTP or LMTP server on a thread a connection.

    reply(stage, text, session) may give another reply: a text, None for the usual one, Sink.HANG
    (silence until the other side goes), or Sink.DROP (the connection closed). Stages: connect, ehlo,
    starttls, auth, mail, rcpt, data, final, and LMTP's final once a recipient.
    cut_of(session) may give a number: the connection is closed when that many bytes of replies are sent.
    """
    HANG, DROP = object(), object()

    def __init__(self, case, address=None, port=None, tls=True, lmtp=False, reply=None, login=None,
                 extensions=("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 100000000", "ENHANCEDSTATUSCODES"),
                 name="sink.example", cut_of=None):
        self.address = address or new_address()
        self.tls, self.lmtp, self.reply, self.login = tls, lmtp, reply, login
        self.extensions, self.name, self.cut_of = list(extensions), name, cut_of
        self.messages, self.sessions, self.commands, self.connections = [], 0, [], []
        self._closed, self._lock = threading.Event(), threading.Lock()
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(test_certificate(name))
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = port or free_port(self.address)
        self.socket.bind((self.address, self.port))
        self.socket.listen(200)
        threading.Thread(target=self._accept, daemon=True).start()
        case.addClassCleanup(self.close) if isinstance(case, type) else case.addCleanup(self.close)

    @property
    def endpoint(self):
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def close(self):
        self._closed.set()
        for connection in [self.socket, *self.connections]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def wait_for(self, count=1, seconds=None):
        wait_until(lambda: len(self.messages) >= count, f"{count} messages at {self.name}, there are {len(self.messages)}",
                   seconds)
        return list(self.messages)

    def _accept(self):
        while not self._closed.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with self._lock:
            self.sessions += 1
            number = self.sessions
        session = _Session(self, connection, number)
        try:
            session.run()
        except (OSError, ssl.SSLError, _Gone):
            pass
        finally:
            session.close()


class _Gone(Exception):
    pass


class _Session:
    def __init__(self, sink, connection, number):
        self.sink, self.number = sink, number
        self.sent, self.secure, self.helo = 0, False, ""
        self._take(connection)
        self._reset()

    def _take(self, connection):
        connection.settimeout(PATIENCE * 4)
        self.connection, self.file = connection, connection.makefile("rb")

    def close(self):
        for one in (self.file, self.connection):
            try:
                one.close()
            except OSError:
                pass

    def _reset(self):
        self.sender, self.options, self.recipients = None, "", []

    def _send(self, text):
        data = (text.replace("\n", "\r\n") + "\r\n").encode()
        limit = self.sink.cut_of(self) if self.sink.cut_of else None
        if limit is not None and self.sent + len(data) > limit:
            self.connection.sendall(data[:max(0, limit - self.sent)])
            raise _Gone
        self.connection.sendall(data)
        self.sent += len(data)

    def _answer(self, stage, usual, text=""):
        """Sends what the test wants for this stage, else the usual; whether it was a yes."""
        return self._say(self.sink.reply(stage, text, self) if self.sink.reply else None, usual)

    def _say(self, said, usual):
        if said is Sink.DROP:
            raise _Gone
        if said is Sink.HANG:
            self.file.read()  # until the other side goes
            raise _Gone
        said = said or usual
        self._send(said)
        return said[0] in "23"

    def run(self):
        if not self._answer("connect", f"220 {self.sink.name} ESMTP sink"):
            return
        while True:
            line = self.file.readline(100_000)
            if not line:
                return
            text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            self.sink.commands.append(text)
            verb = text.split(" ")[0].upper()
            handler = getattr(self, "_on_" + verb.lower(), None)
            if handler is None:
                self._send("502 5.5.1 not here")
            elif handler(text) is False:
                return

    def _on_ehlo(self, text):
        self.helo = text.split(" ", 1)[1]
        offers = list(self.sink.extensions)
        if self.sink.tls and not self.secure:
            offers.append("STARTTLS")
        if self.sink.login and (self.secure or not self.sink.tls):
            offers.append("AUTH PLAIN LOGIN")
        lines = [self.sink.name, *offers]
        reply = "\n".join(f"250{'-' if i + 1 < len(lines) else ' '}{line}" for i, line in enumerate(lines))
        self._answer("ehlo", reply, text)
    _on_lhlo = _on_ehlo

    def _on_helo(self, text):
        self.helo = text.split(" ", 1)[1]
        self._answer("helo", f"250 {self.sink.name}", text)

    def _on_starttls(self, text):
        if self._answer("starttls", "220 2.0.0 go ahead", text):
            # The buffered reader holds nothing: a client waits for this reply.
            self._take(self.sink.context.wrap_socket(self.connection, server_side=True))
            self.secure = True
            self.sink.connections.append(self.connection)

    def _on_auth(self, text):
        self._answer("auth", "235 2.7.0 welcome" if self.sink.login in text else "535 5.7.8 no", text)

    def _on_mail(self, text):
        if self._answer("mail", "250 2.1.0 ok", text):
            found = re.match(r"MAIL FROM:<([^>]*)>(.*)", text, re.I)
            self.sender, self.options = found[1], found[2]

    def _on_rcpt(self, text):
        if self.sender is None:
            self._send("503 5.5.1 MAIL first")
            return
        if self._answer("rcpt", "250 2.1.5 ok", text):
            self.recipients.append(re.match(r"RCPT TO:<([^>]*)>", text, re.I)[1])

    def _on_data(self, text):
        if not self.recipients:
            self._send("503 5.5.1 no recipient")
            return
        if not self._answer("data", "354 go on", text):
            return
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise _Gone
            lines.append(line[1:] if line.startswith(b".") else line)
        got = Received(self.sender, self.options, self.recipients, b"".join(lines), self.secure, self.helo,
                       self.connection.getpeername()[0])
        taken = False
        for recipient in self.recipients if self.sink.lmtp else self.recipients[:1]:
            said = self.sink.reply("final", recipient, self) if self.sink.reply else None
            # A yes counts from the moment it is decided: whether the other side hears it is another thing.
            if not taken and (said is None or isinstance(said, str) and said.startswith("2")):
                self.sink.messages.append(got)
                taken = True
            self._say(said, "250 2.0.0 taken")
        self._reset()

    def _on_rset(self, _):
        self._reset()
        self._send("250 2.0.0 ok")

    def _on_noop(self, _):
        self._send("250 2.0.0 ok")

    def _on_quit(self, _):
        self._send("221 2.0.0 bye")
        return False
