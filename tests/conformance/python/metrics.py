"""What the operator's door says is what Prometheus can read, and what the reference page promises. HTTP_ADDRESS PAGE"""
import json
import re
import sys
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

address, page = sys.argv[1:]


def get(path):
    try:
        with urllib.request.urlopen("http://%s%s" % (address, path), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


status, text = get("/metrics")
assert status == 200
families = {family.name + ("_total" if family.type == "counter" else ""): family for family in text_string_to_metric_families(text)}
promised = set(re.findall(r"^\| `(\w+)`", open(page).read(), re.M))
assert set(families) == promised, (set(families) ^ promised)
requests = {sample.labels["api"]: sample.value for sample in families["ottla_requests_total"].samples}
assert requests.get("Produce", 0) > 10 and requests.get("Fetch", 0) > 10, requests
for name in ["queue", "handle", "park"]:
    family = families["ottla_request_%s_seconds" % name]
    counts = {sample.labels["api"]: sample.value for sample in family.samples if sample.name.endswith("_count")}
    assert all(abs(counts[api] - count) <= 2 for api, count in requests.items() if api != "ApiVersions"), (counts, requests)
(allocated,) = families["ottla_log_allocated_bytes"].samples
(live,) = families["ottla_log_live_bytes"].samples
assert 0 < live.value <= allocated.value
assert json.loads(get("/health/live")[1]) == {"status": "alive"}
assert get("/health/ready")[0] == 200
assert get("/nothing")[0] == 404
print("ok %d metrics, %d requests" % (len(families), sum(requests.values())))
