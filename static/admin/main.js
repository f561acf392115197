// The shell of the staff console: side menu, header, routes, the lock after half an hour.
//
// To add a page: write pages/<name>.js (a Vue component as its default export) and add one line to PAGES below.
// `title` without `icon` is a page that is reached from others and has no place in the menu.
// New words go to words.js, a new look of something that several pages show goes to components/.

import * as api from "./api.js";
import * as session_ from "./session.js";
import { AUTHORS, IMPORTERS, OFFICE, READERS, ROLES, SUPERVISORS, TEMPLATE_WRITERS, word } from "./words.js";
import YIcon from "./components/icon.js";

const { session } = session_;
const { computed, createApp, ref, watch } = Vue;
const { createRouter, createWebHashHistory, useRoute, useRouter } = VueRouter;

const EVERYBODY = Object.keys(ROLES);
const LATER_ROLES = ["archive_keeper", "branch_secretary", "administrator"];

// path, title, icon, who, module, the count beside it
const PAGES = [
  { path: "/overview", title: "工作台", icon: "home", roles: OFFICE, load: () => import("./pages/overview.js") },
  { path: "/people", title: "人员", icon: "people", roles: READERS, load: () => import("./pages/people.js") },
  { path: "/people/:id", title: "退休人员", roles: READERS, load: () => import("./pages/person.js") },
  { path: "/reviews", title: "待审核", icon: "review", roles: OFFICE, load: () => import("./pages/reviews.js"), count: "reviews" },
  { path: "/reviews/:id", title: "审核", roles: OFFICE, load: () => import("./pages/review.js") },
  { path: "/second-looks", title: "抽查", icon: "eye", roles: OFFICE, load: () => import("./pages/second-looks.js") },
  { path: "/second-looks/:id", title: "抽查", roles: OFFICE, load: () => import("./pages/second-look.js") },
  { path: "/follow-ups", title: "待办", icon: "todo", roles: OFFICE, load: () => import("./pages/follow-ups.js"), count: "follow_ups" },
  { path: "/alarms", title: "异常提醒", icon: "warn", roles: SUPERVISORS, load: () => import("./pages/alarms.js"), count: "face_alarms" },
  { path: "/notices", title: "通知公告", icon: "notice", roles: AUTHORS, load: () => import("./pages/notices.js"), count: "notices" },
  { path: "/notices/:id/edit", title: "写通知", roles: AUTHORS, load: () => import("./pages/notice-edit.js") },
  { path: "/notices/:id", title: "通知", roles: AUTHORS, load: () => import("./pages/notice.js") },
  { path: "/deliveries", title: "未送达", icon: "call", roles: AUTHORS, load: () => import("./pages/deliveries.js"), count: "deliveries" },
  { path: "/message-templates", title: "消息模板", icon: "template", roles: TEMPLATE_WRITERS, load: () => import("./pages/message-templates.js") },
  { path: "/message-templates/:key", title: "消息模板", roles: TEMPLATE_WRITERS, load: () => import("./pages/message-template.js") },
  { path: "/imports", title: "导入", icon: "upload", roles: IMPORTERS, load: () => import("./pages/imports.js") },
  { path: "/audit", title: "审计日志", icon: "log", roles: ["auditor"], load: () => import("./pages/audit.js") },
  { path: "/face-report", title: "人脸认证月报", icon: "stamp", roles: [...OFFICE, "auditor"], load: () => import("./pages/face-report.js") },
  { path: "/later", title: "后续功能", icon: "later", roles: LATER_ROLES, load: () => import("./pages/later.js") },
  { path: "/account", title: "我的账号", icon: "user", roles: EVERYBODY, load: () => import("./pages/account.js") },
];

/** The first page of a role: the first one in the menu. An enterprise's clerk comes to import. */
const home = () => (session.role === "enterprise" ? "/imports" : LATER_ROLES.includes(session.role) ? "/later" : menu()[0].path);
const menu = () => PAGES.filter((page) => page.icon && page.roles.includes(session.role));

const router = createRouter({
  history: createWebHashHistory("/admin"),
  routes: [
    { path: "/sign-in", component: () => import("./pages/sign-in.js").then((module) => module.default), meta: { open: true, title: "登录" } },
    ...PAGES.map((page) => ({ path: page.path, component: () => page.load().then((module) => module.default), meta: page })),
    { path: "/", component: { render: () => null }, meta: {} }, // the guard leads on to the role's first page
    { path: "/:rest(.*)*", component: () => import("./pages/nothing.js").then((module) => module.default), meta: { title: "没有这个页面", roles: EVERYBODY } },
  ],
  // as before on the way back; to the top where the page is another one, not where only a filter changed
  scrollBehavior: (to, from, saved) => saved || (to.path !== from.path ? { top: 0 } : undefined),
});

async function known() {
  if (session.account) return true;
  if (api.signedIn() && session_.overslept()) {
    await session_.leave("idle");
    return false;
  }
  if (!(await api.takeOver())) return false;
  try {
    await session_.load();
    return true;
  } catch (problem) {
    session_.clear(problem.status === 401 ? "expired" : "offline");
    return false;
  }
}

router.beforeEach(async (to) => {
  if (to.meta.open) return session.account ? home() : true;
  if (!(await known())) return { path: "/sign-in", query: to.path === "/" ? {} : { back: to.fullPath } };
  if (to.path === "/") return home();
  if (to.meta.roles && !to.meta.roles.includes(session.role)) return home();
  return true;
});
router.afterEach((to) => {
  document.title = `${to.meta.title || "工作台"} · 银龄通工作人员`;
});
router.onError((error) => {
  console.error(error);
  ElementPlus.ElMessage.error("页面没有取到，请检查网络后刷新。");
});

const Shell = {
  components: { YIcon },
  setup() {
    const route = useRoute();
    const items = computed(() => (session.account ? menu() : []));
    const drawer = ref(false);
    const inside = computed(() => Boolean(session.account) && !route.meta.open);
    const here = (page) => route.path === page.path || route.path.startsWith(`${page.path}/`);
    watch(() => route.path, () => (drawer.value = false));
    const out = async (why) => {
      const back = route.meta.open ? "" : route.fullPath;
      await session_.leave(why);
      router.replace({ path: "/sign-in", query: why && back ? { back } : {} });
    };
    api.onSignedOut((why) => {
      const back = route.meta.open ? "" : route.fullPath;
      session_.clear(why && why !== "idle" ? "expired" : why);
      router.replace({ path: "/sign-in", query: back ? { back } : {} });
    });
    session_.watchIdle(() => out("idle"));
    const command = (chosen) => (chosen === "out" ? out("") : router.push("/account"));
    const who = computed(() => `${word(ROLES, session.role)}${session.account?.name ? ` ${session.account.name}` : ""}`);
    return { session, items, drawer, inside, here, out, who, command, stay: session_.stay };
  },
  template: `
    <router-view v-if="!inside"/>
    <div v-else class="shell">
      <a class="skip" href="#main" @click.prevent="$refs.main.focus()">跳到正文</a>
      <aside class="side" :class="{ open: drawer }">
        <div class="side-brand"><img src="/static/admin/icon.svg" alt="" width="30" height="30"><span>银龄通<small>工作人员</small></span></div>
        <nav aria-label="主菜单" data-testid="menu">
          <router-link v-for="page in items" :key="page.path" :to="page.path" class="side-link" :class="{ on: here(page) }"
            :aria-current="here(page) ? 'page' : undefined" :data-testid="'menu-' + page.path.slice(1)">
            <y-icon :name="page.icon"/><span>{{ page.title }}</span>
            <em v-if="page.count && session.waiting[page.count]" :data-testid="'count-' + page.count">{{ session.waiting[page.count] > 999 ? '999+' : session.waiting[page.count] }}</em>
          </router-link>
        </nav>
      </aside>
      <div v-if="drawer" class="veil" @click="drawer = false"></div>
      <div class="stage">
        <header class="head">
          <button type="button" class="burger" aria-label="打开菜单" :aria-expanded="drawer" @click="drawer = !drawer" data-testid="burger"><y-icon name="menu" size="22"/></button>
          <span class="area" data-testid="area">{{ session.area || '银龄通' }}</span>
          <span class="grow"></span>
          <el-dropdown trigger="click" @command="command">
            <button type="button" class="who" data-testid="who"><y-icon name="user"/><span>{{ who }}</span></button>
            <template #dropdown>
              <el-dropdown-menu>
                <el-dropdown-item command="account">我的账号</el-dropdown-item>
                <el-dropdown-item command="out" divided data-testid="sign-out">退出登录</el-dropdown-item>
              </el-dropdown-menu>
            </template>
          </el-dropdown>
        </header>
        <main id="main" ref="main" tabindex="-1"><router-view/></main>
      </div>
      <el-dialog :model-value="session.idleWarning" title="还在吗？" width="400" align-center :close-on-click-modal="false" :show-close="false"
        :close-on-press-escape="false" append-to-body>
        <p>很久没有操作了。为了保护个人信息，两分钟内会自动退出登录。</p>
        <template #footer>
          <el-button @click="out('')">现在退出</el-button>
          <el-button type="primary" @click="stay" data-testid="stay">继续工作</el-button>
        </template>
      </el-dialog>
    </div>`,
};

createApp(Shell).use(router).use(ElementPlus, { locale: ElementPlusLocaleZhCn }).mount("#app");
