// Talking to the house: one function for each way of asking, and every failure as a Problem with one Chinese sentence.
//
// The access token lives 15 minutes; the refresh token is good once, and a second use ends the sign-in for good. So the
// pair is shared by all tabs through localStorage, and only one tab at a time may trade it in (see `refresh`).

const BASE = "/api/v1";
const TOKENS = "yinling.tokens";
const LEASE = "yinling.refreshing";
const LEASE_MS = 10_000;
const EARLY_MS = 60_000; // trade the token in this long before it ends: phones sleep, uploads take time
const TIMEOUT_MS = 20_000;
const UPLOAD_TIMEOUT_MS = 120_000;

const OFFLINE = "网络不通。请看看手机有没有连上网，再试一次。";

/** A request that did not succeed. `message` is the sentence for the person, `code` what the pages decide by. */
export class Problem extends Error {
  constructor(status, code, detail, errors = [], retryAfter = 0) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }

  /** The sentence for one field of the form, or "". */
  of(field) {
    const found = this.errors.find((error) => error.pointer === `/${field}`);
    return found ? found.detail : "";
  }

  get offline() {
    return this.status === 0;
  }
}

let tokens = stored();
let onSignedOut = () => {};
let ahead = 0; // how far the server's clock is ahead of this phone's, in ms

window.addEventListener("storage", (event) => {
  if (event.key !== TOKENS) return;
  const had = tokens;
  tokens = stored();
  if (had && !tokens) onSignedOut("");
});

/** Call `listener(sentence)` when the sign-in has ended. */
export function whenSignedOut(listener) {
  onSignedOut = listener;
}

export const signedIn = () => Boolean(tokens);

/** The server's clock: old phones are often minutes or years off. Milliseconds since 1970. */
export const serverNow = () => Date.now() + ahead;

/** A random name: `crypto.randomUUID` is missing on plain http. */
export function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const get = (path) => ask("GET", path);
export const post = (path, body, key, headers) => ask("POST", path, body, key, headers);
export const put = (path, body) => ask("PUT", path, body);
export const remove = (path) => ask("DELETE", path);

/** A page of a list, with how many there are in all: {rows, total}. */
export async function list(path) {
  const response = await answered("GET", path);
  const pages = JSON.parse(response.headers.get("X-Pagination") || "{}");
  const rows = await response.json();
  return { rows, total: pages.total === undefined ? rows.length : pages.total };
}

/** A record and the tag of what was seen of it: {record, tag}. */
export const seen = async (path) => tagged(await answered("GET", path));

/** Put a record in the place of what was seen of it; 412 where somebody else has changed it meanwhile. */
export const replace = async (path, body, tag) => tagged(await answered("PUT", path, body, undefined, { "If-Match": tag }));

const tagged = async (response) => ({ record: await response.json(), tag: response.headers.get("ETag") });

/** A picture or a document as a Blob: its address needs the token, so no <img> and no link can ask for it by itself. */
export const file = async (path) => (await answered("GET", path)).blob();

/** Sign in by one of the ways of /auth: ("sms", {phone, code}) or ("wechat", {code}). */
export async function signIn(way, body) {
  keep(await (await send("POST", `/auth/${way}`, body)).json());
}

/** Ask for the sign-in code by SMS. */
export async function askForCode(phone) {
  return (await send("POST", "/auth/sms-codes", { phone })).json();
}

export async function signOut() {
  const held = tokens;
  forget();
  // whether the server hears of it or not, this phone is signed out
  if (held) await send("POST", "/auth/logout", { refresh_token: held.refresh_token }).catch(() => {});
}

/** Send a form with files; `progress(share)` hears from 0 to 1. */
export async function upload(path, form, key, progress) {
  const used = await accessToken();
  try {
    return await sendForm(path, form, key, progress, used);
  } catch (error) {
    if (error.status !== 401) throw error;
  }
  return sendForm(path, form, key, progress, await refresh(used));
}

/** XMLHttpRequest, because fetch tells nothing of an upload's progress. */
function sendForm(path, form, key, progress, token) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", BASE + path);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Idempotency-Key", key);
    request.responseType = "json";
    request.timeout = UPLOAD_TIMEOUT_MS;
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = request.ontimeout = () => reject(new Problem(0, "offline", OFFLINE));
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(problem(request.status, request.response, request.getResponseHeader("Retry-After")));
    };
    request.send(form);
  });
}

async function ask(method, path, body, key, headers) {
  const response = await answered(method, path, body, key, headers);
  return response.status === 204 ? null : response.json();
}

async function answered(method, path, body, key, headers) {
  const used = await accessToken();
  try {
    return await send(method, path, body, { token: used, key, headers });
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
  }
  // the token ended on its way, or another tab has traded it in: once more with a new one
  return send(method, path, body, { token: await refresh(used), key, headers });
}

async function accessToken() {
  if (!tokens) throw ended("请先登录。");
  return tokens.until - EARLY_MS > serverNow() ? tokens.access_token : refresh(tokens.access_token);
}

let refreshing = null;

/** A token other than `old`. One request for this tab, and one tab at a time. */
function refresh(old) {
  refreshing = refreshing || alone(() => trade(old)).finally(() => (refreshing = null));
  return refreshing;
}

async function trade(old) {
  tokens = stored();
  if (!tokens) throw ended("登录已过期，请重新登录。");
  if (tokens.access_token !== old && tokens.until > serverNow()) return tokens.access_token; // another tab was faster
  try {
    keep(await (await send("POST", "/auth/refresh", { refresh_token: tokens.refresh_token })).json());
  } catch (error) {
    if (error.status === 401) throw ended(error.message);
    throw error;
  }
  return tokens.access_token;
}

/** Run `work` while no other tab does. Plain http has no navigator.locks; a lease in localStorage stands in for it. */
async function alone(work) {
  if (navigator.locks) return navigator.locks.request("yinling-refresh", work);
  while (Date.now() - Number(localStorage.getItem(LEASE) || 0) < LEASE_MS) {
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
  }
  localStorage.setItem(LEASE, String(Date.now()));
  try {
    return await work();
  } finally {
    localStorage.removeItem(LEASE);
  }
}

async function send(method, path, body, { token, key, headers: more = {} } = {}) {
  const headers = { Accept: "application/json", ...more };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers["Idempotency-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), TIMEOUT_MS);
  let response;
  try {
    const content = body === undefined ? undefined : JSON.stringify(body);
    response = await fetch(BASE + path, { method, headers, body: content, signal: patience.signal });
  } catch (error) {
    throw new Problem(0, "offline", OFFLINE);
  } finally {
    clearTimeout(timer);
  }
  const date = Date.parse(response.headers.get("Date") || "");
  if (date) ahead = date - Date.now();
  if (response.ok) return response;
  const reply = await response.json().catch(() => null);
  throw problem(response.status, reply, response.headers.get("Retry-After"));
}

function problem(status, reply, retryAfter) {
  const { code = "http_error", detail = "没有办成，请稍后再试。", errors = [] } = reply || {};
  return new Problem(status, code, detail, errors, Number(retryAfter) || 0);
}

function ended(sentence) {
  forget();
  onSignedOut(sentence);
  return new Problem(401, "sign_in_required", sentence);
}

function keep(pair) {
  const { access_token, refresh_token, expires_in } = pair;
  tokens = { access_token, refresh_token, until: serverNow() + expires_in * 1000 };
  localStorage.setItem(TOKENS, JSON.stringify(tokens));
}

function forget() {
  tokens = null;
  localStorage.removeItem(TOKENS);
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(TOKENS));
  } catch (error) {
    return null;
  }
}
