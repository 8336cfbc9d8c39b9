// SPDX-License-Identifier: EUPL-1.2

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { mayAdministrate, useSession } from "../app/session";
import { Blank, Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { KeyIcon } from "../ui/icons";
import { Block, Confirm, Once, Page, Table } from "./page";
import css from "./page.module.css";

const DAYS = [30, 90, 365] as const;

export function ApiKeys() {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const list = useQuery({ queryKey: keys.apiKeys, queryFn: () => api.apiKeys.list(), enabled: mayAdministrate(session) });
  const withdraw = useMutation({
    mutationFn: (id: string) => api.apiKeys.withdraw(id),
    onSuccess: () => {
      toast(t("did.withdrawn"));
      return queryClient.invalidateQueries({ queryKey: keys.apiKeys });
    },
  });
  return (
    <Page title={t("settings.api_keys")} lead={t("api_keys.lead")} may={mayAdministrate}>
      {list.isPending && <Skeleton rows={2} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {withdraw.isError && <FailureLine error={withdraw.error} />}
      {list.data?.items.length === 0 && <Blank icon={KeyIcon} title={t("api_keys.none")} text={t("api_keys.none_text")} />}
      {list.data && list.data.items.length > 0 && (
        <Table name={t("settings.api_keys")} head={[t("api_keys.name"), t("api_keys.scope"), t("api_keys.expires"), ""]}>
          {list.data.items.map((one) => (
            <tr key={one.id}>
              <td className={css.main}>{one.name}</td>
              <td>{one.scope === "write" ? t("api_keys.write") : t("api_keys.read")}</td>
              <td>{words.day(one.expires_at)}</td>
              <td>
                <Confirm
                  label={t("api_keys.withdraw")}
                  sure={t("api_keys.withdraw_sure", { name: one.name })}
                  loading={withdraw.isPending && withdraw.variables === one.id}
                  onConfirm={() => withdraw.mutate(one.id)}
                />
              </td>
            </tr>
          ))}
        </Table>
      )}
      <NewKey />
    </Page>
  );
}

function NewKey() {
  const { t } = useWords();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<"read" | "write">("read");
  const [days, setDays] = useState<number>(90);
  const create = useMutation({
    mutationFn: () =>
      api.apiKeys.create({ name: name.trim(), scope, expires_at: new Date(Date.now() + days * 86_400_000).toISOString() }),
    onSuccess: () => {
      setName("");
      return queryClient.invalidateQueries({ queryKey: keys.apiKeys });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Block title={t("api_keys.new")}>
      {create.data ? (
        <Once label={t("api_keys.ready", { name: create.data.name })} text={t("api_keys.ready_text")} value={create.data.key} onDone={() => create.reset()} />
      ) : (
        <form className={css.form} onSubmit={submit}>
          <TextInput label={t("api_keys.name")} description={t("api_keys.name_hint")} required withAsterisk={false} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <div className={css.halves}>
            <NativeSelect
              label={t("api_keys.scope")}
              value={scope}
              onChange={(event) => setScope(event.currentTarget.value === "write" ? "write" : "read")}
              data={[
                { value: "read", label: t("api_keys.read") },
                { value: "write", label: t("api_keys.write") },
              ]}
            />
            <NativeSelect
              label={t("api_keys.expires")}
              value={String(days)}
              onChange={(event) => setDays(Number(event.currentTarget.value))}
              data={DAYS.map((count) => ({ value: String(count), label: t("api_keys.days", { count }) }))}
            />
          </div>
          {create.isError && <FailureLine error={create.error} />}
          <div className={css.row}>
            <Button type="submit" loading={create.isPending} disabled={name.trim() === ""}>
              {t("api_keys.create")}
            </Button>
          </div>
        </form>
      )}
    </Block>
  );
}
