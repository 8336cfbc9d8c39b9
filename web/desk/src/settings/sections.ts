// SPDX-License-Identifier: EUPL-1.2

import type { Session } from "@belofte/api-client";
import { mayAdministrate, maySupervise } from "../app/session";
import type { Key } from "../i18n";
import { BellIcon, BoltIcon, BookIcon, DeadLetterIcon, DeviceIcon, FieldsIcon, type Icon, KeyIcon, LockIcon, MailIcon, PencilIcon, PushIcon, QueueIcon, TagIcon, UserIcon, UsersIcon } from "../ui/icons";

export interface Section {
  to:
    | "/settings/profile"
    | "/settings/notifications"
    | "/settings/sessions"
    | "/settings/second-factor"
    | "/settings/push"
    | "/settings/users"
    | "/settings/api-keys"
    | "/settings/channels"
    | "/settings/signing"
    | "/settings/mail"
    | "/settings/queues"
    | "/settings/teams"
    | "/settings/fields"
    | "/settings/tags"
    | "/settings/macros"
    | "/settings/dead-letters";
  name: Key;
  icon: Icon;
  group: Key;
  may: (session: Session) => boolean;
}

const anyone = () => true;

export const SECTIONS: Section[] = [
  { to: "/settings/profile", name: "settings.profile", icon: UserIcon, group: "settings.group_you", may: anyone },
  { to: "/settings/notifications", name: "settings.notifications", icon: BellIcon, group: "settings.group_you", may: anyone },
  { to: "/settings/sessions", name: "settings.sessions", icon: DeviceIcon, group: "settings.group_you", may: anyone },
  { to: "/settings/second-factor", name: "settings.second_factor", icon: LockIcon, group: "settings.group_you", may: anyone },
  { to: "/settings/push", name: "settings.push", icon: PushIcon, group: "settings.group_you", may: anyone },
  { to: "/settings/channels", name: "settings.channels", icon: MailIcon, group: "settings.group_mail", may: mayAdministrate },
  { to: "/settings/signing", name: "settings.signing", icon: PencilIcon, group: "settings.group_mail", may: mayAdministrate },
  { to: "/settings/mail", name: "settings.mail", icon: BookIcon, group: "settings.group_mail", may: maySupervise },
  { to: "/settings/dead-letters", name: "settings.dead_letters", icon: DeadLetterIcon, group: "settings.group_mail", may: mayAdministrate },
  { to: "/settings/queues", name: "settings.queues", icon: QueueIcon, group: "settings.group_work", may: maySupervise },
  { to: "/settings/teams", name: "settings.teams", icon: UsersIcon, group: "settings.group_work", may: maySupervise },
  { to: "/settings/fields", name: "settings.fields", icon: FieldsIcon, group: "settings.group_work", may: mayAdministrate },
  { to: "/settings/tags", name: "settings.tags", icon: TagIcon, group: "settings.group_work", may: mayAdministrate },
  { to: "/settings/macros", name: "settings.macros", icon: BoltIcon, group: "settings.group_work", may: anyone },
  { to: "/settings/users", name: "settings.users", icon: UsersIcon, group: "settings.group_people", may: mayAdministrate },
  { to: "/settings/api-keys", name: "settings.api_keys", icon: KeyIcon, group: "settings.group_people", may: mayAdministrate },
];
