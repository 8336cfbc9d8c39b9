// SPDX-License-Identifier: EUPL-1.2
//! Taking people out: as a table or as cards, those of the list. What comes is saved by the browser when all of it is here.

import type { ExportContacts, Uuid } from "@belofte/api-client";
import { Button, Modal, NativeSelect, Radio } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { api } from "../app/api";
import { FailureLine } from "../app/states";
import { useWords } from "../i18n";
import { InfoIcon } from "../ui/icons";
import css from "./export-dialog.module.css";
import type { Ask } from "./queries";
import { save } from "../app/save";

interface Props {
  /** What the list is asked for. */
  ask: Ask;
  /** How many that are; null where nobody knows yet. */
  count: number | null;
  /** The columns of the list. */
  columns: Uuid[];
  /** Whether the tenant has fields of its own. */
  hasFields: boolean;
  close: () => void;
}

export default function ExportDialog({ ask, count, columns, hasFields, close }: Props) {
  const words = useWords();
  const { t, language } = words;
  const [format, setFormat] = useState<ExportContacts["format"]>("csv");
  const [which, setWhich] = useState<"all" | "shown">("all");
  const [separator, setSeparator] = useState<"comma" | "semicolon">(language === "nl" ? "semicolon" : "comma");
  const [taken, setTaken] = useState(0);
  const stop = useRef<AbortController>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const take = useMutation({
    mutationFn: () => {
      const controller = new AbortController();
      stop.current = controller;
      setTaken(0);
      const { q, any, conditions } = ask;
      const body: ExportContacts = {
        ...(q ? { q } : {}),
        ...(any ? { any } : {}),
        ...(conditions ? { conditions } : {}),
        ...(which === "shown" ? { field_ids: columns } : {}),
        format,
        ...(format === "csv" ? { separator } : {}),
      };
      return api.contacts.export(body, controller.signal, setTaken);
    },
    onSuccess: (blob) => {
      save(blob, `${t("contacts.export_file")}.${format === "csv" ? "csv" : "vcf"}`);
      close();
    },
  });
  const stopped = stop.current?.signal.aborted === true;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    take.mutate();
  };
  return (
    <Modal opened onClose={close} title={t("contacts.export_title")} size={460} closeButtonProps={{ "aria-label": t("action.close") }} closeOnClickOutside={!take.isPending} closeOnEscape={!take.isPending} withCloseButton={!take.isPending}>
      <form className={css.form} onSubmit={submit}>
        <p>{count === null ? t("contacts.export_those") : t("contacts.export_count", { count })}</p>
        <Radio.Group label={t("contacts.export_as")} value={format} onChange={(value) => setFormat(value as typeof format)}>
          <div className={css.radios}>
            <Radio value="csv" label={t("contacts.export_csv")} description={t("contacts.export_csv_text")} disabled={take.isPending} data-autofocus />
            <Radio value="vcard" label={t("contacts.export_vcard")} description={t("contacts.export_vcard_text")} disabled={take.isPending} />
          </div>
        </Radio.Group>
        {hasFields && (
          <Radio.Group label={t("contacts.export_fields")} value={which} onChange={(value) => setWhich(value as typeof which)}>
            <div className={css.radios}>
              <Radio value="all" label={t("contacts.export_all_fields")} disabled={take.isPending} />
              <Radio value="shown" label={t("contacts.export_shown_fields", { count: columns.length })} disabled={take.isPending} />
            </div>
          </Radio.Group>
        )}
        {format === "csv" && (
          <NativeSelect
            label={t("contacts.export_separator")}
            value={separator}
            disabled={take.isPending}
            onChange={(event) => setSeparator(event.currentTarget.value as typeof separator)}
            data={[
              { value: "semicolon", label: t("contacts.export_semicolon") },
              { value: "comma", label: t("contacts.export_comma") },
            ]}
          />
        )}
        <p className={css.note}>
          <InfoIcon size={16} />
          <span>{t("contacts.export_note")}</span>
        </p>
        {take.isError && !stopped && <FailureLine error={take.error} />}
        <div className={css.row}>
          <p role="status" className={css.taken}>
            {take.isPending ? t("contacts.export_taken", { size: words.bytes(taken) }) : ""}
          </p>
          {take.isPending ? (
            <Button key="stop" variant="default" onClick={() => stop.current?.abort()}>
              {t("contacts.export_stop")}
            </Button>
          ) : (
            <Button key="cancel" variant="default" onClick={close}>
              {t("action.cancel")}
            </Button>
          )}
          <Button type="submit" loading={take.isPending}>
            {t("contacts.export")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
