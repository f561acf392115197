// What a page waits for: one object that its template shows by <load-state>.

import { Problem } from "./api.js";

const { reactive } = Vue;

const OUR_FAULT = "页面出了点问题。请再试一次，或点“打电话”。";

/** Run `work` now and whenever `again` is called: {data, error, busy, again}. */
export function useLoad(work) {
  const load = reactive({ data: null, error: "", busy: false, again });
  async function again() {
    load.busy = true;
    load.error = "";
    try {
      load.data = await work();
    } catch (error) {
      load.error = said(error);
    } finally {
      load.busy = false;
    }
  }
  again();
  return load;
}

/**
 * A list that grows by a button. `work(mark)` gets `null` for the newest rows and answers {rows, next}; `next` is the mark of
 * the rows after these, or null at the end. Adds `more` and `moreError` to what `useLoad` gives.
 */
export function useList(work) {
  const load = useLoad(() => work(null));
  load.moreError = "";
  load.more = async () => {
    if (load.busy) return;
    load.busy = true;
    load.moreError = "";
    try {
      const { rows, next } = await work(load.data.next);
      const known = new Set(load.data.rows.map((row) => row.id)); // something new may have moved the pages by one
      load.data = { rows: [...load.data.rows, ...rows.filter((row) => !known.has(row.id))], next };
    } catch (error) {
      load.moreError = said(error);
    } finally {
      load.busy = false;
    }
  };
  return load;
}

/** The sentence for a person; what is our own fault is left for whoever looks into the console. */
function said(error) {
  if (error instanceof Problem) return error.message;
  console.error(error);
  return OUR_FAULT;
}
