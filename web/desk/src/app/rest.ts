// SPDX-License-Identifier: EUPL-1.2

/** Does something once the browser has nothing better to do; returns how to call it off. */
export function atRest(then: () => void): () => void {
  // Safari has no idle callbacks.
  if (typeof requestIdleCallback !== "function") {
    const timer = setTimeout(then, 400);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(then, { timeout: 2_000 });
  return () => cancelIdleCallback(handle);
}
