#!/usr/bin/env python3
"""clang-tidy over every file of ours but the tests, remembering what passed: tools/tidy.py BUILD_FOLDER (of the preset check)

A file is looked at again when it, a header of ours that it includes, its compiler's options or
its .clang-tidy have changed. What passed is remembered in the user's cache folder, for every clone.
"""
import concurrent.futures, hashlib, json, os, pathlib, re, subprocess, sys

root = pathlib.Path(__file__).resolve().parent.parent
build = (root / sys.argv[1]).resolve()
cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tapal/tidy"
cache.mkdir(parents=True, exist_ok=True)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def ours(file, seen):
    """The file and every header of ours it includes, directly or not."""
    if file in seen or not file.exists():
        return
    seen[file] = file.read_bytes()
    for name in INCLUDE.findall(seen[file].decode()):
        ours(root / "src" / name, seen)
        ours(root / name, seen)


def fingerprint(file):
    seen = {}
    ours(file, seen)
    configs = [root / ".clang-tidy", root / file.relative_to(root).parts[0] / ".clang-tidy"]
    config = b"".join(c.read_bytes() for c in configs if c.exists())
    digest = hashlib.sha256(config + compiled[file].encode())
    for name in sorted(seen):
        digest.update(seen[name])
    return digest.hexdigest()


def look_at(file):
    stamp = cache / fingerprint(file)
    if stamp.exists():
        return ""
    run = subprocess.run(["clang-tidy-19", "--quiet", "-p", build, file], capture_output=True, text=True)
    if run.returncode == 0:
        stamp.touch()
        return ""
    return run.stdout + ("" if run.stdout.strip() else run.stderr)


# The folders of this clone do not change what is found.
compiled = {pathlib.Path(entry["file"]): entry["command"].replace(str(build), "").replace(str(root), "")
            for entry in json.loads((build / "compile_commands.json").read_text())}
files = sorted(f for f in compiled if f.relative_to(root).parts[0] in ("src", "sim", "bench")
               and not f.name.endswith(("_test.cc", "_fuzz.cc", "_bench.cc")))
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    findings = [text for text in pool.map(look_at, files) if text]
print("\n".join(findings) or f"clang-tidy: {len(files)} files pass")
sys.exit(bool(findings))
