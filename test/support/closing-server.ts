/** An HTTP server that closes a kept connection whenever a second request comes on it, as after a pause. */
export function startClosingServer(body = "{}"): { readonly url: string } & Disposable {
  const head = ["HTTP/1.1 200 OK", "content-type: application/json", `content-length: ${body.length}`];
  const answer = `${head.join("\r\n")}\r\n\r\n${body}`;
  const server = Bun.listen<{ isUsed: boolean }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { isUsed: false };
      },
      data: (socket, data) => {
        // A body may come apart from its head.
        if (!/^[A-Z]+ \//i.test(data.toString("latin1"))) return;
        if (socket.data.isUsed) return void socket.end();
        socket.data.isUsed = true;
        socket.write(answer);
      },
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: () => server.stop(true) };
}
