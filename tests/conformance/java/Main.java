// Apache Kafka's Java clients against a broker: Main ADDRESS [NAME...]
import java.util.*;
import org.apache.kafka.clients.admin.Admin;

public final class Main {
    interface Run {
        void run(Admin admin) throws Exception;
    }

    public static void main(String[] arguments) {
        Clients.address = arguments[0];
        Set<String> wanted = new HashSet<>(List.of(arguments).subList(1, arguments.length));
        Map<String, Run> checks = new LinkedHashMap<>();
        checks.put("codecs", Basics::everyCodecAndHeaders);
        checks.put("idempotence", Basics::idempotenceKeepsOrder);
        checks.put("large", Basics::largeRecords);
        checks.put("seek", Basics::seeking);
        checks.put("topics", Admins::topics);
        checks.put("configs", Admins::configs);
        checks.put("records", Admins::recordsAndOffsets);
        checks.put("groups", Admins::groups);
        checks.put("deletion", Admins::deletion);
        checks.put("range", admin -> Groups.membersComeAndGo(admin, "range", "RangeAssignor"));
        checks.put("roundrobin", admin -> Groups.membersComeAndGo(admin, "roundrobin", "RoundRobinAssignor"));
        checks.put("sticky", admin -> Groups.membersComeAndGo(admin, "sticky", "StickyAssignor"));
        checks.put("cooperative", admin -> Groups.membersComeAndGo(admin, "cooperative", "CooperativeStickyAssignor"));
        checks.put("static", Groups::staticMembers);
        checks.put("offsets", Groups::offsetsAndSessions);
        int failed = 0;
        try (Admin admin = Admin.create(Clients.properties("default.api.timeout.ms", 20000, "request.timeout.ms", 10000))) {
            for (Map.Entry<String, Run> check : checks.entrySet()) {
                if (!wanted.isEmpty() && !wanted.contains(check.getKey())) continue;
                long start = System.currentTimeMillis();
                try {
                    check.getValue().run(admin);
                    System.out.println("ok " + check.getKey() + " " + (System.currentTimeMillis() - start) + " ms");
                } catch (Throwable error) {
                    failed++;
                    System.out.println("FAILED " + check.getKey() + ": " + error);
                    error.printStackTrace(System.out);
                }
            }
        }
        System.exit(failed == 0 ? 0 : 1);
    }
}
