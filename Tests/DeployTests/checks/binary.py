"""Runs the Lambda function in a root file system that holds nothing but its C libraries.

usage: binary.py PROGRAM

Copies the program, the libraries that it is linked with and the loader into a folder, makes that
the root of a process, and hands out one event from a runtime of its own on the loopback interface:
what CloudWatch Logs sends when a subscription is made, which has to be answered. Only /proc is
mounted, as in Lambda: the Swift runtime's queues look at their threads there. Needs root.
"""

import base64
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "Benchmarks"))
from function.runtime import Runtime  # noqa: E402 (found by the line above)

# In a mount namespace of its own, so that the mount goes with the process.
ENTER = 'mount --rbind /proc "$1/proc" && exec chroot "$1" /bootstrap'


def control_event():
    message = {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [{"id": "", "timestamp": 1700000000000, "message": "CWL CONTROL MESSAGE"}],
    }
    data = base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()
    return json.dumps({"awslogs": {"data": data}}).encode()


def libraries(program):
    """The files that ldd(1) names, each by the path where the loader looks for it."""
    listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return [word for line in listed.split("\n") for word in line.split() if word.startswith("/")]


def main():
    program = sys.argv[1]
    subprocess.run([REPOSITORY / "scripts/check-program.sh", program], check=True)
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(f"{root}/proc")
        for path in libraries(program):
            os.makedirs(root + os.path.dirname(path), exist_ok=True)
            shutil.copy(path, root + path)
        shutil.copy(program, f"{root}/bootstrap")
        runtime = Runtime(["unshare", "--mount", "sh", "-c", ENTER, "sh", root], {})
        try:
            runtime.invoke(control_event())
        finally:
            runtime.end()
        files = [path for path in pathlib.Path(root).rglob("*") if path.is_file()]
        print(f"answered, with {len(files) - 1} files beside it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
