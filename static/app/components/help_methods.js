// The ways without the machine. One tap asks, and another one changes it: nothing here needs a confirmation.

import * as api from "../api.js";
import { announce, retiree } from "../store.js";

const { nextTick, ref } = Vue;

const METHODS = {
  window: { icon: "window", words: "到窗口办理", hint: "带身份证到社区，当面办" },
  home_visit: { icon: "home", words: "请人上门", hint: "工作人员到家里来，先打电话约时间" },
  video: { icon: "video", words: "视频办理", hint: "和工作人员用手机视频，先打电话约时间" },
};

export default {
  props: { open: { type: Object, default: null } }, // the request that is open already
  setup(props) {
    const held = ref(props.open);
    const busy = ref(false);
    const error = ref("");
    const answer = ref(null);

    async function ask(method) {
      if (busy.value) return;
      busy.value = true;
      error.value = "";
      try {
        held.value = await api.post(`/retirees/${retiree.value.id}/certification-help`, { method }, api.randomName());
        announce(held.value.message);
        nextTick(() => answer.value.focus());
      } catch (problem) {
        error.value = problem.message;
      } finally {
        busy.value = false;
      }
    }

    return { METHODS, answer, ask, busy, error, held };
  },
  template: /* html */ `
    <div v-if="held" ref="answer" tabindex="-1" class="card status status-good" data-testid="help-open" :data-method="held.method">
      <h2 class="status-head"><app-icon name="check"/><span>已申请：{{ METHODS[held.method].words }}</span></h2>
      <p>{{ held.message }}</p>
    </div>
    <p v-if="held" class="strong">想换一种？点一下就能改：</p>
    <p v-if="error" class="error" role="alert"><app-icon name="alert"/><span>{{ error }}</span></p>
    <ul class="cards">
      <template v-for="(method, name) in METHODS" :key="name">
        <li v-if="!held || held.method !== name">
          <button type="button" class="card card-link" :disabled="busy" :data-testid="'help-' + name" @click="ask(name)">
            <app-icon :name="method.icon"/>
            <span class="card-words"><b class="large">{{ held ? "改成" : "" }}{{ method.words }}</b><span class="soft">{{ method.hint }}</span></span>
            <app-icon name="next"/>
          </button>
        </li>
      </template>
    </ul>
  `,
};
