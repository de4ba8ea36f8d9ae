package letters;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.runtime.errors.ConnectLetters;
import org.apache.kafka.server.share.dlq.ShareLetters;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;
import org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler;
import org.apache.kafka.streams.errors.internals.DefaultErrorHandlerContext;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.Record;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer.HeaderNames.HeadersToAdd;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.support.SendResult;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;

/**
 * Writes dead letters by the code that writes them in production, and each as JSON: `java Letters FOLDER`.
 *
 * <p>Exceptions are made without stack traces, which would differ with each JDK.
 */
public final class Letters {
    /** One letter: its name among the vectors, and the record as its writer sends it. */
    public record Letter(String name, ProducerRecord<byte[], byte[]> record) {}

    /** An exception without a stack trace. */
    public static <E extends Throwable> E bare(E exception) {
        exception.setStackTrace(new StackTraceElement[0]);
        return exception;
    }

    public static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** None: null. */
    public static byte[] bytes(ByteBuffer buffer) {
        if (buffer == null) {
            return null;
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    /** A record of the topic `orders` with headers of its own: a repeated one, one without a value, and one that is no text. */
    public static ConsumerRecord<byte[], byte[]> consumed(byte[] key, byte[] value) {
        return new ConsumerRecord<>(
                "orders", 3, 41L, 1_767_258_000_138L, TimestampType.CREATE_TIME,
                key == null ? -1 : key.length, value == null ? -1 : value.length, key, value, own(), Optional.empty());
    }

    private static Headers own() {
        Headers headers = new RecordHeaders();
        headers.add("tenant", utf8("a")).add("tenant", utf8("b")).add("empty", null);
        headers.add("bytes", new byte[] {0, (byte) 0xff});
        return headers;
    }

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        Files.createDirectories(folder);
        write(folder.resolve("spring.json"), spring());
        write(folder.resolve("connect.json"), ConnectLetters.all());
        write(folder.resolve("streams.json"), streams());
        write(folder.resolve("share-group.json"), ShareLetters.all());
        // A client may still try to connect.
        System.exit(0);
    }

    /** Keeps what it is given. */
    private static final class Kept extends KafkaTemplate<Object, Object> {
        final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();

        Kept() {
            super(() -> (Producer<Object, Object>) null);
        }

        @Override
        public CompletableFuture<SendResult<Object, Object>> send(ProducerRecord<Object, Object> record) {
            records.add(new ProducerRecord<>(
                    record.topic(), record.partition(), record.timestamp(),
                    (byte[]) record.key(), (byte[]) record.value(), record.headers()));
            return CompletableFuture.completedFuture(null);
        }
    }

    private static List<Letter> spring() {
        List<Letter> letters = new ArrayList<>();
        Kept kept = new Kept();
        DeadLetterPublishingRecoverer recoverer =
                new DeadLetterPublishingRecoverer(kept, (record, exception) -> new TopicPartition(record.topic() + "-dlt", record.partition()));
        Exception thrown = bare(new ListenerExecutionFailedException(
                "Listener failed", "shipping", bare(new IllegalStateException("no such customer"))));

        recoverer.accept(consumed(utf8("c-1"), utf8("{\"order_id\":41}")), null, thrown);
        letters.add(new Letter("a listener that throws", kept.records.get(0)));

        recoverer.accept(consumed(utf8("c-1"), null), null, bare(new IllegalStateException()));
        letters.add(new Letter("a tombstone, and an exception without a message", kept.records.get(1)));

        // The listener of the first topic of dead letters throws, too: its letter has both places.
        ProducerRecord<byte[], byte[]> first = kept.records.get(0);
        ConsumerRecord<byte[], byte[]> again = new ConsumerRecord<>(
                "orders-dlt", 3, 7L, 1_767_258_111_000L, TimestampType.CREATE_TIME,
                first.key().length, first.value().length, first.key(), first.value(), first.headers(), Optional.empty());
        recoverer.accept(again, null, thrown);
        letters.add(new Letter("a letter that failed again", kept.records.get(2)));

        // What cannot be deserialized has its bytes in a header, with the exception, until the recoverer takes them back.
        recoverer.excludeHeader(HeadersToAdd.EX_STACKTRACE);
        for (boolean isKey : new boolean[] {false, true}) {
            ErrorHandlingDeserializer<byte[]> deserializer = new ErrorHandlingDeserializer<>((topic, data) -> {
                throw bare(new IllegalArgumentException("not a number"));
            });
            deserializer.configure(Map.of(), isKey);
            byte[] data = utf8("twelve");
            Headers headers = own();
            deserializer.deserialize("orders", headers, data);
            byte[] key = isKey ? null : utf8("c-1");
            byte[] value = isKey ? utf8("{\"order_id\":41}") : null;
            ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(
                    "orders", 3, 41L, 1_767_258_000_138L, TimestampType.LOG_APPEND_TIME, 6, 6, key, value, headers, Optional.empty());
            recoverer.accept(record, null, bare(new IllegalStateException("cannot deserialize")));
            String name = isKey ? "a key that cannot be deserialized" : "a value that cannot be deserialized";
            letters.add(new Letter(name, kept.records.get(kept.records.size() - 1)));
        }
        return letters;
    }

    private static List<Letter> streams() {
        List<Letter> letters = new ArrayList<>();
        Map<String, String> settings = Map.of("errors.dead.letter.queue.topic.name", "orders-dlq");
        byte[] key = utf8("c-1");
        byte[] value = utf8("not JSON");
        DefaultErrorHandlerContext context = new DefaultErrorHandlerContext(
                null, "orders", 3, 41L, own(), "source", new TaskId(0, 3), 1_767_258_000_138L, key, value);

        LogAndContinueExceptionHandler reading = new LogAndContinueExceptionHandler();
        reading.configure(settings);
        Exception unread = bare(new org.apache.kafka.common.errors.SerializationException("cannot read"));
        letters.add(new Letter(
                "a value that cannot be deserialized",
                reading.handleError(context, consumed(key, value), unread).deadLetterQueueRecords().get(0)));

        LogAndContinueProcessingExceptionHandler processing = new LogAndContinueProcessingExceptionHandler();
        processing.configure(settings);
        letters.add(new Letter(
                "a processor that throws, without a message",
                processing.handleError(context, new Record<>("c-1", "mapped", 7L), bare(new NullPointerException()))
                        .deadLetterQueueRecords().get(0)));

        // A punctuation has no record: where it stands is unknown.
        DefaultErrorHandlerContext punctuation = new DefaultErrorHandlerContext(
                null, null, -1, -1L, new RecordHeaders(), "clock", new TaskId(0, 3), 1_767_258_000_138L, null, null);
        letters.add(new Letter(
                "a punctuation that throws",
                processing.handleError(punctuation, new Record<>(null, null, 7L), bare(new IllegalStateException("late")))
                        .deadLetterQueueRecords().get(0)));
        return letters;
    }

    private static void write(Path path, List<Letter> letters) throws IOException {
        List<String> documents = new ArrayList<>();
        for (Letter letter : letters) {
            ProducerRecord<byte[], byte[]> record = letter.record();
            List<String> headers = new ArrayList<>();
            for (Header header : record.headers()) {
                headers.add("      [\"" + header.key() + "\", " + json(header.value()) + "]");
            }
            documents.add("  {\n    \"name\": \"" + letter.name() + "\",\n    \"topic\": \"" + record.topic()
                    + "\",\n    \"timestamp\": " + record.timestamp() + ",\n    \"key\": " + json(record.key())
                    + ",\n    \"value\": " + json(record.value())
                    + ",\n    \"headers\": [\n" + String.join(",\n", headers) + "\n    ]\n  }");
        }
        Files.writeString(path, "[\n" + String.join(",\n", documents) + "\n]\n");
    }

    private static String json(byte[] bytes) {
        return bytes == null ? "null" : "\"" + Base64.getEncoder().encodeToString(bytes) + "\"";
    }
}
