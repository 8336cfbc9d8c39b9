// SPDX-License-Identifier: EUPL-1.2
//! The frame: rail, the view, and what floats over every view.

import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useMatchRoute, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import { useWords } from "../i18n";
import { Bell } from "../notifications/bell";
import { whose } from "../push/whose";
import { ContactsIcon, InboxIcon, type Icon, SearchIcon, SettingsIcon, ShieldIcon } from "../ui/icons";
import { Account } from "./account";
import css from "./desk.module.css";
import { expect } from "./hold";
import { LiveLine, useLive } from "./live";
import { ResetNotice } from "./reset-notice";
import { OverlayContext } from "./overlays";
import { countsQuery, sessionQuery, whenSignedOut } from "./queries";
import { atRest } from "./rest";
import { end, forget, lock, SessionContext, useSession } from "./session";
import { useShortcuts } from "./shortcuts";
import { explainShort } from "./states";
import { toast } from "./toasts";

const loadPalette = () => import("./palette");
const Palette = lazy(loadPalette);
const Help = lazy(() => import("./help"));
const SignInAgain = lazy(() => import("../session/again"));

const loadNotifications = () => import("../notifications/panel");
const NotificationPanel = lazy(loadNotifications);

export type Overlay = "palette" | "help" | "notifications" | null;

/**
 * The desk, or the door to it when the session has ended meanwhile. The address stays, what was
 * typed stays, and nothing of anybody is on screen until somebody has signed in again.
 */
export function Desk() {
  const session = useQuery(sessionQuery).data;
  const [locked, setLocked] = useState(false);
  const shut = useCallback(() => setLocked(true), []);
  useEffect(() => whenSignedOut(shut), [shut]);
  useEffect(() => {
    if (locked) lock();
  }, [locked]);
  // Nobody: the way to the page of the sign-in has been taken already.
  if (!session) return null;
  return (
    <SessionContext.Provider value={session}>
      {locked ? (
        <Suspense fallback={null}>
          <SignInAgain onDone={() => setLocked(false)} />
        </Suspense>
      ) : (
        <Frame onSignedOut={shut} />
      )}
    </SessionContext.Provider>
  );
}

function Frame({ onSignedOut }: { onSignedOut: () => void }) {
  const words = useWords();
  const { t } = words;
  const session = useSession();
  const navigate = useNavigate();
  const counts = useQuery(countsQuery);
  const [overlay, show] = useState<Overlay>(null);
  const from = useRef<Element | null>(null);
  const setOverlay = useCallback((next: Overlay) => {
    if (next) from.current = document.activeElement;
    if (next === "palette") expect("palette");
    show(next);
  }, []);
  // What floated has gone: the focus is where it came from, unless it has found a place already.
  useEffect(() => {
    const back = from.current;
    if (overlay || !back) return;
    from.current = null;
    const { activeElement } = document;
    if (back instanceof HTMLElement && back.isConnected && (!activeElement || activeElement === document.body)) back.focus();
  }, [overlay]);
  const live = useLive(session.live_seq, onSignedOut);

  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.shiftKey) {
        event.preventDefault();
        setOverlay(overlay === "palette" ? null : "palette");
      }
    };
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, [overlay, setOverlay]);

  // A browser that is told when something is new goes on in this session, or lets go of somebody else's.
  useEffect(() => {
    if (whose() === null) return;
    return atRest(() => void import("../push/device").then((push) => push.resume(session.user)).catch(() => undefined));
  }, [session.user]);

  // The palette opens without waiting: it is fetched once the desk has come to rest.
  useEffect(() => atRest(() => void loadPalette().then(loadNotifications)), []);

  useShortcuts(
    {
      "?": () => setOverlay("help"),
      b: () => setOverlay("notifications"),
      "/": () => {
        const field = document.getElementById("search-field");
        if (field instanceof HTMLInputElement) {
          field.focus();
          field.select();
        } else {
          expect("search");
          void navigate({ to: "/search" });
        }
      },
    },
    session.user.single_key_shortcuts,
  );

  const signOut = () =>
    end()
      // The session is over: no view has a say in it any more.
      .then(() => navigate({ to: "/sign-in", search: {}, ignoreBlocker: true }))
      .then(() => forget())
      .catch((error: unknown) => toast(explainShort(error, words), { bad: true }));

  return (
    <OverlayContext.Provider value={setOverlay}>
      <div className={css.desk}>
        <a className={css.skip} href="#view">
          {t("app.skip")}
        </a>
        <nav className={css.rail} aria-label={t("app.main_navigation")}>
          <Link to="/" className={css.brand} aria-label="Belofte" tabIndex={-1}>
            <img src="/belofte.svg" alt="" width={28} height={28} />
          </Link>
          <RailLink to="/inbox/$view" fuzzy="/inbox" params={{ view: "mine" }} icon={InboxIcon} name={t("rail.inbox")} count={counts.data?.mine} countName={t("rail.inbox_count", { count: counts.data?.mine ?? 0 })} />
          <RailLink to="/search" icon={SearchIcon} name={t("rail.search")} />
          <RailLink to="/contacts" icon={ContactsIcon} name={t("rail.contacts")} />
          {session.user.privacy_officer && <RailLink to="/privacy" icon={ShieldIcon} name={t("rail.privacy")} />}
          <span className={css.spring} />
          <Bell opened={overlay === "notifications"} open={() => setOverlay("notifications")} />
          <RailLink to="/settings" icon={SettingsIcon} name={t("rail.settings")} />
          <Account help={() => setOverlay("help")} signOut={signOut} />
        </nav>
        <div className={css.right}>
          <div id="view" className={css.view} tabIndex={-1}>
            <Outlet />
          </div>
          <ResetNotice />
          <LiveLine live={live} />
        </div>
        <Suspense fallback={null}>
          {overlay === "palette" && <Palette close={() => setOverlay(null)} help={() => setOverlay("help")} notifications={() => setOverlay("notifications")} signOut={signOut} />}
          {overlay === "notifications" && <NotificationPanel close={() => setOverlay(null)} />}
          {overlay === "help" && <Help close={() => setOverlay(null)} />}
        </Suspense>
      </div>
    </OverlayContext.Provider>
  );
}

interface RailLinkProps {
  to: string;
  params?: Record<string, string>;
  fuzzy?: string;
  icon: Icon;
  name: string;
  count?: number | undefined;
  countName?: string;
}

function RailLink({ to, params, fuzzy, icon: Drawn, name, count, countName }: RailLinkProps) {
  const match = useMatchRoute();
  const active = Boolean(match({ to: fuzzy ?? to, fuzzy: true })) || (fuzzy ? location.pathname.startsWith(fuzzy) : false);
  return (
    <Link
      to={to}
      params={params ?? {}}
      className={css.link}
      data-active={active || undefined}
      aria-current={active ? "page" : undefined}
      data-name={name}
    >
      <Drawn size={20} />
      <span className={css.caption}>{name}</span>
      {count ? (
        <>
          <span className={css.count} aria-hidden="true">
            {count > 999 ? "999+" : count}
          </span>
          <span className="sr-only">, {countName}</span>
        </>
      ) : null}
    </Link>
  );
}
