// 我需要帮助: one tap puts a message before the community, and the page says what happens next.

import { askForHelp } from "../inbox.js";
import { announce, state } from "../store.js";

const { nextTick, ref } = Vue;

const NEXT = "社区工作人员会打电话给您，一条一条讲清楚。请保持电话畅通，不用再点。";

export default {
  props: { message: { type: Object, required: true } },
  setup(props) {
    const asked = ref(Boolean(props.message.help_asked_at));
    const busy = ref(false);
    const error = ref("");
    const answer = ref(null);

    async function ask() {
      busy.value = true;
      error.value = "";
      try {
        await askForHelp(props.message.id);
        asked.value = true;
        announce(`已经告诉社区了。${NEXT}`);
        nextTick(() => answer.value.focus());
      } catch (problem) {
        error.value = problem.message;
      } finally {
        busy.value = false;
      }
    }

    return { NEXT, answer, ask, asked, busy, error, state };
  },
  template: /* html */ `
    <div v-if="asked" ref="answer" tabindex="-1" class="card status status-good" data-testid="help-asked">
      <h2 class="status-head"><app-icon name="check"/><span>已经告诉社区了</span></h2>
      <p>{{ NEXT }}</p>
      <p v-if="state.config.phone">着急的话，点下面的“打电话”。</p>
    </div>
    <div v-else class="card">
      <p>看不明白，或者不知道怎么办？点一下，社区工作人员打电话给您。</p>
      <p v-if="error" class="error" role="alert"><app-icon name="alert"/><span>{{ error }}</span></p>
      <button type="button" class="weui-btn btn-even btn-big" :disabled="busy" data-testid="ask-help" @click="ask">
        <app-icon name="hand"/>{{ busy ? "正在告诉社区…" : "我需要帮助" }}
      </button>
    </div>
  `,
};
