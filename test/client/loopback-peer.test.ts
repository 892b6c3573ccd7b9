import { expect, test } from "bun:test";
import { findUid, uidOfLoopbackPeer } from "../../src/client/loopback-peer.ts";

const TABLE = `  sl  local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 100 1
   1: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 101 1
   2: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 102 1
`;

test("findUid tells the user of the end that dialled", () => {
  expect(findUid(TABLE, 0xd431, 0x1f90)).toBe(1001);
  expect(findUid(TABLE, 0x1f90, 0xd431)).toBe(1000);
  expect(findUid(TABLE, 0xd432, 0x1f90)).toBeNull();
  expect(findUid("", 1, 2)).toBeNull();
});

test.skipIf(process.platform !== "linux").each(["127.0.0.1", "::1"])(
  "uidOfLoopbackPeer finds a connection of our own over %s",
  async (hostname) => {
    const seen = Promise.withResolvers<number | null>();
    using server = Bun.listen({
      hostname,
      port: 0,
      socket: {
        open: (socket) => seen.resolve(uidOfLoopbackPeer(socket.remotePort, socket.localPort)),
        data: () => {},
      },
    });
    const client = await Bun.connect({ hostname, port: server.port, socket: { data: () => {} } });
    expect(await seen.promise).toBe(process.getuid?.() ?? -1);
    client.end();
  },
);
