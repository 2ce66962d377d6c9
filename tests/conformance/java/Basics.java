// Without groups: codecs, headers, idempotence, large records, seeking by offset and time.
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;

final class Basics {
    static void everyCodecAndHeaders(Admin admin) throws Exception {
        Clients.create(admin, "java-codecs", 1, Map.of());
        int at = 0;
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            try (KafkaProducer<String, String> producer = Clients.producer("compression.type", codec, "acks", "all", "linger.ms", 20)) {
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (int n = 0; n < 100; n++) {
                    ProducerRecord<String, String> record = new ProducerRecord<>("java-codecs", 0, "k" + n, codec + n);
                    record.headers().add("same", new byte[] {1}).add("same", new byte[] {2}).add("empty", null);
                    sent.add(producer.send(record));
                }
                for (Future<RecordMetadata> one : sent) Check.equal(one.get().offset(), (long) at++, codec);
            }
        }
        List<ConsumerRecord<String, String>> records = Clients.read(new TopicPartition("java-codecs", 0), 0, 500);
        Check.equal(records.get(499).value(), "zstd99", "the last value");
        for (ConsumerRecord<String, String> record : records) {
            List<String> headers = new ArrayList<>();
            record.headers().forEach(header -> headers.add(header.key() + Arrays.toString(header.value())));
            Check.equal(headers, List.of("same[1]", "same[2]", "emptynull"), "headers");
        }
    }

    static void idempotenceKeepsOrder(Admin admin) throws Exception {
        Clients.create(admin, "java-idempotent", 2, Map.of());
        try (KafkaProducer<String, String> producer = Clients.producer("enable.idempotence", true, "batch.size", 500, "linger.ms", 0)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int n = 0; n < 5000; n++) sent.add(producer.send(new ProducerRecord<>("java-idempotent", n % 2, null, "" + n)));
            Clients.all(sent);
        }
        for (int partition = 0; partition < 2; partition++) {
            int n = partition;
            for (ConsumerRecord<String, String> record : Clients.read(new TopicPartition("java-idempotent", partition), 0, 2500)) {
                Check.equal(record.value(), "" + n, "order");
                n += 2;
            }
        }
    }

    static void largeRecords(Admin admin) throws Exception {
        Clients.create(admin, "java-large", 1, Map.of("max.message.bytes", "3000000"));
        TopicPartition partition = new TopicPartition("java-large", 0);
        try (KafkaProducer<String, String> producer = Clients.producer("max.request.size", 5_000_000)) {
            producer.send(new ProducerRecord<>("java-large", "x".repeat(2_500_000))).get();
            Check.fails(RecordTooLargeException.class, () -> producer.send(new ProducerRecord<>("java-large", "x".repeat(3_500_000))).get(), "a batch above max.message.bytes");
        }
        Check.equal(Clients.read(partition, 0, 1, "max.partition.fetch.bytes", 1000).get(0).value().length(), 2_500_000, "bytes");
    }

    static void seeking(Admin admin) throws Exception {
        Clients.create(admin, "java-seek", 1, Map.of());
        TopicPartition partition = new TopicPartition("java-seek", 0);
        long start = System.currentTimeMillis() - 1_000_000;
        try (KafkaProducer<String, String> producer = Clients.producer()) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int n = 0; n < 1000; n++) sent.add(producer.send(new ProducerRecord<>("java-seek", 0, start + 10L * n, "k", "" + n)));
            Clients.all(sent);
        }
        try (KafkaConsumer<String, String> consumer = Clients.consumer()) {
            consumer.assign(List.of(partition));
            for (int n : new int[] {0, 1, 499, 999}) {
                OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, start + 10L * n - (n == 0 ? 0 : 5))).get(partition);
                Check.equal(found.offset(), (long) n, "offset by time");
                Check.equal(found.timestamp(), start + 10L * n, "timestamp");
            }
            Check.equal(consumer.offsetsForTimes(Map.of(partition, start + 100_000)).get(partition), null, "after the last");
            Check.equal(consumer.beginningOffsets(List.of(partition)), Map.of(partition, 0L), "beginning");
            Check.equal(consumer.endOffsets(List.of(partition)), Map.of(partition, 1000L), "end");
            for (long offset : new long[] {999, 0, 500}) {
                consumer.seek(partition, offset);
                Iterator<ConsumerRecord<String, String>> records = List.<ConsumerRecord<String, String>>of().iterator();
                long until = System.nanoTime() + Duration.ofSeconds(10).toNanos();
                while (!records.hasNext() && System.nanoTime() < until) records = consumer.poll(Duration.ofSeconds(1)).iterator();
                Check.equal(records.next().offset(), offset, "first record after a seek");
            }
        }
    }
}
