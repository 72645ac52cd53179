import com.amazonaws.services.schemaregistry.common.AWSDeserializerInput;
import com.amazonaws.services.schemaregistry.common.AWSSerializerInput;
import com.amazonaws.services.schemaregistry.common.Schema;
import com.amazonaws.services.schemaregistry.common.configs.GlueSchemaRegistryConfiguration;
import com.amazonaws.services.schemaregistry.deserializers.GlueSchemaRegistryDeserializationFacade;
import com.amazonaws.services.schemaregistry.deserializers.GlueSchemaRegistryDeserializerImpl;
import com.amazonaws.services.schemaregistry.serializers.GlueSchemaRegistrySerializationFacade;
import com.amazonaws.services.schemaregistry.serializers.GlueSchemaRegistrySerializerImpl;
import com.amazonaws.services.schemaregistry.serializers.json.JsonDataWithSchema;
import com.amazonaws.services.schemaregistry.utils.apicurio.FileDescriptorUtils;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Descriptors;
import com.google.protobuf.DynamicMessage;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.avro.generic.GenericData;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.glue.model.DataFormat;

/** Does with the Java library what a line of JSON asks for, and prints a line of JSON: decode, encode (the KPL's call), serialize. */
public class GlueFrames {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HexFormat HEX = HexFormat.of();
  private static final AwsCredentialsProvider CREDENTIALS =
      StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any"));

  public static void main(String[] args) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Map<?, ?> asked = JSON.readValue(line, Map.class);
      Map<String, Object> answer = new LinkedHashMap<>();
      try {
        switch (String.valueOf(asked.get("do"))) {
          case "decode" -> decode(args[0], asked, answer);
          case "encode" -> encode(args[0], asked, answer);
          default -> serialize(args[0], asked, answer);
        }
      } catch (Throwable thrown) {
        answer.put("error", thrown.getClass().getSimpleName());
      }
      System.out.println(JSON.writeValueAsString(answer));
    }
  }

  /** As the KCL does it: canDeserialize, getSchema, getData; and the value as the deserializer of the format makes it. */
  private static void decode(String endpoint, Map<?, ?> asked, Map<String, Object> answer) {
    byte[] frame = HEX.parseHex(text(asked, "frame"));
    GlueSchemaRegistryDeserializerImpl kcl =
        new GlueSchemaRegistryDeserializerImpl(CREDENTIALS, configuration(endpoint, "NONE"));
    answer.put("canDeserialize", kcl.canDeserialize(frame));
    answer.put("data", HEX.formatHex(kcl.getData(frame)));
    answer.put("format", kcl.getSchema(frame).getDataFormat());
    GlueSchemaRegistryDeserializationFacade facade =
        GlueSchemaRegistryDeserializationFacade.builder()
            .credentialProvider(CREDENTIALS)
            .configs(configs(endpoint, "NONE"))
            .build();
    Object value = facade.deserialize(new AWSDeserializerInput(ByteBuffer.wrap(frame), "stream"));
    String name = value instanceof DynamicMessage message ? message.getDescriptorForType().getFullName() + " " : "";
    String shown = value instanceof JsonDataWithSchema json ? json.getPayload() : String.valueOf(value);
    answer.put("value", (name + shown).trim());
  }

  /** As the KPL does it: data that are serialized already. */
  private static void encode(String endpoint, Map<?, ?> asked, Map<String, Object> answer) {
    GlueSchemaRegistrySerializerImpl kpl =
        new GlueSchemaRegistrySerializerImpl(CREDENTIALS, configuration(endpoint, text(asked, "compression")));
    Schema schema = new Schema(text(asked, "definition"), text(asked, "format"), text(asked, "name"));
    answer.put("frame", HEX.formatHex(kpl.encode("stream", schema, HEX.parseHex(text(asked, "data")))));
  }

  /** As the serializers of the library do it, from a value to the whole frame. */
  private static void serialize(String endpoint, Map<?, ?> asked, Map<String, Object> answer) throws Exception {
    DataFormat format = DataFormat.fromValue(text(asked, "format"));
    GlueSchemaRegistrySerializationFacade facade =
        GlueSchemaRegistrySerializationFacade.builder()
            .credentialProvider(CREDENTIALS)
            .glueSchemaRegistryConfiguration(configuration(endpoint, text(asked, "compression")))
            .build();
    Object value = value(format, asked);
    AWSSerializerInput input =
        AWSSerializerInput.builder()
            .schemaDefinition(text(asked, "definition"))
            .schemaName(text(asked, "name"))
            .dataFormat(format.name())
            .transportName("stream")
            .build();
    answer.put("frame", HEX.formatHex(facade.serialize(format, value, facade.getOrRegisterSchemaVersion(input))));
  }

  private static Object value(DataFormat format, Map<?, ?> asked) throws Exception {
    String definition = text(asked, "definition");
    if (format == DataFormat.JSON) return JsonDataWithSchema.builder(definition, text(asked, "value")).build();
    if (format == DataFormat.AVRO) {
      GenericData.Record record = new GenericData.Record(new org.apache.avro.Schema.Parser().parse(definition));
      record.put("name", text(asked, "value"));
      return record;
    }
    Descriptors.FileDescriptor file =
        FileDescriptorUtils.protoFileToFileDescriptor(definition, "test.proto", Optional.of("t"));
    String[] path = text(asked, "message").split("\\.");
    Descriptors.Descriptor type = file.findMessageTypeByName(path[0]);
    for (int i = 1; i < path.length; i++) type = type.findNestedTypeByName(path[i]);
    DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
    if (!text(asked, "value").isEmpty()) message.setField(type.findFieldByName("name"), text(asked, "value"));
    return message.build();
  }

  private static GlueSchemaRegistryConfiguration configuration(String endpoint, String compression) {
    return new GlueSchemaRegistryConfiguration(configs(endpoint, compression));
  }

  private static Map<String, Object> configs(String endpoint, String compression) {
    Map<String, Object> configs = new HashMap<>();
    configs.put("endpoint", endpoint);
    configs.put("region", "us-east-1");
    configs.put("compression", compression);
    configs.put("schemaAutoRegistrationEnabled", true);
    configs.put("avroRecordType", "GENERIC_RECORD");
    configs.put("protobufMessageType", "DYNAMIC_MESSAGE");
    return configs;
  }

  private static String text(Map<?, ?> asked, String name) {
    return String.valueOf(asked.get(name));
  }
}
