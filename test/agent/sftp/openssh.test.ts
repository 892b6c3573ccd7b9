/** Interop: a batch of OpenSSH's sftp(1) leaves and says the same with our server as with OpenSSH's. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { OPENSSH_SERVER, ourServerCommand, runBatch } from "../../support/sftp.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const OLD_SECONDS = 1_500_000_000;
const NOW_SECONDS = Math.floor(performance.timeOrigin / 1000);
const isRoot = process.getuid?.() === 0;

/** The same files in two folders. */
function populate(folder: string): string {
  const remote = join(folder, "remote");
  const local = join(folder, "local");
  for (const side of [remote, local]) {
    mkdirSync(join(side, "deep/deeper/deepest"), { recursive: true });
    writeFileSync(join(side, "small"), "small\n", { mode: 0o640 });
    writeFileSync(join(side, "empty"), "", { mode: 0o4755 });
    writeFileSync(join(side, "big"), Buffer.alloc(3_000_001, "0123456789abcdef_"));
    writeFileSync(join(side, "half"), readFileSync(join(side, "big")).subarray(0, 1_234_567));
    writeFileSync(join(side, "with space and ünï"), "x");
    writeFileSync(join(side, "deep/a"), "a", { mode: 0o600 });
    writeFileSync(join(side, "deep/deeper/b"), "b", { mode: 0o755 });
    symlinkSync("small", join(side, "link"));
    symlinkSync("nowhere", join(side, "dangling"));
    for (const name of readdirSync(side, { recursive: true, encoding: "utf8" })) {
      lutimesSync(join(side, name), OLD_SECONDS, name.length % 2 === 0 ? OLD_SECONDS : NOW_SECONDS - 90_000);
    }
    lutimesSync(side, OLD_SECONDS, OLD_SECONDS);
  }
  return folder;
}

/** Everything in a folder that a client can bring about. Times only of what kept them. */
function pictureOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return names.map((name) => {
    const path = join(folder, name);
    const stats = lstatSync(path);
    const content = stats.isFile() ? createHash("sha1").update(readFileSync(path)).digest("hex") : "";
    const target = stats.isSymbolicLink() ? readlinkSync(path) : "";
    const isFresh = stats.isDirectory() || stats.mtimeMs / 1000 > NOW_SECONDS - 3600;
    const time = isFresh ? "now" : Math.floor(stats.mtimeMs / 1000);
    const { mode, uid, gid, nlink } = stats;
    return [name, mode.toString(8), uid, gid, nlink, time, content, target].join(" ");
  });
}

async function both(batch: readonly string[], argv: readonly string[] = []) {
  const runs = [];
  for (const server of [[OPENSSH_SERVER, ...argv].join(" "), ourServerCommand(...argv)]) {
    const folder = populate(tempFolder());
    const result = await runBatch({ server, folder, batch });
    const said = [result.stdout, result.stderr].join("\n").replaceAll(folder, "<folder>");
    runs.push({ said: said.split("\n"), status: result.status, picture: pictureOf(folder) });
  }
  return { theirs: runs[0], ours: runs[1] };
}

const BATCHES: Record<string, string[]> = {
  listings: [
    "ls remote",
    "ls -la remote",
    "ls -ln remote",
    "ls -lt remote",
    "ls -lS remote",
    "ls -lh remote",
    "ls -l remote/deep",
    "ls -1 remote/*",
    "-ls nothing",
    "ls -l /dev/null",
    "ls -l remote/link",
  ],
  "where we are": [
    "pwd",
    "cd remote/deep/../deep/deeper",
    "pwd",
    "cd ..",
    "pwd",
    "-cd nowhere",
    "-cd ../small",
    "pwd",
  ],
  put: [
    "put local/small remote/put-small",
    "put -p local/empty remote/put-empty",
    "put -p local/big remote/put-big",
    "put -f local/big remote/put-synced",
    "put local/small remote/deep",
    'put "local/with space and ünï" remote/deep/',
    "-put local/small remote/nothing/small",
    "-put local/small remote/deep/deeper",
    "put local/link remote/put-link",
    "put local/small remote/big",
  ],
  "put recursively": [
    "put -r local/deep remote/copy",
    "put -rp local/deep remote/copy-p",
    "put -R local/deep remote",
  ],
  get: [
    "get remote/small local/got-small",
    "get -p remote/empty local/got-empty",
    "get -p remote/big local/got-big",
    "-get remote/dangling local/got-dangling",
    "-get remote/deep local/got-deep",
    "-get remote/nothing local/got-nothing",
    "get remote/link local/got-link",
    "mget remote/s* local",
  ],
  "get recursively": ["get -r remote/deep local/copy", "get -rp remote/deep local/copy-p"],
  resuming: [
    "reget remote/big local/half",
    "reput local/big remote/half",
    "-reget remote/small local/big",
    "get -a remote/big local/half",
    "put -a local/small remote/new-by-reput",
  ],
  renaming: [
    "rename remote/small remote/renamed",
    "rename remote/big remote/empty",
    "rename -l remote/renamed remote/legacy",
    "-rename -l remote/legacy remote/half",
    "-rename -l remote/legacy remote/legacy",
    "rename -l remote/link remote/link-renamed",
    "-rename -l remote/link-renamed remote/half",
    "rename -l remote/deep remote/deep-renamed",
    "-rename remote/nothing remote/something",
    "-rename -l remote/nothing remote/something",
    "-rename remote/half remote/deep-renamed",
    "-rename remote/deep-renamed remote/deep-renamed/deeper/self",
    "-rename -l remote/deep-renamed remote/deep-renamed/deeper/self",
  ],
  links: [
    "ln remote/small remote/hard",
    "ln -s small remote/soft",
    "ln -s /absolute/target remote/soft-absolute",
    "-ln remote/nothing remote/hard-nothing",
    "-ln remote/deep remote/hard-folder",
    "-ln remote/small remote/big",
    "-ln -s small remote/big",
    "ls -l remote/hard",
  ],
  "modes and owners": [
    "chmod 600 remote/small",
    "chmod 1777 remote/deep",
    "chmod 6711 remote/empty",
    "chmod 640 remote/link",
    "-chmod 600 remote/dangling",
    "-chmod 600 remote/nothing",
    ...(isRoot
      ? [
          "chown 1234 remote/small",
          "chgrp 4321 remote/small",
          "chown -h 77 remote/link",
          "-chown -h 77 remote/no",
        ]
      : ["-chown 0 remote/small", "-chgrp 0 remote/small"]),
    "ls -ln remote",
  ],
  removing: [
    "rm remote/small",
    "rm remote/link",
    "rm remote/dangling",
    "-rm remote/deep",
    "-rm remote/nothing",
    "-rmdir remote/deep",
    "-rmdir remote/big",
    "-rmdir remote/nothing",
    "rmdir remote/deep/deeper/deepest",
    "mkdir remote/made",
    "-mkdir remote/made",
    "-mkdir remote/nothing/made",
    "-mkdir remote/big/made",
    "rmdir remote/made",
  ],
  copying: [
    "copy remote/big remote/copied",
    "cp remote/empty remote/copied-empty",
    "-cp remote/nothing remote/copied-nothing",
    "-cp remote/deep remote/copied-folder",
    "-cp remote/small remote/small",
    "cp remote/small remote/half",
  ],
  home: ["-ls -d ~", "-ls -d ~root", "-ls -d ~/nothing", "-cd ~nobody-is-called-this", "-cd ~", "pwd"],
};

test.each(Object.entries(BATCHES))(
  "sftp says and leaves the same as with OpenSSH's server: %s",
  async (_, batch) => {
    const { theirs, ours } = await both(batch);
    expect(ours).toEqual(theirs as never);
  },
);

test.each(Object.entries(BATCHES))(
  "sftp -R says and leaves the same as with OpenSSH's server: %s",
  async (_, batch) => {
    const { theirs, ours } = await both(
      batch.map((line) => `-${line.replace(/^-/, "")}`),
      ["-R"],
    );
    expect(ours).toEqual(theirs as never);
  },
);

test("df says what statvfs says, as with OpenSSH's server", async () => {
  const folder = tempFolder();
  const [theirs, ours] = await Promise.all(
    [OPENSSH_SERVER, ourServerCommand()].map((server) =>
      runBatch({ server, folder, batch: ["df -h", "df -hi /dev"] }),
    ),
  );
  const shape = (text = "") => text.replace(/[\d.]+/g, "#").replace(/ +/g, " ");
  expect(shape(ours?.stdout)).toBe(shape(theirs?.stdout));
  expect(ours?.status).toBe(0);
});
