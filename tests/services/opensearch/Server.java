// One OpenSearch node on loopback, until it is stopped: java -cp JARS Server.java FOLDER PORT
//
// Its data is in FOLDER. It makes no index by itself: a request for one that is missing is answered with 404, as in a domain where that is turned off.

import java.util.List;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

class Server {
    public static void main(String[] arguments) throws Exception {
        var settings = Settings.builder()
                .put("path.home", arguments[0])
                .put("network.host", "127.0.0.1")
                .put("http.port", arguments[1])
                // Any port: nobody joins it.
                .put("transport.port", 0)
                .put("transport.type", "netty4")
                .put("http.type", "netty4")
                .put("discovery.type", "single-node")
                .put("action.auto_create_index", false)
                // Else it refuses writes on a disk that is nearly full.
                .put("cluster.routing.allocation.disk.threshold_enabled", false)
                .build();
        new Node(new Environment(settings, null), List.of(Netty4Plugin.class), false) {}.start();
        // Its threads keep no process alive.
        Thread.currentThread().join();
    }
}
