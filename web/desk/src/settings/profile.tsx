// SPDX-License-Identifier: EUPL-1.2

import { ApiError, type ColourScheme, type Language, type UpdateMe, type Session, type User } from "@belofte/api-client";
import { Button, NativeSelect, PasswordInput, SegmentedControl, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api } from "../app/api";
import { keys, queryClient, usersQuery } from "../app/queries";
import { applyTastes, useSession } from "../app/session";
import { FailureLine } from "../app/states";
import { toast } from "../app/toasts";
import { keepUndoSeconds, undoSeconds, WAITS } from "../conversations/undo";
import { useWords } from "../i18n";
import { LEAST_PASSWORD } from "../session/invitation";
import { Block, Page } from "./page";
import css from "./page.module.css";

export function Profile() {
  const { t } = useWords();
  const { user } = useSession();
  const [name, setName] = useState(user.name);
  const save = useMutation({
    mutationFn: (patch: Partial<Pick<User, keyof UpdateMe>>) => api.me.change(patch),
    // A taste is seen at once; a refusal puts it back.
    onMutate: (patch) => put({ ...user, ...patch }),
    onError: () => put(user),
    onSuccess: (changed) => put(changed),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ name: name.trim() }, { onSuccess: () => toast(t("did.saved")) });
  };
  return (
    <Page title={t("settings.profile")}>
      <form className={css.form} onSubmit={submit}>
        <TextInput label={t("field.your_name")} description={t("profile.name_hint")} value={name} required withAsterisk={false} autoComplete="name" onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput label={t("field.email")} value={user.email} readOnly />
        <div className={css.row}>
          <Button type="submit" disabled={name.trim() === "" || name.trim() === user.name} loading={save.isPending && save.variables?.name !== undefined}>
            {t("action.save")}
          </Button>
        </div>
      </form>
      {save.isError && <FailureLine error={save.error} />}
      <Block title={t("profile.language")}>
        <div className={css.row}>
          <SegmentedControl
            aria-label={t("profile.language")}
            value={user.language}
            onChange={(value) => save.mutate({ language: value as Language })}
            data={[
              { value: "nl", label: "Nederlands" },
              { value: "en", label: "English" },
            ]}
          />
        </div>
      </Block>
      <Block title={t("profile.scheme")}>
        <div className={css.row}>
          <SegmentedControl
            aria-label={t("profile.scheme")}
            value={user.colour_scheme}
            onChange={(value) => save.mutate({ colour_scheme: value as ColourScheme })}
            data={[
              { value: "auto", label: t("profile.scheme_auto") },
              { value: "light", label: t("profile.scheme_light") },
              { value: "dark", label: t("profile.scheme_dark") },
            ]}
          />
        </div>
      </Block>
      <Block title={t("profile.keyboard")}>
        <Switch
          label={t("profile.single_keys")}
          description={t("profile.single_keys_text")}
          checked={user.single_key_shortcuts}
          onChange={(event) => save.mutate({ single_key_shortcuts: event.currentTarget.checked })}
        />
      </Block>
      <Waiting />
      <Password />
      <Officers />
    </Page>
  );
}

function Waiting() {
  const { t } = useWords();
  const [seconds, setSeconds] = useState(undoSeconds);
  return (
    <Block title={t("profile.undo")} text={t("profile.undo_hint")}>
      <div className={css.row}>
        <NativeSelect
          aria-label={t("profile.undo")}
          value={String(seconds)}
          onChange={(event) => {
            const next = Number(event.currentTarget.value);
            keepUndoSeconds(next);
            setSeconds(undoSeconds());
          }}
          data={WAITS.map((one) => ({
            value: String(one),
            label: one === 0 ? t("profile.undo_none") : t("profile.undo_seconds", { count: one }),
          }))}
        />
      </div>
    </Block>
  );
}

// Who is watched knows by whom.
function Officers() {
  const words = useWords();
  const { t } = words;
  const users = useQuery(usersQuery);
  if (!users.data) return null;
  const officers = users.data.items.filter((user) => user.privacy_officer && user.state === "active");
  const names = officers.map((user) => user.name).join(", ");
  const text = names ? t("profile.officers_text", { names }) : t("profile.officers_none");
  return <Block title={t("profile.officers")} text={text} />;
}

function put(user: User) {
  queryClient.setQueryData<Session>(keys.session, (old) => (old ? { ...old, user } : old));
  applyTastes(user);
}

function Password() {
  const words = useWords();
  const { t } = words;
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = useMutation({
    mutationFn: () => api.me.password(current, next),
    onSuccess: () => {
      setCurrent("");
      setNext("");
      toast(t("did.password_changed"));
    },
  });
  const wrong = (field: string) => {
    const found = change.error instanceof ApiError ? change.error.fields.find((one) => one.field === field) : undefined;
    return found ? words.tOr(`field_error.${found.code}`, "field_error.invalid") : undefined;
  };
  return (
    <Block title={t("profile.password")} text={t("profile.password_text")}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <PasswordInput label={t("profile.current_password")} autoComplete="current-password" required withAsterisk={false} value={current} error={wrong("current")} onChange={(event) => setCurrent(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": t("field.show_password") }} />
        <PasswordInput label={t("field.new_password")} description={t("field.password_hint", { count: LEAST_PASSWORD })} autoComplete="new-password" required withAsterisk={false} minLength={LEAST_PASSWORD} value={next} error={wrong("new")} onChange={(event) => setNext(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": t("field.show_password") }} />
        {change.isError && <FailureLine error={change.error} />}
        <div className={css.row}>
          <Button type="submit" variant="default" loading={change.isPending} disabled={current === "" || next === ""}>
            {t("profile.change_password")}
          </Button>
        </div>
      </form>
    </Block>
  );
}
