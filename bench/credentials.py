"""A certificate, a signing key and a password, made once for the whole run."""
import atexit
import functools
import pathlib
import shutil
import subprocess
import tempfile

from peers.peer import HOST

PASSWORD = "correct-horse-9"


@functools.cache
def all_of_them():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tapal-bench-keys-", dir="/var/tmp"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", f"/CN={HOST}", "-addext",
            f"subjectAltName=DNS:{HOST}", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem")
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", folder / "dkim.pem")
    (folder / "password").write_text(PASSWORD + "\n")
    return {"certificate": folder / "certificate.pem", "key": folder / "key.pem", "dkim_key": folder / "dkim.pem",
            "password": PASSWORD, "password_file": folder / "password"}
