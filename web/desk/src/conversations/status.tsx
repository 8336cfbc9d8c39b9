// SPDX-License-Identifier: EUPL-1.2

import type { ConversationStatus } from "@belofte/api-client";
import css from "./status.module.css";

/** A sign for each status, told apart by its shape as well as by its colour. */
export function StatusMark({ status }: { status: ConversationStatus }) {
  return <span className={css.mark} data-status={status} aria-hidden="true" />;
}
