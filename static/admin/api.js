// Talking to the API: the sign-in of this tab, refreshing it, errors as sentences, pictures with the token in a header.
//
// The tokens live in sessionStorage: closing the browser ends the sign-in on a shared PC. A refresh token counts once, and
// the server ends the whole sign-in when an old one comes back. Tabs that were opened from each other hold the same one,
// so they refresh one at a time (navigator.locks), tell each other the successor (BroadcastChannel), and note in
// localStorage when the newest pair of a sign-in was made, which is no secret: whoever holds an older one must not use it,
// however late the message with the newer one comes.

const BASE = "/api/v1";
const HELD = "yinling.staff";
const REFRESH_BEFORE = 60_000;
const NEWEST = "yinling.staff.newest.";
const NEWEST_KEPT = 7 * 86_400_000;
const TAB_ANSWERS_WITHIN = 600;
const SUCCESSOR_COMES_WITHIN = 5_000;

/** What the API refused: `message` is its plain Chinese sentence, `code` its stable token, `fields` {name: sentence}. */
export class Problem extends Error {
  constructor(status, body = {}, retryAfter = 0) {
    super(body.detail || "没有办成，请稍后再试。");
    this.status = status;
    this.code = body.code || "unknown";
    this.requestId = body.request_id || "";
    this.retryAfter = retryAfter;
    this.fields = Object.fromEntries((body.errors || []).map((error) => [error.pointer.replace(/^\//, ""), error.detail]));
  }
}

/** The server did not answer at all. */
export class Offline extends Problem {
  constructor() {
    super(0, { code: "offline", detail: "连不上服务器，请检查网络后再试。" });
  }
}

// ---- The tokens

let held = read();
const listeners = new Set();
const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(HELD) : null;

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(HELD));
  } catch {
    return null;
  }
}

function keep(tokens) {
  held = tokens;
  if (tokens) sessionStorage.setItem(HELD, JSON.stringify(tokens));
  else sessionStorage.removeItem(HELD);
}

const family = (tokens) => tokens?.refresh_token.split(".")[0];

function adopt(tokens) {
  const newer = tokens && (!held || (family(held) === family(tokens) && tokens.at > held.at));
  if (newer) keep(tokens);
  return Boolean(newer);
}

channel?.addEventListener("message", ({ data }) => {
  if (data.ask && held) channel.postMessage({ tokens: held });
  else if (data.tokens && held) adopt(data.tokens);
  else if (data.ended && held && family(held) === data.ended) gone(data.why);
});

/** Ask the other tabs for a later pair than ours; whoever has none (a new tab) takes what is offered. */
async function fromOtherTabs(within) {
  if (!channel) return false;
  return new Promise((resolve) => {
    let asking = 0;
    const end = (found) => {
      channel.removeEventListener("message", hear);
      clearInterval(asking);
      resolve(found);
    };
    const hear = ({ data }) => data.tokens && (adopt(data.tokens) || (held && !behind())) && end(true);
    channel.addEventListener("message", hear);
    channel.postMessage({ ask: true });
    asking = setInterval(() => channel.postMessage({ ask: true }), within / 4);
    setTimeout(() => end(Boolean(held) && !behind()), within);
  });
}

const newest = (name) => Number(localStorage.getItem(NEWEST + name)) || 0;
const behind = () => newest(family(held)) > held.at;

function forgetOld() {
  for (const key of Object.keys(localStorage))
    if (key.startsWith(NEWEST) && Date.now() - Number(localStorage.getItem(key)) > NEWEST_KEPT) localStorage.removeItem(key);
}

function gone(why) {
  if (held) localStorage.removeItem(NEWEST + family(held));
  keep(null);
  listeners.forEach((listener) => listener(why));
}

/** `listener(why)` is called when the sign-in is over: the API's code, or what the tab that ended it said. */
export const onSignedOut = (listener) => listeners.add(listener);

export const signedIn = () => Boolean(held);

/** At the start of a tab: take over the sign-in of a tab beside it, where there is one. */
export async function takeOver() {
  if (signedIn()) return true;
  forgetOld();
  return Object.keys(localStorage).some((key) => key.startsWith(NEWEST)) && fromOtherTabs(TAB_ANSWERS_WITHIN);
}

function take(reply) {
  keep({ access_token: reply.access_token, refresh_token: reply.refresh_token, at: Date.now(), until: Date.now() + reply.expires_in * 1000 });
  localStorage.setItem(NEWEST + family(held), String(held.at));
  channel?.postMessage({ tokens: held });
  return reply.account;
}

export async function signIn(username, password, totp) {
  return take(await send("POST", "/auth/staff", { json: totp ? { username, password, totp } : { username, password }, open: true }));
}

/** `why` is what the other tabs of this sign-in say: "idle", or "" where somebody pressed the button. */
export async function signOut(why = "") {
  const ending = held;
  keep(null);
  if (!ending) return;
  localStorage.removeItem(NEWEST + family(ending));
  channel?.postMessage({ ended: family(ending), why });
  await send("POST", "/auth/logout", { json: { refresh_token: ending.refresh_token }, open: true }).catch(() => {});
}

const alone = (work) => (navigator.locks ? navigator.locks.request(HELD, work) : work());
let refreshing = null;

/** A pair that lasts, at most one refresh at a time in all tabs. */
function refresh(stale) {
  refreshing ??= alone(async () => {
    const expired = new Problem(401, { code: "sign_in_expired", detail: "登录已过期，请重新登录。" });
    if (!held) throw expired;
    if (behind() && !(await fromOtherTabs(SUCCESSOR_COMES_WITHIN))) {
      gone(expired.code);
      throw expired;
    }
    if (held.access_token !== stale && held.until - Date.now() > REFRESH_BEFORE) return;
    try {
      take(await send("POST", "/auth/refresh", { json: { refresh_token: held.refresh_token }, open: true }));
    } catch (problem) {
      if (problem.status === 401) gone(problem.code);
      throw problem;
    }
  }).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

// ---- Requests

/** One request. Options: query, json, form (FormData), headers, open (without token), signal. Returns JSON, or the Response with `whole`. */
async function send(method, path, { query, json, form, headers = {}, open = false, whole = false, signal } = {}) {
  const asked = new URLSearchParams(Object.entries(query || {}).filter(([, value]) => value !== "" && value != null));
  const address = (path.startsWith("/api/") ? path : BASE + path) + (asked.size ? `?${asked}` : "");
  const sent = { ...headers };
  if (!open && held) sent.Authorization = `Bearer ${held.access_token}`;
  if (json !== undefined) sent["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(address, { method, headers: sent, body: json !== undefined ? JSON.stringify(json) : form, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Offline();
  }
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    throw new Problem(response.status, body, Number(response.headers.get("Retry-After")) || 0);
  }
  if (whole) return response;
  return response.status === 204 ? null : response.json();
}

const STALE = new Set(["sign_in_required", "sign_in_expired"]);

async function call(method, path, options = {}) {
  if (!held) throw new Problem(401, { code: "sign_in_required", detail: "请先登录。" });
  if (held.until - Date.now() < REFRESH_BEFORE) await refresh(held.access_token);
  const used = held?.access_token;
  try {
    return await send(method, path, options);
  } catch (problem) {
    // a wrong password is a 401 too, and ends nothing
    if (problem.status !== 401 || !STALE.has(problem.code)) throw problem;
    await refresh(used);
    return send(method, path, options);
  }
}

export const get = (path, query, options) => call("GET", path, { query, ...options });
export const post = (path, json, options) => call("POST", path, { json, ...options });
export const put = (path, json, options) => call("PUT", path, { json, ...options });
export const patch = (path, json, options) => call("PATCH", path, { json, ...options });
export const remove = (path, options) => call("DELETE", path, options);
export const upload = (method, path, form) => call(method, path, { form });

/** A page of a list: {rows, total}. */
export async function list(path, query) {
  const response = await call("GET", path, { query, whole: true });
  const pages = JSON.parse(response.headers.get("X-Pagination") || "{}");
  return { rows: await response.json(), total: pages.total ?? 0 };
}

/** A record with the version to edit it by: {record, version}. */
export async function versioned(path) {
  const response = await call("GET", path, { whole: true });
  return { record: await response.json(), version: response.headers.get("ETag") };
}

/** Headers of an edit that counts only against the version that was seen. */
export const ifMatch = (version) => ({ headers: { "If-Match": version } });

/** A picture as a blob address; whoever shows it revokes it. */
export async function picture(path, options) {
  const response = await call("GET", path, { whole: true, ...options });
  return URL.createObjectURL(await response.blob());
}

/** Save a file that needs the token. */
export async function download(path, name) {
  const response = await call("GET", path, { whole: true });
  const address = URL.createObjectURL(await response.blob());
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** One key for one intention: pressing again, or a network that broke, does not do it twice. Other content is another key. */
export function once() {
  let key = "";
  let meant = "";
  return (json) => {
    const now = JSON.stringify(json);
    if (now !== meant) {
      meant = now;
      key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    return { headers: { "Idempotency-Key": key } };
  };
}
