// SPDX-License-Identifier: EUPL-1.2
//! Of which roles the organisation asks a second factor.

import type { SecondFactorRule as Rule } from "@belofte/api-client";
import { Switch } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api } from "../app/api";
import { keys, queryClient } from "../app/queries";
import { mayAdministrate, useSession } from "../app/session";
import { Failure, FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { Block } from "./page";

const ROLES = [
  ["agent", "role.agent"],
  ["supervisor", "role.supervisor"],
  ["admin", "role.admin"],
] as const;

export function SecondFactorRule() {
  const { t } = useWords();
  const session = useSession();
  const rule = useQuery({ queryKey: keys.secondFactorRule, queryFn: () => api.secondFactor.rule(), enabled: mayAdministrate(session) });
  const set = useMutation({
    mutationFn: (patch: Partial<Rule>) => api.secondFactor.setRule(patch),
    onSuccess: (now) => {
      queryClient.setQueryData(keys.secondFactorRule, now);
      toast(t("did.saved"));
    },
  });
  return (
    <Block title={t("second_factor.rule_title")} text={t("second_factor.rule_lead")}>
      {rule.isError && <Failure error={rule.error} retry={() => void rule.refetch()} />}
      {set.isError && <FailureLine error={set.error} />}
      {rule.data &&
        ROLES.map(([role, name]) => (
          <Switch
            key={role}
            label={t(name)}
            checked={rule.data[role]}
            disabled={set.isPending}
            onChange={(event) => set.mutate({ [role]: event.currentTarget.checked })}
          />
        ))}
    </Block>
  );
}
