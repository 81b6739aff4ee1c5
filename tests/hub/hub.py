"""A server in the manner of Hugging Face on the loopback, honest or hostile as the first part of the
path says: /cut/OWNER/NAME/resolve/main/FILE breaks each answer off. Its certificates lie in FOLDER,
into which it writes `ports` (name=number a line) once it listens, and `log`: a line a request.

    python3 hub.py FOLDER MODEL
"""
import hashlib
import os
import random
import re
import socket
import ssl
import sys
import threading
import time
import warnings

FOLDER, MODEL = sys.argv[1:3]
RANDOM = random.Random(7)
BODY = RANDOM.randbytes(100_000)
SMALL = {"tokenizer.json": 5000, "config.json": 300}
TYPES = "application/octet-stream"
sys.setswitchinterval(1e-4)  # many threads that each do a little
ports, seen, lock = {}, {}, threading.Lock()
log = open(f"{FOLDER}/log", "a", buffering=1)


class Request:
    def __init__(self, port, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ")
        self.headers = dict(l.lower().split(": ", 1) for l in lines[1:] if ": " in l)
        self.kind = self.path.split("/")[1].split("?")[0] if "/" in self.path else ""
        name = self.path.split("?")[0].split("/")[-1]
        self.body = open(MODEL, "rb").read() if self.kind == "demo" else BODY[:SMALL.get(name)]
        self.digest = hashlib.sha256(self.body).hexdigest()
        self.range = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        self.start = int(self.range[1]) if self.range else 0
        with lock:
            self.nth = seen[self.kind] = seen.get(self.kind, 0) + (self.method == "GET")
        log.write(f"{port} {lines[0]} | {' | '.join(lines[1:])}\n")


def head(r, status, *lines, length=None, linked=True):
    """The lines of an honest head; those given come in place of those of the same name."""
    total = len(r.body)
    out = {"Server": "hub", "Content-Type": TYPES, "ETag": '"one"', "Connection": "close",
           "Content-Length": total - r.start if length is None else length}
    if linked:
        out |= {"X-Linked-ETag": f'"{r.digest}"', "X-Linked-Size": total, "X-Repo-Commit": "c0ffee"}
    if status == 206:
        out["Content-Range"] = f"bytes {r.start}-{total - 1}/{total}"
    text = "".join(f"{k}: {v}\r\n" for k, v in out.items()
                   if not any(l.lower().startswith(k.lower() + ":") for l in lines))
    return f"HTTP/1.1 {status} Said\r\n{text}{''.join(l + chr(13) + chr(10) for l in lines if l[-1] != ':')}\r\n"


def answer(s, r, *lines, body=None, **kw):
    """What an honest server answers, but for these lines and this body."""
    s.sendall(head(r, 206 if r.range else 200, *lines, **kw).encode("latin-1"))
    if r.method == "GET":
        s.sendall(r.body[r.start:] if body is None else body)


def whole(s, r, *lines, body=None, **kw):
    """The same by one that knows of no ranges."""
    r.range, r.start = None, 0
    answer(s, r, *lines, body=body, **kw)


def redirect(s, r, where, status=302, extra=(), **kw):
    s.sendall(head(r, status, f"Location: {where}", *extra, length=0, **kw).encode())


def some(r, n):
    return r.body[r.start:r.start + n]


def elsewhere(r, port="cdn", kind="bare"):
    return f"https://127.0.0.1:{ports[port]}/{kind}/{r.digest}?signature=s3cret"


def hang(s):
    """Says nothing, until the other side has had enough."""
    s.settimeout(10)
    try:
        s.recv(1)
    except OSError:
        pass


def cut(s, r):
    answer(s, r, body=some(r, RANDOM.randrange(1024, 4000)))


def stall(s, r):
    answer(s, r, body=some(r, 20_000) if r.nth == 1 else None)
    if r.method == "GET" and r.nth == 1:
        hang(s)


def slow(s, r):
    """In pieces, so that there is time to end the reader."""
    answer(s, r, body=b"")
    for at in range(r.start, len(r.body) if r.method == "GET" else 0, 5000):
        s.sendall(r.body[at:at + 5000])
        time.sleep(0.005)


def drip(s, r):
    answer(s, r, body=b"")
    for i in range(50 if r.method == "GET" else 0):
        s.sendall(r.body[i:i + 1])
        time.sleep(0.1)


def waits(s, r):
    """Goes on behind the middle once there is a file `go` in FOLDER."""
    answer(s, r, body=some(r, 50_000))
    while r.method == "GET" and not os.path.exists(f"{FOLDER}/go"):
        time.sleep(0.005)
    if r.method == "GET":
        s.sendall(r.body[r.start + 50_000:])


def only_newest(s, r, status):
    """Has no other commit, and says so in this way."""
    if "/resolve/main/" in r.path:
        answer(s, r)
    else:
        s.sendall(head(r, status, length=0).encode())


def first_half(then):
    """Breaks off in the middle, and answers the request for the rest as it likes."""
    def kind(s, r):
        if r.method == "HEAD" or r.nth == 1:
            answer(s, r, body=r.body[:50_000])
        else:
            then(s, r)
    return kind


def hop(s, r):
    n = int(r.path.split("/")[2]) if r.path.split("/")[2].isdigit() else 0
    redirect(s, r, f"https://localhost:{ports['hub']}/hop/{n + 1}/x")


def no_end(s, r):
    s.sendall(b"HTTP/1.1 200 Said\r\nX-Long: ")
    for _ in range(4096):
        s.sendall(b"a" * 65536)


def many(s, r):
    s.sendall(b"HTTP/1.1 200 Said\r\n" + b"X-Many: a\r\n" * 1_000_000)


def announce(s, r):
    s.sendall(b"HTTP/1.1 103 Early\r\n\r\n" * 1_000_000)


def chunks(s, r, body):
    """Does not say before how much it is."""
    if r.method == "HEAD":
        answer(s, r)
    else:
        answer(s, r, "Content-Length:", "Transfer-Encoding: chunked",
               body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))


def lingers(s, r):
    """Leaves the connection as it is when all is said."""
    answer(s, r)
    hang(s)


def bomb(s, r):
    import gzip
    answer(s, r, "Content-Encoding: gzip", body=gzip.compress(bytes(10_000_000)), length=9_000)


def hub(s, r):
    """As Hugging Face does it: the digest is said, the bytes are elsewhere."""
    redirect(s, r, elsewhere(r))


def as_today(s, r):
    """As Hugging Face does it since 2025: the small files, of which it knows no sha256, by a detour."""
    if r.path.split("?")[0].split("/")[-1] not in SMALL:
        hub(s, r)
    elif "/api/" in r.path:
        answer(s, r, linked=False)
    else:
        redirect(s, r, f"/today/api/resolve-cache{r.path}?etag=a", 307, linked=False,
                 extra=(f'X-Linked-ETag: "{"0c" * 20}"', f"X-Linked-Size: {len(r.body)}"))


def only_weights(s, r):
    s.sendall(head(r, 404, length=0).encode()) if r.path.endswith(".json") else answer(s, r)


def flipped(s, r):
    answer(s, r, body=r.body[:-1] + bytes([r.body[-1] ^ 1]) if r.nth == 1 else None)


KINDS = {
    "good": answer, "demo": answer, "hub": hub, "cut": cut, "stall": stall, "slow": slow, "drip": drip, "waits": waits,
    "bare": lambda s, r: answer(s, r, linked=False),
    "moved": lambda s, r: only_newest(s, r, 404),
    "closed": lambda s, r: only_newest(s, r, 403),
    "flipped": flipped, "today": as_today, "only-weights": only_weights,
    "silent": lambda s, r: hang(s),
    # Wrong answers to a request for the rest.
    "no-range": first_half(whole),
    "shifted": first_half(lambda s, r: answer(s, r, f"Content-Range: bytes {r.start + 1}-99999/100000")
                          if r.range else whole(s, r)),
    "other-total": first_half(lambda s, r: answer(s, r, f"Content-Range: bytes {r.start}-99998/99999")
                              if r.range else whole(s, r)),
    "no-total": first_half(lambda s, r: answer(s, r, f"Content-Range: bytes {r.start}-99999/*")
                           if r.range else whole(s, r)),
    "cut-range": first_half(lambda s, r: answer(s, r, f"Content-Range: bytes {r.start}-{r.start + 9}/100000",
                                                body=some(r, 10), length=10) if r.range else whole(s, r)),
    "416": first_half(lambda s, r: s.sendall(head(r, 416, length=0).encode())
                      if r.range else whole(s, r)),
    "changed": first_half(lambda s, r: whole(s, r, 'ETag: "two"')),
    "always-206": lambda s, r: s.sendall(head(r, 206).encode() + r.body[r.start:])
    if r.method == "GET" else answer(s, r),
    # Lengths.
    "short": lambda s, r: answer(s, r, length=99_999),
    "long": lambda s, r: answer(s, r, length=100_001),
    "negative": lambda s, r: answer(s, r, length=-1),
    "2-63": lambda s, r: answer(s, r, length=2 ** 63),
    "twice": lambda s, r: answer(s, r, "Content-Length: 100000", "content-length: 99999"),
    "twice-same": lambda s, r: answer(s, r, "Content-Length: 100000", "content-length: 100000"),
    "chunks": lambda s, r: answer(s, r, "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
    "only-chunks": lambda s, r: chunks(s, r, r.body[r.start:]),
    "few-chunks": lambda s, r: chunks(s, r, some(r, 2000)),
    "more-chunks": lambda s, r: chunks(s, r, r.body[r.start:] + b"more"),
    "wrong-chunks": lambda s, r: chunks(s, r, b"more" + r.body[r.start:]),
    "until-closed": lambda s, r: answer(s, r, "Content-Length:"),
    "more": lambda s, r: answer(s, r, body=r.body[r.start:] + b"more"),
    "lingers": lingers,
    "ends-early": lambda s, r: answer(s, r, body=r.body[:10]) if r.nth < 2 else s.close(),
    # Redirects.
    "loop": lambda s, r: redirect(s, r, r.path),
    "hop": hop,
    "to-http": lambda s, r: redirect(s, r, f"http://localhost:{ports['plain']}/good/x"),
    "to-file": lambda s, r: redirect(s, r, "file:///etc/passwd"),
    "to-password": lambda s, r: redirect(s, r, f"https://u:p@localhost:{ports['hub']}/bare/x"),
    "to-nothing": lambda s, r: s.sendall(head(r, 302, length=0).encode()),
    "to-port": lambda s, r: redirect(s, r, f"https://localhost:{ports['cdn']}/bare/x", 307),
    "to-host": lambda s, r: redirect(s, r, f"https://127.0.0.1:{ports['hub']}/bare/x", 308),
    "and-back": lambda s, r: redirect(s, r, elsewhere(r, kind="back")),
    "back": lambda s, r: redirect(s, r, f"https://localhost:{ports['hub']}/bare/x"),
    "relative": lambda s, r: redirect(s, r, "/good/x", linked=False),
    "to-bad-tls": lambda s, r: redirect(s, r, f"https://localhost:{ports['self']}/bare/x"),
    "asks": lambda s, r: s.sendall(head(r, 401, f'WWW-Authenticate: Basic realm="https://127.0.0.1:{ports["cdn"]}/"',
                                        "Set-Cookie: a=b", length=0).encode()),
    # Replies that are none.
    "bomb": bomb, "no-end": no_end, "many": many, "announce": announce,
    "204": lambda s, r: s.sendall(head(r, 204, length=0).encode()),
    "404": lambda s, r: s.sendall(head(r, 404, length=0).encode()),
    "500": lambda s, r: s.sendall(head(r, 500, length=0).encode()),
    "page": lambda s, r: answer(s, r, "Content-Type: text/html; charset=utf-8") if r.method == "GET" else answer(s, r),
    "noise": lambda s, r: s.sendall(b"\x1b[2J\x00\xff" * 100),
    # What it says the file is.
    "no-digest": lambda s, r: answer(s, r, linked=False),
    "upper": lambda s, r: answer(s, r, f'X-Linked-ETag: "{r.digest.upper()}"'),
    "prefixed": lambda s, r: answer(s, r, f'X-Linked-ETag: "sha256:{r.digest}"'),
    "path": lambda s, r: answer(s, r, 'X-Linked-ETag: "sha256:../../../../etc/passwd"'),
    "cut-digest": lambda s, r: answer(s, r, f'X-Linked-ETag: "{r.digest[:63]}"'),
    "long-digest": lambda s, r: answer(s, r, f'X-Linked-ETag: "{r.digest}0"'),
    "weak": lambda s, r: answer(s, r, f'X-Linked-ETag: W/"{r.digest}"'),
    "size-0": lambda s, r: answer(s, r, "X-Linked-Size: 0"),
    "size-minus": lambda s, r: answer(s, r, "X-Linked-Size: -5"),
    "size-2-63": lambda s, r: answer(s, r, f"X-Linked-Size: {2 ** 63}"),
    "huge": lambda s, r: answer(s, r, f"X-Linked-Size: {10 ** 17}"),
    "liar": lambda s, r: answer(s, r, 'X-Linked-ETag: "' + "0" * 64 + '"') if r.method == "GET" else answer(s, r),
    "named": lambda s, r: answer(s, r, 'Content-Disposition: attachment; filename="../../../evil"',
                                 "Content-Location: /evil", f"X-Repo-Commit: ../../evil"),
}


def serve(name, conn, context):
    try:
        if context:
            conn = context.wrap_socket(conn, server_side=True)
        data = b""
        while b"\r\n\r\n" not in data:
            piece = conn.recv(65536)
            if not piece:
                return
            data += piece
        r = Request(name, data.split(b"\r\n\r\n")[0])
        KINDS[r.kind](conn, r)
        if context:
            conn.unwrap()
    except (OSError, ValueError, KeyError) as e:
        log.write(f"{name} {e!r}\n")
    finally:
        conn.close()


def listen(name, context):
    s = socket.create_server(("127.0.0.1", 0), backlog=64)
    ports[name] = s.getsockname()[1]

    def accept():
        while True:
            conn, _ = s.accept()
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(name, conn, context), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def tls(certificate, old=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        warnings.simplefilter("ignore")
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(f"{FOLDER}/{certificate}.pem", f"{FOLDER}/key.pem")
    return context


for port, certificate in [("hub", "good"), ("cdn", "good"), ("expired", "expired"), ("early", "early"),
                          ("other", "other"), ("self", "self"), ("unknown", "unknown")]:
    listen(port, tls(certificate))
listen("old", tls("good", old=True))
listen("plain", None)
with open(f"{FOLDER}/ports.new", "w") as f:
    f.writelines(f"{k}={v}\n" for k, v in ports.items())
os.rename(f"{FOLDER}/ports.new", f"{FOLDER}/ports")
threading.Event().wait()
