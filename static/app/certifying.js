// One attempt on its way through its pages: what was agreed and answered, and the calls that several pages make.
//
// The server holds the truth (an attempt that is being looked at is found again by `open_session`). What stands here is
// only the way there; a reload begins it again at /certify.

import * as api from "./api.js";
import { deviceId, retiree, state } from "./store.js";

const { reactive } = Vue;

const TRIES = 6;

/** What somebody reads whose face is locked until a worker has looked. */
export const FACE_LOCKED = "人脸认证先停一停，请社区工作人员帮您看一看。到窗口、请人上门、视频都能办，不影响您领养老金。";

export const NEUTRAL = "neutral";

/** What each action asks for. `hint` is for the eye, `spoken` for the ear. Left and right are the person's own. */
export const ACTIONS = {
  neutral: { title: "请正对屏幕，保持两秒", hint: "看着屏幕，不用动", photo: "请正对手机，照一张", frames: 6, seconds: 2.5 },
  turn_left: { title: "请慢慢把头转向左边", hint: "您左手的那一边，再转回来", photo: "请把头转向左边，照一张", frames: 10, seconds: 6 },
  turn_right: { title: "请慢慢把头转向右边", hint: "您右手的那一边，再转回来", photo: "请把头转向右边，照一张", frames: 10, seconds: 6 },
  open_mouth: { title: "请张大嘴巴", hint: "张开，停一停，再合上", photo: "请张大嘴巴，照一张", frames: 10, seconds: 6 },
  // an ordinary blink is shorter than the time between two frames: eyes shut for a second are seen for certain
  blink: { title: "请慢慢眨两下眼睛", hint: "每次闭上停一秒，再睁开", photo: "请闭上眼睛，照一张", frames: 15, seconds: 6 },
  nod: { title: "请慢慢点头", hint: "低下头，再抬起来", photo: "请低一点头，照一张", frames: 10, seconds: 6 },
};

export const flow = reactive({ of: "", agreed: false, residence: null, canDoActions: true });

export function begin(canDoActions) {
  Object.assign(flow, { of: retiree.value.id, agreed: false, residence: null, canDoActions });
}

/** Whether a way through the pages was begun, and for this very person: a phone may act for several. */
export const underWay = () => Boolean(retiree.value) && flow.of === retiree.value.id;

export const status = () => api.get(`/retirees/${retiree.value.id}/certification`);

/** Ask the server for an attempt; called only when the person has pressed 开始. */
export function openSession() {
  const body = { consent: flow.agreed, can_do_actions: flow.canDoActions, residence: flow.residence };
  const headers = { "X-Device-Id": deviceId() };
  return api.post(`/retirees/${retiree.value.id}/certification-sessions`, body, api.randomName(), headers);
}

/** The refusals after which people help instead. */
const TO_PEOPLE = ["ask_a_person", "too_many_sessions", "face_locked", "face_paused"];

/** Where a refusal to open an attempt leads, or null when there is only its sentence to show. */
export async function wayAfter(problem) {
  if (problem.code === "consent_required") return { path: "/certify/consent" };
  if (TO_PEOPLE.includes(problem.code)) {
    state.notice = problem.message;
    return { path: "/help" };
  }
  if (problem.code === "being_checked") {
    const { open_session: open } = await status();
    return open ? { path: `/certify/result/${open}` } : null;
  }
  return null;
}

/** The names of an attempt's parts in the order in which the server wants them. */
export const stepsOf = (session) => [NEUTRAL, ...session.actions];

/** How long an attempt still lives, in ms by the server's clock. */
export const timeLeft = (session) => Date.parse(session.expires_at) - api.serverNow();

/**
 * Send the frames, {step: [blob, ...]}. A network that breaks is tried again with the same key, so that the attempt is
 * counted once however often it arrives.
 */
export async function sendFrames(session, frames, key, progress) {
  const form = new FormData();
  for (const step of stepsOf(session)) {
    frames[step].forEach((blob, place) => form.append(step, blob, `${step}-${place + 1}.jpg`));
  }
  for (let tried = 1; ; tried += 1) {
    try {
      return await api.upload(`/certification-sessions/${session.id}/frames`, form, key, progress);
    } catch (error) {
      if (error.code === "already_sent") return null; // the first try arrived after all
      const passing = error.offline || error.status >= 500 || error.status === 429 || error.code === "still_running";
      if (!passing || tried >= TRIES || timeLeft(session) < 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(1000 * 2 ** (tried - 1), 8000)));
    }
  }
}
