import {
  CachedLogin,
  ClientConfigFile,
  DeviceKeyFile,
  KnownPathsFile,
  PublicClientFile,
} from "../../src/wire/state-file.ts";
import { testShape } from "../support/shapes.ts";

const id = "i".repeat(20);
const seed = "s".repeat(43);
const user = { id, name: "Ann", email: "" };

testShape(
  "a device key",
  DeviceKeyFile,
  { format: 1, seed, publicKey: `${"k".repeat(42)}A` },
  { changes: [{ format: 2 }, { seed: "s" }, { publicKey: `${"k".repeat(42)}B` }, { publicKey: undefined }] },
);
testShape(
  "what a machine tells its clients",
  PublicClientFile,
  { managementUrl: "https://qf.example.com", ttlSeconds: 0 },
  {
    changes: [
      { managementUrl: "" },
      { ttlSeconds: -1 },
      { bootId: "b" },
      { controlSocket: "/".repeat(4097) },
    ],
  },
);
testShape(
  "a person's configuration",
  ClientConfigFile,
  { format: 1, devices: { "https://qf.example.com": { peerId: id, accountId: id, user } } },
  {
    changes: [
      { format: "1" },
      { devices: undefined },
      { devices: { x: { peerId: id } } },
      { devices: { x: { peerId: id, accountId: id, token: "t" } } },
    ],
  },
);
testShape(
  "a cached login",
  CachedLogin,
  {
    format: 1,
    origin: "https://qf.example.com",
    accountId: id,
    seed,
    loginId: id,
    binding: "idp",
    user,
    devicePeerId: id,
    untilSeconds: 1,
  },
  {
    changes: [
      { binding: "none" },
      { untilSeconds: undefined },
      { idToken: "t".repeat(20_481) },
      { seed: "" },
    ],
  },
);
testShape(
  "the memory of paths",
  KnownPathsFile,
  { format: 1, peers: { [id]: { path: "direct", address: "192.0.2.1:22", atSeconds: 1 } } },
  {
    changes: [
      { peers: { short: { path: "direct", atSeconds: 1 } } },
      { peers: { [id]: { path: "carrier-pigeon", atSeconds: 1 } } },
      { peers: { [id]: { path: "relay" } } },
    ],
  },
);
