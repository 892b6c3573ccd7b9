/**
 * An entry stub for the Linux executable: where the working directory was deleted, it changes to `/`.
 *
 * Bun's runtime asks for the working directory before any code of ours runs and ends with an error of its own
 * where there is none. People do run `qf` and `ssh` in such folders, so the executable's entry point leads
 * through a few instructions that ask first. They stand in the padding before the executable segment, which
 * the kernel maps with it, since it maps whole pages.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";

const PAGE_BYTES = 4096;
const PT_LOAD = 1;
const EXECUTABLE = 1;
const MACHINE_X86_64 = 62;

interface Segment {
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

/**
 * Puts the stub into the ELF file at `path` (x86-64). Throws where the file has no room for it, or is another
 * kind of file.
 */
export function survivesDeletedWorkingDirectory(path: string): void {
  const file = readFileSync(path);
  if (file.readUInt32BE(0) !== 0x7f454c46 || file.readUInt16LE(18) !== MACHINE_X86_64) {
    throw new Error(`${path} is no ELF file for x86-64`);
  }
  const segments = loadSegments(file);
  const at = segments.findIndex(({ flags }) => (flags & EXECUTABLE) !== 0);
  const code = segments[at];
  const before = segments[at - 1];
  if (code === undefined || before === undefined) throw new Error(`${path} has no executable segment`);
  const entry = Number(file.readBigUInt64LE(24));
  const start = Math.max(before.offset + before.bytes, code.offset - (code.offset % PAGE_BYTES));
  const offset = start + (-start & 15);
  const address = code.address - (code.offset - offset);
  const stub = stubX64(address, entry);
  if (offset + stub.length > code.offset) throw new Error(`${path} has no room before its code`);
  stub.copy(file, offset);
  file.writeBigUInt64LE(BigInt(address), 24);
  writeFileSync(path, file);
}

/** Segments that are loaded, in the order of the file (ELF-64, System V ABI chapter 5). */
function loadSegments(file: Buffer): Segment[] {
  const table = Number(file.readBigUInt64LE(32));
  const size = file.readUInt16LE(54);
  const count = file.readUInt16LE(56);
  return Array.from({ length: count }, (_, index) => table + index * size)
    .filter((header) => file.readUInt32LE(header) === PT_LOAD)
    .map((header) => ({
      flags: file.readUInt32LE(header + 4),
      offset: Number(file.readBigUInt64LE(header + 8)),
      address: Number(file.readBigUInt64LE(header + 16)),
      bytes: Number(file.readBigUInt64LE(header + 32)),
    }))
    .sort((a, b) => a.offset - b.offset);
}

/** getcwd(2) below the stack; on ENOENT chdir("/"); then the real entry. Keeps rdx and rsp, as the ABI wants. */
function stubX64(address: number, entry: number): Buffer {
  const stub = Buffer.from([
    ...[0xb8, 79, 0, 0, 0], // mov eax, SYS_getcwd
    ...[0x48, 0x8d, 0xbc, 0x24, 0x00, 0xf0, 0xff, 0xff], // lea rdi, [rsp - 4096]
    ...[0xbe, 0x80, 0x0f, 0x00, 0x00], // mov esi, 3968
    ...[0x0f, 0x05], // syscall
    ...[0x48, 0x83, 0xf8, 0xfe], // cmp rax, -ENOENT
    ...[0x75, 14], // jne past the chdir
    ...[0xb8, 80, 0, 0, 0], // mov eax, SYS_chdir
    ...[0x48, 0x8d, 0x3d, 7, 0, 0, 0], // lea rdi, [rip + 7]: the text behind the jump
    ...[0x0f, 0x05], // syscall
    ...[0xe9, 0, 0, 0, 0], // jmp entry
    ...[0x2f, 0x00], // "/"
  ]);
  const jump = stub.length - 2 - 4;
  stub.writeInt32LE(entry - (address + jump + 4), jump);
  return stub;
}
