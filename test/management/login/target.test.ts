import { expect, test } from "bun:test";
import { seenAddresses } from "../../../src/management/login/target.ts";

test.each<[name: string, direct: string[], connectionIp: string, wanted: string[]]>([
  ["behind a router", ["10.2.0.2:22022", "127.0.0.1:22022"], "198.51.100.7", ["198.51.100.7:22022"]],
  ["with its own public address", ["198.51.100.7:22022"], "198.51.100.7", []],
  ["on loopback only", ["127.0.0.1:4000"], "198.51.100.7", []],
  ["that comes from loopback", ["10.2.0.2:22022"], "127.0.0.1", []],
  ["without a listener", [], "198.51.100.7", []],
  ["that comes by IPv6 and listens on IPv4", ["10.2.0.2:22022"], "2001:db8::7", []],
  ["that comes by IPv6 and listens there", ["[fd00::2]:22022"], "2001:db8::7", ["[2001:db8::7]:22022"]],
  ["that comes by IPv4 in IPv6", ["10.2.0.2:22022"], "::ffff:198.51.100.7", ["198.51.100.7:22022"]],
  [
    "with a port of its router's",
    ["203.0.113.9:2222", "10.2.0.2:22022"],
    "198.51.100.7",
    ["198.51.100.7:2222", "198.51.100.7:22022"],
  ],
  ["with a name for an address", ["gate.example.com:2222"], "198.51.100.7", []],
  ["of which nothing is known", ["10.2.0.2:22022"], "", []],
])("seenAddresses of a machine %s", (_name, direct, connectionIp, wanted) => {
  expect(seenAddresses({ direct, connectionIp })).toEqual(wanted);
});
