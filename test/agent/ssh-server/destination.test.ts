/** Where forwards may go, and what the client's messages say of it. */
import { expect, test } from "bun:test";
import {
  bindAddresses,
  describeForward,
  forwardedFields,
  literalAddress,
  parseDirect,
  parseRemote,
  reachableAddresses,
} from "../../../src/agent/ssh-server/destination.ts";
import { SshReader, SshWriter } from "../../../src/base/ssh-buffer.ts";

const direct = (host: string, port: number): Buffer =>
  new SshWriter().string(Buffer.from(host)).uint32(port).text("127.0.0.1").uint32(5).toBuffer();

test.each([
  ["169.254.169.254"],
  ["169.254.1.1"],
  ["fd00:ec2::254%eth0"],
  ["fe80::1%eth0"],
  ["::ffff:169.254.169.254%eth0"],
  ["100.100.100.200"],
  ["::ffff:169.254.169.254"],
  ["::ffff:a9fe:a9fe"],
  ["0:0:0:0:0:ffff:a9fe:a9fe"],
  ["::a9fe:a9fe"],
  ["::169.254.169.254"],
  ["64:ff9b::a9fe:a9fe"],
  ["64:ff9b::169.254.169.254"],
  ["2002:a9fe:a9fe::"],
  ["fe80::1"],
  ["fe80::1%eth0"],
  ["::ffff:169.254.169.254%eth0"],
  ["febf::1"],
  ["fd00:ec2::254"],
  ["fd00:ec2:0:0:0:0:0:254"],
  ["FD00:0EC2::0254"],
  ["fd00:ec2::23"],
  ["fd20:ce::254"],
  ["fd20:ce:0:0:0:0:0:0254"],
  ["fd00:c1::a9fe:a9fe"],
  ["fd00:42::42"],
  ["192.0.0.192"],
  ["168.63.129.16"],
  ["::ffff:a83f:8110"],
])("reachableAddresses keeps a name away from %s", (address) => {
  expect(reachableAddresses("harmless.example.com", [address])).toEqual([]);
  expect(reachableAddresses("harmless.example.com", [address, "10.0.0.7"])).toEqual(["10.0.0.7"]);
});

test.each([
  ["127.0.0.1"],
  ["0.0.0.0"],
  ["10.0.0.7"],
  ["169.253.0.1"],
  ["100.64.0.9"],
  ["::1"],
  ["::"],
  ["::ffff:10.0.0.7"],
  ["fd00::7"],
  ["fec0::1"],
  ["fd00:ec2::255"],
  ["2001:db8::a9fe:a9fe"],
])("reachableAddresses lets through %s", (address) => {
  expect(reachableAddresses("db.example.com", [address])).toEqual([address]);
});

test("reachableAddresses takes what policy has judged by its own name", () => {
  expect(reachableAddresses("169.254.169.254", ["169.254.169.254"])).toEqual(["169.254.169.254"]);
});

test.each([
  ["10.0.0.7", "10.0.0.7"],
  ["fd00::7", "fd00::7"],
  ["[fd00::7]", "fd00::7"],
  ["2852039166", null],
  ["0xa9fea9fe", null],
  ["169.254.43518", null],
  ["010.0.0.7", null],
  ["localhost", null],
  ["", null],
])("literalAddress reads %p as %p", (host, address) => {
  expect(literalAddress(host)).toBe(address);
});

test.each([
  ["", ["0.0.0.0", "::"]],
  ["*", ["0.0.0.0", "::"]],
  ["localhost", ["127.0.0.1", "::1"]],
  ["127.0.0.1", ["127.0.0.1"]],
  ["[::1]", ["::1"]],
  ["10.0.0.7", ["10.0.0.7"]],
])("bindAddresses reads %p as RFC 4254 section 7.1 does", (host, addresses) => {
  expect(bindAddresses(host)).toEqual(addresses);
});

test("parseDirect reads the fields of both kinds of channel", () => {
  expect(parseDirect("direct-tcpip", direct("db", 5432))).toEqual({
    kind: "local_forward",
    host: "db",
    port: 5432,
  });
  const socket = new SshWriter().text("/run/db").text("").uint32(0).toBuffer();
  expect(parseDirect("direct-streamlocal@openssh.com", socket)).toEqual({
    kind: "local_socket",
    path: "/run/db",
  });
});

test.each<[name: string, type: string, fields: Buffer]>([
  ["another type", "x11", direct("db", 5432)],
  ["no fields", "direct-tcpip", Buffer.alloc(0)],
  ["fields cut short", "direct-tcpip", direct("db", 5432).subarray(0, 7)],
  ["a port that is none", "direct-tcpip", direct("db", 65_536)],
  ["an empty host", "direct-tcpip", direct("", 80)],
  ["a host with a NUL", "direct-tcpip", direct("db\0.example.com", 80)],
  ["a host that is too long", "direct-tcpip", direct("a".repeat(1025), 80)],
  [
    "an abstract socket",
    "direct-streamlocal@openssh.com",
    new SshWriter().string(Buffer.from("\0abstract")).text("").toBuffer(),
  ],
  ["an empty path", "direct-streamlocal@openssh.com", new SshWriter().text("").text("").toBuffer()],
])("parseDirect refuses %s", (_name, type, fields) => {
  expect(parseDirect(type, fields)).toBeNull();
});

test.each([
  [
    { name: "tcpip-forward", bindAddr: "", bindPort: 0 },
    { kind: "remote_forward", host: "", port: 0 },
  ],
  [
    { name: "cancel-tcpip-forward", bindAddr: "localhost", bindPort: 80 },
    { kind: "remote_forward", host: "localhost", port: 80 },
  ],
  [
    { name: "streamlocal-forward@openssh.com", socketPath: "/run/x" },
    { kind: "remote_socket", path: "/run/x" },
  ],
  [{ name: "tcpip-forward" }, null],
  [{ name: "tcpip-forward", bindAddr: "a\0b", bindPort: 80 }, null],
  [{ name: "tcpip-forward", bindAddr: "localhost", bindPort: 65_536 }, null],
  [{ name: "streamlocal-forward@openssh.com", socketPath: "\0abstract" }, null],
  [{ name: "streamlocal-forward@openssh.com", socketPath: "" }, null],
  [{ name: "hostkeys-prove-00@openssh.com" }, null],
])("parseRemote reads %p as %p", (request, action) => {
  expect<unknown>(parseRemote(request)).toEqual(action);
});

test("forwardedFields says what was asked for and who comes", () => {
  const { type, fields } = forwardedFields(
    { kind: "remote_forward", host: "localhost", port: 8080 },
    { address: "127.0.0.1", port: 4711 },
  );
  const reader = new SshReader(fields);
  expect(type).toBe("forwarded-tcpip");
  expect([reader.text(64), reader.uint32(), reader.text(64), reader.uint32()]).toEqual([
    ...["localhost", 8080, "127.0.0.1", 4711],
  ]);
  reader.end();
});

test("describeForward writes each as ssh(1) has it", () => {
  const lines = [
    { kind: "local_forward", host: "fd00::7", port: 22 },
    { kind: "remote_forward", host: "", port: 80 },
    { kind: "remote_forward", host: "localhost", port: 80 },
    { kind: "local_socket", path: "/run/x" },
    { kind: "remote_socket", path: "/run/y" },
    { kind: "agent_forwarding" },
  ] as const;
  expect(lines.map(describeForward).map(({ flag, target }) => `${flag} ${target}`)).toEqual([
    ...["-L [fd00::7]:22", "-R *:80", "-R localhost:80", "-L /run/x", "-R /run/y", "-A agent"],
  ]);
});
