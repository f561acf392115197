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
      load.error = error instanceof Problem ? error.message : OUR_FAULT;
      if (load.error === OUR_FAULT) console.error(error);
    } finally {
      load.busy = false;
    }
  }
  again();
  return load;
}
