/**
 * Identification strings of our ends: the first line of a connection (RFC 4253 section 4.2).
 *
 * Clients decide by the server's software version what they may use: ssh(1) sends `eow@openssh.com`, ssh2
 * forwards unix sockets, and several send the arguments of an SFTP symlink the way that sftp-server(8) takes
 * them, only where it begins with `OpenSSH`. Our server does all of this as OpenSSH 9.9 does, so it uses that
 * version and names itself in the comment. It avoids `10.x`, which a client that reads one digit takes for
 * OpenSSH 1.
 *
 * @module
 */
import { VERSION } from "../base/build-info.ts";

const OWN_NAME = `QuFabric_${VERSION}`;

export const SERVER_IDENT = `OpenSSH_9.9p2 ${OWN_NAME}`;
export const CLIENT_IDENT = OWN_NAME;
