// Drives Apache Kafka's own leader epoch history through random steps and prints what it says, for
// tests/golden/epochs.tsv (seed 4, 1500 steps). Run with Kafka's lib/* on the class path:
//   javac -d out EpochOracle.java && java -cp "out:lib/*" EpochOracle 4 1500
import java.nio.file.Files;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ScheduledFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.server.util.Scheduler;
import org.apache.kafka.storage.internals.checkpoint.LeaderEpochCheckpointFile;
import org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache;
import org.apache.kafka.storage.internals.log.EpochEntry;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;

public final class EpochOracle {
    static LeaderEpochFileCache cache;

    public static void main(String[] arguments) throws Exception {
        Random random = new Random(Long.parseLong(arguments[0]));
        Scheduler nothing = new Scheduler() {
            public void startup() {}
            public void shutdown() {}
            public ScheduledFuture<?> schedule(String name, Runnable task, long delay, long period) { return null; }
            public void resizeThreadPool(int size) {}
        };
        LeaderEpochCheckpointFile file = new LeaderEpochCheckpointFile(
            Files.createTempFile("epochs", "").toFile(), new LogDirFailureChannel(1));
        cache = new LeaderEpochFileCache(new TopicPartition("t", 0), file, nothing);
        System.out.println("# Apache Kafka 4.3.1, seed " + arguments[0] + ". step, answer, then the history as epoch@offset,...");
        long end = 0;
        int epoch = 0;
        for (int step = 0; step < Integer.parseInt(arguments[1]); step++) {
            int kind = random.nextInt(100);
            if (random.nextInt(150) == 0) {
                cache.clear();
                end = epoch = 0;
                print("begin", "ok");
            } else if (kind < 30) {
                epoch += random.nextInt(3);
                end += random.nextInt(8);
                boolean strange = random.nextInt(8) == 0;
                int assigned = strange ? random.nextInt(epoch + 2) : epoch;
                long offset = strange ? random.nextInt((int) end + 3) : end;
                cache.assign(assigned, offset);
                print("push " + assigned + " " + offset, "ok");
            } else if (kind < 36) {
                end = Math.max(0, end - random.nextInt(12));
                cache.truncateFromEndAsyncFlush(end);
                epoch = cache.latestEpoch().orElse(epoch);
                print("truncate " + end, "ok");
            } else if (kind < 41) {
                long start = Math.max(0, end - random.nextInt(60));
                cache.truncateFromStartAsyncFlush(start);
                print("start " + start, "ok");
            } else if (kind < 80) {
                int asked = random.nextInt(epoch + 4) - 1;
                Map.Entry<Integer, Long> answer = cache.endOffsetFor(asked, end + 5);
                print("end_of " + asked + " " + (end + 5), answer.getKey() + " " + answer.getValue());
            } else {
                long asked = random.nextInt((int) end + 4);
                print("epoch_of " + asked, "" + cache.epochForOffset(asked).orElse(-1));
            }
        }
    }

    static void print(String step, String answer) {
        StringBuilder history = new StringBuilder();
        for (EpochEntry entry : cache.epochEntries()) {
            if (history.length() > 0) history.append(',');
            history.append(entry.epoch()).append('@').append(entry.startOffset());
        }
        System.out.println(step + "\t" + answer + "\t" + history);
    }
}
