import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import com.google.common.util.concurrent.ListenableFuture;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;

/** Puts 2,000 records with the real KPL to the TLS port given as the argument. */
public class PutWithKpl {
  public static void main(String[] arguments) throws Exception {
    var configuration = new KinesisProducerConfiguration()
        .setRegion("us-east-1")
        .setKinesisEndpoint("127.0.0.1")
        .setKinesisPort(Integer.parseInt(arguments[0]))
        .setVerifyCertificate(false)
        .setMetricsLevel("none")
        .setCredentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any")));
    var producer = new KinesisProducer(configuration);
    List<ListenableFuture<UserRecordResult>> results = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      var data = ByteBuffer.wrap(("record " + i).getBytes(StandardCharsets.UTF_8));
      results.add(producer.addUserRecord("kpl", "key-" + (i % 50), data));
    }
    producer.flushSync();
    int acknowledged = 0;
    for (var result : results) {
      if (result.get().isSuccessful()) acknowledged++;
    }
    System.out.println(acknowledged);
    producer.destroy();
    System.exit(0);
  }
}
