// SPDX-License-Identifier: EUPL-1.2

import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { mayAdministrate, useSession } from "../app/session";
import { Blank, Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { CheckIcon, RetryIcon } from "../ui/icons";
import { Page, Table } from "./page";
import css from "./page.module.css";

export function DeadLetters() {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const list = useQuery({ queryKey: keys.deadLetters, queryFn: () => api.deadLetters.list(), enabled: mayAdministrate(session) });
  const retry = useMutation({
    mutationFn: (id: string) => api.deadLetters.retry(id),
    onSuccess: () => {
      toast(t("did.job_retry"));
      return queryClient.invalidateQueries({ queryKey: keys.deadLetters });
    },
  });
  return (
    <Page title={t("settings.dead_letters")} lead={t("dead_letters.lead")} may={mayAdministrate}>
      {list.isPending && <Skeleton rows={3} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {retry.isError && <FailureLine error={retry.error} />}
      {list.data?.items.length === 0 && <Blank icon={CheckIcon} title={t("dead_letters.none")} text={t("dead_letters.none_text")} />}
      {list.data && list.data.items.length > 0 && (
        <Table name={t("settings.dead_letters")} head={[t("dead_letters.job"), t("dead_letters.failed"), t("dead_letters.attempts"), ""]}>
          {list.data.items.map((one) => (
            <tr key={one.id}>
              <td>
                <span className={css.main}>{words.tOr(`job.${one.kind}`, "job.other", { kind: one.kind })}</span>
                {one.error_code && (
                  <span className={css.sub}>
                    {words.tOr(`dead_letters.code.${one.error_code}`, "dead_letters.code.other")} <code>{one.error_code}</code>
                  </span>
                )}
              </td>
              <td>
                <time dateTime={one.failed_at} title={words.fullTime(one.failed_at)}>
                  {words.shortTime(one.failed_at, new Date())}
                </time>
              </td>
              <td>{words.number(one.attempts)}</td>
              <td>
                <Button variant="default" leftSection={<RetryIcon size={15} />} loading={retry.isPending && retry.variables === one.id} onClick={() => retry.mutate(one.id)}>
                  {t("action.try_again")}
                </Button>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Page>
  );
}
