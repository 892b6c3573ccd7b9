import { SftpOperationRecord } from "../../src/wire/sftp-operation.ts";
import { testShape } from "../support/shapes.ts";

const transfer = { bytesRead: 0, bytesWritten: 10, sizeBytes: 10, sha256: "0".repeat(64) };

testShape(
  "an operation",
  SftpOperationRecord,
  { number: 1, op: "close", path: "/home/a", status: "ok", transfer },
  {
    changes: [
      { number: 0 },
      { op: "chmod" },
      { path: "/".repeat(16_385) },
      { target: "/".repeat(16_385) },
      { detail: "d".repeat(257) },
      { status: "maybe" },
      { transfer: { ...transfer, sha256: "F".repeat(64) } },
      { transfer: { ...transfer, bytesRead: -1 } },
      { transfer: { ...transfer, more: 1 } },
    ],
  },
);
testShape(
  "an operation on pieces of a file",
  SftpOperationRecord,
  { number: 2, op: "close", path: "/a", status: "begun", transfer: { ...transfer, sha256: null } },
  { changes: [{ status: undefined }] },
);
