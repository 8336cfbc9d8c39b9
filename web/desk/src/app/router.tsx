// SPDX-License-Identifier: EUPL-1.2

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { Inbox } from "../conversations/inbox";
import { isAddress } from "../conversations/views";
import { Desk } from "./desk";
import { BootFailure, NotFound } from "./edges";
import { currentSession } from "./session";

const root = createRootRoute({ notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } =>
    // Only a path of the desk itself: anything else could lead elsewhere after sign-in.
    typeof search.next === "string" && /^\/(?!\/)/.test(search.next) ? { next: search.next } : {},
  component: lazyRouteComponent(() => import("../session/sign-in"), "SignIn"),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("../session/invitation"), "Invitation"),
});

const signedIn = async ({ location }: { location: { pathname: string } }) => {
  const session = await currentSession();
  if (!session) {
    const home = location.pathname === "/" || location.pathname === "/inbox/mine";
    throw redirect({ to: "/sign-in", search: home ? {} : { next: location.pathname } });
  }
};

const print = createRoute({
  getParentRoute: () => root,
  path: "/print/$conversation",
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import("../conversations/print"), "PrintConversation"),
  errorComponent: BootFailure,
});

const desk = createRoute({
  getParentRoute: () => root,
  id: "desk",
  beforeLoad: signedIn,
  component: Desk,
  errorComponent: BootFailure,
});

const home = createRoute({
  getParentRoute: () => desk,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/inbox/$view", params: { view: "mine" }, replace: true });
  },
});

const inbox = createRoute({
  getParentRoute: () => desk,
  path: "/inbox/$view",
  beforeLoad: ({ params }) => {
    if (!isAddress(params.view)) {
      throw redirect({ to: "/inbox/$view", params: { view: "mine" }, replace: true });
    }
  },
  component: Inbox,
});

const conversation = createRoute({ getParentRoute: () => inbox, path: "$conversation" });

const search = createRoute({ getParentRoute: () => desk, path: "/search", component: lazyRouteComponent(() => import("../search/page"), "SearchPage") });
const found = createRoute({ getParentRoute: () => search, path: "$conversation" });

const contacts = createRoute({
  getParentRoute: () => desk,
  path: "/contacts",
  component: lazyRouteComponent(() => import("../contacts/page"), "ContactsPage"),
});
const contact = createRoute({ getParentRoute: () => contacts, path: "$contact" });

const settings = createRoute({
  getParentRoute: () => desk,
  path: "/settings",
  component: lazyRouteComponent(() => import("../settings/settings"), "Settings"),
});
const settingsHome = createRoute({
  getParentRoute: () => settings,
  path: "/",
  component: lazyRouteComponent(() => import("../settings/settings"), "SettingsHome"),
});
const profile = createRoute({
  getParentRoute: () => settings,
  path: "profile",
  component: lazyRouteComponent(() => import("../settings/profile"), "Profile"),
});
const notifications = createRoute({
  getParentRoute: () => settings,
  path: "notifications",
  component: lazyRouteComponent(() => import("../settings/notifications"), "Notifications"),
});
const ownSessions = createRoute({
  getParentRoute: () => settings,
  path: "sessions",
  component: lazyRouteComponent(() => import("../settings/sessions"), "Sessions"),
});
const secondFactor = createRoute({
  getParentRoute: () => settings,
  path: "second-factor",
  component: lazyRouteComponent(() => import("../settings/second-factor"), "SecondFactor"),
});
const push = createRoute({
  getParentRoute: () => settings,
  path: "push",
  component: lazyRouteComponent(() => import("../settings/push"), "PushSettings"),
});
const users = createRoute({
  getParentRoute: () => settings,
  path: "users",
  component: lazyRouteComponent(() => import("../settings/users"), "Users"),
});
const apiKeys = createRoute({
  getParentRoute: () => settings,
  path: "api-keys",
  component: lazyRouteComponent(() => import("../settings/api-keys"), "ApiKeys"),
});
const channels = createRoute({
  getParentRoute: () => settings,
  path: "channels",
  component: lazyRouteComponent(() => import("../settings/channels"), "Channels"),
});
const newChannel = createRoute({
  getParentRoute: () => settings,
  path: "channels/new",
  component: lazyRouteComponent(() => import("../settings/channel"), "NewChannel"),
});
const channel = createRoute({
  getParentRoute: () => settings,
  path: "channels/$account",
  component: lazyRouteComponent(() => import("../settings/channel"), "Channel"),
});
const authorised = createRoute({
  getParentRoute: () => settings,
  path: "authorised",
  component: lazyRouteComponent(() => import("../settings/authorised"), "Authorised"),
});
const signing = createRoute({
  getParentRoute: () => settings,
  path: "signing",
  component: lazyRouteComponent(() => import("../settings/signing"), "Signing"),
});
const accounting = createRoute({
  getParentRoute: () => settings,
  path: "mail",
  component: lazyRouteComponent(() => import("../settings/accounting"), "MailAccounting"),
});
const tags = createRoute({
  getParentRoute: () => settings,
  path: "tags",
  component: lazyRouteComponent(() => import("../settings/tags"), "Tags"),
});
const queues = createRoute({
  getParentRoute: () => settings,
  path: "queues",
  component: lazyRouteComponent(() => import("../settings/queues"), "Queues"),
});
const queue = createRoute({
  getParentRoute: () => settings,
  path: "queues/$queue",
  component: lazyRouteComponent(() => import("../settings/queue"), "Queue"),
});
const teams = createRoute({
  getParentRoute: () => settings,
  path: "teams",
  component: lazyRouteComponent(() => import("../settings/teams"), "Teams"),
});
const fields = createRoute({
  getParentRoute: () => settings,
  path: "fields",
  component: lazyRouteComponent(() => import("../settings/fields"), "Fields"),
});
const newField = createRoute({
  getParentRoute: () => settings,
  path: "fields/new",
  component: lazyRouteComponent(() => import("../settings/field"), "NewField"),
});
const field = createRoute({
  getParentRoute: () => settings,
  path: "fields/$field",
  component: lazyRouteComponent(() => import("../settings/field"), "FieldPage"),
});
const macros = createRoute({
  getParentRoute: () => settings,
  path: "macros",
  component: lazyRouteComponent(() => import("../settings/macros"), "Macros"),
});
const deadLetters = createRoute({
  getParentRoute: () => settings,
  path: "dead-letters",
  component: lazyRouteComponent(() => import("../settings/dead-letters"), "DeadLetters"),
});

const privacy = createRoute({
  getParentRoute: () => desk,
  path: "/privacy",
  component: lazyRouteComponent(() => import("../privacy/ledger"), "Ledger"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    invitation,
    print,
    desk.addChildren([
      home,
      inbox.addChildren([conversation]),
      search.addChildren([found]),
      contacts.addChildren([contact]),
      privacy,
      settings.addChildren([
        settingsHome,
        profile,
        notifications,
        ownSessions,
        secondFactor,
        push,
        users,
        apiKeys,
        channels,
        newChannel,
        channel,
        authorised,
        signing,
        accounting,
        tags,
        queues,
        queue,
        teams,
        fields,
        newField,
        field,
        macros,
        deadLetters,
      ]),
    ]),
  ]),
  defaultPreload: "intent",
  defaultPendingMs: 200,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
