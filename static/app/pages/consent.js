// Separate consent to the use of the face: its own page, its whole text, and two answers of the same weight.

import * as api from "../api.js";
import { begin, flow, underWay } from "../certifying.js";
import { useLoad } from "../loading.js";
import { retiree } from "../store.js";

const { useRouter } = VueRouter;

export default {
  setup() {
    const router = useRouter();
    const load = useLoad(() => api.get("/consent-texts/face"));
    function agree() {
      if (!underWay()) begin(true); // the page was opened again; the server knows whether actions may be asked
      flow.agreed = true;
      router.push("/certify/residence");
    }
    return { agree, load, retiree };
  },
  template: /* html */ `
    <section class="page">
      <h1 class="title" tabindex="-1">用人脸认证，请您先同意</h1>
      <load-state :load="load">
        <p v-if="retiree.relation !== 'self'" class="bar"><span>请把下面的话念给{{ retiree.name }}听，由老人自己决定同不同意。</span></p>
        <div class="card prose" data-testid="consent-text">
          <p v-for="paragraph in load.data.paragraphs" :key="paragraph">{{ paragraph }}</p>
        </div>
        <div class="buttons-even">
          <button type="button" class="weui-btn btn-even" data-testid="agree" @click="agree">同意，开始认证</button>
          <router-link to="/help?face=no" class="weui-btn btn-even" data-testid="disagree">不同意，选择人工办理</router-link>
        </div>
      </load-state>
    </section>
  `,
};
