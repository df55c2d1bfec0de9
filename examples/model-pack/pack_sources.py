"""Zips a source folder as the storage wants it: the files themselves, no folder around them.

    pack_sources.py FOLDER OUT.zip
"""

import pathlib
import sys
import zipfile

folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
out.parent.mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and "__pycache__" not in file.parts]
    for file in files:
        archive.write(file, file.relative_to(folder))
print(f"{out.name}: {len(files)} files")
