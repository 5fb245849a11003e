"""Run inside the container, by itself: tries what a service may be kept from, and prints each outcome as JSON."""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import socket
import stat
import tempfile

C = ctypes.CDLL(None, use_errno=True)
_NEW_USER, _REAL_TIME, _ATTACH, _DETACH, _SYSLOG_SIZE, _NO_RANDOM_ADDRESSES = 0x10000000, 1, 16, 17, 10, 0x0040000
_FINIT_MODULE, _ADJ_TICK = 313, 0x4000


def checked(result: int) -> int:
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result


def write(path: str) -> None:
    """Writes a new file and removes it."""
    with open(path, "w") as file:
        file.write("1")
    os.unlink(path)


def rewrite(path: str) -> None:
    """Writes what stands there once more."""
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text)


def in_child(act: object) -> None:
    """Does it in a child, which cannot change this process."""
    child = os.fork()
    if child == 0:
        try:
            act()  # type: ignore[operator]
        except OSError as error:
            os._exit(error.errno or errno.EIO)
        os._exit(0)
    if number := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise OSError(number, "")


def trace(pid: int) -> None:
    checked(C.ptrace(_ATTACH, pid, None, None))
    os.waitpid(pid, 0x40000000)
    C.ptrace(_DETACH, pid, None, None)


def set_user_id() -> None:
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        os.chmod(file.name, stat.S_ISUID | 0o755)


def impossible_tick() -> ctypes.Array[ctypes.c_char]:
    """A struct timex that asks for a tick of no length: who may set the clock hears EINVAL, and nothing is set."""
    return ctypes.create_string_buffer(_ADJ_TICK.to_bytes(4, "little"), 512)


def node() -> None:
    os.mknod("/tmp/node", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    os.unlink("/tmp/node")


def mount() -> None:
    os.makedirs("/tmp/mount", exist_ok=True)
    checked(C.mount(b"none", b"/tmp/mount", b"tmpfs", 0, None))
    C.umount(b"/tmp/mount")


def listen() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()


def real_time() -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


TRIES = {
    "write /etc": lambda: write("/etc/try"),
    "write /usr": lambda: write("/usr/try"),
    "write /var/lib": lambda: write("/var/lib/try"),
    "list /home": lambda: os.listdir("/home"),
    "list /root": lambda: os.listdir("/root"),
    "set a kernel parameter in /sys": lambda: os.close(os.open("/sys/kernel/rcu_expedited", os.O_WRONLY)),
    "write /proc/sys": lambda: rewrite("/proc/sys/kernel/domainname"),
    "listen on the network": listen,
    "sniff packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close(),
    "make a device node": node,
    "mount": mount,
    "load a module": lambda: checked(C.syscall(_FINIT_MODULE, -1, b"", 0)),
    "trace PID 1": lambda: trace(1),
    "set the clock": lambda: checked(C.adjtimex(impossible_tick())),
    "set the host's name": lambda: checked(C.sethostname(name := socket.gethostname().encode(), len(name))),
    "enter a user namespace": lambda: in_child(lambda: checked(C.unshare(_NEW_USER))),
    "become real-time": lambda: in_child(real_time),
    "make a set-user-ID file": set_user_id,
    "change the personality": lambda: in_child(lambda: checked(C.personality(_NO_RANDOM_ADDRESSES))),
    "map memory to write and execute": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC).close(),
    "read the kernel's log": lambda: checked(C.klogctl(_SYSLOG_SIZE, None, 0)),
    "be another user": lambda: in_child(lambda: os.setuid(1000)),
    "write a control": lambda: rewrite("/sys/devices/system/cpu/cpufreq/policy0/scaling_governor"),
    "write its own state": lambda: write("/var/lib/gamesad/try"),
    "write its own runtime folder": lambda: write("/run/gamesad/try"),
    "write shared memory": lambda: write("/dev/shm/try"),
    "speak over a unix socket": lambda: socket.socket(socket.AF_UNIX).connect("/run/dbus/system_bus_socket"),
}


def outcome(act: object) -> str:
    try:
        act()  # type: ignore[operator]
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return ""


if __name__ == "__main__":
    print(json.dumps({name: outcome(act) for name, act in TRIES.items()}))
