"""A tree of kernel attributes in memory, and the Sysfs that opens it.

An attribute's content is made when it is read from offset 0 and kept for reads further on, as kernfs does
(Documentation/filesystems/sysfs.rst). One write is one value, a C string: it ends at a NUL, and what is behind the
first page is not looked at. A write to a read-only attribute is EACCES at open even for root (fs/kernfs/file.c); a
handle to an attribute that has gone answers ENODEV.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gamesad.hardware.sysfs import Sysfs, natural_key

PAGE_SIZE = 4096
_MAX_LINKS = 40

Read = Callable[[], str]
Write = Callable[[str], None]


@dataclass(slots=True, eq=False)
class Attribute:
    """One file. ``read`` and ``write`` raise OSError as the kernel does; a newline is put behind what is read.

    ``fault`` stands before ``read`` when a test or a scenario breaks the sensor; ``delay_s`` is real time.
    """

    read: Read
    write: Write | None = None
    mode: int = 0o444
    fault: Read | None = None
    delay_s: float = 0.0
    alive: bool = True

    def content(self) -> bytes:
        if not self.alive:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return ((self.fault or self.read)() + "\n").encode()

    def store(self, data: bytes) -> None:
        if not self.alive:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        if self.write is None:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        if data:  # sysfs_kf_write: nothing written is nothing done
            self.write(data[:PAGE_SIZE].split(b"\0")[0].decode(errors="replace"))


@dataclass(slots=True, eq=False)
class Link:
    """A symlink; ``target`` is relative, so that a tree can be mounted anywhere."""

    target: str


@dataclass(slots=True, eq=False)
class Folder:
    entries: dict[str, Node] = field(default_factory=dict)


Node = Attribute | Link | Folder


class Tree:
    """Folders, links and attributes by absolute path. Looking up raises OSError as open and stat do."""

    def __init__(self) -> None:
        self._root = Folder()

    def folder(self, path: str) -> Folder:
        """The folder at ``path``, made with its parents where it is not there."""
        here = self._root
        for part in _parts(path):
            entry = here.entries.setdefault(part, Folder())
            if not isinstance(entry, Folder):
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            here = entry
        return here

    def add(self, path: str, node: Attribute | Link) -> None:
        parent, name = os.path.split(path)
        self.folder(parent).entries[name] = node

    def constant(self, path: str, text: object, mode: int = 0o444) -> None:
        content = str(text)
        self.add(path, Attribute(lambda: content, mode=mode))

    def file(self, path: str, read: Read, write: Write | None = None, mode: int | None = None) -> None:
        self.add(path, Attribute(read, write, mode if mode is not None else (0o644 if write else 0o444)))

    def link(self, path: str, target: str) -> None:
        """A symlink at ``path`` to the absolute ``target``, stored relative."""
        self.add(path, Link(os.path.relpath(target, os.path.dirname(path))))

    def remove(self, path: str) -> Node | None:
        """Takes a node and all below it away; handles that are still open answer ENODEV from now on."""
        parent, name = os.path.split(path)
        node = self.folder(parent).entries.pop(name, None)
        for attribute in _attributes(node):
            attribute.alive = False
        return node

    def put_back(self, path: str, node: Node) -> None:
        parent, name = os.path.split(path)
        for attribute in _attributes(node):
            attribute.alive = True
        self.folder(parent).entries[name] = node

    def lookup(self, path: str) -> Attribute | Folder:
        node, _ = self._walk(path)
        return node

    def resolve(self, path: str) -> str:
        return self._walk(path)[1]

    def entry(self, path: str) -> Node:
        """The node itself, a link not followed at the end (lstat)."""
        parent, name = os.path.split(path.rstrip("/"))
        if not name:
            return self._root
        folder, _ = self._walk(parent)
        if not isinstance(folder, Folder) or name not in folder.entries:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return folder.entries[name]

    def attribute(self, path: str) -> Attribute:
        node = self.lookup(path)
        if isinstance(node, Folder):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return node

    def _walk(self, path: str) -> tuple[Attribute | Folder, str]:
        here: Attribute | Folder = self._root
        folders: list[tuple[str, Folder]] = []  # from below the root to where we stand
        todo = _parts(path)[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                if folders:
                    folders.pop()
                here = folders[-1][1] if folders else self._root
                continue
            if isinstance(here, Attribute):
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            entry = here.entries.get(part)
            if entry is None:
                raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            if isinstance(entry, Link):
                links += 1
                if links > _MAX_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                todo += [step for step in entry.target.split("/") if step][::-1]
                continue
            if isinstance(entry, Folder):
                folders.append((part, entry))
                here = entry
                continue
            if todo:
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            return entry, "/" + "/".join([name for name, _ in folders] + [part])
        return here, "/" + "/".join(name for name, _ in folders)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part and part != "."]


def _attributes(node: Node | None) -> Iterator[Attribute]:
    if isinstance(node, Attribute):
        yield node
    elif isinstance(node, Folder):
        for entry in node.entries.values():
            yield from _attributes(entry)


class SimulatedSysfs(Sysfs):
    """Opens a tree in memory as Sysfs opens /sys. ``enter`` is called around every access and brings it up to now."""

    simulated = True

    def __init__(
        self,
        tree: Tree,
        fetch: Callable[[Attribute], bytes],
        store: Callable[[Attribute, bytes], None],
        description: str,
    ) -> None:
        super().__init__("/")
        self.description = description
        self._tree = tree
        self._fetch = fetch
        self._store = store
        self._handles: dict[int, _Handle] = {}
        self._next = 1

    def open(self, path: str) -> int:
        attribute = self._tree.attribute(path)
        handle = self._next
        self._next += 1
        self._handles[handle] = _Handle(attribute)
        return handle

    def pread(self, handle: int, size: int, offset: int = 0) -> bytes:
        opened = self._handles.get(handle)
        if opened is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if offset == 0 or opened.content is None:
            opened.content = self._fetch(opened.attribute)
        return opened.content[offset : offset + size]

    def close(self, handle: int) -> None:
        if self._handles.pop(handle, None) is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def write(self, path: str, text: str) -> None:
        try:
            self._store(self._tree.attribute(path), text.encode())
        except OSError as error:
            if error.filename is None:
                error.filename = path
            raise

    def writable(self, path: str) -> bool:
        try:
            return self._tree.attribute(path).write is not None
        except OSError:
            return False

    def list(self, path: str) -> list[str]:
        try:
            node = self._tree.lookup(path)
        except OSError:
            return []
        return sorted(node.entries, key=natural_key) if isinstance(node, Folder) else []

    def exists(self, path: str) -> bool:
        try:
            self._tree.lookup(path)
        except OSError:
            return False
        return True

    def entry(self, path: str) -> tuple[int, str]:
        node = self._tree.entry(path)
        if isinstance(node, Link):
            return stat.S_IFLNK | 0o777, node.target
        return (stat.S_IFDIR | 0o755, "") if isinstance(node, Folder) else (stat.S_IFREG | node.mode, "")

    def resolve(self, path: str) -> str:
        """As os.path.realpath: what does not exist resolves to itself."""
        try:
            return self._tree.resolve(path)
        except OSError:
            return os.path.normpath(path)


@dataclass(slots=True)
class _Handle:
    attribute: Attribute
    content: bytes | None = None
