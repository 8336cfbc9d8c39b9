// SPDX-License-Identifier: EUPL-1.2
//! Teams: who work together, and which queues they serve.

import type { Team, TeamDetails } from "@belofte/api-client";
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../app/api";
import { allQueuesQuery, keys, queryClient, teamQuery, teamsQuery, usersQuery } from "../app/queries";
import { maySupervise, useSession } from "../app/session";
import { Blank, Failure, FailureLine, Skeleton } from "../app/states";
import { toast } from "../app/toasts";
import { useWords } from "../i18n";
import { UsersIcon } from "../ui/icons";
import { Block, Page, State, Table } from "./page";
import css from "./page.module.css";

const stale = () => queryClient.invalidateQueries({ queryKey: keys.teams });

export function Teams() {
  const { t } = useWords();
  const session = useSession();
  const may = session.permissions.includes("manage_queues");
  const list = useQuery({ ...teamsQuery, enabled: maySupervise(session) });
  const [editing, setEditing] = useState<string | null>(null);
  const items = list.data?.items ?? [];
  return (
    <Page title={t("settings.teams")} lead={t("teams.lead")} may={maySupervise}>
      {list.isPending && <Skeleton rows={3} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data && items.length === 0 && <Blank icon={UsersIcon} title={t("teams.none")} text={may ? t("teams.none_text") : ""} />}
      {items.length > 0 && (
        <Table name={t("settings.teams")} head={[t("teams.name"), t("teams.size"), ""]}>
          {items.map((team) => (editing === team.id ? <Editing key={team.id} team={team} done={() => setEditing(null)} /> : <Shown key={team.id} team={team} may={may} edit={() => setEditing(team.id)} />))}
        </Table>
      )}
      {may && <NewTeam made={setEditing} />}
    </Page>
  );
}

function Shown({ team, may, edit }: { team: Team; may: boolean; edit: () => void }) {
  const { t } = useWords();
  return (
    <tr>
      <td>
        <span className={css.main}>{team.name}</span>
      </td>
      <td>
        {team.archived && <State tone="plain">{t("teams.archived")}</State>}
        <span className={css.sub}>{t("teams.sum", { members: team.member_count, queues: team.queue_count })}</span>
      </td>
      <td>
        {may && (
          <Button variant="default" onClick={edit} aria-label={t("teams.edit_named", { team: team.name })}>
            {t("teams.edit")}
          </Button>
        )}
      </td>
    </tr>
  );
}

function Editing({ team, done }: { team: Team; done: () => void }) {
  const details = useQuery(teamQuery(team.id));
  return (
    <tr>
      <td colSpan={3} className={css.wide}>
        {details.isPending && <Skeleton rows={2} />}
        {details.isError && <Failure error={details.error} retry={() => void details.refetch()} />}
        {details.data && <Form key={details.data.version} team={details.data} done={done} />}
      </td>
    </tr>
  );
}

function Form({ team, done }: { team: TeamDetails; done: () => void }) {
  const { t } = useWords();
  const users = useQuery(usersQuery);
  const queues = useQuery(allQueuesQuery);
  const [name, setName] = useState(team.name);
  const [members, setMembers] = useState(team.member_ids);
  const [serves, setServes] = useState(team.queue_ids);
  const save = useMutation({
    mutationFn: (archived: boolean) => api.teams.change(team.id, { version: team.version, name: name.trim(), archived, member_ids: members, queue_ids: serves }),
    onSuccess: async (saved) => {
      queryClient.setQueryData(teamQuery(team.id).queryKey, saved);
      toast(t("did.team_saved", { team: saved.name }));
      await stale();
      done();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(team.archived);
  };
  // Who was blocked since, and what was archived since, can be taken out.
  const people = (users.data?.items ?? []).filter((one) => one.state === "active" || team.member_ids.includes(one.id));
  const lists = (queues.data?.items ?? []).filter((one) => !one.archived || team.queue_ids.includes(one.id));
  return (
    <form className={css.form} onSubmit={submit}>
      <TextInput label={t("teams.name")} required withAsterisk={false} maxLength={80} value={name} onChange={(event) => setName(event.currentTarget.value)} autoComplete="off" autoFocus />
      <Checkbox.Group label={t("teams.members")} value={members} onChange={setMembers}>
        <div className={css.choices}>
          {people.map((one) => (
            <Checkbox key={one.id} value={one.id} label={one.name} />
          ))}
        </div>
      </Checkbox.Group>
      <Checkbox.Group label={t("teams.queues")} value={serves} onChange={setServes}>
        <div className={css.choices}>
          {lists.map((one) => (
            <Checkbox key={one.id} value={one.id} label={one.name} />
          ))}
        </div>
      </Checkbox.Group>
      {save.isError && <FailureLine error={save.error} />}
      <div className={css.row}>
        <Button type="submit" loading={save.isPending} disabled={name.trim() === ""}>
          {t("action.save")}
        </Button>
        <Button variant="default" onClick={done}>
          {t("action.cancel")}
        </Button>
        <Button variant="default" loading={save.isPending} onClick={() => save.mutate(!team.archived)}>
          {team.archived ? t("teams.unarchive") : t("teams.archive")}
        </Button>
      </div>
    </form>
  );
}

function NewTeam({ made }: { made: (id: string) => void }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => api.teams.create({ name: name.trim() }),
    onSuccess: async (team) => {
      setName("");
      await stale();
      made(team.id);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Block title={t("teams.new")}>
      <form className={css.form} onSubmit={submit}>
        <TextInput label={t("teams.name")} required withAsterisk={false} maxLength={80} value={name} onChange={(event) => setName(event.currentTarget.value)} autoComplete="off" />
        {create.isError && <FailureLine error={create.error} />}
        <div className={css.row}>
          <Button type="submit" loading={create.isPending} disabled={name.trim() === ""}>
            {t("teams.create")}
          </Button>
        </div>
      </form>
    </Block>
  );
}
