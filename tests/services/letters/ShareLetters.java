// In this package, since what builds the records is its own.
package org.apache.kafka.server.share.dlq;

import static letters.Letters.bare;
import static letters.Letters.bytes;
import static letters.Letters.consumed;
import static letters.Letters.utf8;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import letters.Letters.Letter;
import org.apache.kafka.clients.KafkaClient;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.share.LogReader;
import org.apache.kafka.server.share.metrics.ShareGroupMetrics;
import org.apache.kafka.server.util.timer.Timer;
import org.apache.kafka.storage.internals.log.FetchDataInfo;
import org.apache.kafka.storage.internals.log.LogOffsetMetadata;
import org.apache.kafka.storage.internals.log.LogReadResult;

/** The letters of share groups, as the broker writes them. */
public final class ShareLetters {
    /** When the broker writes the letter: later than the record. */
    private static final long NOW = 1_767_258_999_000L;

    private static final TopicIdPartition ORDERS = new TopicIdPartition(new Uuid(1, 1), 3, "orders");
    private static final String DLQ = "orders-dlq";

    public static List<Letter> all() throws Exception {
        List<Letter> letters = new ArrayList<>();
        Throwable thrown = bare(new IllegalStateException("rejected by the consumer"));
        // What a group does unless `errors.deadletterqueue.copy.record.enable` is set.
        letters.add(new Letter("coordinates only", letter(false, Optional.of(thrown))));
        letters.add(new Letter("with a copy of the record", letter(true, Optional.of(thrown))));
        letters.add(new Letter("with a copy, without a message", letter(true, Optional.empty())));
        return letters;
    }

    private static ProducerRecord<byte[], byte[]> letter(boolean copies, Optional<Throwable> cause) throws Exception {
        ShareGroupDLQMetadataCacheHelper cache = answering(ShareGroupDLQMetadataCacheHelper.class, (proxy, method, arguments) ->
                switch (method.getName()) {
                    case "shareGroupDlqTopic" -> Optional.of(DLQ);
                    case "shareGroupDlqTopicPrefix" -> Optional.empty();
                    case "isShareGroupDlqCopyRecordEnabled" -> copies;
                    case "isDlqEnabledOnTopic", "containsTopic" -> true;
                    case "dlqTopicMaxMessageBytes" -> 1_048_588;
                    case "topicName" -> Optional.of("orders");
                    case "topicPartitionData" -> new ShareGroupDLQMetadataCacheHelper.TopicPartitionData(
                            DLQ, Optional.of(1), Optional.of(new Uuid(2, 2)), List.of(new Node(1, "127.0.0.1", 9)));
                    default -> throw new UnsupportedOperationException(method.getName());
                });
        LogReader log = answering(LogReader.class, (proxy, method, arguments) -> CompletableFuture.completedFuture(read()));
        Time time = answering(Time.class, (proxy, method, arguments) ->
                method.getReturnType() == long.class ? (Object) NOW : InvocationHandler.invokeDefault(proxy, method, arguments));
        KafkaClient client = answering(KafkaClient.class, (proxy, method, arguments) -> null);
        Timer timer = answering(Timer.class, (proxy, method, arguments) -> null);

        ShareGroupDLQStateManager manager =
                new ShareGroupDLQStateManager(client, cache, time, timer, new ShareGroupMetrics(time), log);
        ShareGroupDLQRecordParameter param =
                new ShareGroupDLQRecordParameter("shipping", ORDERS, 41, 41, Optional.of((short) 5), cause);
        ShareGroupDLQStateManager.ProduceRequestHandler handler =
                manager.new ProduceRequestHandler(param, new CompletableFuture<>(), 1_000, 30_000, 5);
        handler.populateDLQTopicData();
        handler.resolveRound().get();
        MemoryRecords written = (MemoryRecords) handler.topicProduceData().partitionData().get(0).records();
        Record record = written.records().iterator().next();
        return new ProducerRecord<>(
                DLQ, 0, record.timestamp(), bytes(record.key()), bytes(record.value()), new RecordHeaders(record.headers()));
    }

    /** What the broker's log has of the topic. */
    private static LinkedHashMap<TopicIdPartition, LogReadResult> read() {
        var consumed = consumed(utf8("c-1"), utf8("{\"order_id\":41}"));
        SimpleRecord record = new SimpleRecord(
                consumed.timestamp(), consumed.key(), consumed.value(), consumed.headers().toArray());
        MemoryRecords records = MemoryRecords.withRecords(41L, Compression.NONE, record);
        FetchDataInfo info = new FetchDataInfo(new LogOffsetMetadata(41), records);
        LinkedHashMap<TopicIdPartition, LogReadResult> read = new LinkedHashMap<>();
        read.put(ORDERS, new LogReadResult(info, Optional.empty(), 42, 0, 42, 0, NOW, OptionalLong.of(42), Errors.NONE));
        return read;
    }

    private static <T> T answering(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
