// SPDX-License-Identifier: EUPL-1.2
//! Where people come back to from the provider of a mailbox. What they bring is taken out of the address at once: it
//! counts once, and belongs in no history.

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { mayAdministrate } from "../app/session";
import { Failure, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { Page } from "./page";
import css from "./page.module.css";

interface Brought {
  account: string | null;
  state: string;
  code: string;
}

function brought(): Brought {
  const search = new URLSearchParams(location.search);
  const state = search.get("state") ?? "";
  // The state begins with the account that it was made for.
  const found = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})\./.exec(state);
  return { account: found ? found.slice(1).join("-") : null, state, code: search.get("code") ?? "" };
}

export function Authorised() {
  const { t } = useWords();
  const navigate = useNavigate();
  const [with_] = useState(brought);
  const complete = useMutation({
    mutationFn: ({ account, state, code }: { account: string; state: string; code: string }) =>
      api.channelAccounts.authorised(account, { state, code }),
    onSuccess: async (account) => {
      toast(t("authorisation.done", { address: account.address }));
      await queryClient.invalidateQueries({ queryKey: keys.accounts });
      void navigate({ to: "/settings/channels/$account", params: { account: account.id }, replace: true });
    },
  });
  const begun = useRef(false);
  const { mutate } = complete;
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    history.replaceState(history.state, "", location.pathname);
    const { account, state, code } = with_;
    if (account && code) mutate({ account, state, code });
  }, [mutate, with_]);
  const refused = !with_.account || !with_.code;
  return (
    <Page title={t(refused || complete.isError ? "authorisation.failed" : "authorisation.finishing")} may={mayAdministrate}>
      {refused && <p className={css.text}>{t("authorisation.refused")}</p>}
      {complete.isError && <Failure error={complete.error} />}
      {!refused && !complete.isError && <Skeleton rows={2} />}
      {(refused || complete.isError) && (
        <div className={css.row}>
          {with_.account ? (
            <Button component={Link} to={`/settings/channels/${with_.account}`}>
              {t("authorisation.to_mailbox")}
            </Button>
          ) : (
            <Button component={Link} to="/settings/channels">
              {t("settings.channels")}
            </Button>
          )}
        </div>
      )}
    </Page>
  );
}
