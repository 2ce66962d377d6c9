"""What is not a right request: lengths, foreign protocols, cut bodies, versions and keys that are not there."""
import struct

from codec import Message
from connection import stable_versions
from definitions import KEYS

MINIMAL = {1: {"minBytes": 0, "maxWaitMs": 0}, 22: {"transactionalId": None, "transactionTimeoutMs": 1000}, 0: {"acks": -1, "timeoutMs": 1000},
           2: {"replicaId": -1}}


def raw_bytes(c):
    for what, data in (("length -1", struct.pack(">i", -1)), ("length min", struct.pack(">i", -2**31)), ("length 0", struct.pack(">i", 0)),
                       ("length 1", struct.pack(">i", 1) + b"\0"), ("length 7", struct.pack(">i", 7) + b"\0\x12\0\0\0\0\0"),
                       ("length above the limit", struct.pack(">i", 104857601)), ("length max", struct.pack(">i", 2**31 - 1)),
                       ("http", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), ("tls", bytes.fromhex("16030100c8010000c40303") + b"\0" * 200),
                       ("text", b"hello there\r\n" * 20), ("header without client id", struct.pack(">ihhi", 8, 18, 0, 1)),
                       ("header of 0xff", struct.pack(">i", 16) + b"\xff" * 16)):
        conn = c.fresh()
        conn.socket.settimeout(1.5)
        conn.socket.sendall(data)
        out = conn.receive()
        c.note(what, out if isinstance(out, str) else "an answer")
        conn.close()
    c.note("and the broker lives", c.ask(18, 0)["errorCode"])


def body(key):
    return MINIMAL.get(key, {})


def versions_not_there(c):
    for key, name in KEYS.items():
        high = max(stable_versions(key))
        for v in {high + 1, high + 50, -1, 32767, min(stable_versions(key)) - 1} - set(stable_versions(key)):
            if key == 18:
                continue
            conn = c.fresh()
            conn.socket.settimeout(1.5)
            conn.send(conn.header(key, v) + b"\0" * 40)
            out = conn.receive()
            c.note(f"{name} v{v}", out if isinstance(out, str) else "an answer")
            conn.close()
    for key in (4, 5, 6, 7, 21000, -1, 93, 52, 62):
        conn = c.fresh()
        conn.socket.settimeout(1.5)
        conn.send(conn.header(key, 0) + b"\0" * 40)
        out = conn.receive()
        c.note(f"key {key}", out if isinstance(out, str) else "an answer")
        conn.close()


def cut_and_longer(c):
    for key, name in KEYS.items():
        for v in stable_versions(key):
            if key == 0 and v < 3:
                continue
            whole = Message(name + "Request").encode(body(key), v)
            for cut in sorted({1, len(whole) // 2, len(whole) - 1} - {len(whole)}):
                if 0 <= cut < len(whole) and key != 18:
                    c.note(f"{name} v{v} cut at {cut} of {len(whole)}", word(c.ask(key, v, raw=whole[:cut])))
            c.note(f"{name} v{v} with a tail", word(c.ask(key, v, raw=whole, tail=b"\x05tail")))
            flexible = Message(name + "Request").flexible(v)
            if flexible and key != 18:
                tagged = Message(name + "Request").encode({**body(key), "_tags": {900: b"abc", 901: b""}}, v)
                c.note(f"{name} v{v} with unknown tags", word(c.ask(key, v, raw=tagged)))
            c.note(f"{name} v{v} without client id", word(c.ask(key, v, body(key), client=None)))


def word(out):
    return out if isinstance(out, str) else "an answer"


def lengths(c):
    c.topic("x-len")
    c.note("metadata array -2", word(c.ask(3, 5, raw=struct.pack(">i", -2) + b"\0")))
    c.note("metadata array -1", word(c.ask(3, 5, raw=struct.pack(">i", -1) + b"\0")))
    c.note("metadata array huge", word(c.ask(3, 5, raw=struct.pack(">i", 2**31 - 1) + b"\0")))
    c.note("metadata compact array huge", word(c.ask(3, 9, raw=b"\xff\xff\xff\xff\x07\0\0\0")))
    c.note("metadata name null", word(c.ask(3, 5, raw=struct.pack(">ih", 1, -1) + b"\0")))
    c.note("metadata name length -2", word(c.ask(3, 5, raw=struct.pack(">ih", 1, -2) + b"\0")))
    c.note("metadata name not utf-8", word(c.ask(3, 5, raw=struct.pack(">ih", 1, 2) + b"\xff\xfe\0")))
    c.note("varint too long", word(c.ask(3, 9, raw=b"\x80\x80\x80\x80\x80\x80\x01\0\0\0")))
    c.note("bool 7", word(c.ask(3, 5, raw=struct.pack(">i", 0) + b"\7")))
    conn = c.fresh()
    header = struct.pack(">hhih", 3, 5, 9, -2)
    conn.send(header + struct.pack(">i", 0) + b"\0")
    c.note("client id length -2", "an answer" if isinstance(conn.receive(), bytes) else "none")
    conn.close()


def pipelined(c):
    c.topic("x-pipe")
    conn = c.fresh()
    asked = []
    for i in range(20):
        key, v = ((3, 9), (2, 7), (18, 3), (60, 0), (1, 12))[i % 5]
        more = {1: c.fetch_body(12, [("x-pipe", {"partition": 0, "fetchOffset": 0})], wait=100)}.get(key, body(key))
        conn.send(conn.header(key, v) + Message(KEYS[key] + "Request").encode(more, v))
        asked.append(conn.correlation)
    got = [struct.unpack(">i", conn.receive()[:4])[0] for _ in asked]
    c.note("answers come in order", got == asked)
    conn.close()


CASES = [raw_bytes, versions_not_there, cut_and_longer, lengths, pipelined]
