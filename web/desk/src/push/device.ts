// SPDX-License-Identifier: EUPL-1.2
//! This browser as a device that is told when something is new. Nobody is asked for anything but at their own click.

import type { User } from "@belofte/api-client";
import { api } from "../app/api";
import { isTold, madeBy, octets } from "./key";
import { keepWhose, whose } from "./whose";
import { WORKER } from "./words";

/** So long a browser may take to forget a subscription when somebody signs out. */
const PATIENCE_MS = 2_000;

export const supported = (): boolean =>
  typeof navigator !== "undefined" && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

const registration = () => navigator.serviceWorker.getRegistration("/");

/** The subscription of this browser, if it has one. */
export async function subscription(): Promise<PushSubscription | null> {
  if (!supported()) return null;
  return (await (await registration())?.pushManager.getSubscription()) ?? null;
}

/** The browser says no, or did not answer; its user can say otherwise in its settings. */
export class Blocked extends Error {}
/** The browser's own push service is not to be had. */
export class NoService extends Error {}

async function subscribe(key: string, language: string): Promise<PushSubscription> {
  await navigator.serviceWorker.register(`${WORKER}?language=${language}`, { scope: "/" });
  const { pushManager } = await navigator.serviceWorker.ready;
  const old = await pushManager.getSubscription();
  if (old && madeBy(old, key)) return old;
  await old?.unsubscribe();
  try {
    return await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: octets(key) });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "NotAllowedError") throw new Blocked("not allowed", { cause });
    throw new NoService("no subscription", { cause });
  }
}

/** Asks the browser's user and has it told from now on; called at a click and nowhere else. */
export async function turnOn(user: User, key: string): Promise<void> {
  if ((await Notification.requestPermission()) !== "granted") throw new Blocked("not granted");
  const made = await subscribe(key, user.language);
  try {
    await api.push.add(made.endpoint);
  } catch (error) {
    await leave();
    throw error;
  }
  keepWhose(user.id);
}

/** Has this browser told no more; what it cannot be brought to in time ends with the session at the server. */
export async function leave(): Promise<void> {
  keepWhose(null);
  if (!supported()) return;
  const gone = async () => {
    const own = await registration();
    await (await own?.pushManager.getSubscription())?.unsubscribe();
    await own?.unregister();
  };
  await Promise.race([gone().catch(() => undefined), new Promise((done) => setTimeout(done, PATIENCE_MS))]);
}

/** Has the notification of a test shown although the desk is before its user. */
export async function expectTest(): Promise<void> {
  (await registration())?.active?.postMessage("test");
}

/**
 * After a sign-in: a browser that was told for this user goes on, in a session that is new and a language that may
 * be; one that was told for somebody else, or is told nothing any more, lets go. Asks its user nothing.
 */
export async function resume(user: User): Promise<void> {
  const own = await subscription();
  if (!own && whose() === null) return;
  if (whose() !== user.id || Notification.permission !== "granted") return leave();
  const push = await api.push.get();
  if (!push.public_key) return leave();
  const made = await subscribe(push.public_key, user.language);
  if (!isTold(push, made) || made.endpoint !== own?.endpoint) await api.push.add(made.endpoint);
}
