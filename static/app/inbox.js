// The messages of a person, as far as they have been read from the server.

import * as api from "./api.js";
import { retiree } from "./store.js";

const SIZE = 20;

/** One page of messages, newest first: {rows, total}. */
export const page = (number) => api.list(`/retirees/${retiree.value.id}/inbox?page=${number}&page_size=${SIZE}`);

/** One message; the server has no address for a single one, so its list is gone through. */
export async function find(id) {
  for (let number = 1; ; number += 1) {
    const { rows, total } = await page(number);
    const found = rows.find((row) => row.id === id);
    if (found) return found;
    if (number * SIZE >= total) throw new api.Problem(404, "not_found", "没有找到这条消息，请返回“我的消息”再看看。");
  }
}
