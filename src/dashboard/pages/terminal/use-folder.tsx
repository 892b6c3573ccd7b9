/**
 * The machine's folder that the files panel shows, and the SFTP client that reads it.
 *
 * @module
 */
import { useCallback, useEffect, useState } from "react";
import type { SshConnection } from "../../../browser-ssh/connection.ts";
import { openSftp, type SftpClient } from "../../../browser-ssh/sftp/sftp-client.ts";
import type { ListedFile } from "../../../browser-ssh/sftp/sftp-messages.ts";
import { sentence } from "../../terminal/client-calls.ts";

export type Folder = ReturnType<typeof useFolder>;

export function useFolder(connection: SshConnection) {
  const [client, setClient] = useState<SftpClient | null>(null);
  const [path, setPath] = useState("/");
  const [files, setFiles] = useState<readonly ListedFile[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const failed = useCallback((error: unknown) => {
    setProblem(sentence(error instanceof Error ? error.message : "the files cannot be read"));
    setFiles((known) => known ?? []);
  }, []);
  const show = useCallback(
    async (from: SftpClient, wanted: string) => {
      try {
        const real = await from.realpath(wanted);
        const found = await from.list(real);
        setPath(real);
        setFiles(found);
        setProblem(null);
      } catch (error) {
        failed(error);
      }
    },
    [failed],
  );
  useEffect(() => {
    let opened: SftpClient | null = null;
    let isGone = false;
    openSftp(connection).then((one) => {
      opened = one;
      if (isGone) one.end();
      else {
        setClient(one);
        void show(one, ".");
      }
    }, failed);
    return () => {
      isGone = true;
      opened?.end();
    };
  }, [connection, show, failed]);
  const go = (wanted: string): void => {
    if (client !== null) void show(client, wanted);
  };
  return { client, path, files, problem, go, reload: () => go(path) };
}
