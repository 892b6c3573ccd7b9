import { CarryOrder } from "../../src/wire/relay-carrier.ts";
import { testShape } from "../support/shapes.ts";

testShape(
  "an order",
  CarryOrder,
  { origin: "https://qf.example.com", hello: "h", proof: "s".repeat(86), timeoutMs: 1 },
  {
    changes: [
      { origin: "qf.example.com" },
      { origin: "https://user:pass@qf.example.com" },
      { hello: "h".repeat(1025) },
      { proof: "s".repeat(87) },
      { timeoutMs: 0 },
      { timeoutMs: 600_001 },
    ],
  },
);
