/**
 * Failures to open a listening socket, in words.
 *
 * @module
 */
import { QfError } from "../../base/errors.ts";

/**
 * Throws ERR_ADDRESS_IN_USE, ERR_PERMISSION for a port below 1024, ERR_USAGE for an address that is not ours.
 */
export function listening<T>(
  { hostname, port, flag }: { readonly hostname: string; readonly port: number; readonly flag: string },
  open: () => T,
): T {
  try {
    return open();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const where = `${hostname}:${port}`;
    if (code === "EADDRINUSE") {
      throw new QfError("ERR_ADDRESS_IN_USE", `something listens on ${where} already`, {
        hint: `stop it, or give another ${flag}`,
        cause,
      });
    }
    if (code === "EACCES") {
      throw new QfError("ERR_PERMISSION", `this user may not listen on ${where}`, {
        hint: "use a port above 1023",
        cause,
      });
    }
    throw new QfError("ERR_USAGE", `cannot listen on ${where}`, {
      hint: `give ${flag} an address of this machine`,
      cause,
    });
  }
}
