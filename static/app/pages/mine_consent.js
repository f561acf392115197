// Consent to the use of the face: since when, its text, and withdrawing it.

import * as api from "../api.js";
import { useLoad } from "../loading.js";
import { announce, retiree } from "../store.js";
import { day } from "../words.js";

const { ref } = Vue;

export default {
  setup() {
    const load = useLoad(async () => {
      const [face, text] = await Promise.all([api.get(`/retirees/${retiree.value.id}/face`), api.get("/consent-texts/face")]);
      return { consent: face.consent, paragraphs: text.paragraphs };
    });
    const busy = ref(false);
    const withdrawn = ref(false);
    const error = ref("");

    async function withdraw() {
      busy.value = true;
      error.value = "";
      try {
        await api.remove(`/retirees/${retiree.value.id}/face`);
        load.data = { ...load.data, consent: null };
        withdrawn.value = true;
        announce("已经撤回同意");
      } catch (problem) {
        error.value = problem.message;
      } finally {
        busy.value = false;
      }
    }

    return { busy, day, error, load, retiree, withdraw, withdrawn };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">人脸认证的同意</h1>
      <load-state :load="load">
        <div v-if="load.data.consent" class="card" data-testid="consent-state" data-state="given">
          <p class="large">{{ retiree.name }}在{{ day(load.data.consent.given_at) }}同意了用人脸认证。</p>
          <p v-if="error" class="error" role="alert"><app-icon name="alert"/><span>{{ error }}</span></p>
          <confirm-box ask="撤回同意" question="撤回以后，照片和脸部特征马上删除，正在核对的认证也会停下。以后可以到窗口、请人上门或视频办理，不影响养老金。确定撤回吗？"
            yes="确定撤回" :busy="busy" testid="withdraw" @yes="withdraw"/>
        </div>
        <div v-else class="card" data-testid="consent-state" data-state="none">
          <p v-if="withdrawn" class="large">已经撤回。照片和脸部特征已经删除。</p>
          <p v-else class="large">现在没有同意用人脸认证，也没有保存脸部特征。</p>
          <p>可以到窗口、请人上门或视频办理，不影响养老金。想用人脸认证的时候，会再问您。</p>
        </div>
        <h2>同意书写了什么</h2>
        <div class="card prose"><p v-for="paragraph in load.data.paragraphs" :key="paragraph">{{ paragraph }}</p></div>
      </load-state>
    </section>
  `,
};
