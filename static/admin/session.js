// Who is signed in, and the lock after half an hour without a hand on mouse or keyboard.

import * as api from "./api.js";
import { OFFICE, SUPERVISORS } from "./words.js";

const { reactive } = Vue;

export const IDLE = 30 * 60_000;
export const WARN_BEFORE = 2 * 60_000;
const TOUCHED = "yinling.staff.touched";
const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(TOUCHED) : null;

export const session = reactive({
  account: null,
  role: "",
  division: "",
  area: "",
  totp: false,
  waiting: { reviews: 0, follow_ups: 0, face_alarms: 0, notices: 0, deliveries: 0 },
  idleWarning: false,
  why: "",
});

export const isOffice = () => OFFICE.includes(session.role);
export const isSupervisor = () => SUPERVISORS.includes(session.role);

export async function load() {
  const me = await api.get("/me");
  Object.assign(session, {
    account: me.account,
    role: me.role,
    division: me.division || "",
    area: me.division_name || "",
    totp: me.totp,
    why: "",
  });
  touch();
  refreshWaiting();
}

export function clear(why = "") {
  Object.assign(session, { account: null, role: "", division: "", area: "", totp: false, idleWarning: false, why });
  session.waiting = { reviews: 0, follow_ups: 0, face_alarms: 0, notices: 0, deliveries: 0 };
}

export async function leave(why = "") {
  clear(why);
  await api.signOut(why);
}

/** The counts beside the menu. */
export async function refreshWaiting() {
  if (!isOffice()) return;
  try {
    const [reviews, followUps, alarms, notices, failed] = await Promise.all([
      api.list("/certification-reviews", { page_size: 1 }),
      api.list("/follow-ups", { page_size: 1 }),
      isSupervisor() ? api.list("/face-alarms", { page_size: 1 }) : { total: 0 },
      api.list("/notices", { state: "in_review", page_size: 1 }),
      api.list("/deliveries", { state: "failed", page_size: 1 }),
    ]);
    session.waiting = { reviews: reviews.total, follow_ups: followUps.total, face_alarms: alarms.total, notices: notices.total, deliveries: failed.total };
  } catch {
    // the page itself says what is wrong
  }
}

// ---- The lock. By the clock, not by one long timer: a PC that slept for an hour is locked when it wakes

let told = 0;

export function touch() {
  const now = Date.now();
  if (session.idleWarning) return; // then only the button counts, so that a bumped mouse does not keep a session open
  sessionStorage.setItem(TOUCHED, String(now));
  if (now - told > 10_000) {
    told = now;
    channel?.postMessage(now);
  }
}

export function stay() {
  session.idleWarning = false;
  touch();
}

const touched = () => Number(sessionStorage.getItem(TOUCHED)) || Date.now();

/** Whether the lock's time was over when this tab was opened again. */
export const overslept = () => Date.now() - touched() > IDLE;

export function watchIdle(lock) {
  for (const event of ["pointerdown", "keydown", "wheel", "touchstart"]) addEventListener(event, touch, { passive: true });
  channel?.addEventListener("message", ({ data }) => {
    if (data <= touched()) return;
    sessionStorage.setItem(TOUCHED, String(data));
    session.idleWarning = false;
  });
  setInterval(() => {
    if (!session.account) return;
    const idle = Date.now() - touched();
    if (idle > IDLE) lock();
    else session.idleWarning = idle > IDLE - WARN_BEFORE;
  }, 2_000);
  setInterval(refreshWaiting, 60_000);
}
