import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.auth.keyboard.UserAuthKeyboardInteractiveFactory;
import org.apache.sshd.client.auth.keyboard.UserInteraction;
import org.apache.sshd.client.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.client.channel.ChannelDirectTcpip;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.SshException;
import org.apache.sshd.common.channel.exception.SshChannelOpenException;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.common.util.net.SshdSocketAddress;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.forward.AcceptAllForwardingFilter;
import org.apache.sshd.sftp.client.SftpClient;
import org.apache.sshd.sftp.client.SftpClientFactory;

/** Apache MINA SSHD's client, as its users write it. */
final class MinaClient {
    private static final Duration WAIT = Duration.ofSeconds(8);
    private final Told told;
    private final SshClient client = SshClient.setUpDefaultClient();
    private ClientSession session;

    private MinaClient(Told told) {
        this.told = told;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("--version")) {
            System.out.println(SshClient.class.getPackage().getImplementationVersion());
            return;
        }
        MinaClient one = new MinaClient(new Told(args[0]));
        one.start();
        one.session = one.connect(one.told.user);
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

    private void start() {
        client.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
        client.setForwardingFilter(AcceptAllForwardingFilter.INSTANCE);
        CoreModuleProperties.HEARTBEAT_INTERVAL.set(client, Duration.ofMillis(200));
        CoreModuleProperties.HEARTBEAT_NO_REPLY_MAX.set(client, 3);
        client.setUserAuthFactories(List.of(
                told.key == null ? UserAuthKeyboardInteractiveFactory.INSTANCE : UserAuthPublicKeyFactory.INSTANCE));
        client.setUserInteraction(new UserInteraction() {
            @Override
            public String[] interactive(
                    ClientSession session, String name, String instruction, String lang, String[] prompt, boolean[] echo) {
                return told.answer(instruction, prompt);
            }

            @Override
            public void welcome(ClientSession session, String banner, String lang) {
                told.heard.append(banner);
            }

            @Override
            public String getUpdatedPassword(ClientSession session, String prompt, String lang) {
                return null;
            }
        });
        client.start();
    }

    private ClientSession connect(String user) throws Exception {
        ClientSession made = client.connect(user, "127.0.0.1", told.port).verify(WAIT).getSession();
        if (told.key != null)
            made.setKeyIdentityProvider(new FileKeyPairProvider(Path.of(told.key)));
        made.auth().verify(Duration.ofSeconds(20));
        return made;
    }

    /** What a command says to its standard output. */
    private byte[] output(ChannelExec channel) throws Exception {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        channel.setOut(output);
        channel.setErr(OutputStream.nullOutputStream());
        channel.open().verify(WAIT);
        channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), WAIT);
        return output.toByteArray();
    }

    private Void exec() throws Exception {
        ChannelExec channel = session.createExecChannel("echo out; echo err >&2; exit 7");
        Told.equal(new String(output(channel), StandardCharsets.US_ASCII), "out\n");
        Told.equal(channel.getExitStatus(), 7);
        return null;
    }

    private Void stdin() throws Exception {
        ChannelExec channel = session.createExecChannel("wc -c");
        channel.setIn(new ByteArrayInputStream(Told.INPUT));
        Told.equal(new String(output(channel), StandardCharsets.US_ASCII).strip(), "300000");
        return null;
    }

    private Void pty() throws Exception {
        ChannelExec channel = session.createExecChannel("tty >/dev/null && stty size");
        channel.setUsePty(true);
        channel.setPtyType("xterm");
        channel.setPtyColumns(101);
        channel.setPtyLines(31);
        Told.equal(new String(output(channel), StandardCharsets.US_ASCII).strip(), "31 101");
        return null;
    }

    private Void sftp() throws Exception {
        String a = told.dir + "/a";
        String b = told.dir + "/b";
        String link = told.dir + "/link";
        try (SftpClient files = SftpClientFactory.instance().createSftpClient(session)) {
            try (OutputStream file = files.write(a)) {
                file.write(new byte[100_000]);
            }
            files.rename(a, b);
            files.symLink(link, "b");
            Told.equal(files.readLink(link), "b");
            Told.equal(files.stat(link).getSize(), 100_000L);
            files.remove(link);
            files.remove(b);
        }
        return null;
    }

    private SshdSocketAddress echo() {
        return new SshdSocketAddress("127.0.0.1", told.echoPort);
    }

    private Void local() throws Exception {
        Told.converseAt(session.startLocalPortForwarding(0, echo()).getPort());
        return null;
    }

    private Void remote() throws Exception {
        SshdSocketAddress all = new SshdSocketAddress("0.0.0.0", 0);
        Told.converseAt(session.startRemotePortForwarding(all, echo()).getPort());
        return null;
    }

    private Void keepalive() throws Exception {
        Thread.sleep(1_000);
        return exec();
    }

    private Void rekey() throws Exception {
        session.reExchangeKeys().verify(WAIT);
        byte[] bytes = output(session.createExecChannel("head -c 3000000 /dev/zero"));
        Told.equal(Told.zeros(new ByteArrayInputStream(bytes)), 3_000_000);
        return null;
    }

    private Void refusal() throws Exception {
        SshdSocketAddress nobody = new SshdSocketAddress("127.0.0.1", 1);
        try (ChannelDirectTcpip channel = session.createDirectTcpipChannel(nobody, nobody)) {
            channel.open().verify(WAIT);
        } catch (SshException cause) {
            if (!(cause.getCause() instanceof SshChannelOpenException reason)) throw cause;
            Told.equal(reason.getReasonCode(), SshConstants.SSH_OPEN_CONNECT_FAILED);
            return null;
        }
        throw new IllegalStateException("it was not refused");
    }

    private Void denial() throws Exception {
        told.heard.setLength(0);
        try {
            connect(told.deniedUser);
        } catch (SshException cause) {
            Told.equal(cause.getDisconnectCode(), SshConstants.SSH2_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE);
            told.wasTold();
            return null;
        }
        throw new IllegalStateException("it was let in");
    }
}
