// The retirees' pages: the shell that is the same everywhere, and the table of pages.
//
// To add a page: write pages/<file>.js with a default export { setup, template } whose template begins with
// <section class="page"> and one <h1 class="title" tabindex="-1">, and add one line to PAGES. Reading aloud, letter size,
// telephone, back button, title, focus and sign-in come from the shell. A step inside a task has `back`, its page before.

import * as api from "./api.js";
import { readPage, speech, stop } from "./speech.js";
import { announce, forgetPerson, loadConfig, loadMe, nextLetters, retiree, setLetters, state } from "./store.js";
import AppIcon from "./components/icon.js";
import ActionDrawing from "./components/action_drawing.js";
import ConfirmBox from "./components/confirm_box.js";
import LetterSizes from "./components/letter_sizes.js";
import LoadState from "./components/load_state.js";
import TextField from "./components/text_field.js";

const { createApp, computed, nextTick, provide, ref } = Vue;
const { createRouter, createWebHashHistory, useRoute } = VueRouter;

const ANYBODY = "anybody"; // no sign-in needed
const SIGNED_IN = "signed_in"; // but no retiree chosen yet; every other page needs one

// address, file in pages/, title, {who may see it, the page before it, whether that is the list from which it was opened}
const PAGES = [
  ["/", "home", "首页"],
  ["/sign-in", "sign_in", "登录", { who: ANYBODY }],
  ["/bind", "bind", "为谁办理", { who: SIGNED_IN, back: "/choose" }],
  ["/choose", "choose", "换人办理", { who: SIGNED_IN, back: "/" }],
  ["/certify", "certify", "开始认证", { back: "/" }],
  ["/certify/consent", "consent", "请您先同意", { back: "/" }],
  ["/certify/residence", "residence", "您现在住在哪里", { back: "/" }],
  ["/certify/prepare", "prepare", "拍照前的准备", { back: "/certify/residence" }],
  ["/certify/camera", "camera", "对着镜头认证", { back: "/certify/prepare" }],
  ["/certify/photos", "photos", "拍照认证", { back: "/certify/prepare" }],
  ["/certify/result/:id", "result", "认证结果", { back: "/" }],
  ["/help", "help", "人工办理", { back: "/" }],
  ["/certificates", "certificates", "认证记录", { back: "/" }],
  ["/certificates/:id", "certificate", "认证凭证", { back: "/certificates" }],
  ["/messages", "messages", "我的消息", { back: "/" }],
  ["/messages/:id", "message", "消息", { back: "/messages" }],
  ["/library", "library", "政策和通知", { back: "/" }],
  ["/library/found", "library_found", "找到的通知", { back: "/library" }],
  ["/library/:id", "notice", "通知", { back: "/library", backToList: true }],
  ["/mine", "mine", "我的", { back: "/" }],
  ["/mine/reminders", "mine_reminders", "怎么通知我", { back: "/mine" }],
  ["/mine/consent", "mine_consent", "人脸认证的同意", { back: "/mine" }],
  ["/:rest(.*)*", "not_found", "没有这一页", { who: ANYBODY, back: "/" }],
];

const router = createRouter({
  history: createWebHashHistory(),
  routes: PAGES.map(([path, file, title, { who = "", back = "", backToList = false } = {}]) => ({
    path,
    component: () => import(`./pages/${file}.js`),
    meta: { title, who, back, backToList },
  })),
  scrollBehavior: (to, from, saved) => saved || { top: 0 },
});

router.beforeEach(async (to) => {
  stop();
  if (to.meta.who === ANYBODY) return true;
  if (!api.signedIn()) return { path: "/sign-in" };
  if (!state.me) {
    try {
      await loadMe();
    } catch (error) {
      if (error.status === 401) return { path: "/sign-in" };
      state.offline = error.message; // the bar at the top says it, and has the button to try again
      return false;
    }
  }
  if (to.meta.who === SIGNED_IN || retiree.value) return true;
  return { path: state.me.retirees.length ? "/choose" : "/bind" };
});

router.afterEach((to, from, failure) => {
  if (failure) return;
  document.title = `${to.meta.title} · ${state.config.name}`;
});

// The router hears of a changed address only when its first page stands; until then it is noted here.
let wanted = "";
const note = () => (wanted = window.location.hash.slice(1));
window.addEventListener("hashchange", note);
router.isReady().then(() => {
  window.removeEventListener("hashchange", note);
  if (wanted) router.push(wanted);
}, () => {});

router.onError(() => {
  state.offline = "页面没有打开。请看看手机有没有连上网，再试一次。";
});

api.whenSignedOut(async (sentence) => {
  state.notice = sentence;
  await router.replace("/sign-in");
  forgetPerson();
});

const Shell = {
  setup() {
    const route = useRoute();
    const reading = ref("");
    const back = computed(() => {
      const { back: list, backToList } = route.meta;
      // a notice stands in several lists: back to the one from which it was opened, with what was searched there
      const before = (backToList && window.history.state.back) || list;
      // whoever has nobody to act for yet has no page behind this one
      return before && route.meta.who !== SIGNED_IN ? before : retiree.value && before;
    });
    const midTask = computed(() => route.path.startsWith("/certify") || route.meta.who === SIGNED_IN);

    async function readAloud() {
      if (speech.speaking) {
        stop();
        return;
      }
      reading.value = "";
      const heard = await readPage(document.getElementById("main"));
      if (!heard && speech.silent) {
        reading.value = "这部手机不能朗读。请家人帮您念一念，或点“打电话”。";
        announce(reading.value);
      }
    }

    provide("readAloud", readAloud); // for a page with a button of its own for it

    /** The new page's heading gets the focus, so that a screen reader begins there and not where the old page ended. */
    function settled() {
      reading.value = "";
      nextTick(() => {
        const heading = document.querySelector("#main h1");
        if (heading) heading.focus({ preventScroll: true });
      });
    }

    const again = () => window.location.reload();
    return { again, back, midTask, nextLetters, readAloud, reading, retiree, route, settled, speech, state };
  },
  template: /* html */ `
    <header class="top">
      <router-link v-if="back" :to="back" class="top-back" data-testid="back"><app-icon name="back"/>返回</router-link>
      <span v-else class="top-name"><img src="/static/app/icon.svg" alt="" width="36" height="36">{{ state.config.name }}</span>
      <span v-if="retiree && route.meta.who !== 'anybody'" class="top-whom" :class="{ 'with-change': !midTask }">
        <span>正在为 <b data-testid="for-whom">{{ retiree.name }}</b> 办理</span>
        <router-link v-if="!midTask" to="/choose" class="chip" data-testid="change-person">换人</router-link>
      </span>
    </header>
    <div v-if="state.offline" class="bar bar-alert" role="alert">
      <p>{{ state.offline }}</p>
      <button v-if="!midTask" type="button" class="chip" @click="again">再试一次</button>
    </div>
    <div v-if="reading" class="bar">{{ reading }}</div>
    <main id="main">
      <router-view v-slot="{ Component }">
        <component :is="Component" :key="route.fullPath" @vue:mounted="settled"/>
      </router-view>
    </main>
    <nav class="tools" aria-label="帮助">
      <button v-if="speech.offered" type="button" @click="readAloud" data-testid="read-aloud">
        <app-icon :name="speech.speaking ? 'stop' : 'speaker'"/>{{ speech.speaking ? "停止" : "朗读" }}
      </button>
      <button type="button" @click="nextLetters" data-testid="letter-size"><app-icon name="letters"/>字号</button>
      <a v-if="state.config.phone" :href="'tel:' + state.config.phone" data-testid="telephone">
        <app-icon name="phone"/>打电话<span class="unseen">，{{ state.config.phone }}</span>
      </a>
    </nav>
    <div class="unseen" aria-live="polite">{{ state.announced }}</div>
  `,
};

setLetters(state.letters);
window.addEventListener("offline", () => (state.offline = "网络断开了。连上网以后可以接着办。"));
window.addEventListener("online", () => (state.offline = ""));
window.addEventListener("pagehide", stop);

start();

/** The number of the office is on every page, so it is asked for before the first one. */
async function start() {
  await loadConfig();
  createApp(Shell)
    .use(router)
    .component("AppIcon", AppIcon)
    .component("ActionDrawing", ActionDrawing)
    .component("ConfirmBox", ConfirmBox)
    .component("LetterSizes", LetterSizes)
    .component("LoadState", LoadState)
    .component("TextField", TextField)
    .mount("#app");
}
