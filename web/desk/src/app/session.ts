// SPDX-License-Identifier: EUPL-1.2

import { ApiError, type Session, type User } from "@belofte/api-client";
import { useQuery } from "@tanstack/react-query";
import { setLanguage } from "../i18n";
import { setScheme } from "../ui/scheme";
import { api } from "./api";
import { clearPrivate } from "./private-store";
import { keys, queryClient, sessionQuery } from "./queries";

/** The session, or null when nobody is signed in. Other failures are thrown. */
export async function currentSession(): Promise<Session | null> {
  try {
    const session = await queryClient.ensureQueryData(sessionQuery);
    applyTastes(session.user);
    return session;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

/** The session inside the desk, where the router has made sure of it. */
export function useSession(): Session {
  const { data } = useQuery(sessionQuery);
  if (!data) throw new Error("the desk is shown to a signed-in user only");
  return data;
}

export function applyTastes(user: User) {
  setLanguage(user.language);
  setScheme(user.colour_scheme);
}

export function begin(session: Session) {
  clearPrivate();
  queryClient.clear();
  queryClient.setQueryData(keys.session, session);
  applyTastes(session.user);
}

/** Signs out; nothing of the work stays behind in this browser. */
export async function end() {
  await api.session.end().catch((error: unknown) => {
    // Already signed out elsewhere is as good as signed out.
    if (!(error instanceof ApiError && error.status === 401)) throw error;
  });
  forget();
}

export function forget() {
  clearPrivate();
  queryClient.clear();
}

export const mayAdministrate = (session: Session) => session.user.role === "admin";
export const maySupervise = (session: Session) =>
  session.user.role === "admin" || session.user.role === "supervisor";
