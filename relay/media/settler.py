"""A program: gives files of a bundle their own, each without a name until it is on the disk.

    python settler.py BUNDLE FOLDER

It is a process of its own because the thread that does the same asks for Python's lock at every
step, and each time the loop has to wait for it. It imports nothing of the relay's: so it is there
in some 10 ms. Orders come in, each ended by a NUL: where the file stands in the bundle, its bytes,
its age as mtime in ns, its permissions, and its name, separated by slashes. Out go the numbers of
those that it left alone, for there is such a file already; the rest of the work with them is whose
order it was.
"""

import os
import sys

AT_ONCE = 64  # files that are on their way to the disk while one of them is waited for


class Order:
    """One file: to be made in the folder of its first character."""

    def __init__(self, text: bytes) -> None:
        at, size, since, permissions, self.name = text.split(b"/", 4)
        self.at, self.size, self.since_ns = int(at), int(size), int(since)
        self.permissions = int(permissions)


def make(bundle: int, order: Order, folder: int) -> int:
    """A file without a name; it goes if it is closed so.

    Raises:
        OSError: the disk refused, or makes none of that kind.
    """
    content = os.pread(bundle, order.size, order.at)
    if len(content) != order.size:
        raise OSError(f"the bundle ends within {os.fsdecode(order.name)!r}")
    fd = os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o600, dir_fd=folder)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fchmod(fd, order.permissions)
    os.utime(fd, ns=(order.since_ns, order.since_ns))
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)  # the disk begins
    return fd


def show(fd: int, order: Order, folder: int) -> bool:
    """Give it its name, once it is on the disk; False if there is one by that name."""
    os.fdatasync(fd)
    try:
        os.link(f"/proc/self/fd/{fd}", order.name, dst_dir_fd=folder, follow_symlinks=True)
    except FileExistsError:
        return False
    finally:
        os.close(fd)
    return True


def main(bundle: str, files: str) -> None:
    """Do what stands on standard input."""
    orders = [Order(text) for text in sys.stdin.buffer.read().split(b"\0")[:-1]]
    source = os.open(bundle, os.O_RDONLY)
    folders = dict[bytes, int]()
    for first in {order.name[:1] for order in orders}:
        folders[first] = os.open(b"%b/%b" % (os.fsencode(files), first), os.O_RDONLY)
    left = list[int]()
    for start in range(0, len(orders), AT_ONCE):
        some = [(order, folders[order.name[:1]]) for order in orders[start : start + AT_ONCE]]
        made = [make(source, order, folder) for order, folder in some]
        for number, (fd, (order, folder)) in enumerate(zip(made, some, strict=True), start):
            if not show(fd, order, folder):
                left.append(number)
    for folder in folders.values():
        os.fsync(folder)
    sys.stdout.write(" ".join(map(str, left)))


if __name__ == "__main__":
    main(*sys.argv[1:])
