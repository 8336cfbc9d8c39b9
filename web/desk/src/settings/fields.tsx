// SPDX-License-Identifier: EUPL-1.2
//! The tenant's own fields: which there are, on what, in which order.

import type { Field, RecordKind } from "@belofte/api-client";
import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useLayoutEffect, useRef } from "react";
import { api } from "../app/api";
import { fieldsQuery, keys, queryClient } from "../app/queries";
import { mayAdministrate, useSession } from "../app/session";
import { Blank, explainShort, Failure, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { said } from "../fields/value";
import { useWords } from "../i18n";
import { DownIcon, FieldsIcon, UpIcon } from "../ui/icons";
import { Block, Page, State, Table } from "./page";
import css from "./page.module.css";

const KINDS: RecordKind[] = ["contact", "conversation"];
const stale = () => queryClient.invalidateQueries({ queryKey: keys.fields });
const stuck = (yes: boolean) => (yes ? { "data-disabled": true, "aria-disabled": true } : {});

export function Fields() {
  const { t } = useWords();
  const session = useSession();
  const list = useQuery({ ...fieldsQuery, enabled: mayAdministrate(session) });
  const items = list.data?.items ?? [];
  const archived = items.filter((one) => one.archived);
  return (
    <Page
      title={t("settings.fields")}
      lead={t("fields.lead")}
      may={mayAdministrate}
      action={
        <Button component={Link} to="/settings/fields/new">
          {t("fields.new")}
        </Button>
      }
    >
      {list.isPending && <Skeleton rows={3} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data && items.length === 0 && (
        <Blank icon={FieldsIcon} title={t("fields.none")} text={t("fields.none_text")} />
      )}
      {KINDS.map((kind) => (
        <OfKind
          key={kind}
          kind={kind}
          fields={items.filter((one) => one.record === kind && !one.archived)}
        />
      ))}
      {archived.length > 0 && (
        <Block title={t("fields.archived_title")} text={t("fields.archived_text")}>
          <Table name={t("fields.archived_title")} head={[t("fields.label"), t("fields.on"), ""]}>
            {archived.map((one) => (
              <tr key={one.id}>
                <td>
                  <Name field={one} />
                </td>
                <td>{t(`fields.on_${one.record}`)}</td>
                <td>
                  <State tone="plain">{t("fields.archived")}</State>
                </td>
              </tr>
            ))}
          </Table>
        </Block>
      )}
    </Page>
  );
}

function OfKind({ kind, fields }: { kind: RecordKind; fields: Field[] }) {
  const words = useWords();
  const { t } = words;
  // A row that moves in the page loses the focus; who pressed an arrow goes on with it.
  const pressed = useRef<HTMLButtonElement | null>(null);
  const mutationKey = ["field-order", kind];
  const order = useMutation({
    mutationKey,
    // One after the other, as they were pressed.
    scope: { id: `field-order-${kind}` },
    mutationFn: (ids: string[]) => api.fields.order(kind, ids),
    onError: (error) => {
      pressed.current = null;
      toast(explainShort(error, words), { bad: true });
    },
    // The last one asks; before it the server has an order that is left already.
    onSettled: () => {
      if (queryClient.isMutating({ mutationKey }) <= 1) void stale();
    },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows lie anew when the list does
  useLayoutEffect(() => {
    // Somebody who is somewhere else by now stays there.
    if (document.activeElement === document.body) pressed.current?.focus();
    pressed.current = null;
  }, [fields]);
  if (fields.length === 0) return null;
  const swap = (moved: string, step: 1 | -1, button: HTMLButtonElement) => {
    // As the list is, which the rows may not show yet.
    const now = queryClient.getQueryData(fieldsQuery.queryKey)?.items ?? fields;
    const ids = now.filter((one) => one.record === kind && !one.archived).map((one) => one.id);
    const at = ids.indexOf(moved);
    if (at < 0 || at + step < 0 || at + step >= ids.length) return;
    ids.splice(at, 1);
    ids.splice(at + step, 0, moved);
    pressed.current = button;
    // At once, so that the next press goes on from it; those of other kinds stay where they are among themselves.
    const place = ({ id }: Field) => ids.indexOf(id);
    queryClient.setQueryData(
      fieldsQuery.queryKey,
      (was) => was && { ...was, items: [...was.items].sort((a, b) => place(a) - place(b)) },
    );
    order.mutate(ids);
  };
  const title = t(`fields.on_${kind}`);
  return (
    <Block title={title}>
      <Table name={title} head={[t("fields.label"), t("fields.kind"), ""]}>
        {fields.map((one, at) => {
          const label = said(one.settings.label, words.language);
          return (
            <tr key={one.id}>
              <td>
                <Name field={one} />
                {one.settings.required && <span className={css.sub}>{t("fields.required")}</span>}
              </td>
              <td>
                {t(`fields.kind_${one.settings.kind}`)}
                {one.lapsed && (
                  <span className={css.sub}>
                    <State tone="bad">{t("fields.lapsed")}</State>
                  </span>
                )}
                {!one.lapsed && one.settings.override && (
                  <span className={css.sub}>
                    <State tone="soon">
                      {t("fields.signed_until", { day: words.day(one.settings.override.ends_at) })}
                    </State>
                  </span>
                )}
              </td>
              <td>
                {fields.length > 1 && (
                  <div className={css.row}>
                    <Button
                      variant="default"
                      {...stuck(at === 0)}
                      onClick={(event) => swap(one.id, -1, event.currentTarget)}
                      aria-label={t("fields.up_named", { field: label })}
                    >
                      <UpIcon size={16} />
                    </Button>
                    <Button
                      variant="default"
                      {...stuck(at === fields.length - 1)}
                      onClick={(event) => swap(one.id, 1, event.currentTarget)}
                      aria-label={t("fields.down_named", { field: label })}
                    >
                      <DownIcon size={16} />
                    </Button>
                  </div>
                )}
              </td>
            </tr>
          );
        })}
      </Table>
    </Block>
  );
}

function Name({ field }: { field: Field }) {
  const { language } = useWords();
  return (
    <Link to="/settings/fields/$field" params={{ field: field.id }} className={css.main}>
      {said(field.settings.label, language)}
    </Link>
  );
}
