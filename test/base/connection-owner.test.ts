import { expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { findOwner, ownerOfConnection } from "../../src/base/connection-owner.ts";

/** As proc(5) writes it: a program of uid 1000 at 10.0.0.5:40000, connected to 100.64.0.2:22. */
const row = (change: Partial<Record<"local" | "remote" | "state" | "uid" | "inode", string>> = {}) => {
  const found = {
    local: "0500000A:9C40",
    remote: "02004064:0016",
    state: "01",
    uid: "1000",
    inode: "77",
    ...change,
  };
  const times = "00000000:00000000 00:00000000 00000000";
  const ends = `${found.local} ${found.remote} ${found.state}`;
  return `   3: ${ends} ${times}  ${found.uid}        0 ${found.inode} 1`;
};
const mapped = (end: string) => `0000000000000000FFFF0000${end}`;
const ends = {
  localAddress: "10.0.0.5",
  localPort: 40_000,
  remoteAddress: "100.64.0.2",
  remotePort: 22,
};
const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

test.each<[what: string, table: string, ends: typeof ends, want: number | null]>([
  ["a program's connection", row(), ends, 1000],
  ["one with the address as IPv6 writes it", row(), { ...ends, localAddress: "::ffff:10.0.0.5" }, 1000],
  [
    "a connection by a socket for IPv6",
    row({ local: mapped("0500000A:9C40"), remote: mapped("02004064:0016") }),
    ends,
    1000,
  ],
  [
    "one whose other end is IPv6's own",
    row({ local: mapped("0500000A:9C40"), remote: "02004064:0016" }),
    ends,
    null,
  ],
  [
    "an IPv6 address that ends alike",
    row({ local: `${"0".repeat(24)}0500000A:9C40`, remote: `${"0".repeat(24)}02004064:0016` }),
    ends,
    null,
  ],
  ["one to another address", row({ remote: "03004064:0016" }), ends, null],
  ["one to another port", row({ remote: "02004064:0017" }), ends, null],
  ["one of another address with the same ports", row({ local: "0600000A:9C40" }), ends, null],
  ["one that is not there yet", row({ state: "02" }), ends, null],
  ["one that nobody has open any more", row({ inode: "0", uid: "0" }), ends, null],
  ["one of another user namespace", row({ uid: "65534" }), ends, null],
  ["none", "", ends, null],
  ["an address that is none", row(), { ...ends, localAddress: "::1" }, null],
])("the owner of %s", (_what, rows, asked, want) => {
  expect(findOwner(`${HEAD}\n${rows}\n`, asked)).toBe(want);
});

test.skipIf(process.platform !== "linux").each([
  ["a connection", "127.0.0.1"],
  // As Java makes them: a socket for IPv6, which speaks IPv4.
  ["a connection by a socket for IPv6", "::ffff:127.0.0.1"],
])("%s of this process is its user's", async (_what, host) => {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => accepted.resolve(socket)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = connect(port, host);
  const socket = await accepted.promise;
  const loopback = "127.0.0.1";
  const found = {
    localAddress: loopback,
    localPort: socket.remotePort ?? 0,
    remoteAddress: loopback,
    remotePort: port,
  };
  expect(ownerOfConnection(found)).toBe(process.geteuid?.() ?? -1);
  expect(ownerOfConnection({ ...found, remoteAddress: "127.0.0.2" })).toBeNull();
  client.destroy();
  socket.destroy();
  server.close();
});
