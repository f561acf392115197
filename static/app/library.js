// What is in force for the person for whom this phone acts: policies, announcements, answers to common questions.

import * as api from "./api.js";
import { retiree } from "./store.js";

const SIZE = 20;

/** Notices by {q, category, kind}, page by page: {rows, next}; the mark is the number of the page. */
export async function notices(filters, mark) {
  const page = mark || 1;
  const { rows, total } = await api.list(`/library?${query({ ...filters, page, page_size: SIZE })}`);
  return { rows, next: page * SIZE < total ? page + 1 : null };
}

export const notice = (id) => api.get(`/library/${id}?${query({})}`);

/** Where a picture or an attachment is; asked for with the token. */
export const filePath = (noticeId, fileId) => `/library/${noticeId}/files/${fileId}?${query({})}`;

/** The same as a Blob. */
export const noticeFile = (noticeId, fileId) => api.file(filePath(noticeId, fileId));

function query(filters) {
  const given = Object.entries(filters).filter(([, value]) => value);
  return new URLSearchParams([["retiree_id", retiree.value.id], ...given]);
}
