// May WeChat remind? One consent is one message, so it is asked for where a next message is sure to come (docs/mini-program.md).

import * as api from "../api.js";
import { askForGrants, insideMiniProgram } from "../wechat.js";

const { onUnmounted, ref } = Vue;

export default {
  props: { moment: { type: String, required: true } }, // certified | signed_up | paid | home
  setup(props) {
    const templates = ref([]);

    /** Asked again when the mini-program's own page has closed: what was granted there is not asked for twice. */
    async function look() {
      if (document.hidden) return;
      // without an answer nothing is offered: the message itself is in the inbox all the same
      templates.value = await api.get(`/me/subscription-templates?moment=${props.moment}`).catch(() => []);
    }

    if (insideMiniProgram()) {
      look();
      document.addEventListener("visibilitychange", look);
      onUnmounted(() => document.removeEventListener("visibilitychange", look));
    }
    return { ask: () => askForGrants(props.moment), templates };
  },
  template: /* html */ `
    <div v-if="templates.length" class="card" data-testid="wechat-reminders">
      <p class="strong">下次有事，要微信提醒您吗？</p>
      <ul class="advice"><li v-for="template in templates" :key="template.template_id">{{ template.words }}</li></ul>
      <button type="button" class="weui-btn btn-even" data-testid="allow-wechat" @click="ask"><app-icon name="bell"/>要，用微信提醒我</button>
    </div>
  `,
};
