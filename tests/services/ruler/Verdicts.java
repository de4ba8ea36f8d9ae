// What AWS's own matcher says: a line {"rule": "…", "event": "…"} in, a line out, until the input ends. Started by
// tests/tests/ruler.rs as `java -cp JARS Verdicts.java`.
//
// Out: "true", "false", "refused" (the rule has a fault), or "error: …" (the matcher failed).

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Ruler;

class Verdicts {
    public static void main(String[] arguments) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        var mapper = new ObjectMapper();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode asked = mapper.readTree(line);
            out.println(verdict(asked.get("rule").textValue(), asked.get("event").textValue()));
        }
    }

    // Checked first: when this compiler refuses a rule, `matchesRule` falls back to an older one without "$or", which takes
    // a malformed "$or" for a field of that name.
    private static String verdict(String rule, String event) {
        if (JsonRuleCompiler.check(rule) != null) {
            return "refused";
        }
        try {
            return String.valueOf(Ruler.matchesRule(event, rule));
        } catch (Exception error) {
            return "error: " + String.valueOf(error).replaceAll("\\R", " ");
        }
    }
}
