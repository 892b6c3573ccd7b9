/** Emulation of arm64 by qemu, which the kernel starts for its programs (binfmt_misc) while it is needed. */
import { existsSync, writeFileSync } from "node:fs";

const TABLE = "/proc/sys/fs/binfmt_misc";
const OURS = "qufabric-arm64";
const QEMU = "/usr/bin/qemu-aarch64-static";
/** The head of an ELF executable for arm64, and which bits of it count. */
const MAGIC = "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00";
const MASK =
  "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff";

/** Has arm64 programs emulated, until it is disposed. Null: it cannot be done here, or this is an arm64. */
export function emulateArm64(): Disposable | null {
  const nothing = { [Symbol.dispose]() {} };
  if (process.arch === "arm64" || existsSync(`${TABLE}/qemu-aarch64`)) return nothing;
  if (!existsSync(QEMU)) return null;
  if (!existsSync(`${TABLE}/register`)) {
    Bun.spawnSync(["mount", "-t", "binfmt_misc", "binfmt_misc", TABLE]);
  }
  try {
    // P: programs keep their own name, by which busybox knows what to be. F: the emulator is opened now, so a
    // container needs none of its own.
    writeFileSync(`${TABLE}/register`, `:${OURS}:M::${MAGIC}:${MASK}:${QEMU}:PF`);
  } catch {
    return existsSync(`${TABLE}/${OURS}`) ? nothing : null;
  }
  return {
    [Symbol.dispose]() {
      writeFileSync(`${TABLE}/${OURS}`, "-1");
    },
  };
}
