"""The guide is followed, page by page, by somebody who rents a machine for example.com: each command is run, and its
output compared with what the page shows. TAPAL_GUIDE_UPDATE=1 writes the real output into the pages; read the diff.
"""
import os
import threading

from guide_pages import blocks_of, difference, documented, pages_in_order
from guide_peers import DOMAIN, TOKEN
from guide_world import GuideWorld
from harness import ROOT, Case, wait_until
from sandbox import MACHINE

SETTINGS_FOLDER = "/root/settings"
HOSTNAME = f'hostname = "mail.{DOMAIN}"\n'


class Guide(Case):
    @classmethod
    def prepare(cls):
        cls.world = GuideWorld(cls)
        cls.update = os.environ.get("TAPAL_GUIDE_UPDATE")

    def follow(self, path):
        blocks, shown, left_out = blocks_of(path), [], []
        for block, before in zip(blocks, [None, *blocks]):
            if "not run" in block.marks:
                left_out.append(block)
            elif "file" in block.marks:
                self.begin(block)
                self.put(block.marks["file"], block.text)
            elif block.kind == "toml":  # settings
                self.put(f"{SETTINGS_FOLDER}/tapal.toml", HOSTNAME + block.text)
            elif block.kind == "sh":
                real = self.carry_out(block)
            elif block.kind == "text" and before and before.kind == "sh":
                if "not run" not in before.marks:
                    shown.append((block, before, real))
            else:
                self.fail(f"{block.place}: neither commands (```sh), their output (```text), settings (```toml) nor marked")
        if left_out:
            print("", *(f"note: {b.place} is not run: {b.marks['not run']}" for b in left_out), sep="\n")
        self.compare(path, shown)

    def put(self, place, text):
        """A file of the machine; one of a configuration is looked at as the server does."""
        self.world.write(place, text)
        folder, _, name = place.partition("/domains/")
        if not name and not place.endswith("/tapal.toml"):
            return
        folder = folder.removesuffix("/tapal.toml")
        self.world.run(f"tapal init {DOMAIN} --hostname mail.{DOMAIN} --user ann --config {folder} --state-folder {folder}/state")
        code, said = self.world.run(f"tapal config check --config {folder}")
        self.assertEqual(0, code, f"{place}\n{said}")

    def begin(self, block):
        first = block.marks.get("first")
        return getattr(self, first.replace(" ", "_"))() if first else None

    def carry_out(self, block):
        meanwhile = self.begin(block)
        code, output = self.world.run(block.marks.get("run as", block.text))
        if meanwhile:
            meanwhile.set()
        if code != int(block.marks.get("exit code", 0)):
            self.fail(f"{block.place} ends with {code}\n{block.text}\n{output}\n{self.world.journal()}")
        return documented(output) if output.strip() else ""

    def compare(self, path, shown):
        lines, differ = path.read_text().splitlines(), []
        for output, block, real in reversed(shown):
            what = difference(output.text, real)
            if what is None:
                continue
            differ.append(f"{output.place} shows \"{what}\", and `{block.text.strip()}` says\n{real}")
            lines[output.line:output.end - 1] = real.splitlines()
        if self.update:
            path.write_text("\n".join(lines) + "\n")
        elif differ:
            self.fail("\n\n".join(differ))

    # What others do first, or until the event that is returned.

    def gmail_confirms(self):
        users, over = self.world.machine.path(f"/etc/tapal/domains/{DOMAIN}/users"), threading.Event()

        def confirm():
            wait_until(lambda: "app-password=gmail" in users.read_text(), "there is a password for Gmail")
            while not over.wait(0.5):
                self.world.gmail.confirm(f"me@{DOMAIN}")
        threading.Thread(target=confirm, daemon=True).start()
        return over

    def the_mail_is_read(self):
        mail = self.world.gmail.box.wait_for_mail_with("me", b"Return-Path: <shop@").decode()
        code, said = self.world.run(f"tapal spf check --ip {MACHINE[1]} --mail-from shop@{DOMAIN}")
        self.assertEqual((0, "pass"), (code, said.split()[0]))
        own = "Authentication-Results: mx.google.com;"  # opendkim writes it of DKIM alone
        self.assertIn(own, mail)
        self.world.write("/root/original.txt", mail.replace(
            own, f"{own}\n\tspf=pass smtp.mailfrom=shop@{DOMAIN};\n\tdmarc=pass (p=NONE) header.from={DOMAIN};", 1))

    def on_the_new_machine(self):
        self.world.move()
        self.world.write("/root/cf.token", f"{TOKEN}\n", 0o600)

    def there_is_a_team(self):
        self.world.write("/root/form/domains/example.com/lists/team", "ann\nbob@other.example\n")

    def a_bank_writes(self):
        self.world.write("/root/message.eml", f"From: <news@bank.example>\nTo: <info@{DOMAIN}>\nSubject: Your statement\n\nHi.\n")


def test_of(path):
    return lambda self: self.follow(path)


for number, page in enumerate(pages_in_order()):
    name = "_".join(page.relative_to(ROOT).with_suffix("").parts).replace("-", "_")
    setattr(Guide, f"test_{number:02}_{name}", test_of(page))
