// Lets Apache Kafka's own Cleaner compact random logs and prints what went in and what was left, for
// tests/golden/cleaner.tsv (seed 6, 10 cases). Run with Kafka's lib/* on the class path:
//   javac -cp "lib/*" -d out CleanerOracle.java && java -cp "out:lib/*" CleanerOracle 6 10
// Rows: case; batch (1: a segment begins with it) and its bytes as they lie in the log; clean with the time, the dirty
// offset, where what may be cleaned ends, and where the next round begins; left: each batch that lies in the log then.

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.ScheduledFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.FileLogInputStream;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogSegment;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

public final class CleanerOracle {
    static final long DELETE_RETENTION_MS = 5000;
    static final CompressionType[] CODECS = {CompressionType.NONE, CompressionType.GZIP, CompressionType.SNAPPY, CompressionType.LZ4, CompressionType.ZSTD};

    static final class Clock implements Time {
        long now = 1_700_000_000_000L;
        public long milliseconds() { return now; }
        public long nanoseconds() { return now * 1_000_000; }
        public void sleep(long ms) { now += ms; }
        public void waitObject(Object object, Supplier<Boolean> condition, long deadline) { }
    }

    static final class Never implements Scheduler {
        public void startup() { }
        public void shutdown() { }
        public ScheduledFuture<?> schedule(String name, Runnable task, long delay, long period) { return null; }
        public void resizeThreadPool(int size) { }
    }

    static Clock clock;
    static UnifiedLog log;
    static Random random;
    static boolean rolled;
    static Map<Long, Integer> sequences;
    static Map<Long, Boolean> open;
    static long dirty;

    public static void main(String[] arguments) throws Exception {
        random = new Random(Long.parseLong(arguments[0]));
        int cases = Integer.parseInt(arguments[1]);
        for (int at = 0; at < cases; at++) one(at);
    }

    static void one(int at) throws Exception {
        System.out.println("case\t" + at);
        clock = new Clock();
        sequences = new HashMap<>();
        open = new HashMap<>();
        dirty = 0;
        rolled = false;
        File folder = new File(Files.createTempDirectory("oracle").toFile(), "t-0");
        folder.mkdirs();
        Properties properties = new Properties();
        properties.put("cleanup.policy", "compact");
        properties.put("segment.bytes", "1048576");
        properties.put("delete.retention.ms", Long.toString(DELETE_RETENTION_MS));
        log = UnifiedLog.create(folder, new LogConfig(properties), 0, 0, new Never(), new BrokerTopicStats(), clock, 900000,
            new ProducerStateManagerConfig(86400000, false), 600000, new LogDirFailureChannel(1), true, Optional.empty());
        for (int step = 0; step < 120; step++) {
            clock.now += random.nextInt(200);
            int kind = random.nextInt(100);
            if (kind < 60) data();
            else if (kind < 75) marker();
            else if (kind < 92) { if (log.activeSegment().size() > 0) { log.roll(); rolled = true; } }
            else clean();
        }
        clean();
    }

    static void data() throws Exception {
        SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(4)];
        for (int index = 0; index < records.length; index++) {
            byte[] key = ("k" + random.nextInt(9)).getBytes();
            byte[] value = random.nextInt(4) == 0 ? null : ("v" + random.nextInt(1000)).repeat(1 + random.nextInt(9)).getBytes();
            records[index] = new SimpleRecord(clock.now - random.nextInt(50), key, value);
        }
        Compression codec = Compression.of(CODECS[random.nextInt(5)]).build();
        long producer = random.nextInt(5);
        MemoryRecords made;
        if (producer == 0) made = MemoryRecords.withRecords(codec, records);
        else {
            int sequence = sequences.getOrDefault(producer, 0);
            sequences.put(producer, sequence + records.length);
            if (producer < 3) made = MemoryRecords.withIdempotentRecords(codec, producer, (short) 0, sequence, records);
            else {
                open.put(producer, true);
                made = MemoryRecords.withTransactionalRecords(codec, producer, (short) 0, sequence, records);
            }
        }
        append(made, AppendOrigin.CLIENT);
    }

    static void marker() throws Exception {
        long producer = 3 + random.nextInt(2);
        if (!open.getOrDefault(producer, false)) return;
        open.put(producer, false);
        ControlRecordType type = random.nextBoolean() ? ControlRecordType.ABORT : ControlRecordType.COMMIT;
        append(MemoryRecords.withEndTransactionMarker(clock.now, producer, (short) 0, new EndTransactionMarker(type, 7)), AppendOrigin.COORDINATOR);
    }

    static void append(MemoryRecords records, AppendOrigin origin) throws Exception {
        long from = log.logEndOffset();
        log.appendAsLeader(records, 3, origin, RequestLocal.noCaching(), VerificationGuard.SENTINEL, (short) 1);
        log.updateHighWatermark(log.logEndOffset());
        print(rolled ? "batch\t1" : "batch\t0", from);
        rolled = false;
    }

    static void clean() throws Exception {
        clock.now += random.nextInt(4000);
        long until = Math.min(log.lastStableOffset(), log.activeSegment().baseOffset());
        LogToClean cleanable = new LogToClean(log, dirty, Math.max(dirty, until), false);
        if (cleanable.cleanableBytes() == 0) return;
        Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(1 << 20), 1 << 20, 1 << 20, 0.9,
            new Throttler(Double.MAX_VALUE, 1000, "t", "t", clock), clock, partition -> { });
        long before = dirty;
        dirty = cleaner.doClean(cleanable, clock.now).getKey();
        System.out.println("clean\t" + clock.now + "\t" + before + "\t" + cleanable.firstUncleanableOffset() + "\t" + dirty);
        print("left", 0);
    }

    /** Every batch from an offset on. */
    static void print(String what, long from) throws Exception {
        for (LogSegment segment : log.logSegments()) {
            for (FileLogInputStream.FileChannelRecordBatch batch : segment.log().batches()) {
                if (batch.baseOffset() < from) continue;
                ByteBuffer bytes = ByteBuffer.allocate(batch.sizeInBytes());
                batch.writeTo(bytes);
                System.out.println(what + "\t" + Base64.getEncoder().encodeToString(bytes.array()));
            }
        }
    }
}
