/**
 * Choice and check of the management URL, in one place for every command and the agent.
 *
 * @module
 */
import { join } from "node:path";
import { QfError } from "../base/errors.ts";
import { readJsonState } from "../base/files.ts";
import { isLoopbackHost } from "../identity/strict-fetch.ts";
import { ClientConfigFile } from "../wire/state-file.ts";
import { clientFolderPath, type Environment, readPublicClient } from "./client-folder.ts";

/**
 * The management URL from `given`, QF_MANAGEMENT_URL, the person's configuration, or this machine's agent, in
 * that order. Throws ERR_USAGE when none is set, or for a URL we must not use.
 */
export async function managementUrlOf(environment: Environment, given: string | undefined): Promise<string> {
  if (given !== undefined) return checkManagementUrl(given);
  if (environment.QF_MANAGEMENT_URL) return checkManagementUrl(environment.QF_MANAGEMENT_URL);
  const config = await readJsonState(join(clientFolderPath(environment), "config.json"), ClientConfigFile);
  const found = config?.managementUrl ?? (await readPublicClient(environment))?.managementUrl;
  if (found !== undefined) return checkManagementUrl(found);
  throw new QfError("ERR_USAGE", "no management server is known", {
    hint: "run qf login --management-url https://qf.example.com, or set QF_MANAGEMENT_URL",
  });
}

/**
 * `url` without final slashes. Throws ERR_USAGE when it is no http(s) URL, carries credentials, or is
 * http:// to anything but a loopback address: what we send there must not be read on the way.
 */
export function checkManagementUrl(url: string): string {
  if (!URL.canParse(url)) throw badUrl(url);
  const parsed = new URL(url);
  const isHttp = parsed.protocol === "https:" || parsed.protocol === "http:";
  const isPlain = parsed.username === "" && parsed.password === "" && parsed.hash + parsed.search === "";
  if (!isHttp || !isPlain) throw badUrl(url);
  if (parsed.protocol === "http:" && !isLoopbackHost(parsed.hostname)) {
    throw new QfError("ERR_USAGE", `the management URL ${url} is not encrypted`, {
      hint: "use https://; http:// is for this machine only (127.0.0.1, localhost)",
    });
  }
  return parsed.href.replace(/\/+$/, "");
}

function badUrl(url: string): QfError {
  return new QfError("ERR_USAGE", `${JSON.stringify(url.slice(0, 200))} is not a management URL`, {
    hint: "it looks like https://qf.example.com",
  });
}
