// The messages of the person for whom this phone acts.

import * as api from "./api.js";
import { retiree } from "./store.js";

const SIZE = 20;
const NEWEST = 100;

const address = () => `/retirees/${retiree.value.id}/inbox`;

/** Messages, the newest first, from `mark` on: {rows, next}. */
export async function messages(mark) {
  const { items, next } = await api.get(`${address()}?limit=${SIZE}${mark ? `&before=${mark}` : ""}`);
  return { rows: items, next };
}

/** How many have not been opened, counted to 99, and how many of these are important: {unread, important}. */
export const unread = () => api.get(`${address()}/unread`);

export const message = (id) => api.get(`/inbox/${id}`);

/**
 * The message that brought a notice, or undefined: whoever came later never had one. Looked for among the newest; what is
 * older than these is past its receipt.
 */
export async function messageAbout(noticeId) {
  const { items } = await api.get(`${address()}?limit=${NEWEST}`);
  return items.find((message) => message.notice_id === noticeId && !message.withdrawn);
}

// That something was read or heard is for the office's own count: where it gets lost, nobody here is troubled with it.
export const markRead = (id) => api.put(`/inbox/${id}/read`).catch(() => {});
export const markListened = (id) => api.put(`/inbox/${id}/listened`).catch(() => {});

/** Put the message before the community, which calls back. Asking twice is one request. */
export const askForHelp = (id) => api.post(`/inbox/${id}/help`);
