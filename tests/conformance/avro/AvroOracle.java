// Java Avro as a judge: one line in, one line out, fields separated by tabs. See src/java.rs for the columns.

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.TreeSet;

import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileReader;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.JsonEncoder;

public final class AvroOracle {
    private static final HexFormat HEX = HexFormat.of();

    public static void main(String[] args) throws Exception {
        if (args.length == 3) {
            rewrite(new File(args[0]), new File(args[1]), args[2]);
            return;
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 20);
        BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 20);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.isEmpty()) {
                out.flush();
                continue;
            }
            String[] parts = line.split("\t", -1);
            String answer;
            try {
                answer = answer(parts[0], parts[1], parts[2]);
            } catch (Exception | StackOverflowError error) {
                answer = "!" + clean(error);
            }
            out.write(answer);
            out.write('\n');
        }
        out.flush();
    }

    private static String clean(Throwable error) {
        return String.valueOf(error).replace('\t', ' ').replace('\n', ' ').replace('\r', ' ');
    }

    private static String answer(String writerText, String readerText, String data) throws Exception {
        Schema writer = new Schema.Parser().parse(writerText);
        Schema reader = readerText.isEmpty() ? writer : new Schema.Parser().parse(readerText);
        StringBuilder answer = new StringBuilder();
        answer.append(writer).append('\t');
        answer.append(SchemaNormalization.toParsingForm(writer)).append('\t');
        answer.append(SchemaNormalization.parsingFingerprint64(writer)).append('\t');
        answer.append(verdict(reader, writer)).append('\t');
        GenericDatumReader<Object> resolved = new GenericDatumReader<>(writer, reader);
        GenericDatumWriter<Object> again = new GenericDatumWriter<>(reader);
        BinaryDecoder decoder = null;
        boolean first = true;
        for (String hex : data.isEmpty() ? new String[0] : data.split(",", -1)) {
            if (!first) {
                answer.append('\u0001');
            }
            first = false;
            try {
                byte[] bytes = HEX.parseHex(hex);
                decoder = DecoderFactory.get().binaryDecoder(bytes, decoder);
                Object value = resolved.read(null, decoder);
                ByteArrayOutputStream buffer = new ByteArrayOutputStream();
                BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(buffer, null);
                again.write(value, encoder);
                encoder.flush();
                answer.append(HEX.formatHex(buffer.toByteArray())).append('\u0002').append(json(reader, value));
            } catch (Exception | StackOverflowError error) {
                answer.append('!').append(clean(error));
            }
        }
        return answer.toString();
    }

    private static String json(Schema schema, Object value) {
        try {
            ByteArrayOutputStream buffer = new ByteArrayOutputStream();
            JsonEncoder encoder = EncoderFactory.get().jsonEncoder(schema, buffer, false);
            new GenericDatumWriter<>(schema).write(value, encoder);
            encoder.flush();
            return buffer.toString(StandardCharsets.UTF_8);
        } catch (Exception error) {
            return "!" + clean(error);
        }
    }

    private static String verdict(Schema reader, Schema writer) {
        SchemaCompatibility.SchemaCompatibilityResult result =
                SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult();
        TreeSet<String> types = new TreeSet<>();
        result.getIncompatibilities().forEach(found -> types.add(found.getType().name()));
        return result.getCompatibility().name() + ":" + String.join(",", types);
    }

    /** Reads every datum of a container file and writes it into another one. */
    private static void rewrite(File from, File to, String codec) throws Exception {
        try (DataFileReader<Object> reader = new DataFileReader<>(from, new GenericDatumReader<>());
                DataFileWriter<Object> writer = new DataFileWriter<>(new GenericDatumWriter<>(reader.getSchema()))) {
            writer.setCodec(CodecFactory.fromString(codec));
            writer.create(reader.getSchema(), to);
            while (reader.hasNext()) {
                writer.append(reader.next());
            }
        }
    }
}
