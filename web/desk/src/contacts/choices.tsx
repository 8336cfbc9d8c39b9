// SPDX-License-Identifier: EUPL-1.2
//! In which order people stand, and which of the tenant's fields are columns.

import type { Order, Subject, Uuid } from "@belofte/api-client";
import { Button, Menu } from "@mantine/core";
import { said } from "../fields/value";
import { useWords } from "../i18n";
import { ColumnsIcon, SortIcon } from "../ui/icons";
import type { ContactField } from "./conditions";
import { MOST_COLUMNS } from "./kept";
import css from "./page.module.css";

interface OrderProps {
  className: string;
  order: Order | null;
  fields: readonly ContactField[];
  setOrder: (order: Order | null) => void;
}

const NEWEST = "newest";
const OLDEST = "oldest";

const placeOf = (order: Order | null): string => {
  if (order === null) return NEWEST;
  if (order.by === "created_at") return OLDEST;
  return order.by === "field" ? (order.field_id ?? NEWEST) : order.by;
};

export function OrderMenu({ className, order, fields, setOrder }: OrderProps) {
  const { t, language } = useWords();
  const value = placeOf(order);
  const byField = fields.find((one) => one.field_id === value);
  const own = { [NEWEST]: t("contacts.newest"), [OLDEST]: t("contacts.oldest"), name: t("contacts.name"), address: t("contacts.address") };
  const labelOf = (one: ContactField) => said(one.label, language);
  const name = byField ? labelOf(byField) : own[value as keyof typeof own];
  const descending = order?.descending === true;
  const choose = (next: string) => {
    if (next === NEWEST) return setOrder(null);
    if (next === OLDEST) return setOrder({ by: "created_at", descending: false });
    if (next === "name" || next === "address") return setOrder({ by: next as Subject, descending: false });
    setOrder({ by: "field", field_id: next, descending: false });
  };
  return (
    <Menu width={240}>
      <Menu.Target>
        <Button variant="default" className={className} data-order leftSection={<SortIcon size={15} />} aria-label={t("contacts.order_named", { order: name })}>
          <span className={css.ordered}>{name}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={css.menu ?? ""}>
        <Menu.Label>{t("contacts.order")}</Menu.Label>
        <Menu.RadioGroup value={value} onChange={choose}>
          {Object.entries(own).map(([one, label]) => (
            <Menu.RadioItem key={one} value={one} closeMenuOnClick>
              {label}
            </Menu.RadioItem>
          ))}
          {fields.map((one) => (
            <Menu.RadioItem key={one.field_id} value={one.field_id} closeMenuOnClick>
              {labelOf(one)}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        {order && order.by !== "created_at" && (
          <>
            <Menu.Divider />
            <Menu.CheckboxItem checked={descending} onChange={(down) => setOrder({ ...order, descending: down })}>
              {t("contacts.descending")}
            </Menu.CheckboxItem>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

interface ColumnsProps {
  className: string;
  chosen: Uuid[];
  fields: readonly ContactField[];
  choose: (ids: Uuid[]) => void;
}

export function ColumnsMenu({ className, chosen, fields, choose }: ColumnsProps) {
  const { t, language } = useWords();
  const full = chosen.length >= MOST_COLUMNS;
  return (
    <Menu width={240}>
      <Menu.Target>
        <Button variant="default" className={className} leftSection={<ColumnsIcon size={15} />}>
          {t("contacts.columns")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={css.menu ?? ""}>
        <Menu.Label>{full ? t("contacts.columns_full", { count: MOST_COLUMNS }) : t("contacts.columns_text")}</Menu.Label>
        {fields.map(({ field_id: id, label }) => {
          const shown = chosen.includes(id);
          return (
            <Menu.CheckboxItem
              key={id}
              checked={shown}
              disabled={full && !shown}
              // In the order of the fields, whichever was chosen first.
              onChange={(on) => choose(fields.map((one) => one.field_id).filter((one) => (one === id ? on : chosen.includes(one))))}
            >
              {said(label, language)}
            </Menu.CheckboxItem>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
