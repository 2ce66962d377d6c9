"""What every case gets: a broker to ask, and the words that replace whatever differs between two right brokers."""
import re
import time
import uuid

import batches
from connection import Connection, timed

ZERO = "00000000-0000-0000-0000-000000000000"
NOBODY = str(uuid.UUID(int=0xDEADBEEF << 64 | 7))


class Context:
    def __init__(self, address):
        self.address, self.ids, self.answers = address, {}, {}
        self.case = None
        self.connection = Connection(address)

    # --- asking
    def ask(self, key, version, body=None, **how):
        """On the shared connection, which is opened again when the broker closed it."""
        out = self.connection.ask(key, version, body, **how)
        if isinstance(out, str):
            self.connection.close()
            self.connection = Connection(self.address)
        return out

    def fresh(self):
        return Connection(self.address)

    def note(self, name, answer):
        full = f"{self.case}: {name}"
        assert full not in self.answers, f"{full} is noted twice"
        self.answers[full] = self.normal(answer)

    def tell(self, name, key, version, body=None, **how):
        """Ask and note."""
        out = self.ask(key, version, body, **how)
        self.note(f"{name} v{version}", out)
        return out

    def pace(self, name, call):
        """Ask, and note whether the answer came at once or after a wait."""
        out, seconds = timed(call)
        self.note(name, {"answer": out, "pace": "at once" if seconds < 0.25 else "waited" if seconds < 3 else "long"})
        return out

    # --- topics
    def topic(self, name, partitions=1, configs=None):
        """Creates a topic and waits until its partitions serve."""
        configs = dict(configs or {})
        if not name.startswith("k-"):
            configs.setdefault("retention.ms", "-1")  # the records' times are long ago
        body = {"topics": [{"name": name, "numPartitions": partitions, "replicationFactor": 1,
                            "configs": [{"name": k, "value": v} for k, v in configs.items()]}], "timeoutMs": 10000}
        out = self.ask(19, 7, body)
        assert out["topics"][0]["errorCode"] == 0, out
        self.ids[name] = out["topics"][0]["topicId"]
        self.ready(name, partitions)
        return self.ids[name]

    def ready(self, name, partitions):
        asked = {"replicaId": -1, "topics": [{"name": name, "partitions": [
            {"partitionIndex": p, "timestamp": -1} for p in range(partitions)]}]}
        for _ in range(200):
            out = self.ask(2, 7, asked)
            if all(p["errorCode"] == 0 for p in out["topics"][0]["partitions"]):
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} does not come up: {out}")

    def named(self, name, version, gate):
        """How a request of this version says which topic."""
        return {"topicId": self.ids.get(name, NOBODY)} if version >= gate else {"name" if gate == 13 else "topic": name}

    def producer_id(self):
        """A fresh one; Kafka answers the first asker that its block of ids is still being fetched."""
        for _ in range(100):
            out = self.ask(22, 4, {"transactionalId": None, "transactionTimeoutMs": 1000})
            if out["errorCode"] == 0:
                return out["producerId"]
            time.sleep(0.1)
        raise AssertionError(f"no producer id: {out}")

    # --- the two main requests
    def produce_body(self, version, parts, acks=-1, timeout=5000):
        topics = {}
        for name, partition, records in parts:
            topics.setdefault(name, []).append({"index": partition, "records": records})
        return {"acks": acks, "timeoutMs": timeout, "topicData": [
            {**({"topicId": self.ids.get(n, NOBODY)} if version >= 13 else {"name": n}), "partitionData": p}
            for n, p in topics.items()]}

    def produce(self, name, version, topic, records, partition=0, **how):
        return self.tell(name, 0, version, self.produce_body(version, [(topic, partition, records)], **how))

    def fetch_body(self, version, parts, *, wait=0, least=1, most=50 << 20, session=0, epoch=-1, isolation=0, forget=(), **more):
        topics = {}
        for name, p in parts:
            topics.setdefault(name, []).append({"partitionMaxBytes": 1 << 20, "currentLeaderEpoch": -1, **p})
        body = {"maxWaitMs": wait, "minBytes": least, "maxBytes": most, "isolationLevel": isolation, "topics": [
            {**({"topicId": self.ids.get(n, NOBODY)} if version >= 13 else {"topic": n}), "partitions": p}
            for n, p in topics.items()]}
        if version < 15:
            body["replicaId"] = -1
        if version >= 7:
            body.update(sessionId=session, sessionEpoch=epoch, forgottenTopicsData=[
                {**({"topicId": self.ids.get(n, NOBODY)} if version >= 13 else {"topic": n}), "partitions": p} for n, p in forget])
        body.update(more)
        return body

    # --- answers made comparable
    def normal(self, x, key=""):
        if isinstance(x, dict):
            return {k: self.normal(v, k) for k, v in x.items() if k != "throttleTimeMs"}
        if isinstance(x, list):
            out = [self.normal(v, key) for v in x]
            if all(isinstance(v, dict) for v in out):
                out.sort(key=lambda v: (str(v.get("name", v.get("topic", v.get("topicId", "")))), v.get("partitionIndex", v.get("partition", 0)), str(v)))
            return out
        if isinstance(x, bytes):
            return batches.summary(x, time.time() * 1000)
        if isinstance(x, str):
            return self.word(x, key)
        if key in ("logAppendTimeMs", "timestamp") and abs(x - time.time() * 1000) < 3_600_000:
            return "now"
        if key == "port" and x > 0:
            return "port"
        if key == "producerId" and x >= 0:
            return "pid"
        if key == "sessionId" and x > 0:
            return "session"
        return x

    def word(self, x, key):
        if key == "clusterId":
            return "cluster"
        if key == "host" and x:
            return "host"
        if key == "errorMessage" or key == "batchIndexErrorMessage":
            return "some text" if x else x
        if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", x):
            if x in (ZERO, NOBODY):
                return "zero" if x == ZERO else "nobody"
            for name, topic_id in self.ids.items():
                if topic_id == x:
                    return f"id of {name}"
            return "an id"
        return x
