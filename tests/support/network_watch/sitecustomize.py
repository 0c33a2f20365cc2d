"""Python imports this at its start from PYTHONPATH: it writes down every use of the network.

One line for each process that starts, and one for each event that a socket beyond this machine's own files
would raise (docs.python.org, “Audit events table”). Children inherit it with the environment.
"""

from __future__ import annotations

import os
import sys

LOG = os.environ.get("NETWORK_WATCH_LOG", "")
LOCAL_FAMILIES = {1}  # AF_UNIX: a file of this machine, by which processes speak to their own children
LOOK_UPS = {
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
    "socket.getnameinfo",
    "http.client.connect",
    "urllib.Request",
    "ftplib.connect",
    "smtplib.connect",
    "imaplib.open",
    "poplib.connect",
    "telnetlib.Telnet.open",
}
SOCKETS = {"socket.__new__", "socket.bind", "socket.connect", "socket.sendto", "socket.sendmsg"}


def watch(event: str, arguments: tuple) -> None:
    if event in LOOK_UPS:
        write(f"{event} {arguments[:2]}")
    elif event in SOCKETS and (family := family_of(event, arguments)) not in LOCAL_FAMILIES:
        write(f"{event} family {family} {arguments[1:]}")


def family_of(event: str, arguments: tuple) -> int:
    """socket.__new__ names the family; the others give the socket itself."""
    return int(arguments[1] if event == "socket.__new__" else arguments[0].family)


def write(line: str) -> None:
    descriptor = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{os.getpid()} {line}\n".encode())
    os.close(descriptor)


if LOG:
    write(f"started {sys.orig_argv[1:4]}")
    sys.addaudithook(watch)
