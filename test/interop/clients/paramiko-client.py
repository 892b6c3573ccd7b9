"""paramiko, as its users write it. See clients.ts for what a client program is told and says."""
import json, socket, sys, threading, time
import paramiko

it = json.loads(sys.argv[1])
# What the server said to the person.
heard = []


def equal(found, wanted):
    if found != wanted:
        raise Exception(f"{found!r}, not {wanted!r}")


def answer(title, instructions, prompts):
    heard.append(instructions)
    if not prompts:
        return []
    print("ASK " + json.dumps(instructions + " " + " ".join(prompt for prompt, echo in prompts)), flush=True)
    return [sys.stdin.readline().strip()]


def connect(user):
    made = paramiko.Transport(("127.0.0.1", it["port"]))
    made.start_client(timeout=10)
    if it["key"] is None:
        made.auth_interactive(user, answer)
    else:
        made.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(it["key"]))
    return made


def transfer():
    """Each on a connection of its own: one that hangs is of no more use."""
    carrier = connect(it["user"])
    try:
        channel = carrier.open_session()
        channel.settimeout(20)
        channel.exec_command("cat " + it["file"])
        threading.Timer(0.02, carrier.renegotiate_keys).start()
        found = read_all(channel)
        with open(it["file"], "rb") as file:
            wanted = file.read()
        if not wanted.startswith(found):
            raise Exception("other bytes came")
        equal(len(found), len(wanted))
    finally:
        carrier.close()




def session(timeout=8):
    channel = transport.open_session()
    channel.settimeout(timeout)
    return channel


def read_all(source):
    parts = []
    while True:
        data = source.recv(65536)
        if not data:
            return b"".join(parts)
        parts.append(data)


def converse(stream):
    stream.settimeout(8)
    stream.sendall(b"hello ")
    stream.shutdown(socket.SHUT_WR) if isinstance(stream, socket.socket) else stream.shutdown_write()
    equal(read_all(stream), b"hello bye")


def exec_():
    channel = session()
    channel.exec_command("echo out; echo err >&2; exit 7")
    equal((read_all(channel), channel.recv_exit_status()), (b"out\n", 7))


def stdin():
    channel = session()
    channel.exec_command("wc -c")
    channel.sendall(b"x" * 300000)
    channel.shutdown_write()
    equal(read_all(channel).strip(), b"300000")


def pty():
    channel = session()
    channel.get_pty("xterm", 101, 31)
    channel.exec_command("tty >/dev/null && stty size")
    equal(read_all(channel).strip(), b"31 101")


def sftp():
    files = paramiko.SFTPClient.from_transport(transport)
    at = lambda name: it["dir"] + "/" + name
    with files.open(at("a"), "wb") as file:
        file.write(b"x" * 100000)
    files.rename(at("a"), at("b"))
    files.symlink("b", at("link"))
    equal(files.readlink(at("link")), "b")
    with files.open(at("link"), "rb") as file:
        equal(len(file.read()), 100000)
    files.remove(at("link"))
    files.remove(at("b"))
    files.close()


def local():
    converse(transport.open_channel("direct-tcpip", ("127.0.0.1", it["echoPort"]), ("127.0.0.1", 1)))


def remote():
    port = transport.request_port_forward("", 0)

    def serve():
        channel = transport.accept(8)
        channel.sendall(b"from here")
        channel.close()

    threading.Thread(target=serve, daemon=True).start()
    stream = socket.create_connection(("127.0.0.1", port))
    stream.settimeout(8)
    equal(read_all(stream), b"from here")


def keepalive():
    transport.set_keepalive(1)
    time.sleep(2.2)
    exec_()


# No rekey: its renegotiation hangs now and then, with sshd as often as with us ("Key-exchange timed out").
def refusal():
    try:
        transport.open_channel("direct-tcpip", ("127.0.0.1", 1), ("127.0.0.1", 1))
    except paramiko.ChannelException as cause:
        equal(cause.code, 2)
        return
    raise Exception("it was not refused")


def denial():
    heard.clear()
    try:
        connect(it["deniedUser"])
    except paramiko.AuthenticationException:
        equal((it["deniedSays"] or "") in "".join(heard), True)
        return
    raise Exception("it was let in")


checks = [("transfer", transfer)] * it.get("transfers", 0)
transport = None if checks else connect(it["user"])
for name, act in checks or [
    ("exec", exec_), ("stdin", stdin), ("pty", pty), ("sftp", sftp), ("-L", local), ("-R", remote),
    ("keepalive", keepalive), ("refusal", refusal), ("denial", denial),
]:
    try:
        act()
        print(f"{name}: ok", flush=True)
    except Exception as cause:
        print(f"{name}: {type(cause).__name__} {cause}", flush=True)
if transport is not None:
    transport.close()
