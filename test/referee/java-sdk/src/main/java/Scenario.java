import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.math.BigInteger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.*;
import software.amazon.awssdk.utils.AttributeMap;

/**
 * The scenario of test/referee/client-scenario.ts with the SDK for Java v2: java Scenario sync|netty ENDPOINT STREAM IN OUT.
 * OUT has a line for each fact: its kind, then its fields, with tabs between.
 */
public class Scenario {
  private static final int REQUEST_RECORDS = 100;
  private static final int REQUEST_BYTES = 4_000_000;
  private static final int MEBIBYTE = 1_048_576;

  private static final Set<String> CONTENT_TYPES = ConcurrentHashMap.newKeySet();

  private final KinesisClient kinesis;
  private final String stream;
  private final List<PutRecordsRequestEntry> records;
  private final PrintWriter out;

  private Scenario(KinesisClient kinesis, String stream, List<PutRecordsRequestEntry> records, PrintWriter out) {
    this.kinesis = kinesis;
    this.stream = stream;
    this.records = records;
    this.out = out;
  }

  public static void main(String[] arguments) throws Exception {
    List<PutRecordsRequestEntry> records = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(arguments[3]))) records.add(parse(line));
    try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(arguments[4])))) {
      KinesisClient client = arguments[0].equals("sync") ? sync(arguments[1]) : netty(arguments[1]);
      new Scenario(client, arguments[2], records, out).run();
    }
    System.exit(0);
  }

  private void run() throws Exception {
    int third = records.size() / 3;
    kinesis.createStream(r -> r.streamName(stream).shardCount(2));
    waitUntilActive();
    for (int i = 0; i < third; i++) putOne(i);
    split();
    putMany(third, 2 * third);
    merge();
    putMany(2 * third, records.size());
    describe();
    List<Shard> shards = listShards();
    for (Shard shard : shards) read(shard);
    errors();
    kinesis.deleteStream(r -> r.streamName(stream));
    for (String contentType : CONTENT_TYPES) fact("wire", contentType);
    fact("streams", String.valueOf(kinesis.listStreams().streamNames().contains(stream)));
  }

  private void putOne(int i) {
    PutRecordsRequestEntry record = records.get(i);
    PutRecordResponse answer =
        kinesis.putRecord(
            PutRecordRequest.builder()
                .streamName(stream)
                .partitionKey(record.partitionKey())
                .explicitHashKey(record.explicitHashKey())
                .data(record.data())
                .build());
    fact("put", String.valueOf(i), answer.shardId(), answer.sequenceNumber());
  }

  private void putMany(int from, int to) {
    int start = from;
    while (start < to) {
      int end = start;
      long bytes = 0;
      while (end < to && end - start < REQUEST_RECORDS && (end == start || bytes + size(end) <= REQUEST_BYTES)) {
        bytes += size(end++);
      }
      List<PutRecordsRequestEntry> entries = records.subList(start, end);
      PutRecordsResponse answer = kinesis.putRecords(r -> r.streamName(stream).records(entries));
      for (int i = 0; i < entries.size(); i++) {
        PutRecordsResultEntry result = answer.records().get(i);
        fact("put", String.valueOf(start + i), result.shardId(), result.sequenceNumber());
      }
      start = end;
    }
  }

  private int size(int i) {
    return records.get(i).data().asByteArrayUnsafe().length;
  }

  private void split() throws Exception {
    Shard first = openShards().get(0);
    BigInteger start = new BigInteger(first.hashKeyRange().startingHashKey());
    BigInteger end = new BigInteger(first.hashKeyRange().endingHashKey());
    String middle = start.add(end).divide(BigInteger.TWO).toString();
    kinesis.splitShard(r -> r.streamName(stream).shardToSplit(first.shardId()).newStartingHashKey(middle));
    waitUntilActive();
  }

  private void merge() throws Exception {
    List<Shard> open = openShards();
    kinesis.mergeShards(
        r ->
            r.streamName(stream)
                .shardToMerge(open.get(0).shardId())
                .adjacentShardToMerge(open.get(1).shardId()));
    waitUntilActive();
  }

  private void waitUntilActive() throws Exception {
    for (int i = 0; i < 600; i++) {
      if (summary().streamStatus() == StreamStatus.ACTIVE) return;
      Thread.sleep(10);
    }
    throw new IllegalStateException("the stream is not ACTIVE");
  }

  private StreamDescriptionSummary summary() {
    return kinesis.describeStreamSummary(r -> r.streamName(stream)).streamDescriptionSummary();
  }

  private void describe() {
    StreamDescriptionSummary summary = summary();
    fact("summary", summary.streamName(), summary.streamStatusAsString(), summary.openShardCount().toString());
    StreamDescription whole = kinesis.describeStream(r -> r.streamName(stream)).streamDescription();
    fact("description", whole.streamName(), whole.streamStatusAsString(), String.valueOf(whole.shards().size()));
    fact("created", String.valueOf(summary.streamCreationTimestamp().toEpochMilli()));
  }

  /** Pages of two shards. */
  private List<Shard> listShards() {
    List<Shard> shards = new ArrayList<>();
    ListShardsResponse page = kinesis.listShards(r -> r.streamName(stream).maxResults(2));
    shards.addAll(page.shards());
    while (page.nextToken() != null) {
      String token = page.nextToken();
      page = kinesis.listShards(r -> r.nextToken(token).maxResults(2));
      shards.addAll(page.shards());
    }
    for (Shard shard : shards) {
      fact("shard", shard.shardId(), shard.hashKeyRange().startingHashKey(), shard.hashKeyRange().endingHashKey());
    }
    return shards;
  }

  private List<Shard> openShards() {
    List<Shard> open = new ArrayList<>(kinesis.listShards(r -> r.streamName(stream)).shards());
    open.removeIf(shard -> shard.sequenceNumberRange().endingSequenceNumber() != null);
    open.sort(Comparator.comparing(shard -> new BigInteger(shard.hashKeyRange().startingHashKey())));
    return open;
  }

  private void read(Shard shard) {
    List<software.amazon.awssdk.services.kinesis.model.Record> all = readFrom(shard, ShardIteratorType.TRIM_HORIZON, null);
    for (var record : all) {
      String key = base64(record.partitionKey().getBytes(StandardCharsets.UTF_8));
      fact("read", shard.shardId(), record.sequenceNumber(), key, base64(record.data().asByteArrayUnsafe()));
      fact("arrival", String.valueOf(record.approximateArrivalTimestamp().toEpochMilli()));
    }
    int recent = readFrom(shard, ShardIteratorType.AT_TIMESTAMP, null).size();
    int rest = all.isEmpty() ? 0 : readFrom(shard, ShardIteratorType.AFTER_SEQUENCE_NUMBER, all.get(0).sequenceNumber()).size();
    fact("counts", shard.shardId(), String.valueOf(all.size()), String.valueOf(recent), String.valueOf(rest));
  }

  private List<software.amazon.awssdk.services.kinesis.model.Record> readFrom(
      Shard shard, ShardIteratorType type, String sequenceNumber) {
    GetShardIteratorRequest.Builder asked =
        GetShardIteratorRequest.builder()
            .streamName(stream)
            .shardId(shard.shardId())
            .shardIteratorType(type)
            .startingSequenceNumber(sequenceNumber);
    if (type == ShardIteratorType.AT_TIMESTAMP) asked.timestamp(Instant.now().minusSeconds(3600));
    String iterator = kinesis.getShardIterator(asked.build()).shardIterator();
    List<software.amazon.awssdk.services.kinesis.model.Record> read = new ArrayList<>();
    while (iterator != null) {
      String at = iterator;
      GetRecordsResponse answer = kinesis.getRecords(r -> r.shardIterator(at).limit(1000));
      read.addAll(answer.records());
      boolean isAtEnd = answer.records().isEmpty() && answer.millisBehindLatest() == 0;
      iterator = isAtEnd ? null : answer.nextShardIterator();
    }
    return read;
  }

  private void errors() {
    expect("missing stream", () -> kinesis.describeStreamSummary(r -> r.streamName("no-such-stream")));
    expect(
        "too large",
        () ->
            kinesis.putRecord(
                r -> r.streamName(stream).partitionKey("k").data(SdkBytes.fromByteArray(new byte[MEBIBYTE + 1]))));
    expect("bad iterator", () -> kinesis.getRecords(r -> r.shardIterator("not an iterator")));
    expect("unknown operation", () -> kinesis.describeLimits());
  }

  private void expect(String what, Runnable call) {
    try {
      call.run();
      fact("error", what, "none");
    } catch (AwsServiceException error) {
      fact("error", what, error.awsErrorDetails().errorCode());
    }
  }

  private void fact(String... fields) {
    out.println(String.join("\t", fields));
  }

  private static KinesisClient sync(String endpoint) {
    AttributeMap trustAll =
        AttributeMap.builder().put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, true).build();
    return KinesisClient.builder()
        .endpointOverride(URI.create(endpoint))
        .region(Region.US_EAST_1)
        .credentialsProvider(credentials())
        .overrideConfiguration(o -> o.addExecutionInterceptor(noteContentType()))
        .httpClient(ApacheHttpClient.builder().buildWithDefaults(trustAll))
        .build();
  }

  /** The calls of the asynchronous client, each waited for. */
  private static KinesisClient netty(String endpoint) {
    AttributeMap trustAll =
        AttributeMap.builder().put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, true).build();
    KinesisAsyncClient client =
        KinesisAsyncClient.builder()
            .endpointOverride(URI.create(endpoint))
            .region(Region.US_EAST_1)
            .credentialsProvider(credentials())
            .overrideConfiguration(o -> o.addExecutionInterceptor(noteContentType()))
            // Kinesis asks for HTTP/2 in the defaults of the service; they are given here because the client is.
            .httpClient(
                NettyNioAsyncHttpClient.builder()
                    .protocol(software.amazon.awssdk.http.Protocol.HTTP2)
                    .buildWithDefaults(trustAll))
            .build();
    return (KinesisClient)
        Proxy.newProxyInstance(
            Scenario.class.getClassLoader(),
            new Class<?>[] {KinesisClient.class},
            (proxy, method, given) -> {
              try {
                var answer =
                    (CompletableFuture<?>)
                        KinesisAsyncClient.class
                            .getMethod(method.getName(), method.getParameterTypes())
                            .invoke(client, given);
                return answer.join();
              } catch (CompletionException error) {
                throw error.getCause();
              } catch (InvocationTargetException error) {
                throw error.getTargetException();
              }
            });
  }

  private static ExecutionInterceptor noteContentType() {
    return new ExecutionInterceptor() {
      @Override
      public void beforeTransmission(Context.BeforeTransmission context, ExecutionAttributes attributes) {
        CONTENT_TYPES.add(context.httpRequest().firstMatchingHeader("Content-Type").orElse("none"));
      }
    };
  }

  private static StaticCredentialsProvider credentials() {
    return StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any"));
  }

  private static PutRecordsRequestEntry parse(String line) {
    String[] fields = line.split("\t", -1);
    return PutRecordsRequestEntry.builder()
        .partitionKey(new String(Base64.getDecoder().decode(fields[0]), StandardCharsets.UTF_8))
        .explicitHashKey(fields[1].equals("-") ? null : fields[1])
        .data(SdkBytes.fromByteArray(Base64.getDecoder().decode(fields[2])))
        .build();
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
