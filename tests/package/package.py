#!/usr/bin/python3
"""The Debian packages of build/packages in a Debian of their own: installed over an older version, used, checked,
removed, purged. Needs root and the mirror that apt here uses; nothing outside build/package-root is touched.

The Debian without tapal is made once (build/package-root/clean); delete it to have it made anew.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build/packages"
CLEAN = ROOT / "build/package-root/clean"
HERE = ROOT / "build/package-root/tried"
EXPOSURE_MAX = 2.0  # of 10, as `systemd-analyze security` counts
PATIENCE = 60


def run(*words, **options):
    options.setdefault("timeout", 900)
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, errors="replace", **options)


def must(done):
    if done.returncode:
        raise AssertionError(f"{done.args}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def inside(*words, user=None, **options):
    become = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if user else []
    options["env"] = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
                      "HOME": "/root", **options.get("env", {})}
    return run("chroot", HERE, *become, *words, **options)


def wait_for(ask, what):
    end = time.monotonic() + PATIENCE
    while not (answer := ask()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.1)
    return answer


def make_clean():
    if (CLEAN / ".complete").exists():
        return
    print("package: making a Debian (once)", flush=True)
    shutil.rmtree(CLEAN, ignore_errors=True)
    CLEAN.mkdir(parents=True)
    must(run("debootstrap", "--variant=minbase", "--include=systemd,ca-certificates,man-db,bash-completion", "bookworm", CLEAN))
    (CLEAN / "etc/dpkg/dpkg.cfg.d/docker").unlink(missing_ok=True)
    (CLEAN / ".complete").touch()


@contextlib.contextmanager
def debian():
    """A copy that is thrown away, with /proc and no service that starts."""
    make_clean()
    shutil.rmtree(HERE, ignore_errors=True)
    must(run("cp", "-a", "--reflink=auto", CLEAN, HERE))
    (HERE / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (HERE / "usr/sbin/policy-rc.d").chmod(0o755)
    shutil.copy("/etc/resolv.conf", HERE / "etc/resolv.conf")
    must(run("mount", "-t", "proc", "proc", HERE / "proc"))
    must(run("mount", "--bind", "/dev", HERE / "dev"))
    try:
        yield
    finally:
        for each in ("dev", "proc"):
            must(run("umount", HERE / each))
        shutil.rmtree(HERE)


def package(name):
    found = list(PACKAGES.glob(f"{name}_*.deb"))
    assert len(found) == 1, f"{found}: one {name} in build/packages is wanted; ./dev package"
    return found[0]


def older(deb, version):
    """The same package under an older version."""
    folder = HERE / "older"
    must(run("dpkg-deb", "-R", deb, folder))
    control = folder / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*", f"Version: {version}", control.read_text()))
    must(run("dpkg-deb", "-b", "--root-owner-group", folder, HERE / f"{deb.stem}-older.deb"))
    shutil.rmtree(folder)
    return f"/{deb.stem}-older.deb"


@contextlib.contextmanager
def serving():
    """As the unit's ExecStart, as the unit's user."""
    log = open(HERE / "serve.log", "w")
    server = subprocess.Popen(["chroot", HERE, "setpriv", "--reuid", "tapal", "--regid", "tapal", "--clear-groups",
                               "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service",
                               "/usr/bin/tapal", "serve"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait_for(lambda: inside("tapal", "status").returncode == 0 or server.poll() is not None, "the server answers")
        if server.poll() is not None:
            raise AssertionError((HERE / "serve.log").read_text())
        yield
    finally:
        server.terminate()
        assert server.wait(PATIENCE) == 0, (HERE / "serve.log").read_text()
        log.close()


def facts(path):
    s = (HERE / path).stat()
    names = must(inside("stat", "-c", "%U:%G", f"/{path}")).strip()
    return f"{s.st_mode & 0o7777:o} {names}"


# ---- what is tried, in this order

def installs_an_older_version():
    shutil.copy(package("tapal"), HERE / "tapal.deb")
    shutil.copy(package("tapal-mta"), HERE / "tapal-mta.deb")
    must(inside("apt-get", "update", "-qq"))
    old = older(package("tapal"), "0.0.1")
    said = must(inside("apt-get", "install", "-y", "-qq", "--no-install-recommends", old))
    assert "tapal up" in said, said
    wanted = {"etc/tapal": "750 tapal:tapal", "var/lib/tapal": "700 tapal:tapal", "var/spool/tapal": "1733 tapal:tapal"}
    is_so = {path: facts(path) for path in wanted}
    assert is_so == wanted, is_so


def shows_its_demo():
    assert "All of it holds." in must(inside("tapal", "demo", user="nobody"))


def root_sets_it_up_and_the_server_may_read_it():
    must(inside("tapal", "init", "a.example", "--hostname", "mail.a.example"))
    must(inside("tapal", "alias", "add", "info@a.example", "postmaster"))
    strangers = must(inside("find", "/etc/tapal", "!", "-user", "tapal"))
    assert strangers == "", strangers
    settings = HERE / "etc/tapal/tapal.toml"
    settings.write_text(settings.read_text().replace("[listen]", '[listen]\nsmtp = ["127.0.0.1:2525"]\n'
                                                     'submission = []\nsubmissions = []'))
    assert facts("etc/tapal/tapal.toml") == "600 tapal:tapal", facts("etc/tapal/tapal.toml")


def is_upgraded_and_keeps_everything():
    before = (HERE / "etc/tapal/tapal.toml").read_bytes()
    must(inside("apt-get", "install", "-y", "-qq", "--no-install-recommends", "/tapal.deb"))
    assert (HERE / "etc/tapal/tapal.toml").read_bytes() == before
    version = must(inside("dpkg-query", "-W", "-f", "${Version}", "tapal"))
    assert version != "0.0.1", version


def leaves_another_mail_server_where_it_is():
    planned = must(inside("apt-get", "install", "-s", "postfix"))
    assert "Remv tapal" not in planned, planned


def is_the_machines_sendmail():
    must(inside("apt-get", "install", "-y", "-qq", "--no-install-recommends", "/tapal-mta.deb"))
    planned = must(inside("apt-get", "install", "-s", "postfix"))
    assert "Remv tapal-mta" in planned and "Remv tapal " not in planned, planned
    (HERE / "cron.mail").write_text("From: root (Cron Daemon)\nTo: root\nSubject: Cron\n\nwhile it was down\n")
    with open(HERE / "cron.mail") as text:
        must(inside("/usr/sbin/sendmail", "-i", "-FCronDaemon", "root", user="nobody", stdin=text))
    assert inside("ls", "/var/spool/tapal", user="nobody").returncode
    with serving():
        status = json.loads(must(inside("tapal", "status", "--json")))
        assert status["service"]["listening"]["smtp"] == ["127.0.0.1:2525"], status
        wait_for(lambda: any(b"while it was down" in f.read_bytes() for f in
                             (HERE / "var/lib/tapal/mail").rglob("new/*")), "the mail is in the mailbox")
        assert "0 messages in the queue" in must(inside("mailq"))


def has_its_pages_and_completions():
    for page in ("tapal", "tapal-queue", "tapal-up", "tapal.toml", "tapal-aliases", "sendmail", "mailq", "newaliases"):
        assert "tapal" in must(inside("man", "-P", "cat", page)), page
    shown = must(inside("bash", "-c", ". /usr/share/bash-completion/completions/tapal; complete -p tapal"))
    assert "_tapal" in shown, shown


def has_units_that_systemd_likes():
    units = [f"/lib/systemd/system/tapal.{kind}" for kind in ("service", "socket")]
    told = inside("systemd-analyze", "verify", *units)
    assert told.returncode == 0 and "tapal" not in told.stderr, told.stderr
    told = must(inside("systemd-analyze", "security", "--offline=true", units[0]))
    exposure = float(re.search(r"exposure level for tapal.service: ([\d.]+)", told)[1])
    print(f"      exposure {exposure} of 10")
    assert exposure <= EXPOSURE_MAX, told
    assert not list((HERE / "etc/systemd/system").rglob("tapal*")), "nothing is on before it is set up"


def is_removed_and_keeps_mail_and_settings():
    must(inside("apt-get", "remove", "-y", "-qq", "tapal", "tapal-mta"))
    for gone in ("usr/bin/tapal", "usr/sbin/sendmail", "lib/systemd/system/tapal.service"):
        assert not os.path.lexists(HERE / gone), gone
    assert (HERE / "etc/tapal/tapal.toml").exists() and (HERE / "var/lib/tapal/mail").exists()


def is_purged_and_leaves_mail_alone():
    said = inside("apt-get", "purge", "-y", "-qq", "tapal", "tapal-mta")
    must(said)
    assert not (HERE / "etc/tapal").exists() and not (HERE / "var/spool/tapal").exists()
    assert (HERE / "var/lib/tapal/mail").exists() and "/var/lib/tapal stays" in said.stderr + said.stdout, said
    left = must(inside("find", "/usr", "/etc", "/lib", "-xdev", "-iname", "*tapal*"))
    assert left == "", left


STEPS = (installs_an_older_version, shows_its_demo, root_sets_it_up_and_the_server_may_read_it,
         is_upgraded_and_keeps_everything, leaves_another_mail_server_where_it_is, is_the_machines_sendmail,
         has_its_pages_and_completions, has_units_that_systemd_likes, is_removed_and_keeps_mail_and_settings,
         is_purged_and_leaves_mail_alone)


def main():
    if os.geteuid() != 0:
        print("package: needs root (chroot, mount)", file=sys.stderr)
        return 1
    passed = 0
    with debian():
        for step in STEPS:
            try:
                step()
            except AssertionError as wrong:
                print(f"FAIL  {step.__name__.replace('_', ' ')}\n{wrong}")
                break
            passed += 1
            print(f"ok    {step.__name__.replace('_', ' ')}", flush=True)
    print(f"{passed} passed, {len(STEPS) - passed} failed, 0 skipped")
    return 0 if passed == len(STEPS) else 1


if __name__ == "__main__":
    sys.exit(main())
