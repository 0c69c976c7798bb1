"""Fetches the official Signature V4 vectors, which botocore's source package carries, into a folder.

Usage: fetch_vectors.py FOLDER. Does nothing when the folder is there. The folder appears whole or
not at all, so that tests that run at the same time do not see half of it.
"""

import glob
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

VERSION = "1.43.11"
SUITE = f"botocore-{VERSION}/tests/unit/auth/aws4_testsuite/"


def main(folder):
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as work:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-binary", ":all:", "--no-deps", "--dest", work, f"botocore=={VERSION}"],
            check=True, timeout=240)
        (archive,) = glob.glob(os.path.join(work, "botocore-*.tar.gz"))
        with tarfile.open(archive) as source:
            for member in source.getmembers():
                if member.isfile() and member.name.startswith(SUITE):
                    source.extract(member, work)
        try:
            os.rename(os.path.join(work, SUITE), folder)
        except OSError:
            if not os.path.isdir(folder):
                raise
    shutil.rmtree(os.path.join(parent, f"botocore-{VERSION}"), ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
