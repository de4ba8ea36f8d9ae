import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;

import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * Lets in whose token is a request for {@code kafka-cluster:Connect} that the one known key has signed, as Amazon MSK does with each key of AWS. Each token that is
 * let in is noted, a line each: the time of its signature, and its session token or a dash.
 *
 * <p>Options of the JAAS entry: {@code region}, {@code key}, {@code secret}, {@code notes} (a file).
 */
public final class IamTokens implements AuthenticateCallbackHandler {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final long LIFE_S_MAX = 900;

    private String region;
    private String key;
    private String secret;
    private Path notes;

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
        Map<String, ?> options = entries.get(0).getOptions();
        region = (String) options.get("region");
        key = (String) options.get("key");
        secret = (String) options.get("secret");
        notes = Path.of((String) options.get("notes"));
    }

    @Override
    public void close() {
    }

    @Override
    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (!(callback instanceof OAuthBearerValidatorCallback asked)) {
                throw new UnsupportedCallbackException(callback);
            }
            try {
                asked.token(checked(asked.tokenValue()));
            } catch (IllegalArgumentException | GeneralSecurityException refused) {
                System.err.println("refused: " + refused.getMessage());
                asked.error("Access denied", null, null);
            }
        }
    }

    private OAuthBearerToken checked(String token) throws GeneralSecurityException, IOException {
        URI url = URI.create(new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));
        String host = "kafka." + region + ".amazonaws.com";
        expect("the scheme", "https", url.getScheme());
        expect("the host", host, url.getHost());
        expect("the path", "/", url.getPath());
        Map<String, String> encoded = new TreeMap<>();
        for (String pair : url.getRawQuery().split("&")) {
            int equals = pair.indexOf('=');
            encoded.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        expect("the action", "kafka-cluster:Connect", decoded(encoded, "Action"));
        expect("the algorithm", "AWS4-HMAC-SHA256", decoded(encoded, "X-Amz-Algorithm"));
        expect("the signed headers", "host", decoded(encoded, "X-Amz-SignedHeaders"));
        String time = decoded(encoded, "X-Amz-Date");
        String scope = time.substring(0, 8) + "/" + region + "/kafka-cluster/aws4_request";
        expect("the credential", key + "/" + scope, decoded(encoded, "X-Amz-Credential"));
        Instant signedAt = Instant.from(TIME.parse(time));
        long life = Long.parseLong(decoded(encoded, "X-Amz-Expires"));
        Instant expires = signedAt.plusSeconds(life);
        if (life > LIFE_S_MAX || expires.isBefore(Instant.now()) || signedAt.isAfter(Instant.now().plus(Duration.ofMinutes(5)))) {
            throw new IllegalArgumentException("the token of " + time + " for " + life + " s is not valid now");
        }

        String signature = encoded.remove("X-Amz-Signature");
        // It names the signer's program, and is added to what is signed.
        encoded.remove("User-Agent");
        StringBuilder query = new StringBuilder();
        encoded.forEach((name, value) -> query.append(query.isEmpty() ? "" : "&").append(name).append('=').append(value));
        String request = "GET\n/\n" + query + "\nhost:" + host + "\n\nhost\n" + sha256("");
        String toSign = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + sha256(request);
        byte[] derived = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (String part : scope.split("/")) {
            derived = hmac(derived, part);
        }
        expect("the signature", HexFormat.of().formatHex(hmac(derived, toSign)), signature);

        String session = encoded.getOrDefault("X-Amz-Security-Token", "-");
        Files.writeString(notes, time + " " + session + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return new Checked(token, key, signedAt.toEpochMilli(), expires.toEpochMilli());
    }

    private static String decoded(Map<String, String> encoded, String name) {
        String value = encoded.get(name);
        if (value == null) {
            throw new IllegalArgumentException(name + " is missing");
        }
        return URLDecoder.decode(value, StandardCharsets.UTF_8);
    }

    private static void expect(String what, String expected, String found) {
        if (!expected.equals(found)) {
            throw new IllegalArgumentException(what + " is another one");
        }
    }

    private static String sha256(String text) throws GeneralSecurityException {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(hash);
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private record Checked(String value, String principalName, Long startTimeMs, long lifetimeMs) implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }
    }
}
