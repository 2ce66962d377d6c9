// The admin client.
import java.util.*;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;

final class Admins {
    static void topics(Admin admin) throws Exception {
        Clients.create(admin, "java-admin", 2, Map.of("retention.ms", "86400000"));
        Check.fails(TopicExistsException.class, () -> Clients.create(admin, "java-admin", 1, Map.of()), "creating twice");
        Check.fails(InvalidReplicationFactorException.class, () -> admin.createTopics(List.of(new NewTopic("java-many", 1, (short) 3))).all().get(), "three replicas on one node");
        Check.fails(InvalidTopicException.class, () -> Clients.create(admin, "no/slash", 1, Map.of()), "a bad name");
        admin.createPartitions(Map.of("java-admin", NewPartitions.increaseTo(5))).all().get();
        Check.fails(InvalidPartitionsException.class, () -> admin.createPartitions(Map.of("java-admin", NewPartitions.increaseTo(4))).all().get(), "fewer partitions");
        TopicDescription described = admin.describeTopics(List.of("java-admin")).allTopicNames().get().get("java-admin");
        Check.equal(described.partitions().size(), 5, "partitions");
        Check.that(admin.listTopics().names().get().contains("java-admin"), "it is listed");
        DescribeClusterResult cluster = admin.describeCluster();
        Check.equal(cluster.nodes().get().size(), 1, "nodes");
        Check.equal(cluster.controller().get().id(), cluster.nodes().get().iterator().next().id(), "the controller");
    }

    static void configs(Admin admin) throws Exception {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "java-admin");
        List<AlterConfigOp> changes = List.of(
            new AlterConfigOp(new ConfigEntry("max.message.bytes", "123456"), AlterConfigOp.OpType.SET),
            new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND),
            new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE));
        admin.incrementalAlterConfigs(Map.of(topic, changes)).all().get();
        Config config = admin.describeConfigs(List.of(topic)).all().get().get(topic);
        Check.equal(config.get("max.message.bytes").value(), "123456", "a config that was set");
        Check.equal(config.get("max.message.bytes").source(), ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "its source");
        Check.equal(config.get("cleanup.policy").value(), "delete,compact", "a list that grew");
        Check.equal(config.get("retention.ms").source(), ConfigEntry.ConfigSource.DEFAULT_CONFIG, "one that was deleted");
        AlterConfigOp bad = new AlterConfigOp(new ConfigEntry("max.message.bytes", "many"), AlterConfigOp.OpType.SET);
        Check.fails(InvalidConfigurationException.class, () -> admin.incrementalAlterConfigs(Map.of(topic, List.of(bad))).all().get(), "no number");
        String id = admin.describeCluster().nodes().get().iterator().next().idString();
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, id);
        Check.that(300 < admin.describeConfigs(List.of(broker)).all().get().get(broker).entries().size(), "a broker has more than 300 settings");
    }

    static void recordsAndOffsets(Admin admin) throws Exception {
        TopicPartition partition = new TopicPartition("java-records", 0);
        Clients.create(admin, "java-records", 1, Map.of());
        long start = System.currentTimeMillis() - 10_000;
        try (KafkaProducer<String, String> producer = Clients.producer()) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int n = 0; n < 100; n++) sent.add(producer.send(new ProducerRecord<>("java-records", 0, n == 50 ? start + 5000 : start, "k", "" + n)));
            Clients.all(sent);
        }
        Check.equal(offset(admin, partition, OffsetSpec.latest()), 100L, "latest");
        Check.equal(offset(admin, partition, OffsetSpec.maxTimestamp()), 50L, "of the greatest timestamp");
        Check.equal(offset(admin, partition, OffsetSpec.forTimestamp(start + 1)), 50L, "by time");
        Check.equal(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(30))).lowWatermarks().get(partition).get().lowWatermark(), 30L, "the low watermark");
        Check.equal(offset(admin, partition, OffsetSpec.earliest()), 30L, "earliest");
        Check.equal(Clients.read(partition, 30, 1).get(0).value(), "30", "the first that is left");
        Check.fails(org.apache.kafka.clients.consumer.OffsetOutOfRangeException.class, () -> Clients.read(partition, 3, 1, "auto.offset.reset", "none"), "a deleted record");
        Check.fails(org.apache.kafka.common.errors.OffsetOutOfRangeException.class, () -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(101))).all().get(), "deleting beyond the end");
    }

    static long offset(Admin admin, TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
    }

    static void groups(Admin admin) throws Exception {
        String group = "java-admin-group";
        TopicPartition partition = new TopicPartition("java-records", 0);
        admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(42))).all().get();
        Check.equal(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(partition).offset(), 42L, "an altered offset");
        Check.equal(admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState(), GroupState.EMPTY, "state");
        Check.that(admin.listGroups().all().get().stream().anyMatch(listed -> listed.groupId().equals(group)), "it is listed");
        admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all().get();
        Check.equal(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(partition), null, "a deleted offset");
        admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(1))).all().get();
        admin.deleteConsumerGroups(List.of(group)).all().get();
        Check.fails(GroupIdNotFoundException.class, () -> admin.deleteConsumerGroups(List.of(group)).all().get(), "deleting twice");
    }

    static void deletion(Admin admin) throws Exception {
        admin.deleteTopics(List.of("java-admin")).all().get();
        Check.fails(UnknownTopicOrPartitionException.class, () -> admin.deleteTopics(List.of("java-admin")).all().get(), "deleting twice");
        Uuid before = admin.describeTopics(List.of("java-records")).allTopicNames().get().get("java-records").topicId();
        admin.deleteTopics(List.of("java-records")).all().get();
        Check.comes("it can be created again", java.time.Duration.ofSeconds(10), () -> {
            try {
                Clients.create(admin, "java-records", 1, Map.of());
                return true;
            } catch (Exception error) {
                return false;
            }
        }, () -> "it still exists");
        TopicPartition partition = new TopicPartition("java-records", 0);
        Check.equal(offset(admin, partition, OffsetSpec.latest()), 0L, "a new topic is empty");
        Uuid after = admin.describeTopics(List.of("java-records")).allTopicNames().get().get("java-records").topicId();
        Check.that(!before.equals(after), "its id is new");
    }
}
