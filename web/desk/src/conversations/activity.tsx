// SPDX-License-Identifier: EUPL-1.2

import type { Activity } from "@belofte/api-client";
import { useWords, type Words } from "../i18n";
import css from "./activity.module.css";

/** One whole sentence per case; none is put together from pieces. */
export function activityText(activity: Activity, { t, fullTime }: Words): string {
  const named = activity.actor.name ?? "";
  const who = named ? "named" : "system";
  switch (activity.kind) {
    case "assigned":
      return activity.to === named
        ? t("activity.took", { name: named })
        : t("activity.assigned", { who, name: named, to: activity.to ?? "" });
    case "unassigned":
      return t("activity.unassigned", { who, name: named });
    case "queue":
      return t("activity.queue", { who, name: named, to: activity.to ?? "" });
    case "status":
      return t("activity.status", { who, name: named, status: activity.to ?? "other" });
    case "snoozed":
      return t("activity.snoozed", { who, name: named, time: activity.to ? fullTime(activity.to) : "" });
    case "woken":
      return t("activity.woken");
    case "tagged":
      return t("activity.tagged", { who, name: named, tag: activity.to ?? "" });
    case "untagged":
      return t("activity.untagged", { who, name: named, tag: activity.from ?? "" });
    case "delivery":
      return t("activity.delivery", { state: activity.to ?? "other" });
    case "account":
      return t("activity.account", { who, name: named, to: activity.to ?? "" });
    case "merged":
      return t("activity.merged", { who, name: named, no: activity.from ?? "" });
    case "unmerged":
      return t("activity.unmerged", { who, name: named, no: activity.from ?? "" });
    case "split":
      return t("activity.split", { who, name: named, no: activity.to ?? "" });
    case "split_from":
      return t("activity.split_from", { who, name: named, no: activity.from ?? "" });
    case "unsplit":
      return t("activity.unsplit", { who, name: named, no: activity.from ?? "" });
    case "linked":
      return t("activity.linked", { who, name: named, no: activity.to ?? "" });
    case "unlinked":
      return t("activity.unlinked", { who, name: named, no: activity.from ?? "" });
    case "created":
      return t("activity.created");
    case "viewed":
      return t("activity.viewed", { name: named });
  }
}

export function ActivityLine({ activity }: { activity: Activity }) {
  const words = useWords();
  return (
    <p className={css.line}>
      <span>{activityText(activity, words)}</span>
      <time dateTime={activity.at} title={words.fullTime(activity.at)}>
        {words.shortTime(activity.at, new Date())}
      </time>
    </p>
  );
}
