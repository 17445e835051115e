"""What the comparison of the guide lets pass, and what not."""
import pathlib
import tempfile
import unittest

from guide_pages import ROOT, blocks_of, difference


class Comparison(unittest.TestCase):
    def test_what_is_of_its_time_is_alike_and_nothing_else(self):
        shown = "queued as 6H1H5KJC40000 on 2026-11-26T16:16:27.183Z in 15s\n...\nip4:192.0.2.10 p=...\n"
        same = "queued as 6H1H6AAAA0000 on 2027-01-02T03:04:05.678Z in 1m2s\nmore\nand more\nip4:192.0.2.10 p=MII\n"
        self.assertIsNone(difference(shown, same))
        for old, new, missed in (("in 1m2s", "in all", "queued as"), ("192.0.2.10", "192.0.2.11", "ip4:192.0.2.10"),
                                 ("p=MII", "p=MII\nthe last line", "the end")):
            with self.subTest(new):
                self.assertTrue((difference(shown, same.replace(old, new)) or "").startswith(missed))


class Blocks(unittest.TestCase):
    def read(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".md", dir=ROOT / "build") as page:
            page.write(text)
            page.flush()
            return blocks_of(pathlib.Path(page.name))

    def test_marks_belong_to_the_block_below_them(self):
        first, second = self.read("<!-- not run: needs a hoster -->\n```sh\nls\n```\n\n```text\na\nb\n```\n")
        self.assertEqual(({"not run": "needs a hoster"}, "ls\n", 2), (first.marks, first.text, first.line))
        self.assertEqual(({}, "a\nb\n", "text", 9), (second.marks, second.text, second.kind, second.end))

    def test_code_that_would_not_be_tried_is_refused(self):
        for text, said in (("Run\n\n    tapal up\n", "between fences"), ("<!-- not run: x -->\n\n```sh\nls\n```\n", "right before")):
            with self.subTest(said), self.assertRaisesRegex(AssertionError, said):
                self.read(text)


if __name__ == "__main__":
    unittest.main()
