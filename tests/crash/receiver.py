#!/usr/bin/python3
"""The receiving end of a crash trial: a process of its own, so that it can be killed.

What it takes is one line of the ledger, written before the yes: time, what happened, the message's number and
queue id, and the recipients. A recipient's name says how it fares: ok-N taken, no-N refused, later-N deferred
the first time, late-N refused after the whole message. With --rude P, that share of the yeses is never said: the
connection drops instead, and the sender cannot know.
"""
import argparse
import asyncio
import os
import random
import re
import time

LINE = 74
COMMAND_BYTES_MAX = 1 << 20


def filling(size):
    """As bench/traffic/message.cc fills a message."""
    made = bytearray()
    line = 0
    while len(made) < size:
        made += bytes(32 if i % 8 == 7 else 97 + (line + i * (i // 8 + 1)) % 26 for i in range(LINE)) + b"\r\n"
        line += 1
    return bytes(made[:size])


class Fillings:
    """Bodies by their length, each made once."""

    def __init__(self):
        self.longest = b""

    def is_one(self, body):
        if len(body) > len(self.longest):
            self.longest = filling(len(body) * 2)
        return body.endswith(b"\r\n") and body[:-3] == self.longest[:len(body) - 3]


class Receiver:
    def __init__(self, options):
        self.options, self.random = options, random.Random(options.seed)
        self.ledger = os.open(options.ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.seen, self.fillings = set(), Fillings()

    def note(self, what, data, recipients):
        header, _, body = data.partition(b"\r\n\r\n")
        number = re.search(rb"^X-Bench-Id: (\d+)", header, re.M)
        queue_id = re.search(rb"^Received:.*?\bid\s+([^\s;]+)", header, re.M | re.S)
        if number is None or not self.is_whole(header, body):
            what = "damaged"
        words = [f"{time.monotonic():.6f}", what, str(int(number[1])) if number else "-",
                 queue_id[1].decode() if queue_id else "-", *recipients]
        os.write(self.ledger, (" ".join(words) + "\n").encode())

    def is_whole(self, header, body):
        size = re.search(rb"^Subject: a message of (\d+) bytes\r?$", header, re.M)
        began = header.find(b"X-Bench-Id: ")
        if size is None or began < 0:
            return False
        return len(header) - began + 4 + len(body) == int(size[1]) and self.fillings.is_one(body)

    async def serve(self, reader, writer):
        session = Session(self, reader, writer)
        try:
            await session.run()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def run(self):
        address, _, port = self.options.listen.rpartition(":")
        server = await asyncio.start_server(self.serve, address, int(port), limit=64 << 20, backlog=500)
        print("listening", flush=True)
        async with server:
            await server.serve_forever()


class Session:
    def __init__(self, receiver, reader, writer):
        self.receiver, self.reader, self.writer = receiver, reader, writer
        self.chunking = receiver.random.random() < 0.5
        self.reset()

    def reset(self):
        self.recipients, self.chunks = [], []

    def say(self, text):
        self.writer.write(text.encode() + b"\r\n")

    async def run(self):
        self.say("220 sink.example ESMTP")
        while line := await self.reader.readline():
            verb = line[:4].upper()
            if verb == b"QUIT":
                self.say("221 2.0.0 bye")
                return
            if verb == b"EHLO":
                self.say("250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
                         + ("250-CHUNKING\r\n" if self.chunking else "") + "250 ENHANCEDSTATUSCODES")
            elif verb == b"RCPT":
                self.rcpt(line)
            elif verb == b"DATA":
                await self.data()
            elif verb == b"BDAT":
                await self.bdat(line)
            else:
                if verb in (b"MAIL", b"RSET"):
                    self.reset()
                self.say("250 2.0.0 ok")
            await self.writer.drain()

    def rcpt(self, line):
        name = re.search(rb"<([^@>]*)@", line)[1].decode()
        if name.startswith("no-"):
            self.say("550 5.1.1 nobody of that name")
        elif name.startswith("later-") and name not in self.receiver.seen:
            self.receiver.seen.add(name)
            self.say("451 4.7.1 come again later")
        else:
            self.recipients.append(name)
            self.say("250 2.1.5 ok")

    async def data(self):
        if not self.recipients:
            self.say("503 5.5.1 no recipient")
            return
        self.say("354 go on")
        await self.writer.drain()
        data = await self.reader.readuntil(b"\r\n.\r\n")
        self.take(data[:-3].replace(b"\r\n..", b"\r\n."))

    async def bdat(self, line):
        words = line.split()
        self.chunks.append(await self.reader.readexactly(int(words[1])))
        if not self.recipients:
            self.say("503 5.5.1 no recipient")
        elif len(words) > 2:
            self.take(b"".join(self.chunks))
        else:
            self.say("250 2.0.0 ok")

    def take(self, data):
        recipients = self.recipients
        self.reset()
        if any(r.startswith("late-") for r in recipients):
            self.say("554 5.6.0 not this one")
            return
        rude = self.receiver.random.random() < self.receiver.options.rude
        self.receiver.note("unsaid" if rude else "taken", data, recipients)
        if rude:
            raise OSError("the connection drops here")
        self.say("250 2.0.0 taken")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="address:port")
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rude", type=float, default=0, metavar="P")
    asyncio.run(Receiver(parser.parse_args()).run())


if __name__ == "__main__":
    main()
