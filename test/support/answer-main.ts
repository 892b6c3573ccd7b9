/**
 * A server on a unix socket that answers whoever connects and closes at once, reading nothing: a process of
 * its own, `bun answer-main.ts PATH BYTES`. Says `ready`.
 */
const [path = "", bytes = "0"] = process.argv.slice(2);
const answer = Buffer.alloc(Number(bytes), "answer ");

Bun.listen({
  unix: path,
  socket: {
    open(socket) {
      // Fewer only where nobody is left to hear it.
      socket.write(answer);
      socket.terminate();
    },
    data() {},
  },
});
process.stdout.write("ready\n");
