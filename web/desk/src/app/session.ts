// SPDX-License-Identifier: EUPL-1.2

import { ApiError, type Session, type User } from "@belofte/api-client";
import { createContext, useContext } from "react";
import { setLanguage } from "../i18n";
import { setScheme } from "../ui/scheme";
import { api } from "./api";
import { forgetDrafts, saveAll } from "../conversations/draft-sync";
import { forgetWritten } from "../conversations/draft";
import { forgetAfter } from "../macros/after";
import { whose } from "../push/whose";
import { noteSignedIn } from "./early";
import { clearPrivate, keep, kept } from "./private-store";
import { keys, queryClient, sessionQuery } from "./queries";

const OWNER = "owner";

/** The session, or null when nobody is signed in. Other failures are thrown. */
export async function currentSession(): Promise<Session | null> {
  try {
    const session = await queryClient.ensureQueryData(sessionQuery);
    keep(OWNER, session.user.id);
    noteSignedIn(true);
    applyTastes(session.user);
    return session;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      noteSignedIn(false);
      return null;
    }
    throw error;
  }
}

/** Provided by the desk once: every row of a list asks for it. */
export const SessionContext = createContext<Session | null>(null);

/** The session inside the desk, where the router has made sure of it. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("the desk is shown to a signed-in user only");
  return session;
}

export function applyTastes(user: User) {
  setLanguage(user.language);
  setScheme(user.colour_scheme);
}

export function begin(session: Session) {
  // Who comes back after a session ran out finds the drafts; somebody else never does.
  if (kept(OWNER) !== session.user.id) {
    clearPrivate();
    forgetDrafts();
    forgetWritten();
    forgetAfter();
  }
  keep(OWNER, session.user.id);
  noteSignedIn(true);
  queryClient.clear();
  queryClient.setQueryData(keys.session, session);
  applyTastes(session.user);
}

/** Lets go of everything fetched but who was signed in; what was typed stays. */
export function lock() {
  noteSignedIn(false);
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.session[0] });
}

/** Ends the session at the server; already ended elsewhere is as good. */
export async function end() {
  // What was typed last is kept at the server before this browser forgets it.
  await saveAll();
  // This browser shows nothing of theirs any more; the server forgets it with the session.
  if (whose() !== null) await import("../push/device").then((push) => push.leave());
  await api.session.end().catch((error: unknown) => {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
  });
}

/** Lets go of everything fetched and typed; called when the desk is no longer on screen. */
export function forget() {
  noteSignedIn(false);
  forgetDrafts();
  forgetWritten();
  forgetAfter();
  clearPrivate();
  queryClient.clear();
}

export const mayAdministrate = (session: Session) => session.user.role === "admin";
export const maySupervise = (session: Session) =>
  session.user.role === "admin" || session.user.role === "supervisor";
