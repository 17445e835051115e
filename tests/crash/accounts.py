"""The books of a trial: what was promised (250), what became of it, and why anything came twice."""
import collections
import dataclasses
import re

# A kept outcome is on its way to the log for this long at most (RocksdbStoreOptions: relaxed_write_after), and
# the yes before it may have to cross a busy machine.
REPEAT_AFTER_SECONDS_MAX = 15
# A busy receiver takes what lies in its socket for a while after its sender was killed.
RECEIVER_LAG_SECONDS = 3


@dataclasses.dataclass
class Totals:
    acknowledged: int = 0
    recipients: int = 0
    delivered: int = 0
    told: int = 0
    lost: list = dataclasses.field(default_factory=list)
    wrong: list = dataclasses.field(default_factory=list)      # damaged, told wrongly, came twice without a cause
    repeats: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # by their cause
    unpromised: int = 0                                          # delivered although the client heard no 250
    oldest_repeat: float = 0                                     # seconds from a delivery to the kill that hid it

    @property
    def duplicates(self):
        return sum(self.repeats.values())

    def line(self):
        causes = ", ".join(f"{count} {cause}" for cause, count in sorted(self.repeats.items()))
        return (f"acknowledged {self.acknowledged} ({self.recipients} recipients), delivered {self.delivered}, "
                f"told in notices {self.told}, lost {len(self.lost)}, wrong {len(self.wrong)}, "
                f"duplicates {self.duplicates}" + (f" ({causes})" if causes else "")
                + (f", the oldest {self.oldest_repeat:.2f} s before its kill" if self.oldest_repeat else "")
                + f", whole without a 250 {self.unpromised}")


class Accounts:
    """`ledger`: the receiver's file; `mailbox`: the Maildir of the loads' sender."""

    def __init__(self, ledger, mailbox):
        self.ledger, self.mailbox = ledger, mailbox
        self.promised = {}     # message number -> names of its recipients
        self.expected = {}     # the same of every message sent
        self.kills = []        # when the server, its receiver or its disk was cut off
        self.troubles = []     # (from, to): while the disk failed, outcomes could not be kept
        self._notices, self._read = {}, set()

    def expect(self, number, recipients):
        self.expected[number] = recipients

    def promise(self, number):
        self.promised[number] = self.expected[number]

    def deliveries(self):
        """(message number, recipient) -> [(time, what, queue id)], and lines of damaged mail."""
        found, damaged = collections.defaultdict(list), []
        if not self.ledger.exists():
            return found, damaged
        for line in self.ledger.read_text().splitlines():
            at, what, number, queue_id, *recipients = line.split(" ")
            if what == "damaged":
                damaged.append(line)
                continue
            for name in recipients:
                found[int(number), name].append((float(at), what, queue_id))
        return found, damaged

    def notices(self):
        """(message number, recipient) -> how many notices said that it failed."""
        for part in ("new", "cur"):
            for path in (self.mailbox / part).glob("*"):
                if path.name in self._read:
                    continue
                self._read.add(path.name)
                text = path.read_text(errors="replace")
                number = re.search(r"^X-Bench-Id: (\d+)", text, re.M)
                for name in re.findall(r"^Final-Recipient: rfc822; ?([^@\s]+)@[^\n]*\nAction: failed", text.replace("\r", ""), re.M):
                    key = (int(number[1]) if number else -1, name)
                    self._notices[key] = self._notices.get(key, 0) + 1
        return self._notices

    def pending(self):
        """Recipients of promised messages that have neither mail nor a notice."""
        delivered, told = self.deliveries()[0], self.notices()
        return [(number, name) for number, names in self.promised.items() for name in names
                if (number, name) not in delivered and (number, name) not in told]

    def _cause(self, earlier, later):
        if earlier[2] != later[2]:
            return "sent again by a client that heard no answer"
        if earlier[1] == "unsaid":
            return "taken by the receiver without saying so"
        if any(earlier[0] - RECEIVER_LAG_SECONDS <= at <= later[0] for at in self.kills):
            return "in flight or not yet written off when killed"
        if any(begin <= later[0] and earlier[0] <= end for begin, end in self.troubles):
            return "not written off while the disk failed"
        return None

    def _count_repeats(self, key, copies, totals):
        copies.sort()
        for i, later in enumerate(copies[1:], 1):
            same = [c for c in copies[:i] if c[2] == later[2]]
            cause = self._cause(same[-1] if same else copies[i - 1], later)
            if cause is None:
                totals.wrong.append(f"{key} came twice without a cause: {copies}")
                continue
            totals.repeats[cause] += 1
            if same and cause.startswith("in flight"):
                age = min((at for at in self.kills if same[-1][0] <= at <= later[0]), default=same[-1][0]) - same[-1][0]
                totals.oldest_repeat = max(totals.oldest_repeat, age)
                if age > REPEAT_AFTER_SECONDS_MAX and not self.troubles:
                    totals.wrong.append(f"{key} came again although it was delivered {age:.1f} s before the kill")

    def totals(self):
        delivered, damaged = self.deliveries()
        told = self.notices()
        totals = Totals(acknowledged=len(self.promised))
        totals.wrong += damaged
        for number, names in self.promised.items():
            for name in names:
                totals.recipients += 1
                key = (number, name)
                if key in delivered:
                    totals.delivered += 1
                elif key in told:
                    totals.told += 1
                else:
                    totals.lost.append(key)
        for key, copies in delivered.items():
            if key[0] not in self.promised:
                totals.unpromised += 1
            if key[1] not in self.expected.get(key[0], ()):
                totals.wrong.append(f"{key} was never sent")
            self._count_repeats(key, copies, totals)
        for key, count in told.items():
            if not key[1].startswith(("no-", "late-")):
                totals.wrong.append(f"{key} was told as failed")
            if count > 1:
                totals.repeats["notices sent again"] += count - 1
        return totals
