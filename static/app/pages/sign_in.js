// Signing in: the telephone number, then the code that came by SMS. WeChat where the mini-program brings its code along.

import * as api from "../api.js";
import { loadMe, state } from "../store.js";
import { phoneInGroups } from "../words.js";

const { computed, nextTick, onUnmounted, reactive, ref } = Vue;
const { useRouter } = VueRouter;

/** A number as people and their address books write it: +86, spaces, full-width digits. */
const mobile = (text) => text.normalize("NFKC").replace(/\D/g, "").replace(/^(00)?86(?=1\d{10}$)/, "");

const DEMO_NAME = "yinling.demo-wechat";

/** The mini-program opens these pages with its wx.login code: /?wechat_code=…; a code is good once. */
const wechatCode = () => new URLSearchParams(window.location.search).get("wechat_code");

/** In the demo the sandbox lets anybody in by name; this phone keeps its name, so that it is the same person next time. */
function demoCode() {
  const name = localStorage.getItem(DEMO_NAME) || `demo-${api.randomName().slice(0, 10)}`;
  localStorage.setItem(DEMO_NAME, name);
  return `${name}:${api.randomName().slice(0, 8)}`;
}

export default {
  setup() {
    const router = useRouter();
    const form = reactive({ phone: "", code: "" });
    const errors = reactive({ phone: "", code: "", other: "" });
    const sent = ref(null);
    const busy = ref(false);
    const wait = ref(0);
    const arrived = state.notice; // why one is here again
    state.notice = "";
    let timer = 0;

    const wechat = computed(() => (wechatCode() ? "微信登录" : state.config.demo ? "微信登录（演示）" : ""));

    function countDown(seconds) {
      clearInterval(timer);
      const until = Date.now() + seconds * 1000;
      wait.value = seconds;
      timer = setInterval(() => {
        wait.value = Math.max(0, Math.ceil((until - Date.now()) / 1000));
        if (!wait.value) clearInterval(timer);
      }, 1000);
    }
    onUnmounted(() => clearInterval(timer));

    async function attempt(work) {
      if (busy.value) return;
      busy.value = true;
      Object.assign(errors, { phone: "", code: "", other: "" });
      try {
        await work();
      } catch (error) {
        errors.phone = error.of ? error.of("phone") : "";
        errors.code = error.of ? error.of("code") : "";
        if (!errors.phone && !errors.code) errors.other = error.message;
        if (error.code === "code_just_sent") {
          // the page was loaded anew while one looked at the message: its code is still good
          sent.value = sent.value || {};
          errors.other = "";
          countDown(error.retryAfter || 60);
        }
      } finally {
        busy.value = false;
      }
    }

    function askForCode() {
      form.phone = mobile(form.phone);
      if (!/^1[3-9]\d{9}$/.test(form.phone)) {
        errors.phone = "请填写11位手机号。";
        return;
      }
      attempt(async () => {
        sent.value = await api.askForCode(form.phone);
        form.code = "";
        countDown(sent.value.resend_after);
        nextTick(() => document.querySelector("#main h1").focus());
      });
    }

    function signIn() {
      form.code = form.code.replace(/\D/g, "");
      if (form.code.length !== 6) {
        errors.code = "验证码是6位数字，请看短信。";
        return;
      }
      attempt(() => enter("sms", { phone: form.phone, code: form.code }));
    }

    function withWechat() {
      attempt(async () => {
        const code = wechatCode() || demoCode();
        if (wechatCode()) window.history.replaceState(null, "", window.location.pathname + window.location.hash);
        await enter("wechat", { code });
      });
    }

    async function enter(way, body) {
      await api.signIn(way, body);
      await loadMe();
      router.replace("/");
    }

    function otherPhone() {
      sent.value = null;
      nextTick(() => document.querySelector("#main h1").focus());
    }

    return { arrived, askForCode, busy, errors, form, otherPhone, phoneInGroups, sent, signIn, state, wait, wechat, withWechat };
  },
  template: /* html */ `
    <section class="page">
      <form v-if="!sent" novalidate @submit.prevent="askForCode">
        <h1 class="title" tabindex="-1">用手机号登录</h1>
        <p v-if="arrived" class="bar" role="status">{{ arrived }}</p>
        <p>登录后可以在手机上办理养老金领取资格认证。子女也可以用自己的手机号，帮父母办理。</p>
        <text-field v-model="form.phone" label="手机号" type="tel" inputmode="numeric" autocomplete="tel-national"
          maxlength="20" :error="errors.phone" :read-back="form.phone.length > 3 ? phoneInGroups(form.phone) : ''" data-testid="phone"/>
        <p v-if="errors.other" class="error" role="alert"><app-icon name="alert"/><span>{{ errors.other }}</span></p>
        <button type="submit" class="weui-btn weui-btn_primary" :disabled="busy" data-testid="send-code">
          {{ busy ? "正在发送…" : "获取验证码" }}
        </button>
        <template v-if="wechat">
          <p class="or">或者</p>
          <button type="button" class="weui-btn btn-even" :disabled="busy" data-testid="wechat" @click="withWechat">{{ wechat }}</button>
        </template>
      </form>
      <form v-else novalidate @submit.prevent="signIn">
        <h1 class="title" tabindex="-1">填写短信验证码</h1>
        <p>验证码已经发到 <b class="nowrap">{{ phoneInGroups(form.phone) }}</b>，10分钟内有效，不着急。</p>
        <div v-if="sent.demo_code" class="bar" data-testid="demo-code">
          <p>演示环境：验证码 <b>{{ sent.demo_code }}</b></p>
          <button type="button" class="chip" data-testid="fill-code" @click="form.code = sent.demo_code">填入</button>
        </div>
        <text-field v-model="form.code" label="6位验证码" inputmode="numeric" autocomplete="one-time-code" maxlength="6"
          :error="errors.code" data-testid="code"/>
        <p v-if="errors.other" class="error" role="alert"><app-icon name="alert"/><span>{{ errors.other }}</span></p>
        <button type="submit" class="weui-btn weui-btn_primary" :disabled="busy" data-testid="sign-in">
          {{ busy ? "正在登录…" : "登录" }}
        </button>
        <p v-if="wait" class="hint centre">没收到？{{ wait }}秒后可以重新发送</p>
        <button v-else type="button" class="weui-btn btn-even" :disabled="busy" data-testid="resend-code" @click="askForCode">重新发送验证码</button>
        <button type="button" class="weui-btn btn-plain" data-testid="other-phone" @click="otherPhone">换一个手机号</button>
      </form>
    </section>
  `,
};
