/**
 * Conversion between a pty-req's terminal modes (RFC 4254 section 8) and the kernel's termios.
 *
 * Pure. A termios is the kernel's struct termios: four flag words, the line discipline, 19 characters.
 * Opcodes without meaning on Linux are ignored, as in sshd.
 *
 * @module
 */

/** Bytes of a termios used here. */
export const TERMIOS_BYTES = 36;

export interface TerminalMode {
  readonly opcode: number;
  readonly value: number;
}

const OP_END = 0;
/** From this opcode on arguments are not uint32 and parsing stops (RFC 4254 section 8). */
const OP_UNKNOWN_MIN = 160;
/** More than there are opcodes. Bounds the list. */
const MODES_MAX = 256;
const CHARACTER_OFF = 255;

/** Control characters: opcode → index of c_cc. */
const CHARACTERS: Readonly<Record<number, number>> = {
  1: 0, // VINTR
  2: 1, // VQUIT
  3: 2, // VERASE
  4: 3, // VKILL
  5: 4, // VEOF
  6: 11, // VEOL
  7: 16, // VEOL2
  8: 8, // VSTART
  9: 9, // VSTOP
  10: 10, // VSUSP
  12: 12, // VREPRINT
  13: 14, // VWERASE
  14: 15, // VLNEXT
  16: 7, // VSWTC
  18: 13, // VDISCARD
};

type FlagWord = "input" | "output" | "control" | "local";
const WORD_OFFSET: Readonly<Record<FlagWord, number>> = { input: 0, output: 4, control: 8, local: 12 };
const CHARACTERS_OFFSET = 17;

/** Flags: opcode → word and bit of <asm-generic/termbits.h>. */
const FLAGS: Readonly<Record<number, readonly [FlagWord, number]>> = {
  30: ["input", 0o4], // IGNPAR
  31: ["input", 0o10], // PARMRK
  32: ["input", 0o20], // INPCK
  33: ["input", 0o40], // ISTRIP
  34: ["input", 0o100], // INLCR
  35: ["input", 0o200], // IGNCR
  36: ["input", 0o400], // ICRNL
  37: ["input", 0o1000], // IUCLC
  38: ["input", 0o2000], // IXON
  39: ["input", 0o4000], // IXANY
  40: ["input", 0o10000], // IXOFF
  41: ["input", 0o20000], // IMAXBEL
  42: ["input", 0o40000], // IUTF8 (RFC 8160)
  50: ["local", 0o1], // ISIG
  51: ["local", 0o2], // ICANON
  52: ["local", 0o4], // XCASE
  53: ["local", 0o10], // ECHO
  54: ["local", 0o20], // ECHOE
  55: ["local", 0o40], // ECHOK
  56: ["local", 0o100], // ECHONL
  57: ["local", 0o200], // NOFLSH
  58: ["local", 0o400], // TOSTOP
  59: ["local", 0o100000], // IEXTEN
  60: ["local", 0o1000], // ECHOCTL
  61: ["local", 0o4000], // ECHOKE
  62: ["local", 0o40000], // PENDIN
  70: ["output", 0o1], // OPOST
  71: ["output", 0o2], // OLCUC
  72: ["output", 0o4], // ONLCR
  73: ["output", 0o10], // OCRNL
  74: ["output", 0o20], // ONOCR
  75: ["output", 0o40], // ONLRET
  92: ["control", 0o400], // PARENB
  93: ["control", 0o1000], // PARODD
};
const CS_MASK = 0o60;
const CS7_OPCODE = 90;
const CS8_OPCODE = 91;
const CS7 = 0o40;
const CS8 = 0o60;
const INPUT_SPEED_OPCODE = 128;
const OUTPUT_SPEED_OPCODE = 129;
/** Speed for terminals without one or with an unknown one; what ssh(1) sends for a terminal window. */
const SPEED_DEFAULT = 38_400;
const SPEED_MASK = 0o10017;
/** Codes of <asm-generic/termbits.h>. */
const SPEEDS: Readonly<Record<number, number>> = {
  8: 1_200,
  9: 1_800,
  10: 2_400,
  11: 4_800,
  12: 9_600,
  13: 19_200,
  14: 38_400,
  4097: 57_600,
  4098: 115_200,
  4099: 230_400,
};

/** The modes of an encoded list; parsing stops at its end, at an unknown range, or where it is truncated. */
export function parseTerminalModes(bytes: Uint8Array): TerminalMode[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const modes: TerminalMode[] = [];
  for (let at = 0; at + 5 <= bytes.length && modes.length < MODES_MAX; at += 5) {
    const opcode = view.getUint8(at);
    if (opcode === OP_END || opcode >= OP_UNKNOWN_MIN) break;
    modes.push({ opcode, value: view.getUint32(at + 1) });
  }
  return modes;
}

/** `termios` with `modes` applied. */
export function withTerminalModes(termios: Buffer, modes: readonly TerminalMode[]): Buffer {
  const changed = Buffer.from(termios);
  for (const { opcode, value } of modes) {
    const character = CHARACTERS[opcode];
    const flag = FLAGS[opcode];
    if (character !== undefined) {
      changed[CHARACTERS_OFFSET + character] = value === CHARACTER_OFF ? 0 : value & 0xff;
    } else if (flag !== undefined) {
      setBits(changed, flag[0], flag[1], value === 0 ? 0 : flag[1]);
    } else if ((opcode === CS7_OPCODE || opcode === CS8_OPCODE) && value !== 0) {
      setBits(changed, "control", CS_MASK, opcode === CS7_OPCODE ? CS7 : CS8);
    }
  }
  return changed;
}

/** The modes of `termios`, encoded with their end, as a client sends them. */
export function encodeTerminalModes(termios: Buffer): Buffer {
  const modes: TerminalMode[] = [];
  for (const [opcode, index] of Object.entries(CHARACTERS)) {
    const character = termios[CHARACTERS_OFFSET + index] ?? 0;
    modes.push({ opcode: Number(opcode), value: character === 0 ? CHARACTER_OFF : character });
  }
  for (const [opcode, [word, bit]] of Object.entries(FLAGS)) {
    modes.push({ opcode: Number(opcode), value: isSet(termios, word, bit) ? 1 : 0 });
  }
  const control = termios.readUInt32LE(WORD_OFFSET.control);
  modes.push({ opcode: CS7_OPCODE, value: (control & CS_MASK) === CS7 ? 1 : 0 });
  modes.push({ opcode: CS8_OPCODE, value: (control & CS_MASK) === CS8 ? 1 : 0 });
  const speed = SPEEDS[control & SPEED_MASK] ?? SPEED_DEFAULT;
  modes.push({ opcode: INPUT_SPEED_OPCODE, value: speed }, { opcode: OUTPUT_SPEED_OPCODE, value: speed });
  const bytes = Buffer.alloc(modes.length * 5 + 1);
  for (const [index, { opcode, value }] of modes.entries()) {
    bytes.writeUInt8(opcode, index * 5);
    bytes.writeUInt32BE(value, index * 5 + 1);
  }
  return bytes;
}

/** Whether `termios` echoes input (ECHO), and delivers it by line (ICANON). */
export function inputModes(termios: Buffer): { readonly echo: boolean; readonly lines: boolean } {
  return { echo: isSet(termios, "local", 0o10), lines: isSet(termios, "local", 0o2) };
}

function isSet(termios: Buffer, word: FlagWord, bit: number): boolean {
  return (termios.readUInt32LE(WORD_OFFSET[word]) & bit) !== 0;
}

function setBits(termios: Buffer, word: FlagWord, mask: number, bits: number): void {
  const offset = WORD_OFFSET[word];
  const value = termios.readUInt32LE(offset);
  termios.writeUInt32LE(((value & ~mask) | bits) >>> 0, offset);
}
