// What every page uses: saying an error, saying that it worked, a list that answers to the address bar, narrow screens.

import { Problem } from "../api.js";

const { ref, onBeforeUnmount, onMounted } = Vue;
const { ElMessage, ElMessageBox } = ElementPlus;

/** Say a refusal in the API's own sentence. What is no refusal is a fault of ours and goes to the console as well. */
export function say(error) {
  if (error?.name === "AbortError") return;
  if (!(error instanceof Problem)) console.error(error);
  const text = error instanceof Problem ? error.message : "页面出了点问题，请刷新再试。";
  ElMessage({ type: "error", message: text, duration: 6000, showClose: true, grouping: true });
}

export const done = (message) => ElMessage({ type: "success", message, duration: 3500, grouping: true });

/** Ask before something that cannot be taken back. Resolves to whether the person went on. */
export const sure = (message, title, go, type = "warning") =>
  ElMessageBox.confirm(message, title, { confirmButtonText: go, cancelButtonText: "取消", type, autofocus: false })
    .then(() => true)
    .catch(() => false);

/** Load something: {data, loading, error, load}. A later load wins over an earlier one that answers late. */
export function loader(fetcher, initial = null) {
  const data = ref(initial);
  const loading = ref(false);
  const error = ref("");
  let latest = 0;
  async function load(...args) {
    const mine = ++latest;
    loading.value = true;
    error.value = "";
    try {
      const found = await fetcher(...args);
      if (mine === latest) data.value = found;
    } catch (problem) {
      if (mine === latest) error.value = problem instanceof Problem ? problem.message : "页面出了点问题，请刷新再试。";
      if (!(problem instanceof Problem)) console.error(problem);
    } finally {
      if (mine === latest) loading.value = false;
    }
  }
  return { data, loading, error, load };
}

/** Whether the screen is a phone's: lists become cards there. With another width: whether it is no wider than that. */
export function useNarrow(widest = 767) {
  const query = matchMedia(`(max-width: ${widest}px)`);
  const narrow = ref(query.matches);
  const hear = (event) => (narrow.value = event.matches);
  onMounted(() => query.addEventListener("change", hear));
  onBeforeUnmount(() => query.removeEventListener("change", hear));
  return narrow;
}

/** A number of the address bar, or what stands for it. */
export const numberOf = (value, otherwise) => (/^[1-9]\d{0,5}$/.test(value ?? "") ? Number(value) : otherwise);
