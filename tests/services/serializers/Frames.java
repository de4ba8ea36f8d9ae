// Protobuf's bytes as AWS's own serializer for Glue frames them: a line {"files": …, "message": …, "bytes": …, "version": …, "compressed": …} in, a line
// {"schema": …, "bytes": …} out, until the input ends. Started by vectors.py as `java -cp JARS Frames.java`.
//
// In: a FileDescriptorSet in base64, the file that declares the message last; the message's full name and its bytes in hexadecimal digits.

import com.amazonaws.services.schemaregistry.common.configs.GlueSchemaRegistryConfiguration;
import com.amazonaws.services.schemaregistry.serializers.SerializationDataEncoder;
import com.amazonaws.services.schemaregistry.serializers.protobuf.ProtobufSerializer;
import com.amazonaws.services.schemaregistry.utils.AWSSchemaRegistryConstants.COMPRESSION;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;

class Frames {
    public static void main(String[] arguments) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        // What the libraries log goes to the other.
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        var mapper = new ObjectMapper();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            var asked = mapper.readTree(line);
            var files = Base64.getDecoder().decode(asked.get("files").textValue());
            var type = find(last(FileDescriptorSet.parseFrom(files)).getMessageTypes(), asked.get("message").textValue());
            var message = DynamicMessage.parseFrom(type, HexFormat.of().parseHex(asked.get("bytes").textValue()));

            var config = new GlueSchemaRegistryConfiguration("eu-central-1");
            config.setCompressionType(asked.get("compressed").booleanValue() ? COMPRESSION.ZLIB : COMPRESSION.NONE);
            var serializer = new ProtobufSerializer(config);
            var version = UUID.fromString(asked.get("version").textValue());
            var framed = new SerializationDataEncoder(config).write(serializer.serialize(message), version);
            var answer = Map.of("schema", serializer.getSchemaDefinition(message), "bytes", HexFormat.of().formatHex(framed));
            out.println(mapper.writeValueAsString(answer));
        }
    }

    private static FileDescriptor last(FileDescriptorSet files) throws Exception {
        var built = new HashMap<String, FileDescriptor>();
        FileDescriptor last = null;
        for (FileDescriptorProto file : files.getFileList()) {
            var imports = file.getDependencyList().stream().map(built::get).toArray(FileDescriptor[]::new);
            last = FileDescriptor.buildFrom(file, imports);
            built.put(file.getName(), last);
        }
        return last;
    }

    private static Descriptor find(List<Descriptor> among, String name) {
        for (Descriptor type : among) {
            if (type.getFullName().equals(name)) {
                return type;
            }
            var nested = find(type.getNestedTypes(), name);
            if (nested != null) {
                return nested;
            }
        }
        return null;
    }
}
