import com.google.common.util.concurrent.ListenableFuture;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordFailedException;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * Puts with the KPL: java PutWithKpl PROPERTIES RECORDS. Each line of standard input, STREAM FROM TO, puts these records; its
 * answer is the count of them that the KPL has acknowledged, and the first error if there is one.
 * The runner changes the package for KPL 0.x, which takes its credentials from the environment as well.
 */
public class PutWithKpl {
  private static final int MAX_OUTSTANDING = 2_000;

  public static void main(String[] arguments) throws Exception {
    KinesisProducer producer =
        new KinesisProducer(KinesisProducerConfiguration.fromPropertiesFile(arguments[0]));
    List<String> records = Files.readAllLines(Path.of(arguments[1]));
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] asked = line.split(" ");
      System.out.println(put(producer, asked[0], records.subList(Integer.parseInt(asked[1]), Integer.parseInt(asked[2]))));
    }
    producer.destroy();
    System.exit(0);
  }

  private static String put(KinesisProducer producer, String stream, List<String> records) throws Exception {
    List<ListenableFuture<UserRecordResult>> results = new ArrayList<>();
    for (String record : records) {
      while (producer.getOutstandingRecordsCount() > MAX_OUTSTANDING) Thread.sleep(1);
      String[] fields = record.split("\t", -1);
      String key = new String(decode(fields[0]), StandardCharsets.UTF_8);
      String hashKey = fields[1].equals("-") ? null : fields[1];
      results.add(producer.addUserRecord(stream, key, hashKey, ByteBuffer.wrap(decode(fields[2]))));
    }
    producer.flushSync();
    int acknowledged = 0;
    String error = "";
    for (ListenableFuture<UserRecordResult> result : results) {
      try {
        if (result.get().isSuccessful()) acknowledged++;
      } catch (java.util.concurrent.ExecutionException failure) {
        if (error.isEmpty()) error = " " + text(failure.getCause());
      }
    }
    return acknowledged + error;
  }

  private static String text(Throwable cause) {
    if (!(cause instanceof UserRecordFailedException failed)) return String.valueOf(cause);
    var attempts = failed.getResult().getAttempts();
    return attempts.stream().map(attempt -> attempt.getErrorCode() + ": " + attempt.getErrorMessage()).distinct().toList().toString();
  }

  private static byte[] decode(String text) {
    return Base64.getDecoder().decode(text);
  }
}
