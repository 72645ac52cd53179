import java.io.PrintWriter;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/**
 * De-aggregates with the KCL: java ReadWithKcl IN OUT.
 * A line of IN: base64 of a Kinesis record, first and last hash key of its shard. OUT has for each of them the count of user
 * records, and then a line for each user record.
 */
public class ReadWithKcl {
  public static void main(String[] arguments) throws Exception {
    AggregatorUtil kcl = new AggregatorUtil();
    try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(arguments[1])))) {
      for (String line : Files.readAllLines(Path.of(arguments[0]))) {
        String[] fields = line.split("\t", -1);
        KinesisClientRecord record =
            KinesisClientRecord.builder()
                .data(ByteBuffer.wrap(Base64.getDecoder().decode(fields[0])))
                .partitionKey("outer")
                .sequenceNumber("1")
                .approximateArrivalTimestamp(Instant.EPOCH)
                .build();
        List<KinesisClientRecord> read =
            kcl.deaggregate(List.of(record), new BigInteger(fields[1]), new BigInteger(fields[2]));
        out.println(read.size());
        for (int i = 0; i < read.size(); i++) {
          if (read.get(i).subSequenceNumber() != i) throw new IllegalStateException("sub-sequence numbers have a gap");
          out.println(format(read.get(i)));
        }
      }
    }
  }

  private static String format(KinesisClientRecord record) {
    byte[] data = new byte[record.data().remaining()];
    record.data().duplicate().get(data);
    String hashKey = record.explicitHashKey() == null ? "-" : record.explicitHashKey();
    return base64(record.partitionKey().getBytes(StandardCharsets.UTF_8)) + "\t" + hashKey + "\t" + base64(data);
  }

  private static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
