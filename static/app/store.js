// What several pages share: the office's name and telephone, who is signed in, for whom they act, the size of the letters.

import * as api from "./api.js";

const { reactive, computed } = Vue;

const LETTERS = "yinling.letters";
const CHOSEN = "yinling.chosen";
const DEVICE = "yinling.device";

export const LETTER_SIZES = [
  ["standard", "标准"],
  ["large", "大"],
  ["huge", "特大"],
];

/** Who the person at the phone is to the retiree, as the form asks for it and as the lists say it. */
export const RELATIONS = {
  self: { ask: "我本人", says: "本人" },
  child: { ask: "我的父母", says: "我的父母" },
  spouse: { ask: "我的配偶", says: "我的配偶" },
  relative: { ask: "其他亲属", says: "其他亲属" },
};

export const state = reactive({
  config: { name: "银龄通", phone: "", demo: false },
  me: null,
  chosen: localStorage.getItem(CHOSEN) || "",
  letters: localStorage.getItem(LETTERS) || "standard",
  offline: false,
  notice: "", // one sentence that a page leaves for the next one
  announced: "", // what a screen reader hears
});

/** The retiree that this phone acts for right now, or null. */
export const retiree = computed(() => {
  const bound = state.me ? state.me.retirees : [];
  return bound.find((one) => one.id === state.chosen) || (bound.length === 1 ? bound[0] : null);
});

export async function loadConfig() {
  try {
    state.config = await (await fetch("/app-config.json")).json();
  } catch (error) {
    // the pages work without it; only the telephone number is missing
  }
}

export async function loadMe() {
  state.me = await api.get("/me");
}

export function choose(id) {
  state.chosen = id;
  localStorage.setItem(CHOSEN, id);
}

/** A random name that this phone makes up for itself once: attempts are limited by it. It says nothing about anybody. */
export function deviceId() {
  const name = localStorage.getItem(DEVICE) || api.randomName();
  localStorage.setItem(DEVICE, name);
  return name;
}

/** After signing out nothing of the last person stays on the phone: only the size of the letters and the phone's own name. */
export function forgetPerson() {
  state.me = null;
  state.chosen = "";
  localStorage.removeItem(CHOSEN);
}

export function setLetters(size) {
  state.letters = size;
  localStorage.setItem(LETTERS, size);
  document.documentElement.dataset.letters = size;
}

/** The next larger size, and from the largest back to the first. */
export function nextLetters() {
  const place = LETTER_SIZES.findIndex(([size]) => size === state.letters);
  const [size, name] = LETTER_SIZES[(place + 1) % LETTER_SIZES.length];
  setLetters(size);
  announce(`字号：${name}`);
}

/** Say something to a screen reader. Emptied first, so that the same sentence is heard twice. */
export function announce(sentence) {
  state.announced = "";
  setTimeout(() => (state.announced = sentence), 50);
}
