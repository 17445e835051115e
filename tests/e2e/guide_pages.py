"""The guide's pages as what can be run: blocks of commands, and what they print.

A block ```sh is run, and the block ```text after it is what it prints. A comment right before a block says
what a reader need not know:

    <!-- not run: WHY -->       it cannot be run in the test
    <!-- exit code N -->        so it ends, and not with 0
    <!-- run as: COMMAND -->    this is run in its place
    <!-- first: NAME -->        something happens before, or meanwhile: see guide_test.py
    <!-- file: PATH -->         the block is this file's content from here on

In the output `...` stands for any text, and as a line of its own for any number of lines. What is of its time is alike
to the comparison.
"""
import dataclasses
import re

from harness import ROOT

GUIDE = ROOT / "docs/guide"
MARK = re.compile(r"<!-- (not run|exit code|run as|first|file):? ?(.*?) -->$")
LINK = re.compile(r"\]\(([\w-]+\.md)")

# The test's network looks public; the pages tell addresses that are kept for documents, and the names of whom it plays.
DOCUMENTED = [(re.compile(pattern), instead) for pattern, instead in (
    (r"\b20\.30\.40\.", "192.0.2."), (r"\b2a0f:1::", "2001:db8::"), (r"uplink@if\d+   ", "eth0        "),
    (r"Pebble Intermediate CA [0-9a-f]+", "E7"),
    (r"letsencrypt\.org:\d+/my-account/\w+", "letsencrypt.org/acme/acct/2391"))]
CHANGING = [(re.compile(pattern), mask) for pattern, mask in (
    (r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}( \(\w+\))?", "DATE"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", "DATE"), (r"\d{8}T\d{6}\.\d+Z", "DATE"),
    (r"\d{4}-\d\d-\d\d", "DAY"), (r"proof-[0-9a-f]{8}", "proof-X"), (r"SRS0=\w+=\w+=", "SRS0=HASH=DAY="), (r"tapal\d{8}", "SELECTOR"),
    (r"\b([a-z0-9]{5}-){4}[a-z0-9]{5}\b", "PASSWORD"),
    (r"[A-Za-z0-9+/]{30,}=*", "BYTES"), (r"\b[0-9a-f]{12,}\b", "HASH"), (r"\b[0-9A-Z]{13}\b", "ID"),
    (r"queued as [0-9A-F]{8,}", "queued as ID"), (r"\[::1\]:\d+", "[::1]:PORT"), (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\b(\d+h)?(\d+m)?\d+s\b", "MEASURE"),
    (r"\b\d+(\.\d+)? ?(ms|s|m|seconds|days|bytes|MiB)\b", "MEASURE"), (r"\bprocess \d+", "process PID"),
    (r"\bbytes=\d+", "bytes=N"))]


@dataclasses.dataclass
class Block:
    page: str
    line: int  # of its opening fence
    kind: str  # the word behind the fence
    text: str
    marks: dict

    @property
    def end(self):
        """The line of its closing fence."""
        return self.line + 1 + self.text.count("\n")

    @property
    def place(self):
        return f"{self.page}:{self.line}"


def blocks_of(path):
    """Every fenced block; AssertionError for code that is not fenced, or a mark before nothing."""
    page, found, marks, block = str(path.relative_to(ROOT)), [], {}, None
    blank = True
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if block is not None:
            if line.startswith("```"):
                found.append(block)
                block = None
            else:
                block.text += line + "\n"
        elif line.startswith("```"):
            block, marks = Block(page, number, line[3:], "", marks), {}
        elif mark := MARK.match(line):
            marks[mark[1]] = mark[2]
        elif marks:
            raise AssertionError(f"{page}:{number}: a mark stands right before its block")
        elif blank and re.match(r" {4}\S", line):
            raise AssertionError(f"{page}:{number}: put code between fences, ```sh for commands: indented code is not tried")
        blank = not line.strip()
    return found


def pages_in_order():
    """The guide from its first page on, in the order of its links, then the project's first page."""
    first = GUIDE / "README.md"
    linked = dict.fromkeys(LINK.findall(first.read_text()))
    left_out = {p.name for p in GUIDE.glob("*.md")} - set(linked) - {"README.md"}
    if left_out:
        raise AssertionError(f"docs/guide/README.md leads to all pages but {', '.join(sorted(left_out))}")
    return [first, *(GUIDE / name for name in linked), ROOT / "README.md"]


def documented(text):
    """Output as a page shows it."""
    for pattern, instead in DOCUMENTED:
        text = pattern.sub(instead, text)
    return "".join(line.rstrip() + "\n" for line in text.strip("\n").split("\n"))


def masked(text):
    for pattern, mask in CHANGING:
        text = pattern.sub(mask, text)
    return [re.sub(r"  +", "  ", line) for line in text.splitlines()]


def matches(shown, real, whole=True):
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
                      for line in shown)
    return (re.fullmatch if whole else re.match)(pattern, "".join(line + "\n" for line in real)) is not None


def difference(shown, real):
    """The page's first line that the real output has not, but for what changes each time; None: they are the same."""
    shown, real = masked(shown), masked(real)
    if matches(shown, real):
        return None
    return next((line for n, line in enumerate(shown, 1) if not matches(shown[:n], real, whole=False)), "the end")
