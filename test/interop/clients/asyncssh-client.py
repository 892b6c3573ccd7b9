"""asyncssh, as its users write it. See clients.ts for what a client program is told and says."""
import asyncio, json, sys
import asyncssh

it = json.loads(sys.argv[1])
# What the server said to the person.
heard = []


class Interactive(asyncssh.SSHClient):
    def kbdint_auth_requested(self):
        return ""

    def kbdint_challenge_received(self, name, instructions, lang, prompts):
        heard.append(instructions)
        if not prompts:
            return []
        text = instructions + " " + " ".join(prompt for prompt, echo in prompts)
        print("ASK " + json.dumps(text), flush=True)
        return [sys.stdin.readline().strip()]


def equal(found, wanted):
    if found != wanted:
        raise Exception(f"{found!r}, not {wanted!r}")


async def check(name, act, seconds=8):
    try:
        await asyncio.wait_for(act(), seconds)
        print(f"{name}: ok", flush=True)
    except BaseException as cause:
        print(f"{name}: {type(cause).__name__} {cause}", flush=True)


def connect(user):
    auth = (
        {"client_keys": None, "preferred_auth": "keyboard-interactive", "client_factory": Interactive}
        if it["key"] is None
        else {"client_keys": [it["key"]]}
    )
    return asyncssh.connect(
        "127.0.0.1", it["port"], username=user, known_hosts=None, agent_path=None, config=None, **auth
    )


async def main():
    client = await connect(it["user"])

    async def exec_():
        result = await client.run("echo out; echo err >&2; exit 7")
        equal((result.stdout, result.stderr, result.exit_status), ("out\n", "err\n", 7))

    async def stdin():
        result = await client.run("wc -c", input="x" * 300000)
        equal(result.stdout.strip(), "300000")

    async def pty():
        result = await client.run("tty >/dev/null && stty size", term_type="xterm", term_size=(101, 31))
        equal(result.stdout.strip(), "31 101")

    async def sftp():
        async with client.start_sftp_client() as files:
            at = lambda name: it["dir"] + "/" + name
            async with files.open(at("a"), "w") as file:
                await file.write("x" * 100000)
            await files.rename(at("a"), at("b"))
            await files.symlink("b", at("link"))
            equal(await files.readlink(at("link")), "b")
            async with files.open(at("link"), "r") as file:
                equal(len(await file.read()), 100000)
            await files.remove(at("link"))
            await files.remove(at("b"))

    async def converse(streams):
        reader, writer = streams
        writer.write(b"hello ")
        writer.write_eof()
        equal(await reader.read(), b"hello bye")

    async def local():
        await converse(await client.open_connection("127.0.0.1", it["echoPort"]))

    async def remote():
        listener = await client.forward_remote_port("", 0, "127.0.0.1", it["echoPort"])
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.get_port())
        await converse((reader, writer))
        listener.close()

    async def unix_local():
        await converse(await client.open_unix_connection(it["echoPath"]))

    async def unix_remote():
        path = it["dir"] + "/remote.sock"
        listener = await client.forward_remote_path(path, it["echoPath"])
        await converse(await asyncio.open_unix_connection(path))
        listener.close()

    async def keepalive():
        client.set_keepalive(0.05, 3)
        await asyncio.sleep(0.5)
        equal((await client.run("echo on")).stdout, "on\n")

    async def rekey():
        client._rekey_bytes = 1
        result = await client.run("head -c 3000000 /dev/zero")
        equal(len(result.stdout), 3000000)

    async def refusal():
        try:
            await client.open_connection("127.0.0.1", 1)
        except asyncssh.ChannelOpenError as cause:
            equal("Connection refused" in str(cause), True)
            return
        raise Exception("it was not refused")

    async def denial():
        heard.clear()
        try:
            await connect(it["deniedUser"])
        except asyncssh.PermissionDenied:
            equal((it["deniedSays"] or "") in "".join(heard), True)
            return
        raise Exception("it was let in")

    async def transfer():
        client._rekey_bytes = 1 << 18
        with open(it["file"], "rb") as file:
            data = file.read()
        result = await client.run("cat", input=data, encoding=None)
        if result.stdout != data:
            raise Exception("other bytes came")

    if it.get("transfers"):
        for _ in range(it["transfers"]):
            await check("transfer", transfer, 60)
        return
    for name, act in [
        ("exec", exec_), ("stdin", stdin), ("pty", pty), ("sftp", sftp), ("-L", local), ("-R", remote),
        ("unix -L", unix_local), ("unix -R", unix_remote), ("keepalive", keepalive), ("rekey", rekey),
        ("refusal", refusal), ("denial", denial),
    ]:
        await check(name, act)
    client.close()


asyncio.run(main())
