import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import net.schmizz.keepalive.KeepAliveProvider;
import net.schmizz.sshj.DefaultConfig;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.connection.channel.OpenFailException;
import net.schmizz.sshj.connection.channel.direct.DirectConnection;
import net.schmizz.sshj.connection.channel.direct.Session;
import net.schmizz.sshj.connection.channel.forwarded.RemotePortForwarder.Forward;
import net.schmizz.sshj.connection.channel.forwarded.SocketForwardingConnectListener;
import net.schmizz.sshj.sftp.OpenMode;
import net.schmizz.sshj.sftp.RemoteFile;
import net.schmizz.sshj.sftp.SFTPClient;
import net.schmizz.sshj.transport.verification.PromiscuousVerifier;
import net.schmizz.sshj.userauth.UserAuthException;
import net.schmizz.sshj.userauth.method.AuthKeyboardInteractive;
import net.schmizz.sshj.userauth.method.ChallengeResponseProvider;
import net.schmizz.sshj.userauth.password.Resource;

/** sshj, as its users write it. */
final class SshjClient {
    private final Told told;
    private SSHClient client;

    private SshjClient(Told told) {
        this.told = told;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("--version")) {
            System.out.println(new DefaultConfig().getVersion().replaceAll("^\\D*|_.*$", ""));
            return;
        }
        SshjClient one = new SshjClient(new Told(args[0]));
        one.client = one.connect(one.told.user);
        Map<String, Callable<Void>> checks = new LinkedHashMap<>();
        checks.put("exec", one::exec);
        checks.put("stdin", one::stdin);
        checks.put("pty", one::pty);
        checks.put("sftp", one::sftp);
        checks.put("-L", one::local);
        checks.put("-R", one::remote);
        checks.put("keepalive", one::keepalive);
        checks.put("rekey", one::rekey);
        checks.put("refusal", one::refusal);
        checks.put("denial", one::denial);
        one.told.run(checks);
        System.exit(0);
    }

    private SSHClient connect(String user) throws Exception {
        DefaultConfig config = new DefaultConfig();
        config.setKeepAliveProvider(KeepAliveProvider.KEEP_ALIVE);
        SSHClient made = new SSHClient(config);
        made.addHostKeyVerifier(new PromiscuousVerifier());
        made.connect("127.0.0.1", told.port);
        if (told.key == null) made.auth(user, new AuthKeyboardInteractive(new Person()));
        else made.authPublickey(user, told.key);
        return made;
    }

    private final class Person implements ChallengeResponseProvider {
        private String instruction = "";

        @Override
        public List<String> getSubmethods() {
            return List.of();
        }

        @Override
        @SuppressWarnings("rawtypes")
        public void init(Resource resource, String name, String instruction) {
            this.instruction = instruction;
            told.heard.append(instruction);
        }

        @Override
        public char[] getResponse(String prompt, boolean echo) {
            return told.answer(instruction, prompt)[0].toCharArray();
        }

        @Override
        public boolean shouldRetry() {
            return false;
        }
    }

    private Void exec() throws Exception {
        try (Session session = client.startSession()) {
            Session.Command command = session.exec("echo out; echo err >&2; exit 7");
            Told.equal(Told.text(command.getInputStream()), "out\n");
            command.join(8, TimeUnit.SECONDS);
            Told.equal(command.getExitStatus(), 7);
        }
        return null;
    }

    private Void stdin() throws Exception {
        try (Session session = client.startSession()) {
            Session.Command command = session.exec("wc -c");
            try (OutputStream input = command.getOutputStream()) {
                input.write(Told.INPUT);
            }
            Told.equal(Told.text(command.getInputStream()).strip(), "300000");
        }
        return null;
    }

    private Void pty() throws Exception {
        try (Session session = client.startSession()) {
            session.allocatePTY("xterm", 101, 31, 0, 0, Map.of());
            Session.Command command = session.exec("tty >/dev/null && stty size");
            Told.equal(Told.text(command.getInputStream()).strip(), "31 101");
        }
        return null;
    }

    private Void sftp() throws Exception {
        String a = told.dir + "/a";
        String b = told.dir + "/b";
        String link = told.dir + "/link";
        try (SFTPClient files = client.newSFTPClient()) {
            try (RemoteFile file = files.open(a, EnumSet.of(OpenMode.WRITE, OpenMode.CREAT))) {
                // More than one packet, as its users write: RemoteFile itself does not cut.
                for (int at = 0; at < 100_000; at += 10_000) file.write(at, new byte[10_000], 0, 10_000);
            }
            files.rename(a, b);
            // Its words are in the order of the draft, which OpenSSH's server reads the other way round.
            files.symlink("b", link);
            Told.equal(files.readlink(link), "b");
            Told.equal(files.stat(link).getSize(), 100_000L);
            files.rm(link);
            files.rm(b);
        }
        return null;
    }

    private Void local() throws Exception {
        try (DirectConnection connection = client.newDirectConnection("127.0.0.1", told.echoPort)) {
            OutputStream to = connection.getOutputStream();
            to.write("hello ".getBytes(StandardCharsets.US_ASCII));
            to.close();
            Told.equal(Told.text(connection.getInputStream()), "hello bye");
        }
        return null;
    }

    private Void remote() throws Exception {
        InetSocketAddress echo = new InetSocketAddress("127.0.0.1", told.echoPort);
        Forward bound = client.getRemotePortForwarder()
                .bind(new Forward("0.0.0.0", 0), new SocketForwardingConnectListener(echo));
        Told.converseAt(bound.getPort());
        return null;
    }

    private Void keepalive() throws Exception {
        client.getConnection().getKeepAlive().setKeepAliveInterval(1);
        Thread.sleep(2_500);
        return exec();
    }

    private Void rekey() throws Exception {
        client.getTransport().doKex();
        try (Session session = client.startSession()) {
            InputStream output = session.exec("head -c 3000000 /dev/zero").getInputStream();
            Told.equal(Told.zeros(output), 3_000_000);
        }
        return null;
    }

    private Void refusal() throws Exception {
        try {
            client.newDirectConnection("127.0.0.1", 1).close();
            throw new IllegalStateException("it was not refused");
        } catch (OpenFailException cause) {
            Told.equal(cause.getReason(), OpenFailException.Reason.CONNECT_FAILED);
            return null;
        }
    }

    private Void denial() throws Exception {
        told.heard.setLength(0);
        try {
            connect(told.deniedUser);
        } catch (UserAuthException cause) {
            told.wasTold();
            return null;
        }
        throw new IllegalStateException("it was let in");
    }
}
