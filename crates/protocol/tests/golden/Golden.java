// Writes golden messages with Apache Kafka's own classes, one line a message:
//   area, name, version, seed, bytes as hex, the value as Rust's `{:?}` prints it.
// Seed 0: the least of everything (null, empty, zero). Seed 1: every field counted up. Other seeds: random.
//
// usage: java -cp 'JARS/*' Golden.java JARS FIRST_SEED LAST_SEED > messages.tsv
// Values go in by name, through Kafka's JSON converters, so a field at the wrong place or of the wrong type shows.

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.File;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.ZipFile;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;

public class Golden {
    static final String[][] SOURCES = {
        {"kafka-clients", "common/message/", "messages", "org.apache.kafka.common.message."},
        {"kafka-metadata", "common/metadata/", "metadata", "org.apache.kafka.common.metadata."},
        {"kafka-raft", "common/message/", "raft", "org.apache.kafka.raft.generated."},
        {"kafka-group-coordinator", "common/message/", "group", "org.apache.kafka.coordinator.group.generated."},
        {"kafka-transaction-coordinator", "common/message/", "transaction",
            "org.apache.kafka.coordinator.transaction.generated."},
        {"kafka-share-coordinator", "common/message/", "share", "org.apache.kafka.coordinator.share.generated."},
        {"kafka-storage", "message/", "storage", "org.apache.kafka.server.log.remote.metadata.storage.generated."},
    };

    /** A value in Kafka's JSON and as Rust prints it. */
    record Value(JsonNode json, String text) {}

    record Versions(int low, int high) {
        static Versions parse(JsonNode node) {
            String text = node == null ? "none" : node.asText().trim();
            if (text.isEmpty() || text.equals("none")) return null;
            if (text.endsWith("+")) return new Versions(Integer.parseInt(text.substring(0, text.length() - 1)), 32767);
            String[] ends = text.split("-");
            return new Versions(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]));
        }

        static boolean has(Versions versions, int version) {
            return versions != null && versions.low <= version && version <= versions.high;
        }
    }

    /** Makes values of one message at one version. */
    static class Filler {
        final Map<String, JsonNode> structs = new HashMap<>();
        final Versions valid;
        final int version;
        final long seed;
        final Random random;
        int counter = 0;

        Filler(JsonNode message, int version, long seed) {
            this.valid = Versions.parse(message.get("validVersions"));
            this.version = version;
            this.seed = seed;
            this.random = new Random(seed * 31 + message.get("name").asText().hashCode() * 131L + version);
            collect(message.get("fields"));
            for (JsonNode common : message.path("commonStructs")) {
                structs.put(common.get("name").asText(), common.get("fields"));
                collect(common.get("fields"));
            }
        }

        void collect(JsonNode fields) {
            for (JsonNode field : fields) {
                if (field.has("fields")) {
                    structs.put(field.get("type").asText().replace("[]", ""), field.get("fields"));
                    collect(field.get("fields"));
                }
            }
        }

        Value struct(String name, JsonNode fields, int depth) {
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            StringBuilder text = new StringBuilder(name).append(" { ");
            for (JsonNode field : fields) {
                String fieldName = field.get("name").asText();
                Versions present = Versions.parse(field.has("versions") ? field.get("versions") : field.get("taggedVersions"));
                boolean tagged = Versions.has(Versions.parse(field.get("taggedVersions")), version);
                boolean leftOut = !Versions.has(present, version) || tagged && 1 < seed && random.nextInt(4) == 0;
                text.append(snake(fieldName)).append(": ");
                if (leftOut) {
                    text.append(defaultText(field));
                } else {
                    Value value = field(field, depth);
                    json.set(Character.toLowerCase(fieldName.charAt(0)) + fieldName.substring(1), value.json);
                    text.append(value.text);
                }
                text.append(", ");
            }
            return new Value(json, text.append("unknown_tagged_fields: TaggedFields(None) }").toString());
        }

        /** Null in some version that there still is. */
        boolean optional(JsonNode field) {
            Versions nullable = Versions.parse(field.get("nullableVersions"));
            return nullable != null && valid.low <= nullable.high && nullable.low <= valid.high;
        }

        Value field(JsonNode field, int depth) {
            boolean optional = optional(field);
            boolean nullable = Versions.has(Versions.parse(field.get("nullableVersions")), version);
            if (nullable && (seed == 0 || 1 < seed && random.nextInt(4) == 0)) {
                return new Value(NullNode.instance, "None");
            }
            Value value = value(field.get("type").asText(), depth);
            return optional ? new Value(value.json, "Some(" + value.text + ")") : value;
        }

        Value value(String type, int depth) {
            if (type.startsWith("[]")) {
                ArrayNode items = JsonNodeFactory.instance.arrayNode();
                List<String> texts = new ArrayList<>();
                int count = seed == 0 ? 0 : seed == 1 ? (depth == 0 ? 2 : 1) : random.nextInt(depth == 0 ? 4 : 3);
                for (int index = 0; index < count; index++) {
                    Value item = value(type.substring(2), depth + 1);
                    items.add(item.json);
                    texts.add(item.text);
                }
                return new Value(items, "[" + String.join(", ", texts) + "]");
            }
            switch (type) {
                case "bool": return bool(seed == 0 ? false : seed == 1 || random.nextBoolean());
                case "int8": return number(integer(-128, 127));
                case "int16": return number(integer(-32768, 32767));
                case "uint16": return number(integer(0, 65535));
                case "int32": return number(integer(Integer.MIN_VALUE, Integer.MAX_VALUE));
                case "uint32": return number(integer(0, 4294967295L));
                case "int64": return number(integer(Long.MIN_VALUE, Long.MAX_VALUE));
                case "float64": {
                    double number = seed == 0 ? 0.0 : seed == 1 ? ++counter + 0.5 : random.nextInt(1 << 20) / 16.0;
                    return new Value(DoubleNode.valueOf(number), Double.toString(number));
                }
                case "uuid": {
                    Uuid uuid = seed == 0 ? Uuid.ZERO_UUID
                        : seed == 1 ? new Uuid(0, ++counter) : new Uuid(random.nextLong(), random.nextLong());
                    return new Value(TextNode.valueOf(uuid.toString()), uuid.toString());
                }
                case "string": {
                    String text = letters("s");
                    return new Value(TextNode.valueOf(text), '"' + text + '"');
                }
                case "bytes": return bytes();
                case "records": {
                    Value bytes = bytes();
                    return new Value(bytes.json, "Records { segments: [" + bytes.text + "] }");
                }
                default: return struct(type, structs.get(type), depth);
            }
        }

        long integer(long low, long high) {
            if (seed == 0) return 0;
            if (seed == 1) return low < ++counter && counter <= high ? counter : counter % 100;
            switch (random.nextInt(8)) {
                case 0: return low;
                case 1: return high;
                case 2: return 0;
                default: return Math.max(low, Math.min(high, random.nextLong() >> random.nextInt(64)));
            }
        }

        String letters(String prefix) {
            if (seed == 0) return "";
            if (seed == 1) return prefix + ++counter;
            // Past 127 bytes now and then, where a compact length takes two bytes.
            int length = random.nextInt(16) == 0 ? 120 + random.nextInt(20) : random.nextInt(12);
            StringBuilder text = new StringBuilder();
            for (int index = 0; index < length; index++) text.append((char) ('a' + random.nextInt(26)));
            return text.toString();
        }

        Value bytes() {
            String text = letters("b");
            return new Value(BinaryNode.valueOf(text.getBytes(StandardCharsets.UTF_8)), "b\"" + text + '"');
        }

        String defaultText(JsonNode field) {
            String given = field.hasNonNull("default") ? field.get("default").asText() : "";
            boolean optional = optional(field);
            if (optional && given.equals("null")) return "None";
            String plain = plainDefault(field.get("type").asText(), given);
            return optional ? "Some(" + plain + ")" : plain;
        }

        String plainDefault(String type, String given) {
            if (type.startsWith("[]")) return "[]";
            switch (type) {
                case "bool": return given.equals("true") ? "true" : "false";
                case "string": return '"' + given + '"';
                case "bytes": return "b\"\"";
                case "records": return "Records { segments: [] }";
                case "uuid": return Uuid.ZERO_UUID.toString();
                case "float64": return given.isEmpty() ? "0.0" : given;
                default:
            }
            if (!Character.isUpperCase(type.charAt(0))) return given.isEmpty() ? "0" : Long.decode(given).toString();
            StringBuilder text = new StringBuilder(type).append(" { ");
            for (JsonNode field : structs.get(type)) {
                text.append(snake(field.get("name").asText())).append(": ").append(defaultText(field)).append(", ");
            }
            return text.append("unknown_tagged_fields: TaggedFields(None) }").toString();
        }
    }

    static Value bool(boolean value) {
        return new Value(BooleanNode.valueOf(value), Boolean.toString(value));
    }

    static Value number(long value) {
        return new Value(LongNode.valueOf(value), Long.toString(value));
    }

    /** The names of our fields, by the rule of `xtask gen`. */
    static String snake(String name) {
        StringBuilder out = new StringBuilder();
        for (int at = 0; at < name.length(); at++) {
            char letter = name.charAt(at);
            char before = at == 0 ? '_' : name.charAt(at - 1);
            boolean lowerAfter = at + 1 < name.length() && Character.isLowerCase(name.charAt(at + 1));
            boolean word = Character.isUpperCase(letter) && (Character.isLowerCase(before) || Character.isDigit(before)
                || Character.isUpperCase(before) && lowerAfter);
            if (word) out.append('_');
            out.append(Character.toLowerCase(letter));
        }
        return out.toString();
    }

    static Map<String, JsonNode> definitions(File jar, String folder) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        mapper.configure(JsonParser.Feature.ALLOW_COMMENTS, true);
        Map<String, JsonNode> found = new TreeMap<>();
        try (ZipFile zip = new ZipFile(jar)) {
            for (var entry : java.util.Collections.list(zip.entries())) {
                if (entry.getName().startsWith(folder) && entry.getName().endsWith(".json")) {
                    JsonNode message = mapper.readTree(zip.getInputStream(entry));
                    found.put(message.get("name").asText(), message);
                }
            }
        }
        return found;
    }

    static Message read(String path, JsonNode json, int version) throws Exception {
        Class<?> converter;
        try {
            converter = Class.forName(path + "DataJsonConverter");
        } catch (ClassNotFoundException none) {
            converter = Class.forName(path + "JsonConverter");
        }
        return (Message) converter.getMethod("read", JsonNode.class, short.class).invoke(null, json, (short) version);
    }

    public static void main(String[] arguments) throws Exception {
        long first = Long.parseLong(arguments[1]);
        long last = Long.parseLong(arguments[2]);
        PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), false, "UTF-8") ;
        StringBuilder lines = new StringBuilder();
        for (String[] source : SOURCES) {
            File jar = new File(arguments[0], source[0] + "-4.3.1.jar");
            for (JsonNode message : definitions(jar, source[1]).values()) {
                Versions valid = Versions.parse(message.get("validVersions"));
                String name = message.get("name").asText();
                for (int version = valid == null ? 1 : valid.low; version <= (valid == null ? 0 : valid.high); version++) {
                    for (long seed = first; seed <= last; seed++) {
                        Value value = new Filler(message, version, seed).struct(name, message.get("fields"), 0);
                        Message kafka = read(source[3] + name, value.json, version);
                        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(kafka, (short) version).buffer();
                        byte[] bytes = new byte[buffer.remaining()];
                        buffer.get(bytes);
                        lines.append(String.join("\t", source[2], name, "" + version, "" + seed,
                            HexFormat.of().formatHex(bytes), value.text)).append('\n');
                    }
                }
            }
            out.print(lines);
            lines.setLength(0);
        }
        out.flush();
    }
}
