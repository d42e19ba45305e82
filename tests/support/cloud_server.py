#!/usr/bin/python3
"""OpenScan's cloud and a WebDAV folder, as the agent meets them, for the tests.

    cloud_server.py FOLDER [CERTIFICATE KEY]

Listens on a free port of 127.0.0.1 and writes it to FOLDER/port.  In FOLDER lie
  faults     lines "<endpoint> <fault> [number]": the n-th request to an endpoint meets the
             n-th of its lines, and works when there is none or it says "ok"
  expect     "<bytes of a part> <path>": a part that is not what this file has in its place
             is refused (422)
  model.zip  what can be downloaded
and appear
  requests   one line a request: endpoint, fault, status
  parts/     what was uploaded, a file a part; dav/ the same by WebDAV
  archive    after startProject: the names in the archive, or what is wrong with it

Endpoints: createProject part startProject getProjectInfo download dav
Faults: status N; reset N (the connection, after N bytes); slow N (bytes a second); hang;
        links N (as many as that); notready; norange; changed (another version); short N
        (N bytes less than said); nolength; away (redirected to itself)
"""
import base64
import hashlib
import http.server
import io
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import zipfile

FOLDER = sys.argv[1]
LOGIN = "Basic " + base64.b64encode(b"openscan:free").decode()
TOKEN = "token-0123456789"
lock = threading.Lock()
seen = {}
projects = {}


def below(*names):
    return os.path.join(FOLDER, *names)


def lines(name):
    try:
        with open(below(name), encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def next_fault(endpoint):
    orders = [line.split()[1:] for line in lines("faults") if line.split()[:1] == [endpoint]]
    with lock:
        number = seen.get(endpoint, 0)
        seen[endpoint] = number + 1
    order = orders[number] if number < len(orders) else ["ok"]
    return order[0], int(order[1]) if len(order) > 1 else 0


class Gone(Exception):
    """The connection was reset on purpose."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, status):
        with lock, open(below("requests"), "a", encoding="utf-8") as file:
            file.write(f"{self.endpoint} {self.fault} {status}\n")

    def answer(self, status, body=b"", headers=()):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        self.note(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        self.note("reset")
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        raise Gone

    def body(self):
        """What the client sends, as slowly as ordered."""
        left = int(self.headers.get("Content-Length", 0))
        taken = b""
        while left > 0:
            if self.fault == "reset" and len(taken) >= self.number:
                self.reset()
            step = min(left, 65536)
            if self.fault == "reset":
                step = min(step, max(1, self.number - len(taken)))
            if self.fault == "slow":
                step = min(step, max(1, self.number // 20))
                time.sleep(0.05)
            piece = self.rfile.read(step)
            if not piece:
                self.note("cut")
                raise Gone
            taken += piece
            left -= len(piece)
        if self.fault == "hang":
            self.note("hang")
            time.sleep(30)
            raise Gone
        return taken

    def begin(self, endpoint):
        self.endpoint = endpoint
        self.fault, self.number = next_fault(endpoint)

    def spoilt(self):
        """True when the order was a status, which is answered then."""
        if self.fault != "status":
            return False
        self.answer(self.number, {"message": "as ordered, " + TOKEN})
        return True

    # ---- OpenScan's cloud ----

    def base(self):
        scheme = "https" if len(sys.argv) > 2 else "http"
        return f"{scheme}://{self.headers['Host']}"

    def create(self, query):
        parts = int(query["parts"])
        projects[query["project"]] = query
        count = self.number if self.fault == "links" else parts
        links = [f"{self.base()}/part/{query['project']}/{i}?key=k{i}" for i in range(count)]
        self.answer(200, {"status": "created", "ulink": links})

    def start(self, query):
        project = query["project"]
        count = int(projects[project]["parts"])
        data = b"".join(open(below("parts", f"{project}.{i}"), "rb").read() for i in range(count))
        words = []
        if len(data) != int(projects[project]["filesize"]):
            words.append("wrong size")
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                words += ["damaged " + archive.testzip()] if archive.testzip() else []
                words += [info.filename for info in archive.infolist()]
                words += ["not stored" for i in archive.infolist() if i.compress_type]
        except zipfile.BadZipFile as error:
            words.append(f"bad zip: {error}")
        with open(below("archive"), "w", encoding="utf-8") as file:
            file.write("\n".join(words) + "\nend\n")
        self.answer(200, {"status": "started"})

    def info(self, query):
        if self.fault == "notready":
            self.answer(200, {"status": "processing", "dlink": None})
            return
        self.answer(200, {"status": "done", "dlink": f"{self.base()}/download/{query['project']}"})

    def do_GET(self):
        try:
            url = urllib.parse.urlsplit(self.path)
            self.begin(url.path.split("/")[1])
            if self.endpoint == "download":
                self.download()
                return
            query = dict(urllib.parse.parse_qsl(url.query))
            if self.fault == "hang":
                self.note("hang")
                time.sleep(30)
            elif self.fault == "reset":
                self.reset()
            elif self.spoilt():
                pass
            elif self.headers.get("Authorization") != LOGIN or query.get("token") != TOKEN:
                self.answer(401)
            else:
                {"createProject": self.create, "startProject": self.start,
                 "getProjectInfo": self.info}[self.endpoint](query)
        except (Gone, ConnectionError):
            self.close_connection = True

    def do_POST(self):
        try:
            _, endpoint, project, part = urllib.parse.urlsplit(self.path).path.split("/")
            self.begin(endpoint)
            data = self.body()
            if self.spoilt():
                return
            if "Authorization" in self.headers or not self.as_expected(int(part), data):
                self.answer(422)
                return
            os.makedirs(below("parts"), exist_ok=True)
            with open(below("parts", f"{project}.{part}"), "wb") as file:
                file.write(data)
            self.answer(200, {"received": len(data)})
        except (Gone, ConnectionError):
            self.close_connection = True

    def as_expected(self, part, data):
        wanted = lines("expect")
        if not wanted:
            return True
        size, path = wanted[0].split()
        with open(path, "rb") as file:
            file.seek(part * int(size))
            right = file.read(int(size))
        return hashlib.sha256(right).digest() == hashlib.sha256(data).digest()

    # ---- WebDAV ----

    def do_PUT(self):
        try:
            self.begin("dav")
            data = self.body()
            if self.spoilt():
                return
            if self.headers.get("Authorization") != LOGIN:
                self.answer(401)
                return
            os.makedirs(below("dav"), exist_ok=True)
            with open(below("dav", os.path.basename(self.path)), "wb") as file:
                file.write(data)
            self.answer(201)
        except (Gone, ConnectionError):
            self.close_connection = True

    # ---- the model ----

    def download(self):
        with open(below("model.zip"), "rb") as file:
            data = file.read()
        if self.spoilt():
            return
        if self.fault == "away":
            self.answer(302, b"", [("Location", f"{self.base()}/download/elsewhere")])
            return
        with lock:
            changed = seen.get("changed", 0) + (self.fault == "changed")
            seen["changed"] = changed
        tag = f'"v{changed}"'
        wanted = self.headers.get("Range", "")
        first = int(wanted[6:-1]) if wanted.startswith("bytes=") else 0
        if self.fault == "norange" or self.headers.get("If-Range", tag) != tag:
            first = 0
        self.note(f"{206 if first else 200} from {first}")
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.send_header("ETag", tag)
        if self.fault != "nolength":
            self.send_header("Content-Length", str(len(data) - first))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.send(data[first:])

    def send(self, data):
        if self.fault in ("reset", "short"):
            self.wfile.write(data[: self.number if self.fault == "reset" else -self.number])
            self.wfile.flush()
            time.sleep(0.2)
            if self.fault == "reset":
                self.reset()
            self.close_connection = True
            return
        while data:
            step = max(1, self.number // 20) if self.fault == "slow" else len(data)
            self.wfile.write(data[:step])
            data = data[step:]
            if self.fault == "slow":
                time.sleep(0.05)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self):
        # What the kernel takes would look as if it had been read.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        super().server_bind()

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (Gone, OSError)):
            super().handle_error(request, client_address)


def main():
    server = Server(("127.0.0.1", 0), Handler)
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(below("port.new"), "w", encoding="utf-8") as file:
        file.write(f"{server.server_address[1]}\n")
    os.rename(below("port.new"), below("port"))
    server.serve_forever()


main()
