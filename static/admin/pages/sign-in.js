// Signing in: user name and password, and the authenticator's digits only where the reply asks for them.

import * as api from "../api.js";
import * as session_ from "../session.js";
import YIcon from "../components/icon.js";
import { ROLES } from "../words.js";

const { nextTick, onMounted, reactive, ref } = Vue;

// The sign-ins that the demo data makes; shown only where the server says that this is a demo
const DEMO = [
  ["community", "community", "银杏社区：查人、审核、待办、导入"],
  ["street", "street", "桂花街道"],
  ["city", "city", "全市"],
  ["enterprise", "enterprise", "企业：只导入花名册"],
  ["auditor", "auditor", "查看审计日志"],
  ["archive", "archive_keeper", "后续功能"],
  ["branch", "branch_secretary", "后续功能"],
  ["admin", "administrator", "后续功能"],
];
const DEMO_PASSWORD = "yinling-demo";
const WHY = {
  idle: "半小时没有操作，已自动退出。请重新登录，会回到刚才的页面。",
  expired: "登录已过期，请重新登录。",
  offline: "连不上服务器，请检查网络后再登录。",
};

export default {
  components: { YIcon },
  setup() {
    const router = VueRouter.useRouter();
    const route = VueRouter.useRoute();
    const form = reactive({ username: "", password: "", totp: "" });
    const asksDigits = ref(false);
    const busy = ref(false);
    const error = ref("");
    const demo = ref(false);
    const field = ref(null);
    onMounted(async () => {
      field.value?.focus();
      demo.value = await fetch("/app-config.json").then((reply) => reply.json()).then((config) => config.demo === true).catch(() => false);
    });
    async function signIn() {
      error.value = "";
      if (!form.username.trim() || !form.password) {
        error.value = "请填写用户名和密码。";
        return;
      }
      busy.value = true;
      try {
        await api.signIn(form.username.trim(), form.password, asksDigits.value ? form.totp.trim() : "");
        await session_.load();
        session_.stay();
        const back = typeof route.query.back === "string" && route.query.back.startsWith("/") ? route.query.back : "/";
        router.replace(back);
      } catch (problem) {
        if (problem.code === "totp_required") {
          asksDigits.value = true;
          nextTick(() => document.getElementById("totp")?.focus());
        } else if (problem.code === "invalid" && problem.fields.totp) error.value = `验证码：${problem.fields.totp}`;
        else {
          error.value = problem.code === "account_locked" ? `账号已锁定。${problem.message}` : problem.message;
          if (problem.code === "wrong_totp") form.totp = "";
        }
      } finally {
        busy.value = false;
      }
    }
    function fill(username) {
      Object.assign(form, { username, password: DEMO_PASSWORD, totp: "" });
      asksDigits.value = false;
      error.value = "";
    }
    const again = () => {
      asksDigits.value = false;
      error.value = "";
      form.totp = "";
    };
    return { form, asksDigits, busy, error, demo, field, signIn, fill, again, DEMO, DEMO_PASSWORD, WHY, ROLES, session: session_.session };
  },
  template: `
    <main class="gate">
      <section class="gate-card">
        <div class="gate-brand"><img src="/static/admin/icon.svg" alt="" width="44" height="44">
          <div><h1>银龄通</h1><p>退休人员社会化管理 · 工作人员</p></div></div>
        <p v-if="session.why && WHY[session.why]" class="note warn" role="status" data-testid="why">{{ WHY[session.why] }}</p>
        <form @submit.prevent="signIn" novalidate>
          <template v-if="!asksDigits">
            <label for="username">用户名</label>
            <el-input id="username" ref="field" v-model="form.username" size="large" autocomplete="username" maxlength="64" data-testid="username"/>
            <label for="password">密码</label>
            <el-input id="password" v-model="form.password" type="password" size="large" show-password autocomplete="current-password" maxlength="200" data-testid="password"/>
          </template>
          <template v-else>
            <p class="note">密码正确。请再输入手机身份验证器里的6位数字。</p>
            <label for="totp">6位数字</label>
            <el-input id="totp" v-model="form.totp" size="large" inputmode="numeric" autocomplete="one-time-code" maxlength="6" data-testid="totp"/>
          </template>
          <p v-if="error" class="note bad" role="alert" data-testid="sign-in-error">{{ error }}</p>
          <el-button type="primary" size="large" native-type="submit" :loading="busy" class="wide" data-testid="sign-in">登录</el-button>
          <button v-if="asksDigits" type="button" class="link-button" @click="again">换一个账号</button>
        </form>
        <p class="hint">忘记密码请找系统管理员重置。连续输错5次会锁定15分钟。</p>
      </section>
      <section v-if="demo" class="gate-card demo" data-testid="demo-accounts">
        <h2>演示账号</h2>
        <p class="hint">这是演示系统，人员都是虚构的。点一下填入，密码都是 {{ DEMO_PASSWORD }}。</p>
        <ul>
          <li v-for="[username, role, what] in DEMO" :key="username">
            <button type="button" :class="{ on: form.username === username }" @click="fill(username)" :data-testid="'demo-' + username">
              <b>{{ ROLES[role] }}</b><span>{{ username }}</span><small>{{ what }}</small></button>
          </li>
        </ul>
      </section>
    </main>`,
};
