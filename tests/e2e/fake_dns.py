"""A small DNS server with the manners of the worst: it recurses for nobody and does not say so, has
no SOA for what is not there, follows no CNAME, writes names as it likes, cuts what is long over UDP,
fails, and can be silent. Zones are dictionaries:

    {"example.com": [("TXT", ["v=spf1 ", "-all"]), ("MX", (10, "mail.example.com")), ("TIMEOUT", None)]}

TIMEOUT and SERVFAIL are what happens to questions that the records before them do not answer.
"""
import ipaddress
import socket
import socketserver
import struct
import threading

from harness import free_port, new_address

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
UDP_BYTES_MAX = 512


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def wire_name(name):
    labels = [label for label in as_bytes(name).split(b".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def wire_data(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "MX":
        return struct.pack(">H", int(value[0])) + wire_name(value[1])
    if kind == "TXT":
        pieces = [as_bytes(piece) for piece in ([value] if isinstance(value, (str, bytes)) else value)]
        short = [piece[i:i + 255] for piece in pieces for i in range(0, len(piece) or 1, 255)]
        return b"".join(bytes([len(piece)]) + piece for piece in short)
    return wire_name(value)


def read_question(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]])
        at += message[at] + 1
    kind, = struct.unpack(">H", message[at + 1:at + 3])
    return b".".join(labels), kind, message[12:at + 5]


class FakeDns:
    """Serves UDP and TCP from start() to stop(). `asked` counts the questions."""

    def __init__(self, zone, address=None):
        self.zone = {as_bytes(name).lower().rstrip(b"."): records for name, records in zone.items()}
        self.address = address or new_address()
        self.port = free_port(self.address)
        self.asked, self.over_tcp = 0, 0
        self._servers = []

    @property
    def endpoint(self):
        return f"{self.address}:{self.port}"

    def respond(self, message):
        """The response, or None for silence."""
        name, kind, question = read_question(message)
        self.asked += 1
        rcode, answers = 0, []
        records = self.zone.get(name.lower())
        if records is None:
            below = any(known.endswith(b"." + name.lower()) for known in self.zone)
            rcode = 0 if below else 3
        for what, value in records or ():
            if what in ("TIMEOUT", "SERVFAIL") and not answers:
                if what == "TIMEOUT":
                    return None
                rcode = 2
                break
            if TYPES.get(what) in (kind, TYPES["CNAME"]):
                data = wire_data(what, value)
                answers.append(wire_name(name.swapcase()) + struct.pack(">HHIH", TYPES[what], 1, 60, len(data)) + data)
        flags = 0x8000 | (struct.unpack(">H", message[2:4])[0] & 0x0100) | rcode
        return message[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0) + question + b"".join(answers)

    def start(self):
        fake = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                response = fake.respond(self.request[0])
                if response is None:
                    return
                if len(response) > UDP_BYTES_MAX:
                    name_end = 12 + len(read_question(response)[2])
                    flags = struct.unpack(">H", response[2:4])[0] | 0x0200
                    response = response[:2] + struct.pack(">HHHHH", flags, 1, 0, 0, 0) + response[12:name_end]
                self.request[1].sendto(response, self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            timeout = 5

            def handle(self):
                while len(head := self.rfile.read(2)) == 2:
                    response = fake.respond(self.rfile.read(struct.unpack(">H", head)[0]))
                    fake.over_tcp += 1
                    if response is None:
                        return
                    self.wfile.write(struct.pack(">H", len(response)) + response)

        class TcpServer(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

            def handle_error(self, *_):  # a client that hangs up is nobody's fault
                pass

        for make, handler in ((socketserver.UDPServer, Udp), (TcpServer, Tcp)):
            server = make((self.address, self.port), handler)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            self._servers.append(server)
        return self

    def stop(self):
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
