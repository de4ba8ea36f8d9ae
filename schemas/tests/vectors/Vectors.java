// Writes and resolves each case with Java's avro. Arguments: cases.json, and the file to write.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.HexFormat;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

public class Vectors {
    static final ObjectMapper JSON = new ObjectMapper();

    /** With texts for decimals and uuids; dates and times stay numbers. */
    static GenericData data() {
        GenericData data = new GenericData();
        data.addLogicalTypeConversion(new Conversions.DecimalConversion());
        data.addLogicalTypeConversion(new Conversions.UUIDConversion());
        return data;
    }

    static Schema parse(JsonNode schema, JsonNode references) throws Exception {
        Schema.Parser parser = new Schema.Parser();
        if (references != null) {
            for (JsonNode reference : references) {
                parser.parse(JSON.writeValueAsString(reference.get("schema")));
            }
        }
        return parser.parse(JSON.writeValueAsString(schema));
    }

    static JsonNode json(Object value) {
        if (value == null) return JSON.nullNode();
        if (value instanceof Float) return JSON.getNodeFactory().numberNode((double) (Float) value);
        if (value instanceof Number && !(value instanceof BigDecimal)) return JSON.valueToTree(value);
        if (value instanceof Boolean) return JSON.valueToTree(value);
        if (value instanceof BigDecimal) return JSON.valueToTree(((BigDecimal) value).toPlainString());
        if (value instanceof ByteBuffer) return text(((ByteBuffer) value).duplicate());
        if (value instanceof GenericFixed) {
            GenericFixed fixed = (GenericFixed) value;
            if ("duration".equals(fixed.getSchema().getProp("logicalType"))) {
                ByteBuffer bytes = ByteBuffer.wrap(fixed.bytes()).order(ByteOrder.LITTLE_ENDIAN);
                ObjectNode parts = JSON.createObjectNode();
                for (String part : new String[] {"months", "days", "millis"}) {
                    parts.put(part, Integer.toUnsignedLong(bytes.getInt()));
                }
                return parts;
            }
            return text(ByteBuffer.wrap(fixed.bytes()));
        }
        if (value instanceof IndexedRecord) {
            IndexedRecord record = (IndexedRecord) value;
            ObjectNode fields = JSON.createObjectNode();
            for (Schema.Field field : record.getSchema().getFields()) {
                fields.set(field.name(), json(record.get(field.pos())));
            }
            return fields;
        }
        if (value instanceof Map) {
            ObjectNode entries = JSON.createObjectNode();
            ((Map<?, ?>) value).forEach((key, inner) -> entries.set(key.toString(), json(inner)));
            return entries;
        }
        if (value instanceof Iterable) {
            ArrayNode items = JSON.createArrayNode();
            ((Iterable<?>) value).forEach(item -> items.add(json(item)));
            return items;
        }
        return JSON.valueToTree(value.toString());
    }

    static JsonNode text(ByteBuffer bytes) {
        StringBuilder text = new StringBuilder();
        while (bytes.hasRemaining()) text.append((char) (bytes.get() & 0xff));
        return JSON.valueToTree(text.toString());
    }

    public static void main(String[] args) throws Exception {
        ArrayNode results = JSON.createArrayNode();
        for (JsonNode one : JSON.readTree(new File(args[0]))) {
            ObjectNode result = results.addObject();
            byte[] bytes;
            Schema writer = parse(one.get("writer"), one.get("references"));
            // The value is in Avro's JSON, without conversions, so the bytes are those of the schema.
            Object value = new GenericDatumReader<>(writer)
                .read(null, DecoderFactory.get().jsonDecoder(writer, JSON.writeValueAsString(one.get("value"))));
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            EncoderFactory factory = new EncoderFactory();
            BinaryEncoder encoder =
                one.has("blocks") ? factory.blockingBinaryEncoder(out, null) : factory.binaryEncoder(out, null);
            new GenericDatumWriter<>(writer).write(value, encoder);
            encoder.flush();
            bytes = out.toByteArray();
            result.put("bytes", HexFormat.of().formatHex(bytes));
            try {
                Schema reader = one.get("reader").isNull() ? writer : parse(one.get("reader"), null);
                Object read = new GenericDatumReader<>(writer, reader, data())
                    .read(null, DecoderFactory.get().binaryDecoder(bytes, null));
                result.set("value", json(read));
            } catch (RuntimeException | java.io.IOException error) {
                result.put("error", error.getClass().getSimpleName());
            }
        }
        JSON.writeValue(new File(args[1]), results);
    }
}
