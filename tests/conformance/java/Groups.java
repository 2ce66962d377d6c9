// Classic groups: every assignor while members come and go, static members, offsets.
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.*;

final class Groups {
    static final int PARTITIONS = 6;
    static final Duration PATIENCE = Duration.ofSeconds(30);

    /** A consumer on a thread of its own that commits whatever it has counted. */
    static final class Member implements Runnable, ConsumerRebalanceListener {
        final String topic;
        final KafkaConsumer<String, String> consumer;
        final Map<String, Integer> seen;
        final Set<TopicPartition> owned = ConcurrentHashMap.newKeySet();
        final Map<TopicPartition, OffsetAndMetadata> counted = new HashMap<>();
        final AtomicInteger rebalances = new AtomicInteger();
        final AtomicReference<Throwable> failure = new AtomicReference<>();
        volatile boolean stop;
        final Thread thread = new Thread(this);

        Member(String topic, Map<String, Integer> seen, Object... pairs) {
            this.topic = topic;
            this.seen = seen;
            consumer = Clients.consumer(pairs);
            thread.start();
        }

        public void run() {
            try (consumer) {
                consumer.subscribe(List.of(topic), this);
                while (!stop) {
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(50))) {
                        seen.merge(record.partition() + "/" + record.offset(), 1, Integer::sum);
                        counted.put(new TopicPartition(topic, record.partition()), new OffsetAndMetadata(record.offset() + 1));
                    }
                    try {
                        commit();
                    } catch (RebalanceInProgressException later) {
                        // What was counted is committed when its partition is given up, or after.
                    }
                }
                commit();
            } catch (Throwable error) {
                failure.set(error);
            }
        }

        void commit() {
            if (!counted.isEmpty()) consumer.commitSync(counted);
            counted.clear();
        }

        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            commit();
            owned.removeAll(partitions);
        }

        public void onPartitionsLost(Collection<TopicPartition> partitions) {
            counted.clear();
            owned.removeAll(partitions);
        }

        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            rebalances.incrementAndGet();
            owned.addAll(partitions);
        }

        void leave() throws Exception {
            stop = true;
            thread.join();
            Check.that(failure.get() == null, "a member failed: " + failure.get());
        }
    }

    static String shares(List<Member> members) {
        List<Object> shares = new ArrayList<>();
        for (Member member : members) shares.add(member.owned + (member.failure.get() == null ? "" : " " + member.failure.get()));
        return shares.toString();
    }

    /** Every partition has one owner, and each member its fair share. */
    static void shared(String what, Member... members) throws Exception {
        List<Member> all = List.of(members);
        Check.comes(what, PATIENCE, () -> {
            Set<TopicPartition> union = new HashSet<>();
            int sum = 0;
            boolean fair = true;
            for (Member member : all) {
                Set<TopicPartition> owned = Set.copyOf(member.owned);
                union.addAll(owned);
                sum += owned.size();
                fair &= owned.size() == PARTITIONS / all.size();
            }
            return fair && sum == PARTITIONS && union.size() == PARTITIONS;
        }, () -> shares(all));
    }

    static void membersComeAndGo(Admin admin, String name, String assignor) throws Exception {
        String topic = "java-group-" + name;
        Clients.create(admin, topic, PARTITIONS, Map.of());
        Object[] pairs = {"group.id", topic, "partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor, "heartbeat.interval.ms", 200, "session.timeout.ms", 6000};
        Map<String, Integer> seen = new ConcurrentHashMap<>();
        AtomicBoolean stop = new AtomicBoolean();
        Future<Integer> produced = ForkJoinPool.commonPool().submit(() -> {
            int count = 0;
            try (KafkaProducer<String, String> producer = Clients.producer("linger.ms", 5)) {
                while (!stop.get()) {
                    producer.send(new ProducerRecord<>(topic, count % PARTITIONS, "k", "" + count)).get();
                    count++;
                }
            }
            return count;
        });
        Member first = new Member(topic, seen, pairs);
        shared("one has all", first);
        Member second = new Member(topic, seen, pairs);
        shared("two share", first, second);
        Member third = new Member(topic, seen, pairs);
        shared("three share", first, second, third);
        second.leave();
        shared("two are left", first, third);
        stop.set(true);
        int count = produced.get();
        Check.comes("everything is read", PATIENCE, () -> count <= seen.size(), () -> seen.size() + " of " + count);
        first.leave();
        third.leave();
        Check.equal(seen.size(), count, "records read");
        for (Map.Entry<String, Integer> one : seen.entrySet()) Check.equal(one.getValue(), 1, "reads of " + one.getKey());
        long committed = 0;
        for (OffsetAndMetadata offset : admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get().values()) committed += offset.offset();
        Check.equal(committed, (long) count, "committed offsets");
    }

    /** No rebalance for a second: a member that has just learnt of the topic may ask for another. */
    static void settled(Member... members) throws Exception {
        int before = -1;
        for (int quiet = 0; quiet < 24; quiet++) {
            int now = 0;
            for (Member member : members) now += member.rebalances.get();
            if (now != before) quiet = 0;
            before = now;
            Thread.sleep(50);
        }
    }

    static void staticMembers(Admin admin) throws Exception {
        String topic = "java-static";
        Clients.create(admin, topic, PARTITIONS, Map.of());
        Map<String, Integer> seen = new ConcurrentHashMap<>();
        Object[] one = {"group.id", topic, "group.instance.id", "one", "heartbeat.interval.ms", 200, "session.timeout.ms", 20000};
        Object[] two = {"group.id", topic, "group.instance.id", "two", "heartbeat.interval.ms", 200, "session.timeout.ms", 20000};
        Member first = new Member(topic, seen, one);
        Member second = new Member(topic, seen, two);
        shared("two share", first, second);
        settled(first, second);
        shared("two still share", first, second);
        Set<TopicPartition> before = Set.copyOf(first.owned);
        int rebalances = second.rebalances.get();
        first.leave();
        Member again = new Member(topic, seen, one);
        shared("it has its share again", again, second);
        Check.equal(Set.copyOf(again.owned), before, "the same share");
        Check.equal(second.rebalances.get(), rebalances, "rebalances of the other");
        Member twin = new Member(topic, seen, one);
        Check.comes("the older twin is fenced", PATIENCE, () -> again.failure.get() instanceof FencedInstanceIdException, () -> again.failure.get());
        shared("the newer twin has its share", twin, second);
        twin.leave();
        second.leave();
        admin.removeMembersFromConsumerGroup(topic, new org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions()).all().get();
        Check.that(admin.describeConsumerGroups(List.of(topic)).all().get().get(topic).members().isEmpty(), "static members can be removed");
    }

    static void offsetsAndSessions(Admin admin) throws Exception {
        String topic = "java-offsets";
        Clients.create(admin, topic, 2, Map.of());
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaConsumer<String, String> consumer = Clients.consumer("group.id", topic)) {
            consumer.assign(List.of(partition, new TopicPartition(topic, 1)));
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(7, Optional.of(0), "said")));
            OffsetAndMetadata found = consumer.committed(Set.of(partition)).get(partition);
            Check.equal(found.offset() + found.metadata() + found.leaderEpoch(), "7saidOptional[0]", "a committed offset");
        }
        Map<String, Integer> seen = new ConcurrentHashMap<>();
        // A member that stops its heartbeats loses its place after the session's time.
        KafkaConsumer<String, String> silent = Clients.consumer("group.id", topic + "-silent", "session.timeout.ms", 6000, "max.poll.interval.ms", 6000, "heartbeat.interval.ms", 500);
        silent.subscribe(List.of(topic));
        Check.comes("the silent one has all", PATIENCE, () -> { silent.poll(Duration.ofMillis(50)); return silent.assignment().size() == 2; }, () -> silent.assignment());
        Member other = new Member(topic, seen, "group.id", topic + "-silent", "session.timeout.ms", 6000, "heartbeat.interval.ms", 500);
        Check.comes("the other takes over", PATIENCE, () -> other.owned.size() == 2, () -> other.owned + " " + other.failure.get());
        Check.fails(CommitFailedException.class, () -> silent.commitSync(Map.of(partition, new OffsetAndMetadata(1))), "a commit of one that lost its place");
        silent.close(CloseOptions.timeout(Duration.ofSeconds(1)));
        other.leave();
    }
}
