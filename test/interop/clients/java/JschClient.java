import com.jcraft.jsch.ChannelDirectTCPIP;
import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.UIKeyboardInteractive;
import com.jcraft.jsch.UserInfo;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;

/** JSch, as its users write it. */
final class JschClient {
    private static final int WAIT_MS = 8_000;
    private final Told told;
    private Session session;

    private JschClient(Told told) {
        this.told = told;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("--version")) {
            System.out.println(JSch.VERSION);
            return;
        }
        JschClient client = new JschClient(new Told(args[0]));
        for (int left = client.told.transfers; left > 0; left--) client.told.run(Map.of("transfer", client::transfer));
        if (client.told.transfers > 0) System.exit(0);
        client.session = client.connect(client.told.user);
        Map<String, Callable<Void>> checks = new LinkedHashMap<>();
        checks.put("exec", client::exec);
        checks.put("stdin", client::stdin);
        checks.put("pty", client::pty);
        checks.put("sftp", client::sftp);
        checks.put("-L", client::local);
        checks.put("-R", client::remote);
        checks.put("unix -L", client::unixLocal);
        checks.put("keepalive", client::keepalive);
        checks.put("rekey", client::rekey);
        checks.put("refusal", client::refusal);
        checks.put("denial", client::denial);
        client.told.run(checks);
        System.exit(0);
    }

    private Session connect(String user) throws JSchException {
        JSch jsch = new JSch();
        Session made = jsch.getSession(user, "127.0.0.1", told.port);
        made.setConfig("StrictHostKeyChecking", "no");
        if (told.key == null) {
            made.setConfig("PreferredAuthentications", "keyboard-interactive");
            made.setUserInfo(new Person());
        } else {
            jsch.addIdentity(told.key);
            made.setConfig("PreferredAuthentications", "publickey");
        }
        made.connect(30_000);
        return made;
    }

    private final class Person implements UserInfo, UIKeyboardInteractive {
        @Override
        public String[] promptKeyboardInteractive(
                String destination, String name, String instruction, String[] prompt, boolean[] echo) {
            return told.answer(instruction, prompt);
        }

        @Override
        public String getPassphrase() {
            return null;
        }

        @Override
        public String getPassword() {
            return null;
        }

        @Override
        public boolean promptPassword(String message) {
            return false;
        }

        @Override
        public boolean promptPassphrase(String message) {
            return false;
        }

        @Override
        public boolean promptYesNo(String message) {
            return true;
        }

        @Override
        public void showMessage(String message) {
            told.heard.append(message);
        }
    }

    private ChannelExec channel(String command) throws JSchException {
        ChannelExec channel = (ChannelExec) session.openChannel("exec");
        channel.setCommand(command);
        return channel;
    }

    private Void exec() throws Exception {
        ChannelExec channel = channel("echo out; echo err >&2; exit 7");
        InputStream output = channel.getInputStream();
        channel.connect(WAIT_MS);
        Told.equal(Told.text(output), "out\n");
        while (!channel.isClosed()) Thread.sleep(10);
        Told.equal(channel.getExitStatus(), 7);
        return null;
    }

    private Void stdin() throws Exception {
        ChannelExec channel = channel("wc -c");
        channel.setInputStream(new ByteArrayInputStream(Told.INPUT));
        InputStream output = channel.getInputStream();
        channel.connect(WAIT_MS);
        Told.equal(Told.text(output).strip(), "300000");
        return null;
    }

    private Void pty() throws Exception {
        ChannelExec channel = channel("tty >/dev/null && stty size");
        channel.setPty(true);
        channel.setPtyType("xterm", 101, 31, 0, 0);
        InputStream output = channel.getInputStream();
        channel.connect(WAIT_MS);
        Told.equal(Told.text(output).strip(), "31 101");
        return null;
    }

    private Void sftp() throws Exception {
        ChannelSftp files = (ChannelSftp) session.openChannel("sftp");
        files.connect(WAIT_MS);
        String a = told.dir + "/a";
        String b = told.dir + "/b";
        String link = told.dir + "/link";
        files.put(new ByteArrayInputStream(new byte[100_000]), a);
        files.rename(a, b);
        files.symlink("b", link);
        Told.equal(files.readlink(link), "b");
        Told.equal(files.stat(link).getSize(), 100_000L);
        files.rm(link);
        files.rm(b);
        files.disconnect();
        return null;
    }

    private Void local() throws Exception {
        Told.converseAt(session.setPortForwardingL(0, "127.0.0.1", told.echoPort));
        return null;
    }

    private Void remote() throws Exception {
        Told.converseAt(session.setPortForwardingR("0.0.0.0:0:127.0.0.1:" + told.echoPort));
        return null;
    }

    private Void unixLocal() throws Exception {
        Told.converseAt(session.setSocketForwardingL(null, 0, told.echoPath, null, WAIT_MS));
        return null;
    }

    private Void keepalive() throws Exception {
        session.setServerAliveInterval(200);
        Thread.sleep(1_000);
        session.setServerAliveInterval(0);
        return exec();
    }

    /** Not in mid-transfer, where JSch's hangs with every server now and then. */
    private Void rekey() throws Exception {
        session.rekey();
        ChannelExec channel = channel("head -c 3000000 /dev/zero");
        InputStream output = channel.getInputStream();
        channel.connect(WAIT_MS);
        Told.equal(Told.zeros(output), 3_000_000);
        return null;
    }

    /** On a connection of its own: one that hangs is of no more use. */
    private Void transfer() throws Exception {
        Session carrier = connect(told.user);
        try {
            ChannelExec channel = (ChannelExec) carrier.openChannel("exec");
            channel.setCommand("cat " + told.file);
            InputStream output = channel.getInputStream();
            channel.connect(WAIT_MS);
            byte[] wanted = Files.readAllBytes(Path.of(told.file));
            byte[] found = new byte[wanted.length];
            int length = output.readNBytes(found, 0, 100_000);
            carrier.rekey();
            length += output.readNBytes(found, length, found.length - length);
            if (!Arrays.equals(found, 0, length, wanted, 0, length)) throw new IllegalStateException("other bytes came");
            Told.equal(length, wanted.length);
        } finally {
            carrier.disconnect();
        }
        return null;
    }

    private Void refusal() throws Exception {
        ChannelDirectTCPIP channel = (ChannelDirectTCPIP) session.openChannel("direct-tcpip");
        channel.setHost("127.0.0.1");
        channel.setPort(1);
        try {
            channel.connect(WAIT_MS);
        } catch (JSchException cause) {
            if (cause.getMessage().contains("not opened")) return null;
            throw cause;
        }
        throw new IllegalStateException("it was not refused");
    }

    private Void denial() throws Exception {
        told.heard.setLength(0);
        try {
            connect(told.deniedUser);
        } catch (JSchException cause) {
            if (!cause.getMessage().startsWith("Auth")) throw cause;
            told.wasTold();
            return null;
        }
        throw new IllegalStateException("it was let in");
    }
}
