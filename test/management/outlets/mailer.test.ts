import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { isQfError } from "../../../src/base/errors.ts";
import { openMailer, type SmtpOptions } from "../../../src/management/outlets/mailer.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** A mail server that takes what comes; `ehlo`: what it can do. */
async function aMailServer(ehlo = "250 hello") {
  const got: string[] = [];
  const talk = (socket: Socket): void => {
    let isBody = false;
    let text = "";
    socket.write("220 test ESMTP\r\n");
    socket.on("error", () => {});
    socket.on("data", (part) => {
      text += part;
      if (isBody) {
        if (!text.includes("\r\n.\r\n")) return;
        got.push(text);
        [isBody, text] = [false, ""];
        socket.write("250 taken\r\n");
        return;
      }
      for (let end = text.indexOf("\r\n"); end !== -1; end = text.indexOf("\r\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (/^(EHLO|HELO)/i.test(line)) socket.write(`${ehlo}\r\n`);
        else if (/^DATA/i.test(line)) {
          isBody = true;
          socket.write("354 go on\r\n");
        } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else {
          got.push(line);
          socket.write("250 ok\r\n");
        }
      }
    });
  };
  const server = createServer(talk);
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  return { got, url: `smtp://127.0.0.1:${port}`, close: () => server.close() };
}

test("a mail arrives as text from the sender that is set", async () => {
  const server = await aMailServer();
  const mailer = await openMailer({ url: server.url, from: "qf@example.com" });
  await mailer.send({
    to: ["ada@example.com", "bob@example.com"],
    subject: "QuFabric: 1 notice",
    text: "hi\n",
  });
  server.close();
  expect(server.got.slice(0, 3)).toEqual([
    "MAIL FROM:<qf@example.com>",
    "RCPT TO:<ada@example.com>",
    "RCPT TO:<bob@example.com>",
  ]);
  expect(server.got[3]).toContain("Subject: QuFabric: 1 notice\r\n");
  expect(server.got[3]).toContain("Content-Type: text/plain");
});

test("no line of the text begins a header, and no other recipient comes from it", async () => {
  const server = await aMailServer();
  const mailer = await openMailer({ url: server.url, from: "qf@example.com" });
  await mailer.send({
    to: ["ada@example.com"],
    subject: "x\r\nBcc: eve@example.com",
    text: ".\r\nRCPT TO:<e@e.e>",
  });
  server.close();
  expect(server.got.filter((line) => line.startsWith("RCPT"))).toEqual(["RCPT TO:<ada@example.com>"]);
  expect(server.got.at(-1)).not.toMatch(/^Bcc:/im);
});

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => (isQfError(error) ? error.code : error),
  );
}

test("a server that is not there is a failure that says so", async () => {
  const mailer = await openMailer({ url: "smtp://127.0.0.1:1", from: "qf@example.com" });
  expect(await codeOf(mailer.send({ to: ["a@example.com"], subject: "s", text: "t" }))).toBe(
    "ERR_UNAVAILABLE",
  );
});

const password = join(tempFolder(), "password");
writeFileSync(password, "secret\n");

test.each<[string, SmtpOptions]>([
  ["another scheme", { url: "https://smtp.example.com", from: "a@example.com" }],
  ["no URL", { url: "smtp.example.com", from: "a@example.com" }],
  ["a password on the command line", { url: "smtps://u:p@smtp.example.com", from: "a@example.com" }],
  ["a user without a password", { url: "smtps://u@smtp.example.com", from: "a@example.com" }],
  ["no sender", { url: "smtps://u@smtp.example.com", passwordFile: password }],
  ["a sender that is no address", { url: "smtps://smtp.example.com", from: "a\r\nb" }],
])("%s is refused", async (_name, options) => {
  expect(await codeOf(openMailer(options))).toBe("ERR_USAGE");
});

test("the user of the URL is the sender where it is an address", async () => {
  expect(
    await codeOf(openMailer({ url: "smtps://qf%40example.com@smtp.example.com", passwordFile: password })),
  ).toBe(null);
});
