"""A Debian that runs: a folder whose systemd is process 1, in namespaces of its own (files, processes, network, host
name, control groups). Nothing of the machine around it is reached but the mirror, by apt. Needs root and cgroup2.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

PATIENCE = 120
POWER_OFF = signal.SIGRTMIN + 4  # as systemd(1) takes it
NAMESPACES = ("mount", "pid", "uts", "ipc", "cgroup", "net")

# A copy of folder $1 in memory, with the name $2 and apt's fetched packages in $3. /proc/sys is read-only, as in every
# container: much of it is the kernel's as a whole.
BOOT = r"""
set -eu
mount -t tmpfs tmpfs /mnt
cp -a "$1/." /mnt
cp /etc/resolv.conf /mnt/etc/resolv.conf
cd /mnt
hostname "$2"
printf '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n' "$2" >etc/hosts
mount --bind "$3" var/cache/apt/archives
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do : >dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/shm dev/pts
chmod 1777 dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mkdir outside
pivot_root . outside
exec env -i container=tapal /bin/sh -c 'umount -l /outside && exec /lib/systemd/systemd --log-target=journal'
"""


def run(*words, **options):
    options.setdefault("timeout", 900)
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, errors="replace", **options)


def must(done):
    if done.returncode:
        raise AssertionError(f"{done.args}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wait_for(ask, what):
    end = time.monotonic() + PATIENCE
    while not (answer := ask()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.1)
    return answer


def control_groups():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return pathlib.Path(line.split()[4])
    raise AssertionError("no cgroup2 is mounted here, and systemd needs it")


def make_debian(suite, folder):
    """The smallest one with systemd, made once: delete the folder to have it made anew."""
    if (folder / ".complete").exists():
        return
    print(f"package: making a Debian {suite} (once)", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    must(run("debootstrap", "--variant=minbase", "--include=systemd,ca-certificates,man-db,bash-completion", suite, folder))
    (folder / "etc/dpkg/dpkg.cfg.d/quick").write_text("force-unsafe-io\n")  # what runs is a copy that is thrown away
    (folder / ".complete").touch()


class Machine:
    """A copy of the folder `clean`, running from start() to stop(), which leaves nothing of it. Packages that apt fetches
    are kept in `archives`."""

    def __init__(self, clean, archives):
        self.clean, self.archives, self.outer, self.init = clean, archives, None, None
        self.group = control_groups() / f"tapal-package-{os.getpid()}"

    def start(self):
        self.archives.mkdir(parents=True, exist_ok=True)
        self.group.mkdir()
        self.outer = subprocess.Popen(
            ["unshare", "--fork", "--kill-child", *(f"--{each}" for each in NAMESPACES),
             "/bin/sh", "-c", BOOT, "boot", self.clean, "mail.a.example", self.archives],
            stdin=subprocess.DEVNULL, preexec_fn=lambda: (self.group / "cgroup.procs").write_text(str(os.getpid())))
        children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")
        self.init = int(wait_for(lambda: children.read_text().strip(), "process 1 is there"))
        wait_for(lambda: pathlib.Path(f"/proc/{self.init}/comm").read_text() == "systemd\n", "systemd runs")
        wait_for(lambda: self("systemctl", "is-system-running", "--wait").stdout in ("running\n", "degraded\n"), "it is up")

    @property
    def root(self):
        """Its files, seen from here."""
        return pathlib.Path(f"/proc/{self.init}/root")

    def stop(self):
        if self.init is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.init, POWER_OFF)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.outer.wait(PATIENCE)
        if self.outer is not None:
            self.outer.kill()
            self.outer.wait()
        for folder, _, _ in os.walk(self.group, topdown=False):
            os.rmdir(folder)

    def __call__(self, *words, user=None, namespaces=NAMESPACES, **options):
        """Runs a command in it, as root or as another user."""
        become = ["runuser", "-u", user, "--"] if user else []
        options["env"] = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root",
                          "DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_PAGER": ""}
        return run("nsenter", "-t", self.init, *(f"--{each}" for each in namespaces), *become, *words, **options)

    def apt(self, *words):
        """Over the network around it, which the mirror is in; what dpkg starts is inside."""
        done = self("apt-get", "-qq", "-y", "--no-install-recommends", *words, namespaces=NAMESPACES[:-1])
        return must(done) + done.stderr
