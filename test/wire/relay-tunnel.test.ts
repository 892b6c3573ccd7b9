import { RelayTunnelAccept, RelayTunnelDial, RelayTunnelOpen } from "../../src/wire/relay-tunnel.ts";
import { testShape } from "../support/shapes.ts";

testShape(
  "a dial",
  RelayTunnelDial,
  { from: "p1", to: "p2", timeSeconds: 1, nonce: "n".repeat(22), key: "k".repeat(43) },
  {
    changes: [
      { from: "" },
      { to: "p".repeat(65) },
      { timeSeconds: -1 },
      { nonce: "n".repeat(23) },
      { key: "k".repeat(42) },
      { key: undefined },
    ],
  },
);
testShape(
  "an accept",
  RelayTunnelAccept,
  { key: "k".repeat(43), signature: "s".repeat(86) },
  { changes: [{ key: "" }, { signature: "s".repeat(85) }, { signature: undefined }] },
);
testShape(
  "an open",
  RelayTunnelOpen,
  { hello: "h", proof: "p", sourceAddress: "2001:db8::1", sourcePort: 0 },
  {
    changes: [
      { hello: "" },
      { proof: "" },
      { proof: "p".repeat(257) },
      { sourceAddress: "a".repeat(65) },
      { sourcePort: 65_536 },
    ],
  },
);
