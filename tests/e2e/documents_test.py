"""What the documents say is there: links and their anchors, commands and their options, a manual page for each."""
import re
import shutil
import unittest
import urllib.parse

from harness import ROOT, TAPAL, Case, ask_tool

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`+([^`]+)`+")
END_OF_COMMAND = re.compile(r"[;|<>&#()\"'…]|\.\.\.|\s-- ")


def documents():
    left_out = {"build", "node_modules"}
    return [p for p in sorted(ROOT.rglob("*.md")) if not left_out & set(p.relative_to(ROOT).parts)]


def prose_and_code(path):
    """Lines of text as (number, line), and lines of code but for output (```text), likewise."""
    prose, code, fence = [], [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("```"):
            fence = line if fence is None else None
        elif fence is None and not line.startswith("    "):
            prose.append((number, line))
        elif fence != "```text":
            code.append((number, line))
    return prose, code


def anchors(path):
    """Of each heading, as GitHub makes them."""
    found = set()
    for _, line in prose_and_code(path)[0]:
        if heading := re.match(r"#+ (.*)", line):
            shown = LINK.sub(lambda link: link[0][1:link[0].index("]")], heading[1])
            text = re.sub(r"[^\w\- ]", "", shown.lower()).strip().replace(" ", "-")
            found.add(next(name for n in range(100) if (name := f"{text}-{n}" if n else text) not in found))
    return found


class Links(unittest.TestCase):
    def test_each_leads_somewhere(self):
        wrong, seen = [], 0
        for path in documents():
            for number, line in prose_and_code(path)[0]:
                for target in LINK.findall(SPAN.sub("``", line)):
                    seen += 1
                    if complaint := self.wrong_with(path, target):
                        wrong.append(f"{path.relative_to(ROOT)}:{number}: {target}: {complaint}")
        self.assertGreater(seen, 50)
        self.assertEqual([], wrong)

    def test_the_speed_that_the_first_page_claims_was_measured(self):
        claim = next(p for p in (ROOT / "README.md").read_text().split("\n\n") if "messages a second" in p)
        figures = re.findall(r"\b\d+ \d{3}\b|\b\d{3}\b", claim)
        self.assertGreaterEqual(len(figures), 2, claim)
        measured = [line for line in (ROOT / "docs/performance.md").read_text().splitlines() if line.startswith("| ")]
        self.assertEqual([], [f for f in figures if not any(f"| {f} |" in line for line in measured)])

    def wrong_with(self, path, target):
        parts = urllib.parse.urlsplit(target)
        if parts.scheme:
            fine = parts.scheme == "mailto" or parts.scheme in ("http", "https") and "." in parts.netloc
            return None if fine else "not a web address"
        there = (path.parent / parts.path).resolve() if parts.path else path
        if not there.exists():
            return "there is no such file"
        if parts.fragment and parts.fragment not in anchors(there):
            return "there is no such heading"
        return None


class Commands(Case):
    """Every `tapal ...` that a document names, looked up in the table that completions are made from."""

    @classmethod
    def prepare(cls):
        script = ask_tool(TAPAL, "completion", "bash").stdout
        cls.table = {name: set(words.split()) for name, words in re.findall(r"^ +'(tapal[^']*)'\) offers='([^']*)'", script, re.M)}
        assert len(cls.table) > 50, script

    def wrong_with(self, text):
        """`text` begins with "tapal "."""
        words = [word.rstrip(",.:") for word in END_OF_COMMAND.split(text)[0].split()]
        command = words[0]
        for word in words[1:]:
            name = word.partition("=")[0]
            if word.startswith("--"):
                if name not in self.table[command]:
                    return f"{command} has no {name}"
            elif f"{command} {word}" in self.table:
                command += f" {word}"
            elif any(other.startswith(command + " ") for other in self.table):
                return f"there is no `{command} {word}`"
        return None

    def test_each_exists_with_its_options(self):
        wrong, seen = [], 0
        for path in documents():
            prose, code = prose_and_code(path)
            named = [(number, span) for number, line in prose for span in SPAN.findall(line)]
            named += [(number, line) for number, line in code]
            for number, text in named:
                for found in re.finditer(r"(?:^|[\s;|]|release/)(tapal [a-z].*)", text) if path.name != "CHANGELOG.md" else ():
                    seen += 1
                    if complaint := self.wrong_with(found[1]):
                        wrong.append(f"{path.relative_to(ROOT)}:{number}: {complaint}")
        self.assertGreater(seen, 100)
        self.assertEqual([], wrong)


class Manual(Case):
    @classmethod
    def prepare(cls):
        for program in ("scdoc", "groff"):
            if not shutil.which(program):
                raise unittest.SkipTest(f"{program} is not installed: ./dev setup test")
        cls.pages = {name: ask_tool(TAPAL, "manual", name).stdout for name in ask_tool(TAPAL, "manual").stdout.split()}
        cls.pages |= {p.stem: p.read_text() for p in (ROOT / "man").glob("*.scd")}

    def test_each_command_of_help_has_a_page(self):
        told = re.search(r"\nSubcommands:\n(.*?)\n\n", ask_tool(TAPAL, "--help").stdout, re.S)[1]
        commands = re.findall(r"^  (\S+)", told, re.M)
        self.assertGreater(len(commands), 20)
        self.assertEqual([], [c for c in commands if f"tapal-{c}.1" not in self.pages])

    def test_scdoc_takes_every_page_and_groff_warns_of_nothing(self):
        for name, source in self.pages.items():
            with self.subTest(name):
                made = ask_tool("scdoc", input=source)
                self.assertEqual((0, ""), (made.returncode, made.stderr))
                shown = ask_tool("groff", "-t", "-man", "-Kutf8", "-Tutf8", "-ww", "-rLL=120n", "-z", input=made.stdout)
                self.assertEqual((0, ""), (shown.returncode, shown.stderr))

    def test_each_page_that_is_named_is_there(self):
        ours = {name.rpartition(".")[0] + f"({name.rpartition('.')[2]})" for name in self.pages}
        for name, source in self.pages.items():
            for page, section in re.findall(r"\*(tapal[\w.-]*)\*\((\d)\)", source.replace("\\", "")):
                self.assertIn(f"{page}({section})", ours, f"named in {name}")


if __name__ == "__main__":
    unittest.main()
