"""Put the root file system of a base image together from this machine's files: an interpreter with its standard library,
the Python packages that are named with all that they need, and a shell with a few tools.

    make-base.py BASE.tar PROGRAM,PROGRAM... PACKAGE...

It stands for `FROM python:3.11` and `pip install` where no registry of such images and no package index is in reach.
"""

import importlib.metadata
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile

PACKAGES = "opt/packages"
WITHOUT = {"__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "site-packages", "dist-packages"}


def distributions(names):
    """The distributions of `names` and of everything that they need here."""
    found, wanted = {}, list(names)
    while wanted:
        name, extras = re.match(r"([\w.-]+)(\[[\w,-]+\])?", wanted.pop()).groups()
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            # Needed on another system, or by an extra that was not asked for.
            found[name] = None
            continue
        for need in found[name].requires or []:
            extra = re.search(r"extra == ['\"]([\w-]+)", need)
            if not extra or extra.group(1) in (extras or ""):
                wanted.append(need)
    return [each for each in found.values() if each]


def libraries(path):
    """The shared libraries that a program or library loads, those of the packages left out."""
    printed = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
    own = sysconfig.get_path("purelib")
    return {match for match in re.findall(r"(/\S+) \(0x", printed) if not match.startswith(own)}


class Image:
    def __init__(self, path):
        self.tar = tarfile.open(path, "w")
        self.names = set()
        self.libraries = set()

    def folder(self, name, mode=0o755):
        if name and name not in self.names:
            self.folder(os.path.dirname(name))
            self.names.add(name)
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            self.tar.addfile(entry)

    def file(self, source, name=None):
        name = (name or source).lstrip("/")
        if name in self.names:
            return
        self.folder(os.path.dirname(name))
        self.names.add(name)
        entry = self.tar.gettarinfo(os.path.realpath(source), name)
        # Two names of one file are two files here.
        entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", os.path.getsize(source)
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        with open(source, "rb") as file:
            self.tar.addfile(entry, file)
        if os.access(source, os.X_OK) or ".so" in os.path.basename(source):
            self.libraries |= libraries(source)

    def text(self, name, text):
        self.folder(os.path.dirname(name))
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        self.tar.addfile(entry, io.BytesIO(text.encode()))

    def link(self, name, target):
        self.folder(os.path.dirname(name))
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self.tar.addfile(entry)

    def tree(self, top):
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if name not in WITHOUT and not name.startswith("config-")]
            for name in files:
                if os.path.exists(path := os.path.join(folder, name)) and not name.endswith(".a"):
                    self.file(path)


def main():
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    output, programs, packages = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
    image = Image(output)
    python = os.path.realpath(sys.executable)
    image.file(python)
    image.tree(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix, "platbase": sys.base_prefix}))
    for name in ["python", "python3"]:
        image.link(f"usr/local/bin/{name}", python)
    for distribution in distributions(packages):
        for path in distribution.files or []:
            source = os.path.join(distribution.locate_file(""), path)
            if ".." not in path.parts and path.suffix not in (".pyc", ".a", ".h", ".hpp", ".cuh") and os.path.isfile(source):
                image.file(source, f"{PACKAGES}/{path}")
    for program in programs:
        image.file(shutil.which(program), f"bin/{program}")
    while left := [path for path in image.libraries if path.lstrip("/") not in image.names]:
        for path in left:
            image.file(path)
    image.text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n")
    image.text("etc/group", "root:x:0:\nnogroup:x:65534:\n")
    image.text("etc/nsswitch.conf", "hosts: files dns\n")
    for name, mode in [("tmp", 0o1777), ("root", 0o700), ("var/tmp", 0o1777), ("proc", 0o755), ("sys", 0o755), ("dev", 0o755)]:
        image.folder(name, mode)
    image.tar.close()


if __name__ == "__main__":
    main()
