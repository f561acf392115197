// What became of an attempt. The server knows; this page asks it, and may be left and opened again at any time.

import * as api from "../api.js";
import CertificateFacts from "../components/certificate_facts.js";
import HelpMethods from "../components/help_methods.js";
import WechatReminders from "../components/wechat_reminders.js";
import { speak } from "../speech.js";
import { announce } from "../store.js";

const { nextTick, onUnmounted, ref, watch } = Vue;
const { useRoute } = VueRouter;

const QUICK_MS = 1000;
const QUICK_FOR_MS = 15_000;
const CALM_MS = 3000;
const REVIEW_MS = 20_000; // a person looks at it; the answer comes as a message as well
const SAID = "yinling.said";

const HEADS = {
  awaiting_frames: "这次还没做完",
  checking: "正在核对",
  passed: "认证成功",
  in_review: "工作人员正在核对",
  failed: "这次没有通过",
  expired: "这次没有做完",
};

export default {
  components: { CertificateFacts, HelpMethods, WechatReminders },
  setup() {
    const { id } = useRoute().params;
    const session = ref(null);
    const error = ref("");
    const came = Date.now();
    let timer = 0;
    let gone = false;

    async function look() {
      clearTimeout(timer);
      try {
        session.value = await api.get(`/certification-sessions/${id}`);
        error.value = "";
      } catch (problem) {
        error.value = problem.message;
        if (problem.status && problem.status < 500) return; // asking again would not help
      }
      if (!gone && wait()) timer = setTimeout(look, wait());
    }

    function wait() {
      const state = session.value ? session.value.state : "checking";
      if (state === "in_review") return REVIEW_MS;
      return state === "checking" ? (Date.now() - came < QUICK_FOR_MS ? QUICK_MS : CALM_MS) : 0;
    }

    /** The end is read aloud by itself, once. */
    function tell(state) {
      if (!state) return;
      announce(`${HEADS[state]}。${session.value.message}`);
      nextTick(() => document.querySelector("#main h1").focus());
      if (state === "checking" || sessionStorage.getItem(SAID) === `${id} ${state}`) return;
      sessionStorage.setItem(SAID, `${id} ${state}`);
      const { message, advice } = session.value;
      speak([message.startsWith(HEADS[state]) ? "" : HEADS[state], message, ...advice].join("。"));
    }

    /** The machine refused: let a person look at the same photographs. */
    async function askForReview() {
      try {
        session.value = await api.post(`/certification-sessions/${id}/review`, {});
        look();
      } catch (problem) {
        error.value = problem.message;
      }
    }

    watch(() => session.value && session.value.state, tell);
    onUnmounted(() => {
      gone = true;
      clearTimeout(timer);
    });
    look();
    return { HEADS, askForReview, error, look, session };
  },
  template: /* html */ `
    <section class="page" data-testid="result" :data-state="session ? session.state : ''">
      <template v-if="!session">
        <h1 class="title" tabindex="-1">正在打开</h1>
        <div v-if="error" class="card" role="alert">
          <p class="strong">{{ error }}</p>
          <button type="button" class="weui-btn weui-btn_primary" @click="look">再试一次</button>
        </div>
      </template>
      <template v-else-if="session.state === 'passed'">
        <div class="outcome outcome-good"><app-icon name="check"/></div>
        <h1 class="title centre" tabindex="-1">认证成功</h1>
        <p class="large centre" data-testid="result-text">{{ session.message }}</p>
        <certificate-facts v-if="session.certificate" :certificate="session.certificate"/>
        <wechat-reminders moment="certified"/>
        <router-link to="/" class="weui-btn weui-btn_primary" data-testid="to-home">回到首页</router-link>
      </template>
      <template v-else-if="session.state === 'checking' || session.state === 'in_review'">
        <div class="outcome outcome-wait"><app-icon name="clock"/></div>
        <h1 class="title centre" tabindex="-1">{{ HEADS[session.state] }}</h1>
        <p class="large centre" data-testid="result-text">{{ session.message }}</p>
        <p v-if="session.state === 'checking'" class="centre">您可以在这里等，也可以离开，结果会放在“我的消息”里。</p>
        <ul v-else-if="session.advice.length" class="advice">
          <li v-for="sentence in session.advice" :key="sentence">{{ sentence }}</li>
        </ul>
        <p v-if="error" class="bar" role="status">{{ error }}</p>
        <router-link to="/" class="weui-btn btn-even" data-testid="to-home">回到首页</router-link>
      </template>
      <template v-else>
        <div class="outcome outcome-again"><app-icon name="alert"/></div>
        <h1 class="title centre" tabindex="-1">{{ HEADS[session.state] }}</h1>
        <p class="large centre" data-testid="result-text">{{ session.message }}</p>
        <ul v-if="session.advice.length" class="advice" data-testid="advice">
          <li v-for="sentence in session.advice" :key="sentence">{{ sentence }}</li>
        </ul>
        <button v-if="session.can_be_reviewed" type="button" class="weui-btn btn-even" data-testid="ask-review" @click="askForReview">
          <app-icon name="people"/><span><span class="phrase">请工作人员</span><span class="phrase">看这次的照片</span></span>
        </button>
        <help-methods v-if="session.next === 'ask_a_person'"/>
        <div v-else class="buttons-even">
          <router-link to="/certify" class="weui-btn btn-even" data-testid="try-again"><app-icon name="camera"/>再试一次</router-link>
          <router-link to="/help" class="weui-btn btn-even" data-testid="to-help"><app-icon name="people"/>人工办理</router-link>
        </div>
      </template>
    </section>
  `,
};
