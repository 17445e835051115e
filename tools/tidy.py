#!/usr/bin/env python3
"""clang-tidy over every product file, remembering what passed: tools/tidy.py BUILD_FOLDER

A file is looked at again when it, a header of ours that it includes, or .clang-tidy has changed.
"""
import concurrent.futures, hashlib, json, os, pathlib, re, subprocess, sys

root = pathlib.Path(__file__).resolve().parent.parent
build = (root / sys.argv[1]).resolve()
cache = build / "tidy"
cache.mkdir(exist_ok=True)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
config = (root / ".clang-tidy").read_bytes()


def ours(file, seen):
    """The file and every header of ours it includes, directly or not."""
    if file in seen or not file.exists():
        return
    seen[file] = file.read_bytes()
    for name in INCLUDE.findall(seen[file].decode()):
        ours(root / "src" / name, seen)


def fingerprint(file):
    seen = {}
    ours(file, seen)
    digest = hashlib.sha256(config)
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


compiled = {pathlib.Path(entry["file"]) for entry in json.loads((build / "compile_commands.json").read_text())}
files = sorted(f for f in compiled if f.is_relative_to(root / "src")
               and not f.name.endswith(("_test.cc", "_fuzz.cc", "_bench.cc")))
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    findings = [text for text in pool.map(look_at, files) if text]
print("\n".join(findings) or f"clang-tidy: {len(files)} files pass")
sys.exit(bool(findings))
