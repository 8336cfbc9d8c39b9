// SPDX-License-Identifier: EUPL-1.2
//! Keys and subscriptions of a browser, as far as they are to be judged.

import type { Push } from "@belofte/api-client";

/** The octets of a key that is written in Base64 of addresses. */
export function octets(key: string): Uint8Array<ArrayBuffer> {
  const text = atob(key.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
}

/** Whether a subscription was made by this key; where a browser does not tell, it is taken for so. */
export function madeBy(subscription: PushSubscription, key: string): boolean {
  const own = subscription.options.applicationServerKey;
  if (!own) return true;
  const [one, other] = [new Uint8Array(own), octets(key)];
  return one.length === other.length && one.every((octet, at) => octet === other[at]);
}

/** Whether this browser, with its subscription, is the device of the session that asks. */
export const isTold = (push: Push, own: PushSubscription | null): boolean =>
  Boolean(own && push.public_key && madeBy(own, push.public_key) && push.devices.some((device) => device.current));
