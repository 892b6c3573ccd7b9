/**
 * Mail by SMTP, through the server that the operator names with `serve --smtp-url`.
 *
 * Mail never leaves this machine in the clear: `smtps:` is TLS from the start, `smtp:` requires STARTTLS.
 *
 * @module
 */
import { createTransport } from "nodemailer";
import { QfError } from "../../base/errors.ts";
import { readSmallFile } from "../../base/files.ts";
import { isLoopbackHost } from "../../identity/strict-fetch.ts";
import { Email } from "../../wire/units.ts";

const TIMEOUT_MS = 10_000;
const PASSWORD_BYTES_MAX = 4096;

export interface SmtpOptions {
  /** `smtps://user@smtp.example.com` or `smtp://smtp.example.com:587`. */
  readonly url: string;
  /** File with the password of the URL's user. */
  readonly passwordFile?: string;
  /** Sender address. Default: the URL's user, if that is an address. */
  readonly from?: string;
}

export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

export interface Mailer {
  /** Throws ERR_UNAVAILABLE when the server does not accept it. */
  send(mail: Mail): Promise<void>;
}

/** Throws ERR_USAGE for invalid options and for a password file that cannot be read. */
export async function openMailer(options: SmtpOptions): Promise<Mailer> {
  const { host, port, isTls, user, from } = parseSmtp(options);
  const pass =
    options.passwordFile === undefined
      ? undefined
      : (await readSmallFile(options.passwordFile, PASSWORD_BYTES_MAX)).trimEnd();
  if (user !== "" && pass === undefined) {
    throw new QfError("ERR_USAGE", "--smtp-url names a user: give --smtp-password-file");
  }
  const transport = createTransport({
    host,
    port,
    secure: isTls,
    requireTLS: !isTls && !isLoopbackHost(host),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user === "" ? {} : { auth: { user, pass: pass ?? "" } }),
  });
  return {
    async send({ to, subject, text }) {
      try {
        await transport.sendMail({ from, to: [...to], subject, text, disableFileAccess: true });
      } catch (cause) {
        throw new QfError("ERR_UNAVAILABLE", `the mail server ${host} does not take the message`, {
          hint: "the log of management says why",
          cause,
        });
      }
    },
  };
}

function parseSmtp({ url: text, from: sender }: SmtpOptions) {
  const url = URL.parse(text);
  const isTls = url?.protocol === "smtps:";
  if (url === null || (!isTls && url.protocol !== "smtp:") || url.hostname === "" || url.password !== "") {
    throw new QfError("ERR_USAGE", "--smtp-url is no address of a mail server", {
      hint: "such as smtps://user@smtp.example.com; the password goes into --smtp-password-file",
    });
  }
  const user = decodeURIComponent(url.username);
  const from = sender ?? user;
  if (!Email.safeParse(from).success) {
    throw new QfError("ERR_USAGE", "mail needs a sender", { hint: "give --mail-from with an address" });
  }
  const port = url.port === "" ? (isTls ? 465 : 587) : Number(url.port);
  return { host: url.hostname, port, isTls, user, from };
}
