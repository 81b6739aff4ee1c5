"""Runs a command where the name server hears and never answers, in a network of its own:

    unshare -r -n -m python3 deaf.py COMMAND [ARGUMENT...]

Ends as the command does, or with 77 where that network cannot be had.
"""
import fcntl
import socket
import struct
import subprocess
import sys
import tempfile

SIOCSIFFLAGS, IFF_UP_RUNNING = 0x8914, 0x41

try:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(server, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP_RUNNING))
    server.bind(("127.0.0.1", 53))
    names = tempfile.NamedTemporaryFile("w")
    names.write("nameserver 127.0.0.1\n")
    names.flush()
    subprocess.run(["mount", "--bind", names.name, "/etc/resolv.conf"], check=True)
except (OSError, subprocess.CalledProcessError):
    sys.exit(77)
code = subprocess.run(sys.argv[1:]).returncode
sys.exit(code if code >= 0 else 128 - code)
