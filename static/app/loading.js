// What a page waits for: one object that its template shows by <load-state>.

const { reactive } = Vue;

/** Run `work` now and whenever `again` is called: {data, error, busy, again}. */
export function useLoad(work) {
  const load = reactive({ data: null, error: "", busy: false, again });
  async function again() {
    load.busy = true;
    load.error = "";
    try {
      load.data = await work();
    } catch (error) {
      load.error = error.message;
    } finally {
      load.busy = false;
    }
  }
  again();
  return load;
}
