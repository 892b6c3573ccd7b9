/** As `qf proxy connect` ends without a descriptor to hand over: `bun splice-main.ts BYTES`. */
import { connect, createServer } from "node:net";
import { openOutput } from "../../src/base/output.ts";
import { splice } from "../../src/fabric/splice.ts";

const bytes = Number(process.argv[2]);
const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.end(Buffer.alloc(bytes, "z"));
  socket.resume();
});
server.listen(0, "127.0.0.1", () => {
  const socket = connect((server.address() as { port: number }).port, "127.0.0.1", async () => {
    await splice(socket, process.stdin, openOutput(1));
    process.exit(0);
  });
});
