"""Two recordings of Kafka itself must be equal: differ.py A B. What the set-up names (ports, folders) may differ."""
import sys

from run import differences, recording, short

a, b = (recording(path) for path in sys.argv[1:3])
found = [(name, *d) for name in sorted(set(a) | set(b)) for d in differences(a.get(name), b.get(name))
         if not d[0].endswith(("listeners", "log.dirs", "log.dir", "controller.quorum.voters"))]
for name, path, x, y in found:
    print(f"{name} {path}\n    {short(x)}\n    {short(y)}")
print(f"{len(a)} answers, {len(found)} differ between two runs of Kafka")
sys.exit(1 if found else 0)
