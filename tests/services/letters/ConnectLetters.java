// In this package, since the reporter's constructor is its own.
package org.apache.kafka.connect.runtime.errors;

import static letters.Letters.bare;
import static letters.Letters.consumed;
import static letters.Letters.utf8;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import letters.Letters.Letter;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.runtime.ConnectMetrics;
import org.apache.kafka.connect.runtime.SinkConnectorConfig;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.runtime.standalone.StandaloneConfig;
import org.apache.kafka.connect.storage.StringConverter;
import org.apache.kafka.connect.util.ConnectorTaskId;

/** The letters of Kafka Connect. */
public final class ConnectLetters {
    /** Keeps what it is given; it reaches no broker. */
    private static final class Kept extends KafkaProducer<byte[], byte[]> {
        final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();

        Kept() {
            super(Map.of("bootstrap.servers", "127.0.0.1:9"), new ByteArraySerializer(), new ByteArraySerializer());
        }

        @Override
        public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
            records.add(record);
            return CompletableFuture.completedFuture(null);
        }
    }

    public static List<Letter> all() {
        Map<String, String> connector = new HashMap<>();
        connector.put("name", "shipping");
        connector.put("connector.class", "org.apache.kafka.connect.tools.MockSinkConnector");
        connector.put("topics", "orders");
        connector.put(SinkConnectorConfig.DLQ_TOPIC_NAME_CONFIG, "orders-dlq");
        connector.put(SinkConnectorConfig.DLQ_CONTEXT_HEADERS_ENABLE_CONFIG, "true");
        Map<String, String> worker = Map.of(
                "bootstrap.servers", "127.0.0.1:9",
                "key.converter", StringConverter.class.getName(),
                "value.converter", StringConverter.class.getName(),
                "offset.storage.file.filename", "unused");
        ConnectorTaskId task = new ConnectorTaskId("shipping", 0);
        ErrorHandlingMetrics metrics =
                new ErrorHandlingMetrics(task, new ConnectMetrics("worker", new StandaloneConfig(worker), Time.SYSTEM, "cluster"));
        Kept kept = new Kept();
        DeadLetterQueueReporter reporter = new DeadLetterQueueReporter(
                kept, new SinkConnectorConfig(new Plugins(Map.of()), connector), task, metrics);

        List<Letter> letters = new ArrayList<>();
        Throwable thrown = bare(new DataException("not an order"));
        report(reporter, Stage.VALUE_CONVERTER, thrown, consumed(utf8("c-1"), utf8("not JSON")));
        letters.add(new Letter("a value that cannot be converted", kept.records.get(0)));

        report(reporter, Stage.TASK_PUT, bare(new IllegalStateException()), consumed(null, utf8("{\"order_id\":41}")));
        letters.add(new Letter("a sink that throws, without a message", kept.records.get(1)));

        // A record of old message formats has no time.
        ConsumerRecord<byte[], byte[]> timeless = new ConsumerRecord<>(
                "orders", 3, 41L, -1L, TimestampType.NO_TIMESTAMP_TYPE, 3, 2, utf8("c-1"), utf8("{}"), new RecordHeaders(), Optional.empty());
        report(reporter, Stage.TRANSFORMATION, thrown, timeless);
        letters.add(new Letter("a record without a time", kept.records.get(2)));
        return letters;
    }

    private static void report(
            DeadLetterQueueReporter reporter, Stage stage, Throwable thrown, ConsumerRecord<byte[], byte[]> record) {
        ProcessingContext<ConsumerRecord<byte[], byte[]>> context = new ProcessingContext<>(record);
        context.currentContext(stage, StringConverter.class);
        context.error(thrown);
        reporter.report(context);
    }
}
