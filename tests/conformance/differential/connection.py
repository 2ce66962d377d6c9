"""One connection to a broker: frames out, frames in, and what happens instead of an answer."""
import socket
import struct
import time

from codec import DEFINITIONS, Message, Reader
from definitions import KEYS

CLIENT = b"differential"


def versions(key):
    low, _, high = DEFINITIONS[KEYS[key] + "Request"]["versions"].partition("-")
    return range(int(low), int(high or low) + 1)


def stable_versions(key):
    """What Kafka 4.3 advertises: InitProducerId 6 is unstable there."""
    return [v for v in versions(key) if (key, v) != (22, 6)]


class Connection:
    def __init__(self, address, timeout=4):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.correlation = 100

    def close(self):
        self.socket.close()

    def header(self, key, version, client=CLIENT):
        self.correlation += 1
        flexible = Message(KEYS[key] + "Request").flexible(version) if key in KEYS else False
        out = struct.pack(">hhi", key, version, self.correlation)
        out += struct.pack(">h", -1) if client is None else struct.pack(">h", len(client)) + client
        return out + (b"\0" if flexible else b"")

    def send(self, frame):
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def receive(self):
        """A frame's bytes, or the word for what came instead."""
        try:
            size = self.exactly(4)
            if size is None:
                return "closed"
            frame = self.exactly(struct.unpack(">i", size)[0])
            return "cut" if frame is None else frame
        except ConnectionError:
            return "closed"
        except socket.timeout:
            return "silent"

    def exactly(self, n):
        out = bytearray()
        while len(out) < n:
            got = self.socket.recv(n - len(out))
            if not got:
                return None
            out += got
        return bytes(out)

    def ask(self, key, version, body=None, *, raw=None, tail=b"", client=CLIENT):
        """One request and its decoded answer."""
        payload = Message(KEYS[key] + "Request").encode(body or {}, version) if raw is None else raw
        try:
            self.send(self.header(key, version, client) + payload + tail)
        except ConnectionError:
            return "closed"
        return self.answer(key, version)

    def answer(self, key, version):
        frame = self.receive()
        if isinstance(frame, str):
            return frame
        response = Message(KEYS[key] + "Response")
        r = Reader(frame)
        correlation = struct.unpack(">i", r.take(4))[0]
        if correlation != self.correlation:
            return f"correlation id off by {self.correlation - correlation}"
        if response.flexible(version) and key != 18:
            for _ in range(r.uvarint()):
                r.uvarint()
                r.take(r.uvarint())
        try:
            out = response.decode(r, version)
        except (ValueError, UnicodeDecodeError) as e:
            return f"undecodable: {e}"
        if r.rest():
            out["trailing bytes"] = r.rest()
        return out


def timed(call):
    start = time.monotonic()
    out = call()
    return out, time.monotonic() - start
