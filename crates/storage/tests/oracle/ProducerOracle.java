// Drives Apache Kafka's own producer state through random steps and prints what it says, for
// tests/golden/producers.tsv (seed 4, 3000 steps). Run with Kafka's lib/* on the class path:
//   javac -d out ProducerOracle.java && java -cp "out:lib/*" org.apache.kafka.storage.internals.log.ProducerOracle 4 3000
// It stands in Kafka's package because the duplicate check is not public.
package org.apache.kafka.storage.internals.log;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Time;

public final class ProducerOracle {
    static final int EXPIRATION_MS = 1000;
    static ProducerStateManager manager;
    static long end;
    static long highWatermark;
    static long logStart;
    static long now;
    static List<CompletedTxn> aborted = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        long seed = Long.parseLong(arguments[0]);
        int steps = Integer.parseInt(arguments[1]);
        Random random = new Random(seed);
        System.out.println("# Apache Kafka 4.3.1, seed " + seed + ". step, then what it says, then the state behind it:");
        System.out.println("# first unstable offset (-1: none), number of producers, the step's producer as id:epoch:coordinator:open:first-last@offset,...");
        begin();
        for (int step = 0; step < steps; step++) {
            if (step > 0 && random.nextInt(400) == 0) begin();
            now += random.nextInt(8);
            step(random);
        }
    }

    static void begin() throws Exception {
        manager = new ProducerStateManager(new TopicPartition("t", 0), Files.createTempDirectory("oracle").toFile(),
            60000, new ProducerStateManagerConfig(EXPIRATION_MS, false), Time.SYSTEM);
        end = highWatermark = logStart = 0;
        now = 10000;
        aborted.clear();
        print("begin", "ok");
    }

    static void step(Random random) throws Exception {
        int kind = random.nextInt(100);
        if (kind < 62) data(random);
        else if (kind < 82) marker(random);
        else if (kind < 92) {
            highWatermark = Math.min(end, highWatermark + random.nextInt(12));
            manager.onHighWatermarkUpdated(highWatermark);
            print("high_watermark " + highWatermark, "ok");
        } else if (kind < 94) {
            logStart = Math.min(highWatermark, logStart + random.nextInt(6));
            manager.onLogStartOffsetIncremented(logStart);
            print("start " + logStart, "ok");
        } else if (kind < 97) {
            now += random.nextInt(10) == 0 ? EXPIRATION_MS : 150;
            manager.removeExpiredProducers(now);
            print("expire " + now, "ok");
        } else {
            long from = random.nextInt((int) end + 2), until = from + random.nextInt(20);
            TreeMap<Long, Long> found = new TreeMap<>();
            for (CompletedTxn txn : aborted) {
                boolean overlaps = txn.lastOffset() >= from && txn.firstOffset() < until;
                if (overlaps && txn.lastOffset() >= logStart) found.put(txn.firstOffset(), txn.producerId());
            }
            print("aborted " + from + " " + until, found.toString().replace(" ", ""));
        }
    }

    static ProducerStateEntry known(long id) {
        return manager.lastEntry(id).orElse(null);
    }

    static short epoch(Random random, ProducerStateEntry known) {
        int current = known == null ? 0 : known.producerEpoch();
        int kind = random.nextInt(20);
        int chosen = kind < 16 ? current : kind < 18 ? current + 1 : kind == 18 ? current - 1 : Short.MAX_VALUE;
        return (short) Math.max(0, Math.min(Short.MAX_VALUE, chosen));
    }

    static void data(Random random) throws Exception {
        long id = 1 + random.nextInt(5);
        ProducerStateEntry known = known(id);
        short epoch = epoch(random, known);
        int count = 1 + random.nextInt(4);
        int sequence = 0;
        int kind = random.nextInt(20);
        if (known != null && !known.isEmpty() && epoch == known.producerEpoch()) {
            List<BatchMetadata> batches = new ArrayList<>(known.batchMetadata());
            BatchMetadata some = batches.get(random.nextInt(batches.size()));
            if (kind < 12) sequence = known.lastSeq() == Integer.MAX_VALUE ? 0 : known.lastSeq() + 1;
            else if (kind < 16) { sequence = some.firstSeq(); count = some.offsetDelta() + 1; }
            else if (kind == 16) sequence = some.firstSeq();
            else if (kind == 17) sequence = Math.max(0, batches.get(0).firstSeq() - 2);
            else if (kind == 18) sequence = Math.max(0, known.lastSeq() + 2);
        } else if (kind < 3) sequence = random.nextInt(50);
        else if (kind < 5) sequence = Integer.MAX_VALUE - random.nextInt(4);
        boolean transactional = id % 2 == 1 ? random.nextInt(12) != 0 : random.nextInt(12) == 0;
        boolean replica = random.nextInt(12) == 0;
        SimpleRecord[] records = new SimpleRecord[count];
        for (int at = 0; at < count; at++) records[at] = new SimpleRecord(now, "v".getBytes());
        MemoryRecords memory = MemoryRecords.withRecords(RecordBatch.MAGIC_VALUE_V2, end, Compression.NONE,
            TimestampType.CREATE_TIME, id, epoch, sequence, 0, transactional, records);
        RecordBatch batch = memory.batches().iterator().next();
        String step = (replica ? "replicate " : "append ") + id + " " + epoch + " " + sequence + " " + count + " "
            + (transactional ? 1 : 0) + " " + now;
        Optional<BatchMetadata> duplicate = replica || known == null ? Optional.empty() : known.findDuplicateBatch(batch);
        if (duplicate.isPresent()) {
            BatchMetadata old = duplicate.get();
            print(id, step, "duplicate " + old.firstOffset() + " " + old.lastOffset() + " " + old.timestamp());
            return;
        }
        append(step, batch, replica ? AppendOrigin.REPLICATION : AppendOrigin.CLIENT, (short) 0);
    }

    static void marker(Random random) throws Exception {
        long id = 1 + random.nextInt(5);
        ProducerStateEntry known = known(id);
        short epoch = epoch(random, known);
        int coordinator = random.nextInt(8) == 0 ? random.nextInt(4) : known == null ? 0 : known.coordinatorEpoch() + random.nextInt(2);
        coordinator = Math.max(0, coordinator);
        short version = (short) (1 + random.nextInt(2));
        boolean aborts = random.nextBoolean();
        boolean replica = random.nextInt(8) == 0;
        MemoryRecords memory = MemoryRecords.withEndTransactionMarker(end, now, 0, id, epoch,
            new EndTransactionMarker(aborts ? ControlRecordType.ABORT : ControlRecordType.COMMIT, coordinator));
        String step = (replica ? "replicate_marker " : "marker ") + id + " " + epoch + " " + coordinator + " "
            + (aborts ? 1 : 0) + " " + version + " " + now;
        append(step, memory.batches().iterator().next(),
            replica ? AppendOrigin.REPLICATION : AppendOrigin.COORDINATOR, version);
    }

    static void append(String step, RecordBatch batch, AppendOrigin origin, short version) throws Exception {
        ProducerAppendInfo info = manager.prepareUpdate(batch.producerId(), origin);
        Optional<CompletedTxn> completed;
        try {
            completed = info.append(batch, Optional.of(new LogOffsetMetadata(batch.baseOffset())), version);
        } catch (ApiException error) {
            print(batch.producerId(), step, Errors.forException(error).name());
            return;
        }
        manager.update(info);
        completed.ifPresent(txn -> {
            manager.completeTxn(txn);
            if (txn.isAborted()) aborted.add(txn);
        });
        end = batch.lastOffset() + 1;
        manager.updateMapEndOffset(end);
        print(batch.producerId(), step, "new " + batch.baseOffset());
    }

    static void print(String step, String verdict) {
        print(-1, step, verdict);
    }

    static void print(long id, String step, String verdict) {
        StringBuilder state = new StringBuilder();
        state.append(manager.firstUnstableOffset().map(offset -> Math.max(offset.messageOffset, logStart)).orElse(-1L));
        state.append(' ').append(manager.activeProducers().size());
        ProducerStateEntry touched = manager.activeProducers().get(id);
        for (ProducerStateEntry entry : touched == null ? List.<ProducerStateEntry>of() : List.of(touched)) {
            state.append(' ').append(entry.producerId()).append(':').append(entry.producerEpoch());
            state.append(':').append(entry.coordinatorEpoch());
            state.append(':').append(entry.currentTxnFirstOffset().orElse(-1)).append(':');
            StringBuilder batches = new StringBuilder();
            for (BatchMetadata batch : entry.batchMetadata()) {
                if (batches.length() > 0) batches.append(',');
                batches.append(batch.firstSeq()).append('-').append(batch.lastSeq()).append('@').append(batch.firstOffset());
            }
            state.append(batches);
        }
        System.out.println(step + "\t" + verdict + "\t" + state);
    }
}
