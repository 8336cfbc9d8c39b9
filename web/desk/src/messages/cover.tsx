// SPDX-License-Identifier: EUPL-1.2
//! A mail that is signed or encrypted says so in words: nothing of it was checked or opened here.

import type { Message } from "@belofte/api-client";
import { useWords } from "../i18n";
import { LockIcon, PencilIcon } from "../ui/icons";
import css from "./cover.module.css";

export function Cover({ message }: { message: Message }) {
  const { tOr } = useWords();
  const { cover } = message;
  if (!cover) return null;
  const Mark = cover.endsWith("encrypted") ? LockIcon : PencilIcon;
  return (
    <p className={css.cover} role="note">
      <Mark size={16} />
      <span>{tOr(`cover.${cover}`, "cover.other")}</span>
    </p>
  );
}
