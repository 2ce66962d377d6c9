// What Apache Kafka's assignors make of a group, for a comparison line by line (crates/client, assignor/java.rs).
//
//   assign ASSIGNOR TOPIC=RACKS/RACKS,... MEMBER:INSTANCE:HEX ...   RACKS of a partition as a+b; HEX is the subscription
//   subscribe ASSIGNOR TOPIC,... TOPIC-PARTITION,... GENERATION RACK
//
// "-" stands for nothing. The first answers MEMBER:HEX for each member, HEX the assignment; the second the subscription.
import java.io.*;
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.*;

class Assignors {
    public static void main(String[] arguments) throws IOException {
        var in = new BufferedReader(new InputStreamReader(System.in));
        var out = new PrintStream(new BufferedOutputStream(System.out));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            out.println(words[0].equals("assign") ? assign(words) : subscribe(words));
        }
        out.flush();
    }

    static ConsumerPartitionAssignor named(String name) {
        return switch (name) {
            case "range" -> new RangeAssignor();
            case "roundrobin" -> new RoundRobinAssignor();
            case "sticky" -> new StickyAssignor();
            default -> new CooperativeStickyAssignor();
        };
    }

    static String assign(String[] words) {
        Map<String, Node> brokers = new TreeMap<>();
        List<PartitionInfo> partitions = new ArrayList<>();
        for (String topic : list(words[2])) {
            String[] named = topic.split("=");
            int index = 0;
            for (String racks : named[1].split("/")) {
                List<Node> replicas = new ArrayList<>();
                for (String rack : racks.split("\\+"))
                    replicas.add(brokers.computeIfAbsent(rack, one -> new Node(brokers.size(), "h", 1, one.equals("-") ? null : one)));
                Node[] all = replicas.toArray(new Node[0]);
                partitions.add(new PartitionInfo(named[0], index++, all[0], all, all));
            }
        }
        Map<String, Subscription> members = new HashMap<>();
        for (int i = 3; i < words.length; i++) {
            String[] member = words[i].split(":");
            Subscription subscription = ConsumerProtocol.deserializeSubscription(bytes(member[2]));
            if (!member[1].equals("-")) subscription.setGroupInstanceId(Optional.of(member[1]));
            members.put(member[0], subscription);
        }
        var cluster = new Cluster("c", brokers.values(), partitions, Set.of(), Set.of());
        var assigned = named(words[1]).assign(cluster, new GroupSubscription(members)).groupAssignment();
        List<String> each = new ArrayList<>();
        new TreeMap<>(assigned).forEach((member, one) -> each.add(member + ":" + hex(ConsumerProtocol.serializeAssignment(one))));
        return String.join(" ", each);
    }

    static String subscribe(String[] words) {
        var assignor = named(words[1]);
        List<String> topics = list(words[2]);
        List<TopicPartition> owned = new ArrayList<>();
        for (String one : list(words[3])) {
            int dash = one.lastIndexOf('-');
            owned.add(new TopicPartition(one.substring(0, dash), Integer.parseInt(one.substring(dash + 1))));
        }
        int generation = Integer.parseInt(words[4]);
        if (0 <= generation)
            assignor.onAssignment(new Assignment(owned), new ConsumerGroupMetadata("g", generation, "m", Optional.empty()));
        ByteBuffer userData = assignor.subscriptionUserData(new TreeSet<>(topics));
        Optional<String> rack = words[5].equals("-") ? Optional.empty() : Optional.of(words[5]);
        var subscription = new Subscription(topics, userData, owned, generation, rack);
        return hex(ConsumerProtocol.serializeSubscription(subscription));
    }

    static List<String> list(String words) {
        return words.equals("-") ? List.of() : Arrays.asList(words.split(","));
    }

    static ByteBuffer bytes(String hex) { return ByteBuffer.wrap(HexFormat.of().parseHex(hex)); }

    static String hex(ByteBuffer bytes) {
        byte[] plain = new byte[bytes.remaining()];
        bytes.duplicate().get(plain);
        return HexFormat.of().formatHex(plain);
    }
}
