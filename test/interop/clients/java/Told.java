import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a client program is told, and how it says what came of it. See test/support/ssh-clients.ts.
 */
final class Told {
    static final byte[] INPUT = "x".repeat(300_000).getBytes(StandardCharsets.US_ASCII);
    private static final BufferedReader ANSWERS = new BufferedReader(new InputStreamReader(System.in));
    private static final ExecutorService RUNNER = Executors.newCachedThreadPool(Told::daemon);

    final int port;
    final String user;
    /** Null: by keyboard-interactive. */
    final String key;
    final String dir;
    final int echoPort;
    final String echoPath;
    final String deniedUser;
    /** Null: the server gives no reason. */
    final String deniedSays;
    /** How often a file is to be carried while keys change, instead of everything else. */
    final int transfers;
    final String file;
    /** What the server said to the person while signing in. */
    final StringBuffer heard = new StringBuffer();

    Told(String json) {
        port = Integer.parseInt(field(json, "port"));
        user = field(json, "user");
        key = field(json, "key");
        dir = field(json, "dir");
        echoPort = Integer.parseInt(field(json, "echoPort"));
        echoPath = field(json, "echoPath");
        deniedUser = field(json, "deniedUser");
        deniedSays = field(json, "deniedSays");
        String count = field(json, "transfers");
        transfers = count == null ? 0 : Integer.parseInt(count);
        file = field(json, "file");
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    }

    private static String field(String json, String name) {
        Matcher match = Pattern.compile("\"" + name + "\":(?:null|\"([^\"]*)\"|(\\d+))").matcher(json);
        if (!match.find()) return null;
        return match.group(1) != null ? match.group(1) : match.group(2);
    }

    /** Asks the person for what the server asks for. */
    String[] answer(String instruction, String... prompts) {
        heard.append(instruction).append('\n');
        if (prompts.length == 0) return new String[0];
        System.out.println("ASK \"" + escape(instruction + " " + String.join(" ", prompts)) + "\"");
        try {
            return new String[] {ANSWERS.readLine().strip()};
        } catch (IOException cause) {
            throw new IllegalStateException(cause);
        }
    }

    private static String escape(String text) {
        StringBuilder escaped = new StringBuilder();
        for (char one : text.toCharArray())
            escaped.append(Character.isLetterOrDigit(one) ? String.valueOf(one) : String.format("\\u%04x", (int) one));
        return escaped.toString();
    }

    /** Tries each, in order. */
    void run(Map<String, Callable<Void>> checks) {
        checks.forEach((name, act) -> System.out.println(name + ": " + outcome(act)));
    }

    private static String outcome(Callable<Void> act) {
        try {
            RUNNER.submit(act).get(20, TimeUnit.SECONDS);
            return "ok";
        } catch (TimeoutException cause) {
            return "no end";
        } catch (ExecutionException | InterruptedException cause) {
            return String.valueOf(cause.getCause()).lines().findFirst().orElse("");
        }
    }

    static void equal(Object found, Object wanted) {
        if (!wanted.equals(found)) throw new IllegalStateException(found + ", not " + wanted);
    }

    /** What a refused sign-in has to have said. */
    void wasTold() {
        if (deniedSays == null || heard.toString().contains(deniedSays)) return;
        throw new IllegalStateException("it heard " + heard.toString().replace('\n', ' '));
    }

    static String text(InputStream stream) throws IOException {
        return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Says hello to an echo by these streams. None of the libraries keeps a half-closed one open. */
    static void converse(OutputStream to, InputStream from) throws IOException {
        to.write("hello".getBytes(StandardCharsets.US_ASCII));
        to.flush();
        equal(new String(from.readNBytes(5), StandardCharsets.US_ASCII), "hello");
    }

    /** The same by a port of this machine that leads there. */
    static void converseAt(int port) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(8_000);
            converse(socket.getOutputStream(), socket.getInputStream());
        }
    }

    static int zeros(InputStream stream) throws IOException {
        byte[] bytes = stream.readAllBytes();
        return Arrays.equals(bytes, new byte[bytes.length]) ? bytes.length : -1;
    }
}
