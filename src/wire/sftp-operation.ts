/**
 * SFTP operations of a person, as evidence and as the server's process reports them.
 *
 * @module
 */
import { z } from "zod";

/** Longest path: that of the kernel, after the folder it begins in, with room for what is no UTF-8. */
const path = z.string().max(16_384);

/** Most operations in one event; the rest comes in the next. */
export const SFTP_OPERATIONS_MAX = 512;

/** One operation, absolute paths, symbolic links in them not resolved. */
export const SftpOperationRecord = z.strictObject({
  /** Within its session, from 1. What is stored before it is done may come again, once it has failed. */
  number: z.int().min(1),
  op: z.enum(["open", "close", "rename", "remove", "mkdir", "rmdir", "symlink", "link", "setstat", "copy"]),
  path,
  /** The new name; for `symlink` the text of the link, for `link` the file it names, for `copy` the copy. */
  target: path.optional(),
  /** `open`: how, as letters of r w append create truncate exclusive. `setstat`: what, with its value. */
  detail: z.string().max(256).optional(),
  /** "begun": stored before it is done, and done unless its number comes again. */
  status: z.enum([
    "begun",
    "ok",
    "no_such_file",
    "permission_denied",
    "failure",
    "bad_message",
    "unsupported",
  ]),
  /** `close` only: what went through the file. */
  transfer: z
    .strictObject({
      bytesRead: z.int().min(0),
      bytesWritten: z.int().min(0),
      /** Of the file as it was closed. */
      sizeBytes: z.int().min(0),
      /** Of the whole file, in hex. Null: it went in pieces, out of order, or both ways. */
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullable(),
    })
    .optional(),
});
export type SftpOperationRecord = z.infer<typeof SftpOperationRecord>;
