"""The stranger whose mail is forwarded: what DNS says of him, and the signature of the one message that he sends."""
import atexit
import functools
import pathlib
import shutil
import subprocess
import tempfile

from programs import Trouble, printed

DOMAIN, SELECTOR = "friend.example", "pen"
ADDRESS = f"someone@{DOMAIN}"
# All that the load generator's stamp does not change.
SIGNED_FIELDS = ("From", "To", "Subject", "Date", "MIME-Version", "Content-Type")
SIGN = """
import sys, dkim
key, selector, domain, *fields = sys.argv[1:]
sys.stdout.buffer.write(dkim.sign(sys.stdin.buffer.read(), selector.encode(), domain.encode(), open(key, "rb").read(),
    canonicalize=(b"relaxed", b"relaxed"), include_headers=[field.encode() for field in fields]))
"""


@functools.cache
def key():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tapal-bench-author-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path],
                   check=True, capture_output=True)
    return path


def records():
    """Lines of the zone "example.": anything from this machine may send as him, and nothing forged is to pass."""
    public = subprocess.run(["openssl", "pkey", "-in", key(), "-pubout"], check=True, capture_output=True, text=True).stdout
    record = "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])
    strings = " ".join(f'"{record[at:at + 255]}"' for at in range(0, len(record), 255))
    return (f'friend IN MX 10 mx.sink.example.\nfriend IN TXT "v=spf1 ip4:127.0.0.0/8 -all"\n'
            f'_dmarc.friend IN TXT "v=DMARC1; p=reject"\n{SELECTOR}._domainkey.friend IN TXT {strings}\n')


@functools.cache
def signature(folder, **options):
    """A file with the DKIM-Signature of the message that smtp_load would send with these options."""
    # Debian's Python, which has the package.
    done = subprocess.run(["/usr/bin/python3", "-c", SIGN, key(), SELECTOR, DOMAIN, *SIGNED_FIELDS],
                          input=printed(**options), capture_output=True)
    if done.returncode:
        raise Trouble(f"python3-dkim: {done.stderr.decode().strip()}")
    path = pathlib.Path(folder) / "signature"
    path.write_bytes(done.stdout)
    return path
