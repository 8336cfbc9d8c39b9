// SPDX-License-Identifier: EUPL-1.2
//! Tells somebody that an admin took their second factor away, until they have seen it.

import type { Session } from "@belofte/api-client";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useWords } from "../i18n";
import { api } from "./api";
import css from "./live.module.css";
import { keys, queryClient } from "./queries";
import { useSession } from "./session";

export function ResetNotice() {
  const words = useWords();
  const { t } = words;
  const { second_factor_reset_at: at } = useSession();
  const seen = useMutation({
    mutationFn: () => api.secondFactor.resetSeen(),
    onSuccess: () =>
      queryClient.setQueryData<Session>(keys.session, (old) => {
        if (!old) return old;
        const { second_factor_reset_at: _, ...rest } = old;
        return rest;
      }),
  });
  if (!at) return null;
  return (
    <div className={css.line}>
      <span role="status">{t("second_factor.reset_notice", { when: words.fullTime(at) })}</span>
      <Link to="/settings/second-factor">{t("second_factor.to_set_up")}</Link>
      <button type="button" disabled={seen.isPending} onClick={() => seen.mutate()}>
        {t("second_factor.reset_seen")}
      </button>
    </div>
  );
}
