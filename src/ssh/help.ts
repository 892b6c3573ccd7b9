/** Usage and help of `qf ssh`. */
export const SSH_USAGE = `usage: qf ssh [-AanNqTtv] [-e escape_char] [-l login_name] [-p port] [-o option]
              [-L|-R|-D|-W|-J spec] [--management-url url] [--no-browser]
              [user@]host [command ...]
`;

export const SSH_HELP = `\
Log in to a peer, or run a command there, as ssh(1): options end at the host, all after it is the command.

${SSH_USAGE}
options:
  -l NAME               OS user on the peer (default: your own user name)
  -p PORT               port of the peer's SSH server (default: 22)
  -t                    ask for a terminal; twice: even when there is none here
  -T                    no terminal
  -n                    read nothing from stdin
  -N                    no command and no shell
  -L SPEC               [BIND:]PORT:HOST:HOSTPORT: a port here leads to HOST as the peer reaches it
  -R SPEC               [BIND:]PORT:HOST:HOSTPORT: a port there leads to HOST as this device reaches it;
                        [BIND:]PORT alone is a SOCKS proxy there; port 0 lets the peer choose
  -D SPEC               [BIND:]PORT: a SOCKS proxy here, version 4, 4a and 5, whose streams leave from the peer
  -W HOST:PORT          stdin and stdout lead to HOST as the peer reaches it; implies -N and -T
  -J PEER               nothing: a peer is reached without going through another
  -A                    let the peer use your SSH agent while you are there; -a: do not
  -q                    no warnings; -v says more, up to -vvv
  -e CHAR               escape character, or none (default: ~)
  -o KEY=VALUE          BatchMode, ClearAllForwardings, ConnectTimeout (seconds, default: 10),
                        DynamicForward, EscapeChar, ExitOnForwardFailure, ForwardAgent, LocalForward,
                        LogLevel, Port, RemoteForward, RequestTTY, SendEnv, ServerAliveCountMax
                        (default: 3), ServerAliveInterval (seconds, default: 0, off), SetEnv, User
  --management-url URL  management server (default: QF_MANAGEMENT_URL, your config, this machine's)
  --no-browser          print a page to open anywhere instead of opening a browser here

Forwards listen on the loopback; BIND is another address, or * for all. A path in place of PORT or of
HOST:HOSTPORT is a unix socket. The peer's flags and the policy both have to allow a forward.

You sign in with your identity provider; no keys are copied and no host key is trusted on first use.
QF_TOKEN_FILE or QF_TOKEN signs a service user in. Exit status: the remote's, 128+n for signal n, or 255.

examples:
  qf ssh deploy@web1
  qf ssh -t deploy@web1.qf.internal sudo systemctl restart web
  qf ssh -N -L 5432:db.internal:5432 deploy@web1
`;
