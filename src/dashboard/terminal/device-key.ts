/**
 * The device key of this browser for a user, stored in IndexedDB, where no script can read its private half.
 * Each user who signs in here has a separate key.
 *
 * @module
 */
import { newWebKey, type WebKey, webKeyOf } from "./web-keys.ts";

const DATABASE = "qufabric-device";
const STORE = "keys";

/** Whether this browser lets the page store keys. Some do not, in private windows or by a setting. */
export async function canKeepKeys(): Promise<boolean> {
  try {
    (await openDatabase()).close();
    return true;
  } catch {
    return false;
  }
}

/** Loads this browser's key for a user, or creates it. Rejects when storage is blocked. */
export async function deviceKey(userId: string): Promise<WebKey> {
  const database = await openDatabase();
  try {
    const kept = await request<CryptoKeyPair | undefined>(
      database.transaction(STORE).objectStore(STORE).get(userId),
    );
    if (kept !== undefined) return webKeyOf(kept);
    const { publicKey, privateKey } = await newPair();
    // Another tab may have been first. Then its key counts.
    const store = database.transaction(STORE, "readwrite").objectStore(STORE);
    const first = await request<CryptoKeyPair | undefined>(store.get(userId));
    if (first === undefined) await request(store.put({ publicKey, privateKey }, userId));
    return webKeyOf(first ?? { publicKey, privateKey });
  } finally {
    database.close();
  }
}

async function newPair(): Promise<CryptoKeyPair> {
  const { publicKey, privateKey } = await newWebKey();
  const imported = await crypto.subtle.importKey("raw", publicKey, "Ed25519", true, ["verify"]);
  return { publicKey: imported, privateKey };
}

function openDatabase(): Promise<IDBDatabase> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE);
  return request(opening);
}

function request<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
