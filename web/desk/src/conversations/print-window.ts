// SPDX-License-Identifier: EUPL-1.2

import type { Uuid } from "@belofte/api-client";

/** Opens a conversation as it goes on paper, beside the desk. */
export function openPrint(conversation: Uuid) {
  window.open(`/print/${conversation}`, "_blank", "noopener");
}
