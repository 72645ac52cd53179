import com.google.common.util.concurrent.FutureCallback;
import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.MoreExecutors;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * The KPL as a contestant: java KplContestant PROPERTIES POOL STREAM MAX-OUTSTANDING.
 * POOL has one record a line, partition key, tab, text. Each line of standard input is a count of records to put from the
 * pool in turn; the answer is a line with "done", or with the failure, once the service has acknowledged every one of them.
 */
public class KplContestant {
  private final KinesisProducer producer;
  private final String stream;
  private final int maxOutstanding;
  private final Semaphore room;
  private final String[] keys;
  private final byte[][] texts;
  private final AtomicReference<String> failure = new AtomicReference<>();
  private final FutureCallback<UserRecordResult> settle = new FutureCallback<>() {
    @Override
    public void onSuccess(UserRecordResult result) {
      if (!result.isSuccessful()) failure.set("a record failed");
      room.release();
    }

    @Override
    public void onFailure(Throwable error) {
      failure.set(String.valueOf(error));
      room.release();
    }
  };

  private KplContestant(KinesisProducer producer, List<String> pool, String stream, int maxOutstanding) {
    this.producer = producer;
    this.stream = stream;
    this.maxOutstanding = maxOutstanding;
    this.room = new Semaphore(maxOutstanding);
    this.keys = pool.stream().map(line -> line.substring(0, line.indexOf('\t'))).toArray(String[]::new);
    this.texts = pool.stream()
        .map(line -> line.substring(line.indexOf('\t') + 1).getBytes(StandardCharsets.UTF_8))
        .toArray(byte[][]::new);
  }

  private String drive(int count) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      int n = i % keys.length;
      room.acquire();
      var future = producer.addUserRecord(stream, keys[n], ByteBuffer.wrap(texts[n]));
      Futures.addCallback(future, settle, MoreExecutors.directExecutor());
    }
    // The last aggregates are not full: they leave at once, not when their time is up.
    producer.flush();
    while (room.availablePermits() < maxOutstanding) Thread.sleep(1);
    return failure.get() == null ? "done" : failure.get();
  }

  public static void main(String[] arguments) throws Exception {
    var configuration = KinesisProducerConfiguration.fromPropertiesFile(arguments[0])
        .setCredentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any")));
    var producer = new KinesisProducer(configuration);
    var pool = Files.readAllLines(Path.of(arguments[1]));
    var contestant = new KplContestant(producer, pool, arguments[2], Integer.parseInt(arguments[3]));
    var counts = new BufferedReader(new InputStreamReader(System.in));
    for (var line = counts.readLine(); line != null; line = counts.readLine()) {
      System.out.println(contestant.drive(Integer.parseInt(line)));
    }
    producer.destroy();
    System.exit(0);
  }
}
