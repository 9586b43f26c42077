"""Gives a command a terminal of its own, and passes bytes between that and a socket.

Started as ``python -I -S terminal.py SOCKET LINES COLUMNS COMMAND [ARGUMENT ...]``; ends with the command's status,
128+n after signal n. Standard library only and few imports: somebody sits and waits for this to start.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

CHUNK = 64 * 1024
GONE = b""


def main() -> int:
    """Run the command to its end."""
    socket, lines, columns = map(int, sys.argv[1:4])
    wake = wake_on_children()
    child, terminal = pty.fork()
    if child == 0:
        become(sys.argv[4:], socket, lines, columns)
    signal.signal(signal.SIGTERM, lambda *_: tell(child, signal.SIGTERM))
    os.set_blocking(terminal, False)
    status = converse(child, terminal, socket, wake)
    return 128 - status if status < 0 else status


def wake_on_children() -> int:
    """Return a pipe that gets a byte when a child ends."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def become(command: list[str], socket: int, lines: int, columns: int) -> None:
    """Turn this forked copy into the command; its terminal is its standard input and output already."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(socket)
        if lines and columns:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.execvp(command[0], command)  # noqa: S606 # running what it is told is its duty
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\r\n".encode())
    finally:
        os._exit(127)


def converse(child: int, terminal: int, socket: int, wake: int) -> int:
    """Pass bytes on until the command ends; return its status as waitpid tells it.

    What comes for a command that does not read waits here, while what it writes goes on: else both would wait for ever.
    """
    waiting = b""
    while True:
        inputs = [terminal, wake] if waiting else [terminal, wake, socket]
        ready, writable, _ = select.select(inputs, [terminal] if waiting else [], [])
        if terminal in ready:
            pass_on(terminal, socket)
        if terminal in writable:
            waiting = waiting[write(terminal, waiting) :]
        if socket in ready:
            waiting = read(socket)
            if waiting == GONE:
                os.close(terminal)  # which hangs up
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            while pass_on(terminal, socket):
                pass
            return os.waitstatus_to_exitcode(status)
        if wake in ready:
            os.read(wake, 512)


def pass_on(terminal: int, socket: int) -> bool:
    """Write to the socket what the terminal has; False when it has nothing."""
    output = read(terminal)
    while output:
        sent = write(socket, output)
        if not sent:
            return False
        output = output[sent:]
        if not output:
            return True
    return False


def read(source: int) -> bytes:
    """Return what there is; nothing when there is nothing or the other side has gone."""
    try:
        return os.read(source, CHUNK)
    except OSError:
        return GONE


def write(sink: int, content: bytes) -> int:
    """Write what it takes; return how much that was."""
    try:
        return os.write(sink, content)
    except OSError:
        return 0


def tell(child: int, number: int) -> None:
    """Send a signal to the command and what it started."""
    try:
        os.killpg(child, number)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    sys.exit(main())
