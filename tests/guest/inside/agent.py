"""Runs in the guest, as root: does what the host asks for over a virtio-serial port, a JSON line each way.

A request is a list of operations, ``[name, argument...]``; the answer a list of what each gave. Nothing of the guest's
own is in the way of a read or a write: they are one read(2) and one write(2) of this process, errno and all.
"""

import base64
import errno
import json
import os
import signal
import subprocess
import time

PORT = "/dev/virtio-ports/agent"


def read(path):
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            chunks = []
            while chunk := os.read(descriptor, 65536):
                chunks.append(chunk)
        finally:
            os.close(descriptor)
    except OSError as error:
        return {"errno": errno.errorcode[error.errno]}
    return {"text": b"".join(chunks).decode(errors="replace")}


def write(path, text):
    try:
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        return errno.errorcode[error.errno]
    return ""


def run(command, timeout_s, user):
    line = ["/bin/sh", "-c", command]
    if user:
        line = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *line]
    process = subprocess.Popen(
        line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=timeout_s)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        code, err = 124, err + f"\nnot done after {timeout_s} s".encode()
    return {"code": code, "out": out.decode(errors="replace"), "err": err.decode(errors="replace")}


def push(path, content, mode):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(base64.b64decode(content))
    os.chmod(path, mode)


def list_(path):
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def clock(now_s):
    """The host's time: a machine that was loaded from a snapshot is late by the snapshot's age."""
    time.clock_settime(time.CLOCK_REALTIME, now_s)


OPERATIONS = {"read": read, "write": write, "run": run, "push": push, "list": list_, "clock": clock}


def main():
    while not os.path.exists(PORT):
        time.sleep(0.05)
    with open(PORT, "r+b", buffering=0) as port:
        pending = b""
        while True:
            chunk = os.read(port.fileno(), 1 << 20)
            if not chunk:  # the host has hung up
                time.sleep(0.05)
                continue
            *requests, pending = (pending + chunk).split(b"\n")
            for request in requests:
                if not request:
                    continue
                number, operations = json.loads(request)
                answers = [OPERATIONS[name](*arguments) for name, *arguments in operations]
                answer = memoryview(json.dumps([number, answers]).encode() + b"\n")
                while answer:
                    answer = answer[os.write(port.fileno(), answer) :]


main()
