/**
 * Limits of `ratchet.test.ts` and today's exceptions to them. The lists only get shorter and the figures
 * smaller: mend the code rather than raise a figure.
 *
 * @module
 */

/** Longest file, in lines. */
export const FILE_LINES_MAX = 300;
/** Longest function, from its first line to its last. */
export const FUNCTION_LINES_MAX = 60;
/** Longest line. */
export const LINE_CHARACTERS_MAX = 110;
/** A longer file says in a header what it is. */
export const HEADER_FROM_LINES = 25;
/** Least share of sources, of those that need one, with a test of their own. */
export const MIRRORED_PERCENT_MIN = 62;

/**
 * Waits for a time in tests: `Bun.sleep` and `setTimeout`, where `until` (test/support/until.ts) waits for a
 * condition and FakeClock lets time pass. What is left shows that nothing happens for a while, paces what a
 * peer sends, or bounds a wait.
 */
export const TIMED_WAITS_MAX = 100;
/** Assertions on a sentence where a code, a reason or an exit status says the same. */
export const PROSE_ASSERTIONS_MAX = 144;
/** Tests of which sentences are the contract. */
export const SENTENCES_ARE_THE_CONTRACT = /^test\/(?:scripts|tidy)\b|sentences|\/docs|help/;

/** Files over `FILE_LINES_MAX`, with their lines. None may have 500. */
export const LONG_FILES: Readonly<Record<string, number>> = {};

/** Functions over `FUNCTION_LINES_MAX`, with their lines. */
export const LONG_FUNCTIONS: Readonly<Record<string, number>> = {};

/** Lines over `LINE_CHARACTERS_MAX`, by file: what people read or a shell runs, and cannot be broken. */
export const WIDE_LINES: Readonly<Record<string, number>> = {
  "test/agent/control-socket/control-server.test.ts": 1,
  "test/agent/lifecycle/up.test.ts": 1,
  "test/agent/os/spawn.test.ts": 1,
  "test/agent/ssh-server/session.test.ts": 1,
  "test/base/ed25519.test.ts": 1,
  "test/base/log.test.ts": 1,
  "test/bench/agents.ts": 2,
  "test/bench/crowd.ts": 1,
  "test/bench/relay.ts": 1,
  "test/e2e/faulty-network.test.ts": 1,
  "test/e2e/forwarding.test.ts": 1,
  "test/e2e/nat.test.ts": 1,
  "test/e2e/offline-logins.test.ts": 2,
  "test/e2e/ping.test.ts": 1,
  "test/interop/openssh.test.ts": 2,
  "test/management/db/postgres/schema.test.ts": 4,
  "test/security/malicious-machine.test.ts": 1,
  "test/ssh/run.test.ts": 1,
  "test/support/external-idp.ts": 1,
  "test/support/postgres.ts": 1,
  "test/tidy/mutants.test.ts": 1,
};

/** Cycles of imports between files, with the number of files in each. */
export const FILE_CYCLES: Readonly<Record<string, number>> = {};

/** Cycles of imports between folders, with the number of folders in each. */
export const FOLDER_CYCLES: Readonly<Record<string, number>> = {};

/** Exports of base, wire and policy without a doc comment, by file. */
export const UNDOCUMENTED: Readonly<Record<string, number>> = {};

/** Files whose header begins with a question word. */
export const RIDDLE_HEADERS: Readonly<Record<string, number>> = {};

/** Sources that need a test of their own and have none, by layer. */
export const UNTESTED: Readonly<Record<string, number>> = {
  "src/agent": 67,
  "src/audit": 1,
  "src/certificate": 1,
  "src/cli": 3,
  "src/client": 9,
  "src/fabric": 3,
  "src/management": 72,
  "src/proxy": 11,
  "src/ssh": 7,
  "src/sshcore": 6,
  "src/wire": 11,
};

/** Sources that need no test of their own, and why. Files of types alone need none either. */
export const NEEDS_NO_TEST: readonly { readonly files: RegExp; readonly why: string }[] = [
  {
    files: /^src\/main\.ts$/,
    why: "the way into the executable: every transcript of test/scripts goes through it",
  },
  {
    files: /^src\/dashboard\/(?:.*\.tsx|(?:app|browser(?!\/text-store)|api\/queries).*\.ts)$/,
    why: "what is on a page: test/dashboard opens it in a browser, for each role",
  },
  {
    files: /^src\/dashboard\/recording\/(?:player|watch)-screen\.ts$/,
    why: "screens of other libraries: test/dashboard/recordings.test.ts plays and watches on them",
  },
  {
    files: /^src\/dashboard\/terminal\/(?:client|device|file-t|machine|nonced|screen|web).*\.ts$/,
    why: "parts of one page: test/dashboard/terminal.test.ts opens it, with a real agent",
  },
  {
    files: /^src\/cli\/commands(?:\/.*)?\.ts$/,
    why: "a command's flags, help and output are transcripts in test/scripts and stories in test/e2e",
  },
  {
    files: /^src\/(?:proxy\/help|ssh\/help)\.ts$/,
    why: "words: test/scripts compares what is printed",
  },
  {
    files: /^src\/management\/db\/(?:schema|migrations)\/(?!schema\.ts)/,
    why: "tables without code: test/management/db/schema holds them against the migrations of both databases",
  },
  {
    files: /^src\/agent\/os\/(?:child|monitor-child|forward-helper-child)\.ts$/,
    why: "processes of their own: the tests of spawn.ts, monitor.ts and forward-helper.ts run them",
  },
  {
    files: /^src\/.*\/(?:libc|native|pam)\.ts$/,
    why: "calls of the C library without a choice in them: the tests of their callers run them",
  },
  {
    files: /^src\/(?:agent\/lifecycle|proxy)\/run\.ts$/,
    why: "wiring: test/e2e starts it",
  },
  {
    files: /^src\/policy\/code\/(?:difference-blocks|.*-classes|numbered-rules|meeting-.*|rule-access)\.ts$/,
    why: "steps of one computation: difference.property.test.ts holds all of it against trying every pair",
  },
  {
    files:
      /^src\/management\/(?:policy-files\/(?!past-decisions|policy-source).*|db\/tables\/policy-files)\.ts$/,
    why: "steps of one request: the tests of policy-file-routes.ts and policy-access-routes.ts ask for them",
  },
  {
    files: /^src\/wire\/(?:ports|version|rule-outcome|dashboard-section|relay-numbers|terminal-page)\.ts$/,
    why: "constants",
  },
  {
    files: /^src\/browser-ssh\/(?!(?:bytes|connection|transport|rekey-turns|relay-link|sftp\/transfer)\.ts$)/,
    why: "parts of one client: connection.test.ts and transfer.test.ts run them with sshd and with our agent",
  },
  {
    files: /^src\/base\/build-info\.ts$/,
    why: "constants of the build",
  },
];
